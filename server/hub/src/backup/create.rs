//! Making one backup: the database first, then every file it may speak of.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use car_api::{
    Code, RepoId,
    backup::{BackupAbout, BackupPart, BackupTree},
};
use car_backup::{Found, Writer};
use car_engine::manifest::Kind;
use car_files::{CAR_DIR, beneath::Dir, hub_root, space};
use car_git::Git;

use super::Wanted;
use crate::{Error, Result, clock, hub::blocking};

/// Version of the archive's form; one that is newer is refused.
pub(super) const FORMAT: u32 = 1;
/// The first entry.
pub(super) const ABOUT: &str = "backup.json";
/// The database within an archive.
pub(super) const DATABASE: &str = "hub/hub.sqlite3";

/// Is told what the work is at and how far, in percent; `false` ends it.
pub trait Progress: FnMut(&str, Option<u8>) -> bool + Send + 'static {}
impl<F: FnMut(&str, Option<u8>) -> bool + Send + 'static> Progress for F {}

/// A directory whose files go into the archive under a prefix.
struct Part {
    dir: PathBuf,
    prefix: String,
    found: Found,
}

/// Makes a backup, of a hub that works or of one that does not, and checks it.
///
/// # Errors
/// Nothing is left of a backup that was not made: no space, a file that cannot be read, damage in
/// the database, or what was written cannot be read back.
pub async fn create(wanted: Wanted, mut progress: impl Progress) -> Result<BackupAbout> {
    let hub = wanted.root.join(CAR_DIR);
    let database = hub.join("hub.sqlite3");
    progress("looking at what there is", None);
    let mut about = about(&wanted).await?;
    let files = size(&parts(&wanted, &about).await?);
    let size_of = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
    let rows = size_of(&database) + size_of(&database.with_extension("sqlite3-wal"));
    let place = Place::make(&hub)?;
    // How small an archive becomes is not known before.
    enough_space(&hub, rows)?;
    enough_space(wanted.dest.parent().unwrap_or(Path::new(".")), files + rows)?;

    progress("copying the database", None);
    let copy = place.path().join("hub.sqlite3");
    if database.exists() {
        car_store::snapshot(&database, &copy, wanted.with_secrets).await?;
        let look = car_store::look(&copy).await?;
        sound(&look)?;
        (about.schema, about.last_seq, about.instance) =
            (look.schema, look.last_seq, look.instance);
    }
    // Looked for again: what the database speaks of was there when it was copied.
    let parts = parts(&wanted, &about).await?;
    about.bytes = size(&parts) + size_of(&copy);
    about.notes = parts
        .iter()
        .flat_map(|part| part.found.left.iter().map(|note| format!("{}{note}", part.prefix)))
        .collect();
    let dest = wanted.dest.clone();
    let total = about.bytes.max(1);
    let kept = about.clone();
    let mut progress = blocking(move || {
        write(&dest, &kept, &parts, place.path(), &mut |done| {
            let percent = u8::try_from((done * 80 / total).min(80)).unwrap_or(80);
            progress("copying files", Some(percent))
        })?;
        Ok(progress)
    })
    .await?;
    progress("reading it back", Some(80));
    let checked = check(&wanted, &about).await;
    if let Err(error) = checked {
        // What cannot be restored must not look like a backup.
        let _ = fs::remove_file(&wanted.dest);
        return Err(error);
    }
    Ok(about)
}

/// What is known before anything is copied.
async fn about(wanted: &Wanted) -> Result<BackupAbout> {
    let root = wanted.root.clone();
    let (manifest, _) = blocking(move || Ok(hub_root::load_manifest(&root)?)).await?;
    let mut trees = Vec::new();
    for repo in manifest.repos() {
        let Ok(id) = repo.id.parse::<RepoId>() else { continue };
        let git = Git::at(wanted.root.join(&repo.path));
        let base = match &repo.kind {
            Kind::Base => None,
            Kind::Worktree { of } => of.as_deref().and_then(|of| of.parse().ok()),
        };
        // A tree that is gone, or has no commit, is kept as far as it goes.
        let status = git.status().await.ok();
        let remote = git.remote_url("origin").await.ok().flatten();
        trees.push(BackupTree {
            repo: id,
            path: repo.path.clone(),
            base,
            remote: remote.map(|url| without_password(&url)),
            branch: status.as_ref().and_then(|status| status.branch.clone()),
            head: status.and_then(|status| status.head).map(|head| head.to_string()),
        });
    }
    Ok(BackupAbout {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        instance: None,
        created_at: clock::now(),
        schema: 0,
        last_seq: 0,
        with_secrets: wanted.with_secrets,
        left_out: wanted.leave_out.clone(),
        bytes: 0,
        trees,
        notes: Vec::new(),
    })
}

/// An address without what lets somebody in.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match host.rsplit_once('@') {
        Some((user, host)) if scheme.starts_with("http") || user.contains(':') => {
            format!("{scheme}://{host}/{path}")
        }
        Some(_) | None => url.to_owned(),
    }
}

async fn parts(wanted: &Wanted, about: &BackupAbout) -> Result<Vec<Part>> {
    let (wanted, trees) = (wanted.clone(), about.trees.clone());
    blocking(move || collect(&wanted, &trees)).await
}

/// What the files of all parts take, in bytes.
fn size(parts: &[Part]) -> u64 {
    parts.iter().flat_map(|part| &part.found.files).map(|(_, size)| size).sum()
}

