//! After a restore nothing is under way: the processes, questions and obligations the rows speak of
//! belong to another time, perhaps another machine.

use car_api::Timestamp;
use sqlx::SqliteConnection;

use crate::Result;

pub(crate) async fn all(conn: &mut SqliteConnection, at: Timestamp) -> Result<()> {
    for sql in [
        "update sessions set ended_at = $1 where ended_at is null",
        "update turns set status = 'interrupted', ended_at = $1 where status = 'running'",
        "update messages set status = 'interrupted', ended_at = $1,
             detail = 'The hub was restored from a backup while it was answered.'
             where status = 'working'",
        "update approvals set resolved_at = $1 where resolved_at is null",
    ] {
        sqlx::query(sql).bind(at.micros()).execute(&mut *conn).await?;
    }
    for sql in ["delete from effects", "delete from ticket_files"] {
        sqlx::query(sql).execute(&mut *conn).await?;
    }
    Ok(())
}
