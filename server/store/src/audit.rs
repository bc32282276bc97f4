//! The audit chain: who did what, in lines that each carry the hash of the one before.

mod canonical;
#[cfg(test)]
mod tests;
mod verify;

use car_api::{
    Timestamp,
    audit::{Actor, AuditHead, AuditLine, Outcome},
};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Clean, Error, Result, Store,
    columns::{micros, parse, row},
};

pub use verify::verify_audit_file;

/// A line before it has its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Where the request says it came from.
    pub ip_claimed: Option<String>,
    /// What: an operation's id, or what the hub did by itself.
    pub verb: String,
    /// To what.
    pub object: String,
    /// How it went.
    pub outcome: Outcome,
    /// More, where there is more to say.
    pub detail: Option<String>,
}

/// Which lines are wanted; an empty query wants all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditQuery {
    /// Only of this actor, by id or kind.
    pub actor: Option<String>,
    /// Only of this verb.
    pub verb: Option<String>,
    /// Only to this object.
    pub object: Option<String>,
    /// Only from this time on.
    pub since: Option<Timestamp>,
    /// Only lines with a lower number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

row! {
    struct Row {
        seq: i64,
        at: i64,
        actor_kind: String,
        actor_id: String,
        actor_name: String,
        ip_claimed: Option<String>,
        verb: String,
        object: String,
        outcome: String,
        detail: Option<String>,
        prev: String,
        hash: String,
    }
}

impl TryFrom<Row> for AuditLine {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            seq: row.seq,
            at: Timestamp::from_micros(row.at),
            actor: Actor {
                kind: parse("actor kind", &row.actor_kind)?,
                id: row.actor_id,
                name: row.actor_name,
            },
            ip_claimed: row.ip_claimed,
            verb: row.verb,
            object: row.object,
            outcome: parse("outcome", &row.outcome)?,
            detail: row.detail,
            prev: row.prev,
            hash: row.hash,
        })
    }
}

const COLUMNS: &str = "seq, at, actor_kind, actor_id, actor_name, ip_claimed, verb, object, \
                       outcome, detail, prev, hash";

/// The hash a line must have.
fn hash(line: &AuditLine) -> Result<String> {
    let mut value = serde_json::to_value(line).map_err(|e| Error::corrupt("audit line", e))?;
    if let Some(members) = value.as_object_mut() {
        members.remove("prev");
        members.remove("hash");
    }
    let mut digest = Sha256::new();
    digest.update(canonical::text(&value).as_bytes());
    digest.update(line.prev.as_bytes());
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn head(conn: &mut SqliteConnection) -> Result<AuditHead> {
    let last: Option<(i64, String)> =
        sqlx::query_as("select seq, hash from audit order by seq desc limit 1")
            .fetch_optional(conn)
            .await?;
    Ok(last.map_or_else(AuditHead::none, |(seq, hash)| AuditHead { seq, hash }))
}

/// Adds a line to the end of the chain.
pub(crate) async fn append(
    conn: &mut SqliteConnection,
    entry: &AuditEntry,
    clean: &Clean,
) -> Result<()> {
    let end = head(&mut *conn).await?;
    let mut line = AuditLine {
        seq: end.seq + 1,
        at: entry.at,
        actor: entry.actor.clone(),
        ip_claimed: entry.ip_claimed.clone(),
        verb: entry.verb.clone(),
        object: entry.object.clone(),
        outcome: entry.outcome,
        detail: entry.detail.clone().map(|detail| clean.text(detail)),
        prev: end.hash,
        hash: String::new(),
    };
    line.hash = hash(&line)?;
    sqlx::query(
        "insert into audit (seq, at, actor_kind, actor_id, actor_name, ip_claimed, verb, object,
                            outcome, detail, prev, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(line.seq)
    .bind(line.at.micros())
    .bind(line.actor.kind.as_str())
    .bind(&line.actor.id)
    .bind(&line.actor.name)
    .bind(&line.ip_claimed)
    .bind(&line.verb)
    .bind(&line.object)
    .bind(line.outcome.as_str())
    .bind(&line.detail)
    .bind(&line.prev)
    .bind(&line.hash)
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// The end of the audit chain.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_head(&self) -> Result<AuditHead> {
        let mut conn = self.readers.acquire().await?;
        head(&mut conn).await
    }

    /// The chain as it ended with one of its lines.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_head_at(&self, seq: i64) -> Result<Option<AuditHead>> {
        let line: Option<(i64, String)> =
            sqlx::query_as("select seq, hash from audit where seq = $1")
                .bind(seq)
                .fetch_optional(&self.readers)
                .await?;
        Ok(line.map(|(seq, hash)| AuditHead { seq, hash }))
    }

    /// Lines of the audit chain, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_lines(&self, query: &AuditQuery) -> Result<Vec<AuditLine>> {
        let sql = format!(
            "select {COLUMNS} from audit
             where ($1 is null or seq < $1)
               and ($2 is null or actor_id = $2 or actor_kind = $2)
               and ($3 is null or verb = $3)
               and ($4 is null or object = $4)
               and ($5 is null or at >= $5)
             order by seq desc limit $6"
        );
        // Only column names of ours are in the text.
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(query.before)
            .bind(&query.actor)
            .bind(&query.verb)
            .bind(&query.object)
            .bind(micros(query.since))
            .bind(i64::from(query.limit))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(AuditLine::try_from).collect()
    }
}
