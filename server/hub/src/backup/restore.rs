//! Restoring a backup: into an empty directory, and then nothing happens until a person says so.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use car_api::{
    Code, EventKind, Timestamp,
    backup::{BackupAbout, BackupTree, RestoreReport, RestoredTree},
    run::RunStatus,
};
use car_engine::flow::{Input, Moment, explain, step};
use car_files::{CAR_DIR, hub_root::HubLock, space};
use car_store::{Store, Write};

use super::create::{ABOUT, FORMAT, SETTINGS};
use crate::{
    Error, Hub, Result, clock,
    hub::{Inner, blocking},
};

/// Where a hub's own directory is until all of it is there: without it, the root is no hub.
const HALF: &str = ".codex-autorunner.restoring";

/// The fact in the database that holds the report.
const FACT: &str = "restore";

/// What is restored, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// The archive.
    pub archive: PathBuf,
    /// The new hub's root.
    pub root: PathBuf,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Let no token of the backup in.
    pub revoke_all: bool,
    /// The root may hold trees, though no hub: the files of those that are there stay.
    pub keep_trees: bool,
}

/// Restores a backup and says what that gave.
///
/// # Errors
/// The archive is damaged or of a newer program, the root is not empty, or the disk does not take
/// it. The root is no hub then.
pub async fn restore(wanted: Restore) -> Result<RestoreReport> {
    let archive = wanted.archive.clone();
    let about = blocking(move || read_about(&archive)).await?;
    let newest = car_store::schema();
    if about.format > FORMAT || about.schema > newest {
        let detail = format!(
            "The backup was made by car-hub {} and this is car-hub {}: restore it with that one \
             or a newer one.",
            about.version,
            env!("CARGO_PKG_VERSION"),
        );
        return Err(Error::new(Code::Storage, detail));
    }
    let (check, trees) = (wanted.clone(), about.trees.clone());
    let kept = blocking(move || may_restore(&check).map(|()| kept(&check, &trees))).await?;
    let mut report = RestoreReport {
        archive: wanted.archive.to_string_lossy().into_owned(),
        created_at: about.created_at,
        restored_at: clock::now(),
        files: 0,
        with_secrets: about.with_secrets && !wanted.revoke_all,
        runs_paused: 0,
        trees_missing: missing(&wanted.root, &about.trees),
        trees_kept: kept.iter().map(|tree| seen(&wanted.root, tree, about.created_at)).collect(),
        notes: about.notes.clone(),
        confirmed_at: None,
    };
    let place = Placing::new(&wanted, &about, &kept);
    let (archive, dry_run) = (wanted.archive.clone(), wanted.dry_run);
    let needed = about.bytes;
    let root = wanted.root.clone();
    report.files = blocking(move || {
        if dry_run {
            return Ok(car_backup::verify(&archive).map(|_| 0)?);
        }
        car_backup::verify(&archive)?;
        fs::create_dir_all(&root).map_err(|error| failed(&root, error))?;
        if space::free(&root)? < needed {
            let detail = format!("{} has not {} MiB free.", root.display(), needed >> 20);
            return Err(Error::new(Code::DiskFull, detail));
        }
        Ok(car_backup::unpack(&archive, &mut |name| Ok(place.of(name)))?)
    })
    .await?;
    if wanted.dry_run {
        return Ok(report);
    }
    settle(&wanted.root.join(HALF).join("hub.sqlite3"), &about, &mut report).await?;
    let root = wanted.root.clone();
    blocking(move || {
        let (half, hub) = (root.join(HALF), root.join(CAR_DIR));
        fs::rename(&half, &hub).map_err(|error| failed(&hub, error))?;
        fs::File::open(&root).and_then(|dir| dir.sync_all()).map_err(|error| failed(&root, error))
    })
    .await?;
    Ok(report)
}

fn read_about(archive: &Path) -> Result<BackupAbout> {
    let none = || {
        let detail = format!("{} is no backup of a hub.", archive.display());
        Error::new(Code::BadRequest, detail)
    };
    let (name, bytes) = car_backup::first(archive)?;
    if name != ABOUT {
        return Err(none());
    }
    serde_json::from_slice(&bytes).map_err(|error| none().with_source(error))
}

/// Nothing that is there is written over, and two hubs never meet in one place.
fn may_restore(wanted: &Restore) -> Result<()> {
    let root = &wanted.root;
    let refuse = |detail: String| Err(Error::new(Code::AlreadyExists, detail));
    if fs::symlink_metadata(root.join(HALF)).is_ok() {
        return refuse(format!(
            "An earlier restore into {} was cut off: remove what it left, then restore again.",
            root.display()
        ));
    }
    if fs::symlink_metadata(root.join(CAR_DIR)).is_ok() {
        return refuse(format!(
            "{} has a {CAR_DIR} already. Restore into another directory, or move that one away \
             and use --keep-trees.",
            root.display()
        ));
    }
    let occupied = fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !wanted.keep_trees {
        return refuse(format!(
            "{} is not empty. Restore into an empty directory; with --keep-trees the repos and \
             worktrees that are there stay as they are.",
            root.display()
        ));
    }
    Ok(())
}

