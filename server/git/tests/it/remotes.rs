//! Clone, fetch, default branch; and that a git that does not end is ended.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use car_git::{BranchSource, Forward, GitError, Phase, check_url};
use tokio_util::sync::CancellationToken;

use crate::harness::World;

#[tokio::test]
async fn clone_reports_progress_and_leaves_a_usable_repository() {
    let world = World::with_worktree();
    let mut steps = Vec::new();
    let url = format!("file://{}", world.path("remote.git").display());
    let git = world.git("sub/dir/cloned");
    git.clone_from(&url, |p| steps.push(p), CancellationToken::new()).await.unwrap();
    assert!(
        steps.iter().any(|p| p.phase == Phase::Receiving && p.percent == Some(100)),
        "{steps:?}"
    );
    assert!(git.status().await.unwrap().is_clean());
    assert_eq!(git.remote_url("origin").await.unwrap(), Some(url));
    assert_eq!(git.remote_url("other").await.unwrap(), None);
    let default = git.default_branch().await.unwrap().unwrap();
    assert_eq!((default.name.as_str(), default.source), ("main", BranchSource::OriginHead));
    world.sh("base", "git commit -q --allow-empty -m new; git push -q origin main");
    git.fetch("origin", |_| {}, CancellationToken::new()).await.unwrap();
    assert_eq!(git.status().await.unwrap().behind, Some(1));
    assert!(!world.path("sub/dir/cloned/.git/hooks").exists());
}

#[tokio::test]
async fn a_branch_moves_on_to_its_upstream_and_loses_nothing() {
    let world = World::with_worktree();
    let url = format!("file://{}", world.path("remote.git").display());
    let git = world.git("cloned");
    git.clone_from(&url, |_| {}, CancellationToken::new()).await.unwrap();
    assert_eq!(git.fast_forward().await.unwrap(), Forward::Current);

    // What is changed here and not there stays as it is.
    world.sh("base", "echo new >fresh; git add fresh; git commit -qm one; git push -q origin main");
    world.sh("cloned", "echo mine >>a; echo mine >untracked");
    let fetch = || git.fetch("origin", |_| {}, CancellationToken::new());
    fetch().await.unwrap();
    let head = world.git("base").head().await.unwrap().unwrap();
    assert_eq!(
        git.fast_forward().await.unwrap(),
        Forward::Moved { commits: 1, head: head.clone() }
    );
    assert_eq!(git.head().await.unwrap(), Some(head.clone()));
    assert_eq!(std::fs::read_to_string(world.path("cloned/fresh")).unwrap(), "new\n");
    assert_eq!(git.status().await.unwrap().entries.len(), 2);

    // What is changed on both sides stops it, and so does a file that is in the way.
    let theirs = "echo theirs >>a; echo theirs >untracked; git add .";
    world.sh("base", &format!("{theirs}; git commit -qm two; git push -q origin main"));
    fetch().await.unwrap();
    let before = world.state("cloned");
    let stopped = git.fast_forward().await.unwrap_err().to_string();
    assert!(stopped.contains("in the way: a"), "{stopped}");
    assert_eq!(world.state("cloned"), before);
    world.sh("cloned", "git checkout -q a");
    let stopped = git.fast_forward().await.unwrap_err().to_string();
    assert!(stopped.contains("in the way: untracked"), "{stopped}");

    // Histories that have gone apart are a person's to join.
    world.sh("cloned", "rm untracked; git commit -q --allow-empty -m mine");
    let stopped = git.fast_forward().await.unwrap_err().to_string();
    assert!(stopped.contains("gone apart: 1 only here, 1 only there"), "{stopped}");

    world.sh("cloned", "git checkout -qb alone");
    assert_eq!(git.fast_forward().await.unwrap(), Forward::NoUpstream);
    world.sh("cloned", "git checkout -q --detach");
    let stopped = git.fast_forward().await.unwrap_err();
    assert!(matches!(stopped, GitError::Refused { .. }), "{stopped}");
}

#[tokio::test]
async fn a_failed_clone_removes_only_what_it_made() {
    let world = World::with_worktree();
    let gone = world.path("gone.git").display().to_string();
    let cancel = CancellationToken::new();
    let failed = world.git("new").clone_from(&gone, |_| {}, cancel.clone()).await;
    assert!(matches!(failed, Err(GitError::Failed { .. })));
    assert!(!world.path("new").exists());
    std::fs::create_dir(world.path("empty")).unwrap();
    assert!(world.git("empty").clone_from(&gone, |_| {}, cancel.clone()).await.is_err());
    assert_eq!(std::fs::read_dir(world.path("empty")).unwrap().count(), 0);
    let url = world.path("remote.git").display().to_string();
    let taken = world.git("base").clone_from(&url, |_| {}, cancel).await;
    assert!(matches!(taken, Err(GitError::Refused { .. })) && world.path("base/a").exists());
}

