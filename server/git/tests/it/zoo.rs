//! Repositories in unusual states: each gives a named answer, none loses anything.

use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use car_git::{
    Entry, Git, GitError, LayoutKind, LockState, Operation, Patterns, Removal, StartPoint,
    UnsavedKind,
};

use crate::harness::World;

#[tokio::test]
async fn missing_and_foreign_directories() {
    let world = World::with_base();
    std::fs::create_dir(world.path("plain")).unwrap();
    assert!(matches!(world.git("nowhere").status().await, Err(GitError::NotFound { .. })));
    assert!(matches!(world.git("plain").status().await, Err(GitError::NotARepo { .. })));
    // Inside a repository is not the root of one, and a broken one must not be taken for its parent.
    assert!(matches!(world.git("base/dir").status().await, Err(GitError::NotARepo { .. })));
    std::fs::create_dir_all(world.path("base/broken/.git")).unwrap();
    assert!(matches!(world.git("base/broken").status().await, Err(GitError::Failed { .. })));
    std::fs::write(world.path("plain/.git"), "gitdir: /nowhere/at/all\n").unwrap();
    assert!(matches!(world.git("plain").status().await, Err(GitError::Refused { .. })));
    let no_git = world.git("base").with_program("/nowhere/git").status().await;
    assert!(matches!(no_git, Err(GitError::NoGit { .. })));
}

#[tokio::test]
async fn unborn() {
    let world = World::new();
    let git = world.git("new");
    git.init("trunk").await.unwrap();
    assert!(matches!(git.init("trunk").await, Err(GitError::Refused { .. })));
    let status = git.status().await.unwrap();
    assert!(status.is_unborn() && status.is_clean() && !status.detached);
    assert_eq!(status.branch.as_deref(), Some("trunk"));
    assert_eq!((git.head().await.unwrap(), git.tree_hash().await.unwrap()), (None, None));
    let error = git.worktree_add(&world.path("wt"), "x", &StartPoint::Default).await.unwrap_err();
    assert!(error.to_string().contains("commit --allow-empty"), "{error}");
    assert!(!world.path("wt").exists());
    world.sh("new", "printf '1\\n2\\n' >f; git add f");
    let status = git.status().await.unwrap();
    assert_eq!(git.diff_stats(None, &status).await.unwrap().insertions, 2);
    assert!(git.diff_text(None, 10_000).await.unwrap().text.contains("+2"));
    let unsaved = git.unsaved(Removal::Repo, &Patterns::default()).await.unwrap();
    assert_eq!(unsaved[0].kind, UnsavedKind::Staged);
    assert!(git.commit_all("first").await.unwrap().is_some());
    assert!(git.status().await.unwrap().is_clean());
}

#[tokio::test]
async fn detached() {
    let world = World::with_base();
    world.sh("base", "git checkout -q --detach");
    let status = world.git("base").status().await.unwrap();
    assert!(status.detached && status.branch.is_none() && status.head.is_some());
}

#[tokio::test]
async fn operations_in_progress_have_names() {
    let fork = "git checkout -qb other; echo o >a; git commit -qam o; git checkout -q main; echo m >a; git commit -qam m; ";
    for (script, operation) in [
        ("git merge -q other", Operation::Merge),
        ("git rebase -q other", Operation::Rebase),
        ("git rebase -q --apply other", Operation::Rebase),
        ("git cherry-pick other", Operation::CherryPick),
        ("git revert HEAD~1 --no-edit", Operation::Revert),
        ("git format-patch -q -1 other -o ..; git am ../0001-o.patch", Operation::ApplyMailbox),
        ("git bisect start -q; git bisect bad; git bisect good HEAD~1", Operation::Bisect),
    ] {
        let world = World::with_base();
        world.sh("base", &format!("{fork} ({script}) >/dev/null 2>&1 || true"));
        let git = world.git("base");
        let status = git.status().await.unwrap();
        assert_eq!(status.op_in_progress, Some(operation), "{script}");
        assert!(!status.is_clean(), "{script}");
        let state = world.state("base");
        let refused = git.commit_all("x").await;
        assert!(matches!(refused, Err(GitError::Refused { .. })), "{script}: {refused:?}");
        assert_eq!(world.state("base"), state, "{script}");
    }
}

