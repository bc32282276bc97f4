//! What a run, or one of its turns, changed: between two commits, or up to the tree as it is.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use car_api::{
    Code, PageQuery, RunId, TurnId,
    diff::{DiffChange, DiffFile, DiffLine, FileDiff, LineKind, RunDiff},
};
use car_engine::generated::is_generated;
use car_files::beneath;
use car_git::{DiffStats, Git, LineAt, Oid, Patch, PatchLine, added_patch};
use car_store::RunRow;

use crate::{
    Error, Hub, Result, cursor,
    hub::{Inner, blocking},
    index,
};

/// How long the later pages of a list show what its first page saw.
const KEPT_FOR: Duration = Duration::from_secs(120);
/// How many lists are kept for their later pages.
const KEPT: usize = 4;
/// Longer lists are read anew for each page.
const KEPT_FILES: usize = 50_000;
/// Bytes of one file's difference that are read.
const FILE_BYTES: usize = 8 << 20;

/// Lists whose later pages somebody may still ask for, the newest last.
#[derive(Default)]
pub(crate) struct Diffs {
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    run: RunId,
    turn: Option<TurnId>,
    at: Instant,
    list: Arc<Listing>,
}

/// Everything a list shows, on all pages.
struct Listing {
    span: Span,
    files_changed: u64,
    insertions: u64,
    deletions: u64,
    generated: u64,
    files: Vec<DiffFile>,
}

/// From which commit to which.
#[derive(Debug, Clone)]
struct Span {
    base: Oid,
    to: Option<Oid>,
    exact: bool,
}

impl Hub {
    /// A page of the files a run or a turn changed, by path.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_diff(
        &self,
        run: &RunId,
        turn: Option<&TurnId>,
        page: PageQuery,
    ) -> Result<RunDiff> {
        let row = self.inner.run_row(run).await?;
        let limit = index::limit(&page)?;
        let kept = page.after.as_ref().and_then(|_| self.inner.diffs.get(run, turn));
        let list = match kept {
            Some(list) => list,
            None => {
                let list = Arc::new(self.inner.listing(&row, turn).await?);
                if (limit + 1..=KEPT_FILES).contains(&list.files.len()) {
                    self.inner.diffs.keep(run, turn, &list);
                }
                list
            }
        };
        let after: Option<String> = cursor::read(&page)?;
        let begin = after.map_or(0, |after| list.files.partition_point(|f| f.path <= after));
        let files = list.files.iter().skip(begin).take(limit + 1).cloned().collect();
        let page = index::cut(files, limit, |file: &DiffFile| file.path.clone());
        Ok(RunDiff {
            run: run.clone(),
            turn: turn.cloned(),
            base: list.span.base.to_string(),
            to: list.span.to.as_ref().map(Oid::to_string),
            exact: list.span.exact,
            files_changed: list.files_changed,
            insertions: list.insertions,
            deletions: list.deletions,
            generated: list.generated,
            files: page.items,
            next: page.next,
        })
    }

    /// A page of the lines of one file a run or a turn changed.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_diff_file(
        &self,
        run: &RunId,
        turn: Option<&TurnId>,
        path: &str,
        page: PageQuery,
    ) -> Result<FileDiff> {
        let row = self.inner.run_row(run).await?;
        let limit = index::limit(&page)?;
        let after = cursor::read(&page)?.unwrap_or(0_usize);
        let patch = self.inner.patch(&row, turn, path).await?;
        let numbered = patch.lines.iter().zip(1_usize..).skip(after).take(limit + 1);
        let lines = index::cut(numbered.collect(), limit, |(_, number)| number.to_string());
        Ok(FileDiff {
            path: path.to_owned(),
            binary: patch.binary,
            truncated: patch.truncated,
            lines_total: patch.lines.len() as u64,
            lines: lines.items.into_iter().map(|(line, _)| line_view(line)).collect(),
            next: lines.next,
        })
    }
}

impl Inner {
    async fn listing(&self, row: &RunRow, turn: Option<&TurnId>) -> Result<Listing> {
        let git = Git::at(self.tree(&row.repo)?);
        let span = self.span(row, turn).await?;
        let stats = match &span.to {
            Some(to) => git.diff_between(&span.base, to).await?,
            None => {
                let status = git.status().await?;
                git.diff_stats(Some(&span.base), &status).await?
            }
        };
        Ok(listing(span, stats))
    }

