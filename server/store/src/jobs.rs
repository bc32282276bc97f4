//! Jobs and what they had to say.

use car_api::{
    JobId, RepoId, Timestamp,
    job::{Job, JobKind, JobLine, JobStatus},
};
use sqlx::SqliteConnection;

use crate::{
    Clean, Result, Store,
    columns::{from_json, from_json_opt, json, row},
};

/// Which jobs are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobQuery {
    /// Only those that stand so.
    pub status: Option<JobStatus>,
    /// Only those of this kind.
    pub kind: Option<JobKind>,
    /// Only those of this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only those older than this one.
    pub before: Option<JobId>,
    /// At most so many.
    pub limit: u32,
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, job: &Job, clean: &Clean) -> Result<()> {
    sqlx::query(
        "insert into jobs (id, status, created_at, body, kind, repo)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set status = excluded.status, body = excluded.body",
    )
    .bind(job.id.as_str())
    .bind(job.status.as_str())
    .bind(job.created_at.micros())
    .bind(clean.text(json(job)?))
    .bind(job.kind.as_str())
    .bind(job.repo.as_ref().map(RepoId::as_str))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn add_line(
    conn: &mut SqliteConnection,
    job: &JobId,
    line: &JobLine,
) -> Result<()> {
    sqlx::query("insert into job_lines (job, seq, at, line) values ($1, $2, $3, $4)")
        .bind(job.as_str())
        .bind(i64::from(line.seq))
        .bind(line.at.micros())
        .bind(&line.line)
        .execute(conn)
        .await?;
    Ok(())
}

row! {
    struct LineRow {
        seq: i64,
        at: i64,
        line: String,
    }
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

    /// Jobs, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn jobs(&self, query: &JobQuery) -> Result<Vec<Job>> {
        let bodies: Vec<String> = sqlx::query_scalar(
            "select body from jobs
             where ($1 is null or id < $1) and ($2 is null or status = $2)
               and ($3 is null or kind = $3) and ($4 is null or repo = $4)
             order by id desc limit $5",
        )
        .bind(query.before.as_ref().map(JobId::as_str))
        .bind(query.status.map(JobStatus::as_str))
        .bind(query.kind.map(JobKind::as_str))
        .bind(query.repo.as_ref().map(RepoId::as_str))
        .bind(i64::from(query.limit))
        .fetch_all(&self.readers)
        .await?;
        bodies.iter().map(|body| from_json("job", body)).collect()
    }

    /// Lines of a job's log after one of them, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_lines(&self, job: &JobId, after: u32, limit: u32) -> Result<Vec<JobLine>> {
        let rows: Vec<LineRow> = sqlx::query_as(
            "select seq, at, line from job_lines where job = $1 and seq > $2
             order by seq limit $3",
        )
        .bind(job.as_str())
        .bind(i64::from(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let line = |row: LineRow| JobLine {
            seq: u32::try_from(row.seq).unwrap_or(u32::MAX),
            at: Timestamp::from_micros(row.at),
            line: row.line,
        };
        Ok(rows.into_iter().map(line).collect())
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
