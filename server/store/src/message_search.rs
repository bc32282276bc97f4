//! Full text search over messages and their answers.
//!
//! The one place whose SQL is SQLite's own (FTS5): every database has another kind of text index,
//! and this one holds nothing that is not in `messages`. It is made when it is not there.

use car_api::{
    Timestamp,
    thread::{Message, MessageHit},
};
use sqlx::{Connection, SqliteConnection};

use crate::{
    Result, Store,
    columns::{parse, parse_opt, row},
};

/// What the index reads its texts from.
const TEXTS: &str = "create view if not exists message_texts_shown as
    select t.id as id, m.thread as thread,
        case when t.in_answer then m.answer else m.body end as text
    from message_texts t join messages m on m.id = t.message";

/// The thread's id is a column of the index, so that a search in one thread reads that thread only.
const INDEX: &str = "create virtual table message_search using fts5(
    thread, text, content = 'message_texts_shown', content_rowid = 'id',
    tokenize = \"unicode61 remove_diacritics 2\", prefix = '2 3')";

/// How long an excerpt is, in words.
const SEARCH: &str = "select t.id as id, t.in_answer as in_answer, m.id as message,
        m.thread as thread, m.number as number, m.created_at as at, h.name as name, h.repo as repo,
        snippet(message_search, 1, '[', ']', '…', 24) as excerpt
    from message_search s
    join message_texts t on t.id = s.rowid
    join messages m on m.id = t.message
    join threads h on h.id = m.thread
    where message_search match $1 and s.rowid < $2
    order by s.rowid desc limit $3";

/// One hit, with its place for the next page and the repo of its thread.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundMessage {
    /// Its place; later texts have higher ones.
    pub place: i64,
    /// The repo its thread is about.
    pub repo: Option<car_api::RepoId>,
    /// The hit.
    pub hit: MessageHit,
}

row! {
    struct Row {
        id: i64,
        in_answer: bool,
        message: String,
        thread: String,
        number: i64,
        at: i64,
        name: String,
        repo: Option<String>,
        excerpt: String,
    }
}

impl TryFrom<Row> for FoundMessage {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            place: row.id,
            repo: parse_opt("repo id", row.repo.as_deref())?,
            hit: MessageHit {
                thread: parse("thread id", &row.thread)?,
                thread_name: row.name,
                message: parse("message id", &row.message)?,
                number: u32::try_from(row.number).unwrap_or(u32::MAX),
                in_answer: row.in_answer,
                excerpt: row.excerpt,
                at: Timestamp::from_micros(row.at),
            },
        })
    }
}

/// Makes the index when it is not there, from what is.
pub(crate) async fn prepare(conn: &mut SqliteConnection) -> Result<()> {
    let there: i64 = sqlx::query_scalar(
        "select count(*) from sqlite_master where type = 'table' and name = 'message_search'",
    )
    .fetch_one(&mut *conn)
    .await?;
    if there > 0 {
        return Ok(());
    }
    let mut transaction = conn.begin().await?;
    for sql in [TEXTS, INDEX, "insert into message_search (message_search) values ('rebuild')"] {
        sqlx::query(sql).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Adds a text that is final, once.
pub(crate) async fn add(
    conn: &mut SqliteConnection,
    message: &Message,
    in_answer: bool,
    text: &str,
) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let known: i64 = sqlx::query_scalar(
        "select count(*) from message_texts where message = $1 and in_answer = $2",
    )
    .bind(message.id.as_str())
    .bind(in_answer)
    .fetch_one(&mut *conn)
    .await?;
    if known > 0 {
        return Ok(());
    }
    let id: i64 = sqlx::query_scalar(
        "update counters set value = value + 1 where name = 'message_texts' returning value",
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query("insert into message_texts (id, message, in_answer) values ($1, $2, $3)")
        .bind(id)
        .bind(message.id.as_str())
        .bind(in_answer)
        .execute(&mut *conn)
        .await?;
    sqlx::query("insert into message_search (rowid, thread, text) values ($1, $2, $3)")
        .bind(id)
        .bind(message.thread.as_str())
        .bind(text)
        .execute(conn)
        .await?;
    Ok(())
}

/// What is searched for: which texts, and where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchQuery {
    /// Words, all of which have to be there; the last one may be a beginning. What stands in `"`
    /// has to be there as it is.
    pub words: String,
    /// Only in this thread.
    pub thread: Option<car_api::ThreadId>,
    /// Only texts before this place, which was the last of the page before.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Store {
    /// Texts that hold all the words, the newest first. Without a word nothing is found.
    ///
    /// # Errors
    /// What the database says.
    pub async fn search_messages(&self, query: &SearchQuery) -> Result<Vec<FoundMessage>> {
        let Some(words) = expression(&query.words) else { return Ok(Vec::new()) };
        let wanted = match &query.thread {
            Some(thread) => format!("thread : \"{thread}\" AND text : ({words})"),
            None => format!("text : ({words})"),
        };
        let rows: Vec<Row> = sqlx::query_as(SEARCH)
            .bind(wanted)
            .bind(query.before.unwrap_or(i64::MAX))
            .bind(i64::from(query.limit))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(FoundMessage::try_from).collect()
    }
}

/// The words in the index's language. Everything is quoted: nothing a person types is an operator.
fn expression(text: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut open_end = false;
    for (n, part) in text.split('"').enumerate() {
        if n % 2 == 1 {
            let has_word = part.chars().any(char::is_alphanumeric);
            parts.extend(has_word.then(|| format!("\"{part}\"")));
            open_end = false;
        } else {
            let words = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
            let before = parts.len();
            parts.extend(words.map(|word| format!("\"{word}\"")));
            if parts.len() > before {
                open_end = part.ends_with(char::is_alphanumeric);
            }
        }
    }
    // The beginning of a word, while it is being typed; of one letter there would be too many.
    if open_end
        && let Some(last) = parts.last_mut()
        && last.chars().count() > 3
    {
        last.push('*');
    }
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_is_an_operator() {
        for (typed, meant) in [
            ("", None),
            (" -- ", None),
            ("deploy", Some("\"deploy\"*")),
            ("deploy ", Some("\"deploy\"")),
            ("a", Some("\"a\"")),
            ("NOT x OR", Some("\"NOT\" AND \"x\" AND \"OR\"*")),
            ("über:straße", Some("\"über\" AND \"straße\"*")),
            ("say \"one two\" three", Some("\"say\" AND \"one two\" AND \"three\"*")),
            ("\"open", Some("\"open\"")),
            ("x\" OR text:\"y", Some("\"x\" AND \" OR text:\" AND \"y\"")),
        ] {
            assert_eq!(expression(typed).as_deref(), meant, "{typed}");
        }
    }
}
