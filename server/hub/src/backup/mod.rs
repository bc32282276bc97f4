//! Backups: made while the hub works, checked after they are written, and few enough to keep.

mod create;
mod restore;
mod rotate;
mod schedule;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use car_api::{
    Code, Page, Timestamp,
    backup::{Backup, BackupCreate, BackupPart},
    job::{Job, JobKind},
};
use car_files::CAR_DIR;

use crate::{
    Error, Hub, Result,
    audit::Act,
    clock,
    hub::{Inner, blocking},
    jobs,
};

pub use create::{Progress, create};
pub use restore::{Restore, confirm, restore};
pub(crate) use restore::{Unconfirmed, pending};
pub(crate) use schedule::keep_making;

/// How a backup the hub makes by itself begins.
const SCHEDULED: &str = "daily-";
/// How a backup a person asked for begins.
const ASKED: &str = "backup-";
/// How every backup ends.
const SUFFIX: &str = ".tar.zst";

/// When backups are made, where, and how many are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupConfig {
    /// Whether the hub makes them by itself.
    pub enabled: bool,
    /// Where they are.
    pub dir: PathBuf,
    /// Hours from one to the next.
    pub every_hours: u32,
    /// Of how many days the last one is kept.
    pub keep_daily: u32,
    /// Of how many weeks the last one is kept.
    pub keep_weekly: u32,
}

/// What one backup holds and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The hub's root.
    pub root: PathBuf,
    /// The archive.
    pub dest: PathBuf,
    /// Whether keys and tokens are in it.
    pub with_secrets: bool,
    /// What is left out.
    pub leave_out: Vec<BackupPart>,
}

/// The name of a backup made now.
#[must_use]
pub fn name(scheduled: bool) -> String {
    let kind = if scheduled { SCHEDULED } else { ASKED };
    // To the microsecond, so that two of one second do not meet.
    let stamp = clock::now().to_string().replace([':', '-', '.'], "");
    format!("{kind}{stamp}{SUFFIX}")
}

/// The backups in a directory, newest first.
///
/// # Errors
/// The directory is there and cannot be read.
pub fn list(dir: &Path) -> Result<Vec<Backup>> {
    let failed = |error: std::io::Error| {
        Error::new(Code::Storage, format!("{}: {error}", dir.display())).with_source(error)
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let Some((scheduled, created_at)) = made_at(&name) else { continue };
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_file() {
            found.push(Backup { name, size: meta.len(), created_at, scheduled });
        }
    }
    found.sort_by_key(|backup| std::cmp::Reverse(backup.created_at));
    Ok(found)
}

/// Whether a file's name is a backup's made by the hub itself, and when it was made.
fn made_at(name: &str) -> Option<(bool, Timestamp)> {
    let rest = name.strip_suffix(SUFFIX)?;
    let (scheduled, stamp) = match (rest.strip_prefix(SCHEDULED), rest.strip_prefix(ASKED)) {
        (Some(stamp), _) => (true, stamp),
        (None, stamp) => (false, stamp?),
    };
    // 20261125T082212123456Z
    let (date, time) = stamp.strip_suffix('Z')?.split_once('T')?;
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        part(date, 0, 4)?,
        part(date, 4, 6)?,
        part(date, 6, 8)?,
        part(time, 0, 2)?,
        part(time, 2, 4)?,
        part(time, 4, 6)?,
        part(time, 6, 12)?,
    );
    Some((scheduled, text.parse().ok()?))
}

impl Hub {
    /// Makes a backup, without keys and tokens, in the hub's backup directory.
    ///
    /// # Errors
    /// See the API.
    pub async fn backup_create(&self, body: BackupCreate) -> Result<Job> {
        let act = self.act("backup_create", "");
        self.inner.start_backup(act, false, body.leave_out).await
    }

    /// The backups in the hub's backup directory, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn backup_list(&self) -> Result<Page<Backup>> {
        let dir = self.inner.config.backup.dir.clone();
        let items = blocking(move || list(&dir)).await?;
        Ok(Page { items, next: None })
    }

    /// Lets a restored hub work again.
    ///
    /// # Errors
    /// See the API.
    pub async fn restore_confirm(&self) -> Result<()> {
        self.inner.confirm_restore().await?;
        self.note(self.act("restore_confirm", "")).await
    }
}

impl Inner {
    /// Starts a backup as a job.
    pub(crate) async fn start_backup(
        self: &Arc<Self>,
        act: Act,
        scheduled: bool,
        leave_out: Vec<BackupPart>,
    ) -> Result<Job> {
        let wanted = Wanted {
            root: self.config.root.clone(),
            dest: self.config.backup.dir.join(name(scheduled)),
            with_secrets: false,
            leave_out,
        };
        let (keep, place) = (self.config.backup.clone(), wanted.dest.clone());
        let hub = Arc::clone(self);
        jobs::start(
            &Hub::own(Arc::clone(self)),
            JobKind::Backup,
            None,
            act,
            move |reporter| async move {
                let told = reporter.clone();
                let progress = move |phase: &str, percent| {
                    told.at(phase, percent, None);
                    !told.cancel.is_cancelled()
                };
                let made = create(wanted, progress).await;
                if let (Err(error), true) = (&made, scheduled) {
                    tracing::warn!(%error, source = ?error.source, "the backup was not made");
                    let kind = car_api::EventKind::BackupFailed { detail: error.detail.clone() };
                    hub.log(None, kind).await?;
                }
                made?;
                if scheduled {
                    blocking(move || rotate::rotate(&keep)).await?;
                }
                let note = Some(format!("it is at {}", place.display()));
                Ok(jobs::Outcome { result: None, note })
            },
        )
        .await
    }

    /// When the newest backup was made.
    pub(crate) async fn backup_at(&self) -> Option<Timestamp> {
        let dir = self.config.backup.dir.clone();
        let newest = blocking(move || Ok(list(&dir)?.first().map(|backup| backup.created_at)));
        newest.await.ok().flatten()
    }
}

/// Where backups are unless the configuration says otherwise.
#[must_use]
pub fn default_dir(root: &Path) -> PathBuf {
    root.join(CAR_DIR).join("backups")
}

impl From<car_backup::Error> for Error {
    fn from(error: car_backup::Error) -> Self {
        let code = match &error {
            full if full.is_disk_full() => Code::DiskFull,
            car_backup::Error::Cancelled => Code::IllegalTransition,
            car_backup::Error::Io { .. }
            | car_backup::Error::File(_)
            | car_backup::Error::Damaged { .. } => Code::Storage,
        };
        Self::new(code, format!("The archive: {error}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_why() {
        for scheduled in [true, false] {
            let before = clock::now();
            let (kind, at) = made_at(&name(scheduled)).unwrap();
            assert!(kind == scheduled && at >= before && at <= clock::now());
        }
        for name in
            ["daily-.tar.zst", "daily-20261125T08Z.tar.zst", "notes.tar.zst", ".half-daily-"]
        {
            assert_eq!(made_at(name), None, "{name}");
        }
    }
}
