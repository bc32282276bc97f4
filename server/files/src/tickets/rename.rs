//! Renaming many tickets so that a crash at any point loses and duplicates nothing.
//!
//! The plan is written beside the directory before the first rename. In the first phase every file
//! gets a temporary name, in the second its final one; the phase is part of the written plan. Who
//! finds a plan finishes it: each step looks at what is there, so doing it twice does no harm.

use super::{ChangeError, change, open};
use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::Dir;
use crate::error::{FileError, Reason, if_found};
use crate::{CAR_DIR, lock};
use car_engine::ticket::queue::{self, Name, PlanError, Rename, classify};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The plan's file, beside the tickets directory: CAR complains about unknown files inside it.
const PLAN: &str = "tickets.rename.json";
/// A plan of ten thousand renames has about a megabyte.
const PLAN_CAP: u64 = 64 * 1024 * 1024;

/// Moves ticket `before` and all later ones up by `count`.
///
/// # Errors
/// [`ChangeError::Plan`] when that makes no sense.
pub fn insert_gap(tree: &Path, before: u64, count: u64) -> Result<Vec<Rename>, ChangeError> {
    change_order(tree, |names| queue::insert_gap(names, before, count))
}

/// Moves tickets `start` to `end` to position `to` and numbers the queue from 1.
///
/// # Errors
/// [`ChangeError::Plan`] when that makes no sense.
pub fn move_block(tree: &Path, start: u64, end: u64, to: u64) -> Result<Vec<Rename>, ChangeError> {
    change_order(tree, |names| queue::move_block(names, start, end, to))
}

/// Gives ticket `from` the number `to`; tickets in the way move up.
///
/// # Errors
/// [`ChangeError::Plan`] when that makes no sense.
pub fn move_to(tree: &Path, from: u64, to: u64) -> Result<Vec<Rename>, ChangeError> {
    change_order(tree, |names| queue::move_to(names, from, to))
}

/// Numbers the queue 1, 2, 3, … in its order.
///
/// # Errors
/// [`ChangeError::Plan`] when two tickets share a number.
pub fn renumber(tree: &Path) -> Result<Vec<Rename>, ChangeError> {
    change_order(tree, queue::renumber)
}

fn change_order(
    tree: &Path,
    plan: impl FnOnce(&[&str]) -> Result<Vec<Rename>, PlanError>,
) -> Result<Vec<Rename>, ChangeError> {
    let dir = open(tree)?;
    let parent = Dir::open(tree)?.open_beneath(Path::new(CAR_DIR))?;
    let _lock = lock::lock(&dir)?;
    recover(&parent, &dir)?;
    let names = change::names(&dir)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let renames = plan(&names)?;
    carry_out(&parent, &dir, &renames)?;
    Ok(renames)
}

/// A plan as it is kept on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Journal {
    phase: Phase,
    renames: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// Files are getting temporary names.
    Aside,
    /// All have one; they are getting their final names.
    InPlace,
}

/// Carries out a plan. The caller holds the lock.
pub(super) fn carry_out(parent: &Dir, dir: &Dir, renames: &[Rename]) -> Result<(), ChangeError> {
    if renames.is_empty() {
        return Ok(());
    }
    check(dir, renames)?;
    let renames = renames.iter().map(|r| (r.from.clone(), r.to.clone())).collect();
    let journal = Journal { phase: Phase::Aside, renames };
    save(parent, &journal)?;
    finish(parent, dir, journal, &mut || Ok(()))?;
    Ok(())
}

/// Finishes a plan that a crash left behind, if there is one and nobody is at work on it.
pub(super) fn recover_if_needed(parent: &Dir, dir: &Dir) -> Result<(), FileError> {
    if if_found(parent.stat(OsStr::new(PLAN)))?.is_none() {
        return Ok(());
    }
    let _lock = lock::lock(dir)?;
    recover(parent, dir)
}

/// Finishes a plan that a crash left behind. The caller holds the lock.
pub(super) fn recover(parent: &Dir, dir: &Dir) -> Result<(), FileError> {
    let Some(content) = if_found(parent.read(OsStr::new(PLAN), PLAN_CAP))? else { return Ok(()) };
    let journal = serde_json::from_slice::<Journal>(&content.bytes).ok().filter(is_ours);
    match journal {
        Some(journal) => finish(parent, dir, journal, &mut || Ok(())),
        // Plans are written atomically, so this one was not written by us. It is kept for a look.
        None => {
            let aside = OsString::from(format!("{PLAN}.invalid-{}", content.hash));
            parent.rename(OsStr::new(PLAN), parent, &aside)
        }
    }
}

