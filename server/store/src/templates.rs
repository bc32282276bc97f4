//! Sources of templates, and what is trusted of them.

use car_api::{TemplateSourceId, Timestamp};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{parse, row},
};

/// What is known of a source that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSourceRow {
    /// The source.
    pub id: TemplateSourceId,
    /// The address it was fetched from.
    pub url: String,
    /// The commit its templates are taken from.
    pub pinned: String,
    /// Another commit that it has by now and that does not follow the pinned one.
    pub rewritten: Option<String>,
    /// When it last answered.
    pub fetched_at: Timestamp,
    /// Why it could not be fetched the last time.
    pub trouble: Option<String>,
}

/// A file somebody trusts as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateTrustRow {
    /// The source it is of.
    pub source: TemplateSourceId,
    /// The file, relative to the source's root.
    pub path: String,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// What it says. Empty where it was not asked for.
    pub content: String,
    /// Since when it is trusted.
    pub trusted_at: Timestamp,
}

row! {
    struct SourceRow {
        id: String,
        url: String,
        pinned: String,
        rewritten: Option<String>,
        fetched_at: i64,
        trouble: Option<String>,
    }
}

impl TryFrom<SourceRow> for TemplateSourceRow {
    type Error = crate::Error;

    fn try_from(row: SourceRow) -> Result<Self> {
        Ok(Self {
            id: parse("template source", &row.id)?,
            url: row.url,
            pinned: row.pinned,
            rewritten: row.rewritten,
            fetched_at: Timestamp::from_micros(row.fetched_at),
            trouble: row.trouble,
        })
    }
}

row! {
    struct TrustRow {
        source: String,
        path: String,
        sha256: String,
        content: String,
        trusted_at: i64,
    }
}

impl TryFrom<TrustRow> for TemplateTrustRow {
    type Error = crate::Error;

    fn try_from(row: TrustRow) -> Result<Self> {
        Ok(Self {
            source: parse("template source", &row.source)?,
            path: row.path,
            sha256: row.sha256,
            content: row.content,
            trusted_at: Timestamp::from_micros(row.trusted_at),
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &TemplateSourceRow) -> Result<()> {
    sqlx::query(
        "insert into template_sources (id, url, pinned, rewritten, fetched_at, trouble)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set url = excluded.url, pinned = excluded.pinned,
             rewritten = excluded.rewritten, fetched_at = excluded.fetched_at,
             trouble = excluded.trouble",
    )
    .bind(row.id.as_str())
    .bind(&row.url)
    .bind(&row.pinned)
    .bind(&row.rewritten)
    .bind(row.fetched_at.micros())
    .bind(&row.trouble)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, source: &TemplateSourceId) -> Result<()> {
    for sql in [
        "delete from template_trusts where source = $1",
        "delete from template_sources where id = $1",
    ] {
        sqlx::query(sql).bind(source.as_str()).execute(&mut *conn).await?;
    }
    Ok(())
}

pub(crate) async fn trust(conn: &mut SqliteConnection, row: &TemplateTrustRow) -> Result<()> {
    sqlx::query(
        "insert into template_trusts (source, path, sha256, content, trusted_at)
         values ($1, $2, $3, $4, $5)
         on conflict (source, path, sha256) do update set trusted_at = excluded.trusted_at",
    )
    .bind(row.source.as_str())
    .bind(&row.path)
    .bind(&row.sha256)
    .bind(&row.content)
    .bind(row.trusted_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the trust back: in one file, or in all of a source.
pub(crate) async fn untrust(
    conn: &mut SqliteConnection,
    source: &TemplateSourceId,
    path: Option<&str>,
) -> Result<()> {
    sqlx::query("delete from template_trusts where source = $1 and ($2 is null or path = $2)")
        .bind(source.as_str())
        .bind(path)
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// The sources that were fetched, by id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn template_sources(&self) -> Result<Vec<TemplateSourceRow>> {
        let rows: Vec<SourceRow> = sqlx::query_as(
            "select id, url, pinned, rewritten, fetched_at, trouble from template_sources order by id",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(TemplateSourceRow::try_from).collect()
    }

    /// What is trusted of all sources, without the texts.
    ///
    /// # Errors
    /// What the database says.
    pub async fn template_trusts(&self) -> Result<Vec<TemplateTrustRow>> {
        let rows: Vec<TrustRow> = sqlx::query_as(
            "select source, path, sha256, '' as content, trusted_at from template_trusts
             order by source, path, trusted_at",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(TemplateTrustRow::try_from).collect()
    }

    /// The version of a file that was trusted last.
    ///
    /// # Errors
    /// What the database says.
    pub async fn template_trusted_last(
        &self,
        source: &TemplateSourceId,
        path: &str,
    ) -> Result<Option<TemplateTrustRow>> {
        let row: Option<TrustRow> = sqlx::query_as(
            "select source, path, sha256, content, trusted_at from template_trusts
             where source = $1 and path = $2 order by trusted_at desc limit 1",
        )
        .bind(source.as_str())
        .bind(path)
        .fetch_optional(&self.readers)
        .await?;
        row.map(TemplateTrustRow::try_from).transpose()
    }
}
