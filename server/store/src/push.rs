//! The tokens of pushed actions that were used.

use car_api::Timestamp;
use sqlx::SqliteConnection;

use crate::Result;

/// Fails with `Conflict` when the token was used before. Those that ran out are forgotten with it.
pub(crate) async fn used(
    conn: &mut SqliteConnection,
    token: &str,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query("delete from push_actions where expires_at < $1")
        .bind(at.micros())
        .execute(&mut *conn)
        .await?;
    sqlx::query("insert into push_actions (token, used_at, expires_at) values ($1, $2, $3)")
        .bind(token)
        .bind(at.micros())
        .bind(expires_at.micros())
        .execute(conn)
        .await?;
    Ok(())
}