#[tokio::test]
async fn leftover_index_lock() {
    let world = World::with_base();
    let git = world.git("base");
    let lock = world.path("base/.git/index.lock");
    let now = SystemTime::now();
    assert_eq!(git.index_lock(now).unwrap(), LockState::Free);
    let held = std::fs::File::create(&lock).unwrap();
    std::fs::write(world.path("base/new"), "x").unwrap();
    assert!(git.status().await.unwrap().index_locked);
    let error = git.commit_all("x").await.unwrap_err();
    assert!(error.to_string().contains("index.lock"), "{error}");
    let later = now + Duration::from_secs(601);
    assert_eq!(git.repair_index_lock(later).unwrap(), LockState::Held { pid: std::process::id() });
    drop(held);
    assert!(matches!(git.repair_index_lock(now).unwrap(), LockState::Fresh { .. }));
    assert!(lock.exists());
    assert!(matches!(git.repair_index_lock(later).unwrap(), LockState::Stale { .. }));
    assert!(!lock.exists() && git.commit_all("x").await.unwrap().is_some());
}

#[tokio::test]
async fn worktree_whose_directory_is_gone() {
    let world = World::with_worktree();
    world.sh(".", "git -C base worktree add -q --detach ../kept; git -C kept commit -q --allow-empty -m only; git -C base worktree add -q -b locked ../locked; git -C base worktree lock ../locked; rm -r wt kept locked");
    let base = world.git("base");
    assert!(matches!(
        world.git("wt").unsaved(Removal::Worktree, &Patterns::default()).await,
        Err(GitError::NotFound { .. })
    ));
    let report = base.worktree_prune().await.unwrap();
    assert_eq!(report.pruned, [world.path("wt")]);
    assert_eq!(report.kept.len(), 1, "a locked one is not even prunable: {report:?}");
    assert!(report.kept[0].1.contains("git branch"), "{report:?}");
    let left: Vec<PathBuf> =
        base.worktree_list().await.unwrap().into_iter().map(|t| t.path).collect();
    assert_eq!(left, [world.path("base"), world.path("kept"), world.path("locked")]);
}

#[tokio::test]
async fn names_git_can_hold() {
    let world = World::with_base();
    let names: Vec<Vec<u8>> = vec![
        b"new\nline".to_vec(),
        b"-rf".to_vec(),
        b"--force".to_vec(),
        b"n\xff\xfe".to_vec(),
        b"tab\tquote\"back\\slash".to_vec(),
        b" lead and trail ".to_vec(),
        b":(exclude)a".to_vec(),
        b"*".to_vec(),
        vec![b'l'; 255],
        "e\u{301}".into(),
        "\u{e9}".into(),
        b"Case".to_vec(),
        b"case".to_vec(),
    ];
    let mut paths: Vec<PathBuf> =
        names.into_iter().map(|n| std::ffi::OsString::from_vec(n).into()).collect();
    paths.sort();
    for path in &paths {
        std::fs::write(world.path("base").join(path), "x\n").unwrap();
    }
    let git = world.git("base");
    let base = git.head().await.unwrap().unwrap();
    let status = git.status().await.unwrap();
    let mut seen: Vec<PathBuf> = status.entries.iter().map(|e| e.path().to_owned()).collect();
    seen.sort();
    assert_eq!(seen, paths);
    let stats = git.diff_stats(None, &status).await.unwrap();
    assert_eq!((stats.files_changed, stats.insertions), (13, 13));
    assert!(git.add_and_commit(&paths[..1], "one").await.unwrap().is_some());
    assert_eq!(git.status().await.unwrap().entries.len(), 12, "exactly the named path was added");
    assert!(git.commit_all("all").await.unwrap().is_some());
    assert!(git.status().await.unwrap().is_clean());
    assert_eq!(git.changed_paths(&base).await.unwrap(), paths);
    let status = git.status().await.unwrap();
    assert_eq!(git.diff_stats(Some(&base), &status).await.unwrap().files_changed, 13);
}

