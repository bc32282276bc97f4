//! Facts about this database, such as the hub's instance id.

use sqlx::SqliteConnection;

use crate::{Result, Store};

pub(crate) async fn upsert(conn: &mut SqliteConnection, name: &str, value: &str) -> Result<()> {
    sqlx::query(
        "insert into facts (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// One fact.
    ///
    /// # Errors
    /// What the database says.
    pub async fn fact(&self, name: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("select value from facts where name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?)
    }
}
