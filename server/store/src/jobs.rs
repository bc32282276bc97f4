//! Jobs.

use car_api::{JobId, job::Job};
use sqlx::SqliteConnection;

use crate::{
    Clean, Result, Store,
    columns::{from_json, from_json_opt, json},
};

pub(crate) async fn upsert(conn: &mut SqliteConnection, job: &Job, clean: &Clean) -> Result<()> {
    sqlx::query(
        "insert into jobs (id, status, created_at, body) values ($1, $2, $3, $4)
         on conflict (id) do update set status = excluded.status, body = excluded.body",
    )
    .bind(job.id.as_str())
    .bind(job.status.as_str())
    .bind(job.created_at.micros())
    .bind(clean.text(json(job)?))
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// One job.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>> {
        let body: Option<String> = sqlx::query_scalar("select body from jobs where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        from_json_opt("job", body.as_deref())
    }

    /// Jobs, newest first, older than one of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn jobs(&self, before: Option<&JobId>, limit: u32) -> Result<Vec<Job>> {
        let bodies: Vec<String> = sqlx::query_scalar(
            "select body from jobs where ($1 is null or id < $1) order by id desc limit $2",
        )
        .bind(before.map(JobId::as_str))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        bodies.iter().map(|body| from_json("job", body)).collect()
    }

    /// Jobs that say they are at work; after a start none is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn running_jobs(&self) -> Result<Vec<Job>> {
        let bodies: Vec<String> =
            sqlx::query_scalar("select body from jobs where status = 'running'")
                .fetch_all(&self.readers)
                .await?;
        bodies.iter().map(|body| from_json("job", body)).collect()
    }
}
