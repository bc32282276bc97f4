//! The runs that the Python CAR finished in a tree before this hub: they are listed with the hub's
//! own, from what CAR noted of them. Its files are only read.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use car_api::{
    RepoId, RunId,
    run::{FailureCode, RunOptions, RunState},
};
use car_engine::flow::Flow;
use car_files::{CAR_DIR, beneath::Dir, run_dir};
use car_store::{CarRun, RunRow, Store, Write};

use crate::{
    Error, Result, clock,
    hub::{Inner, blocking},
};

/// CAR's database of a tree's runs.
const FILE: &str = "flows.db";

/// What is noted of each tree: how its file looked when it was read.
const READ: &str = "car_runs";

/// Lists the runs that are not listed yet, and gives them. `scratch` is a directory for copies. A
/// file that was read and is unchanged is not opened again.
///
/// # Errors
/// The file cannot be read, or the disk does not take what was read.
pub(crate) async fn take_up(
    store: &Store,
    repo: &RepoId,
    tree: &Path,
    scratch: &Path,
) -> Result<Vec<RunRow>> {
    let (tree, scratch) = (tree.to_owned(), scratch.to_owned());
    let looked = blocking(move || Ok(looks(&tree))).await?;
    let Some((file, seen)) = looked else { return Ok(Vec::new()) };
    let known = store.fact(READ).await?;
    let mut known: BTreeMap<RepoId, String> =
        known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if known.get(repo) == Some(&seen) {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for run in read(file, scratch).await? {
        let Some(row) = row(repo, run) else { continue };
        if store.run(&row.id).await?.is_none() {
            rows.push(row);
        }
    }
    known.insert(repo.clone(), seen);
    let value = serde_json::to_string(&known).map_err(Error::internal)?;
    let mut writes: Vec<_> =
        rows.iter().map(|row| Write::RunCreate(Box::new(row.clone()))).collect();
    writes.push(Write::Fact { name: READ, value });
    store.commit(writes).await?;
    Ok(rows)
}

impl Inner {
    /// The same for a tree of this hub. What cannot be read of CAR's is said in the log, and is in
    /// nobody's way.
    pub(crate) async fn take_up_car_runs(&self, repo: &RepoId) {
        let Some(tree) = self.index.tree_path(repo) else { return };
        let scratch = self.config.root.join(CAR_DIR).join("tmp");
        match take_up(&self.store, repo, &tree, &scratch).await {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => {
                rows.iter().for_each(|row| self.index.set_run(row));
                tracing::info!(%repo, count = rows.len(), "runs of CAR are listed");
            }
            Err(error) => tracing::warn!(%repo, %error, "runs of CAR could not be read"),
        }
    }
}

/// The file and how it looks from outside; none when there is none.
fn looks(tree: &Path) -> Option<(PathBuf, String)> {
    let dir = Dir::open(tree).and_then(|tree| tree.open_beneath(Path::new(CAR_DIR))).ok()?;
    let file = dir.path().join(FILE);
    let one = |path: &Path| {
        let found = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        let changed = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(format!("{}-{}", changed.as_nanos(), found.len()))
    };
    let log = one(&log_of(&file)).unwrap_or_default();
    let seen = one(&file).map(|file| format!("{file} {log}"))?;
    Some((file, seen))
}

/// What CAR has written and not yet put into the file itself.
fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

async fn read(file: PathBuf, scratch: PathBuf) -> Result<Vec<CarRun>> {
    let log = log_of(&file);
    let place = file.clone();
    let copy = blocking(move || {
        if fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
            return Ok(None);
        }
        let dir = scratch.join(format!("car-runs-{}", clock::now().micros()));
        let copied = fs::create_dir_all(&dir)
            .and_then(|()| fs::copy(&place, dir.join(FILE)))
            .and_then(|_| fs::copy(&log, log_of(&dir.join(FILE))));
        copied.map_err(|error| unreadable(&place, error))?;
        Ok(Some(dir))
    })
    .await?;
    let runs = match &copy {
        Some(dir) => car_store::car_runs(&dir.join(FILE), false).await,
        None => car_store::car_runs(&file, true).await,
    };
    if let Some(dir) = copy {
        let _ = blocking(move || Ok(fs::remove_dir_all(dir))).await;
    }
    Ok(runs?)
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(car_api::Code::Storage, format!("{}: {error}", path.display())).with_source(error)
}

/// The run as this hub lists it, if its id is one of CAR's.
fn row(repo: &RepoId, run: CarRun) -> Option<RunRow> {
    let id: RunId = run_dir::id_of_car(run.created_at.micros() / 1000, &run.id)?.parse().ok()?;
    let mut flow = Flow::new(RunOptions::default(), Vec::new());
    flow.spent.turns = run.turns.unwrap_or(0);
    flow.state = match run.status.as_str() {
        "completed" => RunState::Completed,
        "failed" => RunState::Failed {
            code: FailureCode::Imported,
            message: run.error.unwrap_or_else(|| "CAR noted no reason.".to_owned()),
        },
        // Which run took its place is not noted alike in all versions.
        _ => RunState::Stopped,
    };
    Some(RunRow {
        id,
        repo: repo.clone(),
        flow,
        base_commit: None,
        created_at: run.created_at,
        queued_at: run.created_at,
        started_at: run.started_at,
        ended_at: run.ended_at.or(Some(run.created_at)),
    })
}