/// Trees whose files are on disk: they win over the backup's.
fn kept(wanted: &Restore, trees: &[BackupTree]) -> Vec<BackupTree> {
    let there = |tree: &&BackupTree| {
        fs::symlink_metadata(wanted.root.join(&tree.path).join(CAR_DIR)).is_ok()
    };
    trees.iter().filter(there).cloned().collect()
}

fn seen(root: &Path, tree: &BackupTree, backup: Timestamp) -> RestoredTree {
    let newest = newest(&root.join(&tree.path).join(CAR_DIR).join("tickets"));
    RestoredTree {
        repo: tree.repo.clone(),
        path: tree.path.clone(),
        newer: newest.is_some_and(|at| at > backup),
        command: None,
    }
}

/// When the newest file of a directory was changed.
fn newest(dir: &Path) -> Option<Timestamp> {
    let times = fs::read_dir(dir).ok()?.flatten().filter_map(|entry| {
        let since = entry.metadata().ok()?.modified().ok()?;
        let since = since.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Timestamp::from_micros(i64::try_from(since.as_micros()).ok()?))
    });
    times.max()
}

/// Trees without git's history on disk, and what brings it back under the files that are restored.
fn missing(root: &Path, trees: &[BackupTree]) -> Vec<RestoredTree> {
    let lacks =
        |tree: &&BackupTree| fs::symlink_metadata(root.join(&tree.path).join(".git")).is_err();
    trees
        .iter()
        .filter(lacks)
        .map(|tree| RestoredTree {
            repo: tree.repo.clone(),
            path: tree.path.clone(),
            newer: false,
            command: bring_back(root, tree, trees),
        })
        .collect()
}

fn bring_back(root: &Path, tree: &BackupTree, trees: &[BackupTree]) -> Option<String> {
    let quoted = |path: &Path| format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"));
    let dir = quoted(&root.join(&tree.path));
    // The restored queue is in the way of `clone` and `worktree add`, so the history is laid under it.
    if let Some(base) = &tree.base {
        let base = trees.iter().find(|known| known.repo == *base)?;
        let (base, branch) = (quoted(&root.join(&base.path)), tree.branch.as_deref()?);
        return Some(format!(
            "mv {dir} {dir}.queue && git -C {base} worktree add {dir} {branch} && \
             cp -R {dir}.queue/. {dir}/ && rm -r {dir}.queue"
        ));
    }
    let (remote, branch) = (tree.remote.as_deref()?, tree.branch.as_deref()?);
    let remote = quoted(Path::new(remote));
    Some(format!(
        "git -C {dir} init -q -b {branch} && git -C {dir} remote add origin {remote} && \
         git -C {dir} fetch -q origin && git -C {dir} checkout {branch}"
    ))
}

/// Where each entry of an archive goes.
struct Placing {
    root: PathBuf,
    /// Prefix of the entries of each tree that is restored, and its directory.
    trees: Vec<(String, PathBuf)>,
}

impl Placing {
    fn new(wanted: &Restore, about: &BackupAbout, kept: &[BackupTree]) -> Self {
        let wins = |tree: &&BackupTree| kept.iter().all(|kept| kept.repo != tree.repo);
        let of = |tree: &BackupTree| {
            // Entries lead only below the root, whatever the archive says of its trees.
            let plain = Path::new(&tree.path)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            let dir = wanted.root.join(&tree.path).join(CAR_DIR);
            plain.then(|| (format!("trees/{}/", tree.repo), dir))
        };
        let trees = about.trees.iter().filter(wins).filter_map(of).collect();
        Self { root: wanted.root.clone(), trees }
    }

    fn of(&self, name: &str) -> Option<PathBuf> {
        if let Some(rest) = name.strip_prefix("hub/") {
            return Some(self.root.join(HALF).join(rest));
        }
        if let Some(rest) = name.strip_prefix("root/").filter(|rest| SETTINGS.contains(rest)) {
            let dest = self.root.join(rest);
            return (!dest.exists()).then_some(dest);
        }
        let (prefix, dir) = self.trees.iter().find(|(prefix, _)| name.starts_with(prefix))?;
        Some(dir.join(name.strip_prefix(prefix)?))
    }
}