#[test]
fn addresses_that_could_execute_or_be_options_are_refused() {
    for bad in [
        "",
        " ",
        "-u",
        "--upload-pack=touch x",
        "ext::sh -c touch",
        "EXT::x",
        "fd::17",
        "a-b::x",
        "ssh://-oProxyCommand=x/y",
        "-oProxyCommand=x:y",
        "user@-oProxyCommand=x:y",
        "ssh://u@-x/y",
        "https://x\n.y",
        "gopher://x",
        "javascript://x",
    ] {
        assert!(check_url(bad).is_err(), "{bad:?}");
    }
    for good in [
        "https://example.org/x.git",
        "git@example.org:a/b.git",
        "/srv/x.git",
        "file:///srv/x",
        "ssh://git@[::1]:22/x",
        "git@[::1]:x",
        "../x",
    ] {
        assert!(check_url(good).is_ok(), "{good:?}");
    }
}

#[tokio::test]
async fn remote_names_are_names() {
    let world = World::with_worktree();
    for bad in ["", "--all", "-x", "ext::sh", "../x", "/x", "a b"] {
        let answer = world.git("base").fetch(bad, |_| {}, CancellationToken::new()).await;
        assert!(matches!(answer, Err(GitError::Refused { .. })), "{bad}");
    }
}

#[tokio::test]
async fn the_default_branch_is_asked_for_and_guessed() {
    let world = World::with_worktree();
    let git = world.git("base");
    let source = async || git.default_branch().await.unwrap().map(|d| (d.name, d.source));
    assert_eq!(source().await, Some(("main".into(), BranchSource::Remote)));
    std::fs::rename(world.path("remote.git"), world.path("away")).unwrap();
    assert_eq!(source().await, Some(("main".into(), BranchSource::Local)));
    world.sh("base", "git branch -qm main odd; git remote remove origin");
    assert_eq!(source().await, Some(("odd".into(), BranchSource::Head)));
    world.sh("base", "git checkout -q --detach");
    assert_eq!(source().await, None);
}

/// A git that says it has started, starts a child that ignores SIGTERM, and never ends.
fn endless_git(world: &World) -> std::path::PathBuf {
    let program = world.path("endless");
    let dir = world.path("").display().to_string();
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' config '*) exit 1;; esac\n(trap '' TERM; echo $$ >{dir}pid; while :; do sleep 1; done) &\nwait\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// Waits until no process of the group that wrote `pid` is left.
async fn group_ends(world: &World) {
    let pid: u32 = std::fs::read_to_string(world.path("pid")).unwrap().trim().parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let alive = std::fs::read_dir("/proc").unwrap().flatten().any(|p| {
            let stat = std::fs::read_to_string(p.path().join("stat")).unwrap_or_default();
            let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let mut fields = after.split(' ');
            fields.next() != Some("Z") && fields.nth(1) == Some(&pid.to_string())
        });
        if !alive {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process group {pid} is still there");
}

async fn started(world: &World) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::read_to_string(world.path("pid")).unwrap_or_default().is_empty() {
        assert!(Instant::now() < deadline, "the program did not start");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn cancelling_ends_the_whole_group() {
    let world = World::with_worktree();
    let git = world.git("new").with_program(endless_git(&world));
    let cancel = CancellationToken::new();
    let cloning = git.clone_from("/x", |_| {}, cancel.clone());
    let stop = async {
        started(&world).await;
        cancel.cancel();
    };
    let (answer, ()) = tokio::join!(cloning, stop);
    assert!(matches!(answer, Err(GitError::Cancelled { .. })), "{answer:?}");
    assert!(!world.path("new").exists());
    group_ends(&world).await;
}

#[tokio::test]
async fn dropping_the_future_ends_the_whole_group() {
    let world = World::with_worktree();
    let git = world.git("base").with_program(endless_git(&world));
    tokio::select! {
        answer = git.status() => panic!("{answer:?}"),
        () = started(&world) => {}
    }
    group_ends(&world).await;
}

#[tokio::test]
async fn the_deadline_ends_the_whole_group() {
    let world = World::with_worktree();
    let git =
        world.git("base").with_program(endless_git(&world)).with_timeout(Duration::from_secs(10));
    let answer = git.status().await;
    assert!(matches!(answer, Err(GitError::Timeout { .. })), "{answer:?}");
    group_ends(&world).await;
}
