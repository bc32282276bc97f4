//! What was kept of removed worktrees and repos.

use car_api::{RepoId, SalvageId, worktree::Salvage};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, from_json_opt, json},
};

pub(crate) async fn upsert(conn: &mut SqliteConnection, salvage: &Salvage) -> Result<()> {
    sqlx::query(
        "insert into salvages (id, created_at, body, repo) values ($1, $2, $3, $4)
         on conflict (id) do update set body = excluded.body",
    )
    .bind(salvage.id.as_str())
    .bind(salvage.created_at.micros())
    .bind(json(salvage)?)
    .bind(salvage.repo.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, id: &SalvageId) -> Result<()> {
    sqlx::query("delete from salvages where id = $1").bind(id.as_str()).execute(conn).await?;
    Ok(())
}

impl Store {
    /// One of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn salvage(&self, id: &SalvageId) -> Result<Option<Salvage>> {
        let body: Option<String> = sqlx::query_scalar("select body from salvages where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        from_json_opt("salvage", body.as_deref())
    }

    /// All of them, newest first, older than one of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn salvages(
        &self,
        repo: Option<&RepoId>,
        before: Option<&SalvageId>,
        limit: u32,
    ) -> Result<Vec<Salvage>> {
        let bodies: Vec<String> = sqlx::query_scalar(
            "select body from salvages
             where ($1 is null or id < $1) and ($2 is null or repo = $2)
             order by id desc limit $3",
        )
        .bind(before.map(SalvageId::as_str))
        .bind(repo.map(RepoId::as_str))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        bodies.iter().map(|body| from_json("salvage", body)).collect()
    }
}