    async fn patch(&self, row: &RunRow, turn: Option<&TurnId>, path: &str) -> Result<Patch> {
        let unchanged = || Error::not_found(format!("file `{path}` among what this changed"));
        let relative = Path::new(path);
        let plain = |part| matches!(part, std::path::Component::Normal(_));
        if path.is_empty() || path.contains('\0') || !relative.components().all(plain) {
            return Err(unchanged());
        }
        let tree = self.tree(&row.repo)?;
        let git = Git::at(&tree);
        let span = self.span(row, turn).await?;
        let patch = git.file_patch(&span.base, span.to.as_ref(), relative, FILE_BYTES).await?;
        if let Some(patch) = patch {
            return Ok(patch);
        }
        if span.to.is_some() || !git.is_untracked(relative).await? {
            return Err(unchanged());
        }
        let relative = relative.to_owned();
        let read = blocking(move || {
            Ok(beneath::read_file(&tree, &relative, FILE_BYTES as u64).map(|file| file.bytes))
        });
        // What is no regular file, or too long, has no lines to show.
        Ok(read.await?.map_or(Patch { binary: true, ..Patch::default() }, |b| added_patch(&b)))
    }

    /// From which commit to which a run or turn goes.
    async fn span(&self, row: &RunRow, turn: Option<&TurnId>) -> Result<Span> {
        let over = row.flow.state.status().is_end();
        let next_run = if over { self.store.run_after(row).await? } else { None };
        let end = next_run.and_then(|next| next.base_commit).as_deref().and_then(Oid::parse);
        let Some(turn) = turn else {
            let base = row.base_commit.as_deref().and_then(Oid::parse).ok_or_else(no_base)?;
            // What was not committed when the next run began is in neither.
            return Ok(Span { base, exact: !over || end.is_some(), to: end });
        };
        let found = self.store.turn(turn).await?.filter(|found| found.run == row.id);
        let found = found.ok_or_else(|| Error::not_found(format!("turn `{turn}` of this run")))?;
        let base = self.began_at(turn).await?.ok_or_else(no_base)?;
        let Some(next) = self.store.turns(&row.id, found.number, 1).await?.pop() else {
            return Ok(Span { base, exact: !over || end.is_some(), to: end });
        };
        let to = self.began_at(&next.id).await?;
        let changed = found.diff.is_some_and(|diff| diff.files_changed > 0);
        if changed && to.as_ref() == Some(&base) {
            // It committed nothing: its work is only in the tree, together with what came later.
            return Ok(Span { base, to: end, exact: false });
        }
        Ok(Span { base, exact: to.is_some(), to: to.or(end) })
    }

    /// The commit the tree was at when a turn began.
    async fn began_at(&self, turn: &TurnId) -> Result<Option<Oid>> {
        let fingerprint = self.store.turn_fingerprint(turn).await?;
        Ok(fingerprint.and_then(|text| Oid::parse(text.split(':').next()?)))
    }
}

fn no_base() -> Error {
    Error::new(Code::GitState, "The commit this began at is not known, so nothing can be compared.")
}

fn listing(span: Span, stats: DiffStats) -> Listing {
    let mut files: Vec<DiffFile> = stats.files.into_iter().map(file_view).collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Listing {
        span,
        files_changed: stats.files_changed,
        insertions: stats.insertions,
        deletions: stats.deletions,
        generated: files.iter().filter(|file| file.generated).count() as u64,
        files,
    }
}

fn file_view(file: car_git::FileStat) -> DiffFile {
    let path = file.path.to_string_lossy().into_owned();
    DiffFile {
        generated: is_generated(&path),
        change: match file.status {
            car_git::FileChange::Added => DiffChange::Added,
            car_git::FileChange::Modified => DiffChange::Modified,
            car_git::FileChange::Deleted => DiffChange::Deleted,
            car_git::FileChange::TypeChanged => DiffChange::TypeChanged,
            car_git::FileChange::Unmerged => DiffChange::Unmerged,
            car_git::FileChange::Untracked => DiffChange::Untracked,
        },
        insertions: file.insertions,
        deletions: file.deletions,
        path,
    }
}

/// A line as it goes over the wire.
pub(crate) fn line_view(line: &PatchLine) -> DiffLine {
    let (kind, old, new) = match line.at {
        LineAt::Hunk => (LineKind::Hunk, None, None),
        LineAt::Context { old, new } => (LineKind::Context, Some(old), Some(new)),
        LineAt::Added(new) => (LineKind::Added, None, Some(new)),
        LineAt::Removed(old) => (LineKind::Removed, Some(old), None),
        LineAt::Note => (LineKind::Note, None, None),
    };
    DiffLine { kind, old, new, text: line.text.clone() }
}

impl Diffs {
    fn get(&self, run: &RunId, turn: Option<&TurnId>) -> Option<Arc<Listing>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.at.elapsed() < KEPT_FOR);
        let found = kept.iter().find(|one| one.run == *run && one.turn.as_ref() == turn);
        found.map(|one| one.list.clone())
    }

    fn keep(&self, run: &RunId, turn: Option<&TurnId>, list: &Arc<Listing>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| {
            one.at.elapsed() < KEPT_FOR && !(one.run == *run && one.turn.as_ref() == turn)
        });
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        let (run, turn) = (run.clone(), turn.cloned());
        kept.push(Kept { run, turn, at: Instant::now(), list: list.clone() });
    }
}