/// Both phases; `before_step` runs before every change of the disk, so that a test can stop there.
fn finish(
    parent: &Dir,
    dir: &Dir,
    mut journal: Journal,
    before_step: &mut dyn FnMut() -> Result<(), FileError>,
) -> Result<(), FileError> {
    if journal.phase == Phase::Aside {
        for (index, (from, _)) in journal.renames.iter().enumerate() {
            before_step()?;
            // Already aside, or removed by somebody: nothing to do.
            if if_found(dir.stat(&aside(index)))?.is_none() {
                if_found(dir.rename(OsStr::new(from), dir, &aside(index)))?;
            }
        }
        before_step()?;
        dir.sync()?;
        journal.phase = Phase::InPlace;
        save(parent, &journal)?;
    }
    for (index, (_, to)) in journal.renames.iter().enumerate() {
        before_step()?;
        place(dir, &aside(index), to)?;
    }
    before_step()?;
    dir.sync()?;
    parent.remove(OsStr::new(PLAN))?;
    parent.sync()
}

/// Gives a file its final name. If somebody took it meanwhile, the file comes back beside it with
/// the same number, which the linter reports with both names.
fn place(dir: &Dir, aside: &OsStr, to: &str) -> Result<(), FileError> {
    let stem = to.get(..to.len().saturating_sub(3)).unwrap_or(to);
    let others = (1..1000).map(|n| format!("{stem}-moved-{n}.md"));
    for name in std::iter::once(to.to_owned()).chain(others) {
        match if_found(dir.rename(aside, dir, OsStr::new(&name))) {
            Err(error) if error.reason == Reason::Exists => {}
            result => return result.map(|_| ()),
        }
    }
    Err(FileError::new(dir.path_of(OsStr::new(to)), Reason::Exists))
}

/// Hidden, so that no list takes it for a ticket.
fn aside(index: usize) -> OsString {
    format!(".car-rename-{index}").into()
}

/// Whether a file has such a name.
pub(super) fn is_aside(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".car-rename-"))
}

/// Refuses a plan that would lose or shadow a file.
fn check(dir: &Dir, renames: &[Rename]) -> Result<(), ChangeError> {
    let leaving: HashSet<&str> = renames.iter().map(|r| r.from.as_str()).collect();
    let mut targets = HashSet::new();
    for rename in renames {
        dir.stat(OsStr::new(&rename.from))?;
        let taken = !leaving.contains(rename.to.as_str())
            && if_found(dir.stat(OsStr::new(&rename.to)))?.is_some();
        if taken || !targets.insert(rename.to.as_str()) {
            return Err(FileError::new(dir.path_of(rename.to.as_ref()), Reason::Exists).into());
        }
    }
    Ok(())
}

/// A plan may only touch tickets, whoever wrote it.
fn is_ours(journal: &Journal) -> bool {
    let is_ticket = |name: &str| matches!(classify(name), Name::Ticket(_));
    journal.renames.iter().all(|(from, to)| is_ticket(from) && is_ticket(to))
}

fn save(parent: &Dir, journal: &Journal) -> Result<(), FileError> {
    let path = parent.path_of(OsStr::new(PLAN));
    let bytes = serde_json::to_vec(journal)
        .map_err(|e| FileError::new(&path, Reason::System(e.to_string())))?;
    match atomic::write(parent, OsStr::new(PLAN), &bytes, WriteIf::Any) {
        Ok(_) => Ok(()),
        Err(WriteError::File(error)) => Err(error),
        Err(WriteError::Conflict { .. }) => Err(FileError::new(path, Reason::Changed)),
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Carries out a plan but stops, as a crash would, before step number `stop`. Returns whether
    /// it stopped.
    pub(crate) fn carry_out_until(tree: &Path, renames: &[Rename], stop: usize) -> bool {
        let parent = Dir::open(tree).unwrap().open_beneath(Path::new(CAR_DIR)).unwrap();
        let dir = parent.open_beneath(Path::new(super::super::TICKETS_DIR)).unwrap();
        let renames = renames.iter().map(|r| (r.from.clone(), r.to.clone())).collect();
        let journal = Journal { phase: Phase::Aside, renames };
        save(&parent, &journal).unwrap();
        let mut steps = 0;
        let mut count = || {
            steps += 1;
            let crashed = FileError::new("", Reason::System("stopped".to_owned()));
            if steps > stop { Err(crashed) } else { Ok(()) }
        };
        finish(&parent, &dir, journal, &mut count).is_err()
    }
}