#[tokio::test]
async fn symlinks_are_never_followed() {
    let world = World::with_base();
    world.sh("base", "echo outside >../outside; ln -s ../outside link; ln -s / root; ln -s loop loop; ln -s nowhere dangling");
    let git = world.git("base");
    let status = git.status().await.unwrap();
    assert_eq!(status.entries.len(), 4);
    assert_eq!(git.diff_stats(None, &status).await.unwrap().insertions, 4);
    let before = git.fingerprint(&status).await.unwrap();
    world.sh("base", "echo changed >../outside");
    assert_eq!(git.fingerprint(&status).await.unwrap(), before);
}

#[tokio::test]
async fn submodules_and_nested_repositories() {
    let world = World::with_base();
    world.sh(
        ".",
        "git init -q other; cd other; echo a >a; git add a; git commit -qm o; cd ../base; git submodule --quiet add \"$PWD/../other\" sub; git commit -qm sub",
    );
    let git = world.git("base");
    assert!(git.status().await.unwrap().is_clean());
    assert_eq!(world.git("base/sub").layout().unwrap().kind, LayoutKind::Separate);
    world.sh("base", "echo dirt >>sub/a; echo u >sub/u; git config submodule.sub.ignore all");
    let status = git.status().await.unwrap();
    let Entry::Changed { submodule: Some(state), .. } = &status.entries[0] else {
        panic!("{status:?}")
    };
    assert!(state.modified && state.untracked && !state.commit_changed);
    world.sh("base", "git -C sub checkout -q . ; rm sub/u; git -C sub commit -q --allow-empty -m own; git init -q nested; echo n >nested/n");
    let status = git.status().await.unwrap();
    let Entry::Changed { submodule: Some(state), .. } = &status.entries[0] else {
        panic!("{status:?}")
    };
    assert!(state.commit_changed && !state.modified);
    assert!(status.entries[1].is_nested_repo());
    // A checkpoint records the submodule's commit and leaves the nested repository alone.
    git.commit_all("x").await.unwrap().unwrap();
    let status = git.status().await.unwrap();
    assert!(status.entries.len() == 1 && status.entries[0].is_nested_repo(), "{status:?}");
}

#[tokio::test]
async fn shallow_clone() {
    let world = World::with_worktree();
    world.sh(".", "git -C base commit -q --allow-empty -m second; git -C base push -q origin main; git clone -q --depth 1 file://$PWD/remote.git shallow");
    let git = world.git("shallow");
    assert!(git.status().await.unwrap().is_clean());
    assert_eq!(git.log("HEAD", 10).await.unwrap().len(), 1);
    git.worktree_add(&world.path("w2"), "topic", &StartPoint::Default).await.unwrap();
    world.sh("w2", "echo x >x; git add x; git commit -qm x; echo y >y");
    let files = world.files("w2");
    let drop = car_git::RemoveRequest {
        removal: Removal::WorktreeAndBranch,
        regenerable: Patterns::default(),
        drop: UnsavedKind::ALL.into_iter().collect(),
        salvage_to: world.path("s"),
    };
    let _ = world.git("w2").remove(&drop).await.unwrap();
    world.sh("shallow", "git reflog expire --expire=now --all; git gc -q --prune=now");
    git.restore(&world.path("s"), &world.path("w2")).await.unwrap();
    assert_eq!(world.files("w2"), files);
    assert_eq!(world.git("w2").log("HEAD", 10).await.unwrap()[0].subject, "x");
}

