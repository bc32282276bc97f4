//! A walk over the whole chain.

use std::path::Path;

use car_api::audit::{AuditBreak, AuditHead, AuditLine, AuditReport};
use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use super::{COLUMNS, Row, hash};
use crate::{Result, Store};

impl Store {
    /// Walks the audit chain, and looks whether a head that somebody kept is part of it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verify_audit(&self, kept: Option<&AuditHead>) -> Result<AuditReport> {
        let mut conn = self.readers.acquire().await?;
        walk(&mut conn, kept).await
    }
}

/// Walks the audit chain of a database nobody needs to serve.
///
/// # Errors
/// The file is no database of a hub.
pub async fn verify_audit_file(path: &Path, kept: Option<&AuditHead>) -> Result<AuditReport> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .read_only(true);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    let report = walk(&mut conn, kept).await?;
    let _ = conn.close().await;
    Ok(report)
}

pub(super) async fn walk(
    conn: &mut SqliteConnection,
    kept: Option<&AuditHead>,
) -> Result<AuditReport> {
    // Only column names of ours are in the text.
    let sql = AssertSqlSafe(format!("select {COLUMNS} from audit order by seq"));
    let mut rows = sqlx::query_as::<_, Row>(sql).fetch(conn);
    let mut head = AuditHead::none();
    let mut broken = None;
    let mut held = kept.is_none_or(|kept| *kept == AuditHead::none());
    while let Some(row) = rows.try_next().await? {
        if let Err(fault) = follows(&head, row).map(|end| head = end) {
            broken = Some(fault);
            break;
        }
        held |= kept == Some(&head);
        if kept.is_some_and(|kept| kept.seq == head.seq && kept.hash != head.hash) {
            let detail = "the chain was made anew: this line is not the one that was kept";
            broken = Some(AuditBreak { seq: head.seq, detail: detail.to_owned() });
            break;
        }
    }
    if broken.is_none() && !held {
        let seq = head.seq + 1;
        let kept = kept.map_or(0, |kept| kept.seq);
        let detail = format!("the chain was cut off: line {kept} was known and is not there");
        broken = Some(AuditBreak { seq, detail });
    }
    Ok(AuditReport { ok: broken.is_none(), lines: head.seq, head, broken })
}

/// The head after a row, if the row is the line that must come next.
fn follows(head: &AuditHead, row: Row) -> std::result::Result<AuditHead, AuditBreak> {
    let seq = head.seq + 1;
    let fault = |detail: String| AuditBreak { seq, detail };
    if row.seq != seq {
        return Err(fault(format!("the line is missing; the next one is {}", row.seq)));
    }
    let line = AuditLine::try_from(row).map_err(|error| fault(error.to_string()))?;
    if line.prev != head.hash {
        return Err(fault("it does not continue the line before".to_owned()));
    }
    let right = hash(&line).map_err(|error| fault(error.to_string()))?;
    if line.hash != right {
        return Err(fault("it is not as it was written".to_owned()));
    }
    Ok(AuditHead { seq, hash: line.hash })
}
