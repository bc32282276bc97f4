//! Fetching a source.

use std::{sync::Arc, time::Duration};

use car_api::{
    Code, EventKind,
    job::{Job, JobKind, JobResult},
};
use car_git::{FetchLimits, GitError, Oid};
use car_store::{TemplateSourceRow, Write};

use super::{Fetching, catalog, is_of, short};
use crate::{
    Error, Hub, Result, TemplateSourceConfig, clock,
    hub::{Inner, blocking},
    jobs::{self, Outcome, Reporter},
    repos::without_login,
};

/// How much a source may have, and how long it may take to be fetched.
const LIMITS: FetchLimits = FetchLimits { bytes: 64 << 20, time: Duration::from_secs(120) };

/// Fetches a source as a job.
pub(super) async fn start(
    hub: &Hub,
    source: TemplateSourceConfig,
    rewritten: bool,
    alone: Fetching,
) -> Result<Job> {
    let inner = Arc::clone(&hub.inner);
    let act = hub.act("template_source_sync", &source.id).detail(without_login(&source.url));
    jobs::start(hub, JobKind::TemplateSync, None, act, move |reporter| async move {
        let _alone = alone;
        let known = inner.store.template_sources().await?.into_iter();
        let known = known.into_iter().find(|row| is_of(row, &source));
        let done = fetch(&inner, &source, known.clone(), rewritten, &reporter).await;
        let error = match done {
            Ok(note) => {
                let source = Box::new(inner.source_now(&source).await?);
                let result = Some(JobResult::Templates { source });
                return Ok(Outcome { result, note: Some(note) });
            }
            Err(error) if reporter.cancel.is_cancelled() => return Err(error),
            Err(error) => error,
        };
        // git repeats the address it was given.
        let said = error.detail.replace(&source.url, &without_login(&source.url));
        let Some(mut row) = known else { return Err(Error { detail: said, ..error }) };
        let since = row.fetched_at.in_words();
        row.trouble = Some(said.clone());
        changed(&inner, row, Vec::new()).await?;
        let detail = format!("{said} The copy of {since} goes on being used.");
        Err(Error { detail, ..error })
    })
    .await
}

/// Fetches, moves the pin, and says in a line what there is now.
async fn fetch(
    inner: &Arc<Inner>,
    source: &TemplateSourceConfig,
    known: Option<TemplateSourceRow>,
    rewritten: bool,
    reporter: &Reporter,
) -> Result<String> {
    reporter.say(&format!("fetching {}", without_login(&source.url)));
    let mirror = inner.mirror(&source.id);
    if known.is_none() {
        // A copy nobody knows may be of another address.
        let dir = mirror.path().to_owned();
        blocking(move || match std::fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::internal(error))
            }
            Ok(()) | Err(_) => Ok(()),
        })
        .await?;
    }
    mirror.make().await?;
    let (progress, cancel) = (reporter.git_progress(), reporter.cancel.clone());
    let fetched = mirror.fetch(&source.url, LIMITS, progress, cancel).await;
    fetched.map_err(|error| not_fetched(&source.url, error))?;
    reporter.not_cancelled()?;
    reporter.at("reading", None, None);
    let found = mirror.commit_of(&source.default_ref).await?.ok_or_else(|| {
        let detail = format!(
            "{} has no branch, tag or commit `{}`.",
            without_login(&source.url),
            source.default_ref
        );
        Error::new(Code::GitState, detail)
    })?;
    let before = known.as_ref().and_then(|row| Oid::parse(&row.pinned));
    let stays = match &before {
        Some(before) if *before != found && !rewritten => {
            // A pinned commit that is gone cannot be followed, and cannot be read either.
            let there = mirror.commit_of(before.as_str()).await?.is_some();
            (there && !mirror.follows(&found, before).await?).then(|| before.clone())
        }
        Some(_) | None => None,
    };
    let pinned = stays.clone().unwrap_or_else(|| found.clone());
    let earlier = inner.templates.catalogs().get(&source.id).cloned();
    let read = Arc::new(catalog::read(&mirror, &pinned, earlier.as_deref()).await?);
    // Only what can be read takes the place of what could be.
    mirror.pin(&pinned).await?;
    for left_out in &read.skipped {
        reporter.say(&format!("left out: {}: {}", left_out.path, left_out.why));
    }
    let row = TemplateSourceRow {
        id: source.id.clone(),
        url: source.url.clone(),
        pinned: pinned.to_string(),
        rewritten: stays.is_some().then(|| found.to_string()),
        fetched_at: clock::now(),
        trouble: None,
    };
    let mut writes = Vec::new();
    if known.is_none() {
        // What was trusted of another address under this id is of no worth.
        writes.push(Write::TemplateSourceGone(source.id.clone()));
        if source.trusted {
            let all: Vec<_> = read.entries.iter().collect();
            writes.extend(inner.trust_in(&source.id, &all).await?);
        }
    }
    inner.templates.catalogs().insert(source.id.clone(), Arc::clone(&read));
    changed(inner, row, writes).await?;
    let count = read.entries.len();
    let templates = if count == 1 { "1 template".to_owned() } else { format!("{count} templates") };
    Ok(match (stays, before) {
        (Some(_), _) => format!(
            "the history of {} was rewritten; the templates stay those of {}",
            source.default_ref,
            short(pinned.as_str())
        ),
        (None, Some(before)) if before == pinned => {
            format!("up to date: {templates} at {}", short(pinned.as_str()))
        }
        (None, _) => format!("{templates} at {}", short(pinned.as_str())),
    })
}

/// Why a source could not be fetched, without how git was called.
fn not_fetched(url: &str, error: GitError) -> Error {
    let why = match &error {
        GitError::Failed { stderr, .. } => {
            let line = stderr.lines().map(str::trim).find(|line| !line.is_empty());
            let line = line.unwrap_or("git does not say why");
            line.strip_prefix("fatal: ").unwrap_or(line).trim_end_matches('.').to_owned()
        }
        GitError::Timeout { after, .. } => {
            format!("it did not come to an end within {} seconds", after.as_secs())
        }
        GitError::NotFound { .. }
        | GitError::NotARepo { .. }
        | GitError::NoGit { .. }
        | GitError::Cancelled { .. }
        | GitError::Refused { .. }
        | GitError::WouldLose { .. }
        | GitError::TooMuchOutput { .. }
        | GitError::Unreadable { .. }
        | GitError::Io { .. } => return error.into(),
    };
    let detail = format!("{} could not be fetched: {why}.", without_login(url));
    Error::new(Code::GitFailed, detail).with_source(error)
}

async fn changed(inner: &Inner, row: TemplateSourceRow, mut writes: Vec<Write>) -> Result<()> {
    let kind = EventKind::TemplatesChanged { source: row.id.clone() };
    writes.push(Write::TemplateSource(Box::new(row)));
    inner.log_with(None, kind, writes).await
}
