//! The hub root: made once, found from below, locked by one, with the repositories CAR would find.

use crate::names;
use car_api::Timestamp;
use car_engine::manifest::{Kind, Manifest, Repo};
use car_files::atomic::{WriteError, WriteIf};
use car_files::hub_root::{
    Endpoint, Found, FoundKind, HubLock, LoadError, LockError, discover, find, holder, init,
    load_manifest, read_endpoint, remove_endpoint, save_manifest, write_endpoint,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn hub() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    init(root.path()).unwrap();
    root
}

#[test]
fn a_root_is_made_once_and_found_from_below() {
    let root = hub();
    assert_eq!(
        names(&root.path().join(".codex-autorunner")),
        [".gitignore", "config.yml", "manifest.yml"]
    );
    let config = root.path().join(".codex-autorunner/config.yml");
    assert_eq!(fs::read_to_string(&config).unwrap(), "version: 2\nmode: hub\n");
    fs::write(&config, "mine").unwrap();
    assert!(init(root.path()).unwrap().is_empty());
    assert_eq!(fs::read_to_string(&config).unwrap(), "mine");
    // A repository has a directory of that name too, and is no hub root.
    let repo = root.path().join("repo/src");
    fs::create_dir_all(&repo).unwrap();
    fs::create_dir_all(root.path().join("repo/.codex-autorunner/tickets")).unwrap();
    assert_eq!(find(&repo).as_deref(), Some(root.path()));
}

#[test]
fn the_manifest_is_saved_only_over_the_version_that_was_read() {
    let root = hub();
    let (mut manifest, hash) = load_manifest(root.path()).unwrap();
    manifest.insert(Repo::new("demo", "demo", Kind::Base)).unwrap();
    save_manifest(root.path(), &manifest, WriteIf::Hash(hash)).unwrap();
    let stale = save_manifest(root.path(), &Manifest::default(), WriteIf::Hash(hash));
    assert!(matches!(stale, Err(WriteError::Conflict { current: Some(_) })));
    assert!(load_manifest(root.path()).unwrap().0.get("demo").is_some());
    fs::write(root.path().join(".codex-autorunner/manifest.yml"), "version: 9\n").unwrap();
    assert!(matches!(load_manifest(root.path()), Err(LoadError::Manifest { .. })));
}

#[test]
fn one_hub_holds_the_lock_and_is_named() {
    let root = hub();
    let now = Timestamp::from_secs(1_700_000_000);
    assert_eq!(holder(root.path()).unwrap(), None);
    let lock = HubLock::acquire(root.path(), now).unwrap();
    match HubLock::acquire(root.path(), now) {
        Err(LockError::Held(Some(held))) => {
            assert_eq!((held.pid, held.since), (std::process::id(), now));
        }
        other => panic!("{other:?}"),
    }
    drop(lock);
    HubLock::acquire(root.path(), now).unwrap();
}

#[test]
fn the_endpoint_is_there_while_the_hub_serves() {
    let root = hub();
    assert_eq!(read_endpoint(root.path()).unwrap(), None);
    let endpoint = Endpoint {
        url: "http://127.0.0.1:1".to_owned(),
        socket: Some("/run/user/1000/car/hub.sock".into()),
        instance: "hub_1".to_owned(),
        pid: 1,
        started_at: Timestamp::from_secs(1),
        version: "0.1.0".to_owned(),
    };
    write_endpoint(root.path(), &endpoint).unwrap();
    assert_eq!(read_endpoint(root.path()).unwrap(), Some(endpoint));
    remove_endpoint(root.path()).unwrap();
    remove_endpoint(root.path()).unwrap();
    assert_eq!(read_endpoint(root.path()).unwrap(), None);
}

/// Writes what git keeps for a repository with `branch` checked out.
fn repository(dir: &Path, branch: &str) {
    fs::create_dir_all(dir.join(".git")).unwrap();
    fs::write(dir.join(".git/HEAD"), format!("ref: refs/heads/{branch}\n")).unwrap();
}

/// Writes what `git worktree add` writes.
fn worktree(repo: &Path, dir: &Path, branch: &str) {
    let name = dir.file_name().unwrap();
    let git = repo.join(".git/worktrees").join(name);
    fs::create_dir_all(&git).unwrap();
    fs::write(git.join("HEAD"), format!("ref: refs/heads/{branch}\n")).unwrap();
    fs::write(git.join("commondir"), "../..\n").unwrap();
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join(".git"), format!("gitdir: {}\n", git.display())).unwrap();
}

#[test]
fn repositories_are_found_by_the_rules_of_car() {
    let root = hub();
    let at = |path: &str| root.path().join(path);
    repository(&at("alpha"), "main");
    repository(&at("two--parts"), "main");
    repository(&at(".hidden"), "main");
    repository(&at("deep/inner"), "main");
    fs::create_dir_all(at("plain")).unwrap();
    worktree(&at("alpha"), &at("alpha-z"), "z");
    worktree(&at("alpha"), &at("worktrees/weird"), "feat/x");
    repository(&at("worktrees/plain--clone"), "dev");
    symlink(at("alpha"), at("a-link")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    repository(elsewhere.path(), "main");
    symlink(elsewhere.path(), at("outside")).unwrap();

    let discovery = discover(root.path(), Path::new(""), Path::new("worktrees")).unwrap();

    let found = |path: &str, kind, branch: &str| Found {
        path: PathBuf::from(path),
        kind,
        branch: Some(branch.to_owned()),
    };
    let linked = || FoundKind::Linked { parent: PathBuf::from("alpha") };
    assert_eq!(
        discovery.found,
        [
            found(".hidden", FoundKind::Base, "main"),
            found("alpha", FoundKind::Base, "main"),
            found("alpha-z", linked(), "z"),
            found("two--parts", FoundKind::Base, "main"),
            found(
                "worktrees/plain--clone",
                FoundKind::Unlinked { parent_name: Some("plain".to_owned()) },
                "dev"
            ),
            found("worktrees/weird", linked(), "feat/x"),
        ]
    );
    let skipped: Vec<_> = discovery.skipped.iter().map(|s| s.path.to_str().unwrap()).collect();
    assert_eq!(skipped, ["a-link", "outside"]);
}