/// Every file that goes into the archive beside the database.
fn collect(wanted: &Wanted, trees: &[BackupTree]) -> Result<Vec<Part>> {
    let root = &wanted.root;
    let hub = root.join(CAR_DIR);
    let without = |part| wanted.leave_out.contains(&part);
    let of_hub = |path: &str| {
        let top = path.split('/').next().unwrap_or_default();
        let (archive, salvage) = (without(BackupPart::Archive), without(BackupPart::Salvage));
        passing(path)
            || lets_an_agent_in(path)
            || ["tmp", "backups", "demo-agent", "hub.log", "hub_endpoint.json"].contains(&top)
            || top.starts_with("hub.sqlite3")
            || path == "templates/mirrors"
            || path.starts_with("templates/mirrors/")
            || (SECRETS.contains(&top) && !wanted.with_secrets)
            || (top == "archive" && archive)
            || (top == "salvage" && salvage)
    };
    let of_tree = |path: &str| {
        let journal = path.split('/').nth(2) == Some("sessions");
        passing(path)
            || lets_an_agent_in(path)
            || path == "bin/car"
            || (journal && without(BackupPart::Journals))
    };
    let mut parts = vec![
        Part {
            dir: hub.clone(),
            prefix: "hub/".to_owned(),
            found: car_backup::walk(&hub, &of_hub)?,
        },
        Part {
            dir: root.to_owned(),
            prefix: "root/".to_owned(),
            found: car_backup::walk(root, &|path| !SETTINGS.contains(&path))?,
        },
    ];
    for tree in trees {
        let dir = root.join(&tree.path).join(CAR_DIR);
        // The hub's own directory may be a repo of the hub as well.
        if dir == hub {
            continue;
        }
        let found = car_backup::walk(&dir, &of_tree)?;
        parts.push(Part { dir, prefix: format!("trees/{}/", tree.repo), found });
    }
    Ok(parts)
}

/// Configuration beside the hub's directory.
pub(super) const SETTINGS: &[&str] = &["codex-autorunner.yml", "codex-autorunner.override.yml"];

/// Directories of the hub that hold what signs or lets in.
const SECRETS: [&str; 2] = ["keys", "secrets"];

/// What an agent at work shows to this hub. It is of use for hours at most, and to no other hub.
fn lets_an_agent_in(path: &str) -> bool {
    let mut names = path.split('/');
    matches!(names.next(), Some("runs" | "threads")) && names.nth(1) == Some("token")
}

/// Ends of the names of a database's files.
const DATABASES: [&str; 6] =
    [".db", ".db-wal", ".db-shm", ".sqlite3", ".sqlite3-wal", ".sqlite3-shm"];

/// What means nothing elsewhere: locks, half-written files, databases of CAR that may be in use.
fn passing(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["lock", "hub.lock", "run.lock"].contains(&name)
        || name.ends_with(".sock")
        || (name == path && DATABASES.iter().any(|end| name.ends_with(end)))
}

/// Damage is not carried into a backup, where it would take the place of a good one.
fn sound(look: &car_store::Look) -> Result<()> {
    let Some(first) = look.damage.first() else { return Ok(()) };
    let detail = format!(
        "The database is damaged ({first}); `car-hub reindex` rebuilds it from the files, or \
         restore an older backup."
    );
    Err(Error::new(Code::Storage, detail))
}

fn enough_space(dir: &Path, needed: u64) -> Result<()> {
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let free = space::free(there)?;
    if free >= needed {
        return Ok(());
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let detail = format!(
        "{} has {} MiB free and up to {} MiB are needed; free some space, or write the backup \
         elsewhere (`backup.dir`, or `car-hub backup --out FILE`).",
        there.display(),
        mib(free),
        mib(needed),
    );
    Err(Error::new(Code::DiskFull, detail))
}

fn write(
    dest: &Path,
    about: &BackupAbout,
    parts: &[Part],
    place: &Path,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<()> {
    if let Some(dir) = dest.parent() {
        car_backup::clear_halves(dir)?;
    }
    let mut archive = Writer::create(dest)?;
    let text = serde_json::to_vec_pretty(about).map_err(Error::internal)?;
    archive.add(ABOUT, &text, about.created_at.micros())?;
    let copy = Dir::open(place)?;
    archive.add_file(DATABASE, &copy, "hub.sqlite3", progress)?;
    for part in parts.iter().filter(|part| !part.found.files.is_empty()) {
        let dir = Dir::open(&part.dir)?;
        for (path, _) in &part.found.files {
            archive.add_file(&format!("{}{path}", part.prefix), &dir, path, progress)?;
        }
    }
    archive.finish()?;
    Ok(())
}

/// Reads the archive as a restore would, and opens the database in it.
async fn check(wanted: &Wanted, about: &BackupAbout) -> Result<()> {
    let place = Place::make(&wanted.root.join(CAR_DIR))?;
    let (from, database) = (wanted.dest.clone(), place.path().join("hub.sqlite3"));
    let dest = database.clone();
    blocking(move || {
        car_backup::unpack(&from, &mut |name| Ok((name == DATABASE).then(|| dest.clone())))?;
        Ok(())
    })
    .await?;
    if !database.exists() {
        return Ok(());
    }
    let look = car_store::look(&database).await?;
    sound(&look)?;
    if (look.schema, look.last_seq) == (about.schema, about.last_seq) {
        return Ok(());
    }
    Err(Error::new(Code::Storage, "The archive's database is not the one that was put in."))
}

/// A directory of its own for a copy of the database, which goes whatever happens; what a crash
/// leaves of it goes with the next start of the hub.
struct Place(PathBuf);

impl Place {
    fn make(hub: &Path) -> Result<Self> {
        let path = hub.join("tmp").join(format!("backup-{}", clock::now().micros()));
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| {
            Error::new(Code::Storage, format!("{}: {error}", path.display())).with_source(error)
        })?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