/// Brings the restored database to rest: nothing it speaks of is under way.
async fn settle(database: &Path, about: &BackupAbout, report: &mut RestoreReport) -> Result<()> {
    let store = Store::open(database).await?;
    let now = report.restored_at;
    let mut writes = vec![Write::AllVoid(now)];
    for mut row in store.active_runs().await? {
        let today = car_engine::budget::Today::default();
        let moment = Moment { now, turn: car_api::TurnId::generate(), today };
        let before = row.flow.state.clone();
        let input = Input::Restored { backup: about.created_at };
        let Ok(transition) = step(&row.flow, input, &moment) else { continue };
        row.flow = transition.flow;
        if row.flow.state == before {
            continue;
        }
        report.runs_paused += u32::from(row.flow.state.status() == RunStatus::Paused);
        row.ended_at = row.ended_at.or(row.flow.state.status().is_end().then_some(now));
        let state = row.flow.state.clone();
        let explain = explain(&row.flow, None).line;
        writes.push(Write::Event {
            at: now,
            repo: Some(row.repo.clone()),
            run: Some(row.id.clone()),
            thread: None,
            kind: Box::new(EventKind::RunStateChanged { state, explain }),
        });
        writes.push(Write::Run(Box::new(row)));
    }
    writes.extend(crate::threads::settle(&store).await?);
    // Whoever follows the log has events of another history: numbers count anew.
    writes.push(Write::Fact { name: "epoch", value: crate::text::random(4)? });
    if !report.with_secrets {
        writes.push(Write::SecretsGone);
        // No client is let in by what it knows, so this is another hub to all of them. A drill
        // beside the hub itself does not take its place in anybody's credentials.
        writes.push(Write::Fact { name: "instance", value: crate::text::random(16)? });
    }
    let value = serde_json::to_string(&report).map_err(Error::internal)?;
    writes.push(Write::Fact { name: FACT, value });
    store.commit(writes).await?;
    store.close().await;
    Ok(())
}

/// The report of a restore nobody has confirmed.
pub(crate) async fn pending(store: &Store) -> Result<Option<RestoreReport>> {
    let Some(text) = store.fact(FACT).await? else { return Ok(None) };
    let report: RestoreReport = serde_json::from_str(&text).map_err(Error::internal)?;
    Ok(report.confirmed_at.is_none().then_some(report))
}

/// Confirms the report of a restored hub that is not served.
///
/// # Errors
/// The hub is served, or has nothing to confirm.
pub async fn confirm(root: &Path) -> Result<RestoreReport> {
    let dir = root.to_owned();
    let _lock = blocking(move || Ok(HubLock::acquire(&dir, clock::now())?)).await?;
    let store = Store::open(&root.join(CAR_DIR).join("hub.sqlite3")).await?;
    let report = pending(&store).await?.ok_or_else(nothing)?;
    let report = write_confirmed(&store, report).await?;
    store.close().await;
    Ok(report)
}

async fn write_confirmed(store: &Store, mut report: RestoreReport) -> Result<RestoreReport> {
    let now = clock::now();
    report.confirmed_at = Some(now);
    let value = serde_json::to_string(&report).map_err(Error::internal)?;
    let kind = Box::new(EventKind::RestoreConfirmed);
    let event = Write::Event { at: now, repo: None, run: None, thread: None, kind };
    store.commit(vec![Write::Fact { name: FACT, value }, event]).await?;
    Ok(report)
}

fn nothing() -> Error {
    Error::new(Code::IllegalTransition, "There is no restore that waits to be confirmed.")
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::new(Code::Storage, format!("{}: {error}", path.display())).with_source(error)
}

/// What a hub does not do while its restore is not confirmed.
pub(crate) struct Unconfirmed(pub(crate) std::sync::RwLock<Option<RestoreReport>>);

impl Unconfirmed {
    pub(crate) fn report(&self) -> Option<RestoreReport> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Refuses whatever would start, go on with or remove something.
    pub(crate) fn refuse(&self) -> Result<()> {
        let Some(report) = self.report() else { return Ok(()) };
        let detail = format!(
            "This hub was restored from a backup of {}; look at the report with `car backup \
             report`, then say `car backup confirm`.",
            report.created_at
        );
        Err(Error::new(Code::RestoreUnconfirmed, detail))
    }
}

impl Inner {
    pub(super) async fn confirm_restore(self: &Arc<Self>) -> Result<()> {
        let report = self.unconfirmed.report().ok_or_else(nothing)?;
        write_confirmed(&self.store, report).await?;
        self.unconfirmed.0.write().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        self.begin().await
    }
}

impl Hub {
    /// The report of a restore nobody has confirmed.
    #[must_use]
    pub fn unconfirmed(&self) -> Option<RestoreReport> {
        self.inner.unconfirmed.report()
    }
}