#[tokio::test]
async fn partial_clone() {
    let world = World::with_worktree();
    world.sh(".", "git -C remote.git config uploadpack.allowFilter true; git clone -q --filter=blob:none --no-checkout file://$PWD/remote.git partial; git -C partial branch topic");
    // Files are fetched when a worktree is written, and only then.
    world
        .git("partial")
        .worktree_add(&world.path("w2"), "topic", &StartPoint::Default)
        .await
        .unwrap();
    assert_eq!(world.files("w2"), world.files("base"));
}

#[tokio::test]
async fn bare_repository_with_worktrees() {
    let world = World::with_worktree();
    world.sh("remote.git", "git worktree add -q ../w2 main");
    let git = world.git("w2");
    assert_eq!(git.main_worktree().unwrap(), None);
    assert_eq!(git.common_dir().unwrap(), world.path("remote.git"));
    assert!(git.status().await.unwrap().is_clean());
    assert!(git.worktree_list().await.unwrap()[0].bare);
    assert!(matches!(world.git("remote.git").status().await, Err(GitError::NotARepo { .. })));
}

#[tokio::test]
async fn linked_worktrees_know_their_repository() {
    let world = World::with_worktree();
    assert_eq!(world.git("wt").main_worktree().unwrap(), Some(world.path("base")));
    assert_eq!(world.git("base").main_worktree().unwrap(), None);
    assert_eq!(world.git("wt").common_dir().unwrap(), world.path("base/.git"));
    let link = world.path("link");
    std::os::unix::fs::symlink(world.path("wt"), &link).unwrap();
    assert_eq!(Git::at(link).main_worktree().unwrap(), Some(world.path("base")));
}

#[tokio::test]
async fn the_configuration_cannot_lead_git_to_another_directory() {
    let world = World::with_base();
    world.sh(".", "mkdir elsewhere; echo precious >elsewhere/a; git -C base config core.worktree \"$PWD/elsewhere\"");
    let git = world.git("base");
    assert!(git.status().await.unwrap().is_clean());
    world.sh(".", "echo new >base/new");
    git.commit_all("x").await.unwrap().unwrap();
    assert_eq!(world.sh("elsewhere", "cat a; ls"), "precious\na\n");
    assert!(git.status().await.unwrap().is_clean());
}

#[tokio::test]
async fn packed_refs_and_other_ref_formats() {
    let world = World::with_worktree();
    let head = world.sh("base", "git rev-parse HEAD");
    world.sh("base", "git pack-refs --all");
    for tree in ["base", "wt"] {
        assert_eq!(world.git(tree).head().await.unwrap().unwrap().as_str(), head.trim(), "{tree}");
    }
    world.sh(".", "git init -q --ref-format=reftable --object-format=sha256 table; cd table; git commit -q --allow-empty -m x");
    let git = world.git("table");
    let head = git.head().await.unwrap().unwrap();
    assert_eq!(head.as_str(), world.sh("table", "git rev-parse HEAD").trim());
    assert_eq!(git.status().await.unwrap().head, Some(head));
    git.worktree_add(&world.path("w"), "w", &StartPoint::Default).await.unwrap();
    world.sh("w", "echo x >x; git add x");
    let git = world.git("w");
    let status = git.status().await.unwrap();
    assert_eq!(git.diff_stats(None, &status).await.unwrap().insertions, 1);
    git.commit_all("x").await.unwrap().unwrap();
}

#[tokio::test]
async fn a_large_tree() {
    let world = World::with_base();
    world.sh("base", "for d in $(seq 200); do mkdir d$d; (cd d$d; seq 100 | split -l1 -a3 - f); done; git add .; git commit -qm many; echo x >d7/faaa; echo u >d9/u");
    let git = world.git("base");
    let status = git.status().await.unwrap();
    assert_eq!(status.entries.len(), 2);
    git.fingerprint(&status).await.unwrap();
    let stats = git.diff_stats(None, &status).await.unwrap();
    assert_eq!((stats.files_changed, stats.insertions, stats.deletions), (2, 2, 1));
}
