//! Status, fingerprint, diffs and commits of an ordinary repository.

use std::path::PathBuf;

use car_git::{Change, Entry, FileChange, GitError, Identity};

use crate::harness::World;

#[tokio::test]
async fn status_tells_branch_upstream_and_every_entry() {
    let world = World::with_worktree();
    world.sh("base", "git commit -q --allow-empty -m ahead; echo x >>a; git add a; rm dir/b; mkdir -p n .codex-autorunner; echo n >n/f; echo l >x.log; echo t >.codex-autorunner/t");
    let git = world.git("base");
    let status = git.status().await.unwrap();
    assert_eq!(
        (status.branch.as_deref(), status.upstream.as_deref()),
        (Some("main"), Some("origin/main"))
    );
    assert_eq!((status.ahead, status.behind), (Some(1), Some(0)));
    assert_eq!(status.head, git.head().await.unwrap());
    let changed = |path: &str, staged, unstaged| Entry::Changed {
        path: path.into(),
        staged,
        unstaged,
        submodule: None,
    };
    let want = [
        changed("a", Change::Modified, Change::Unchanged),
        changed("dir/b", Change::Unchanged, Change::Deleted),
        Entry::Untracked { path: "n/f".into() },
    ];
    assert_eq!(status.excluding(".codex-autorunner").entries, want);
    let ignored = git.status_with_ignored().await.unwrap();
    assert!(ignored.entries.contains(&Entry::Ignored { path: "x.log".into() }));
}

#[tokio::test]
async fn clean_means_nothing_but_ignored_files() {
    let world = World::with_base();
    let git = world.git("base");
    world.sh("base", "echo l >x.log; touch a");
    assert!(git.status().await.unwrap().is_clean());
    world.sh("base", "echo l >x");
    assert!(!git.status().await.unwrap().is_clean());
    assert!(git.status().await.unwrap().excluding("x").is_clean());
}

#[tokio::test]
async fn the_repositorys_own_display_settings_change_nothing() {
    let world = World::with_worktree();
    world.sh("base", "git config status.showUntrackedFiles no; git config status.renames copies; git config status.aheadBehind false; git config color.ui always; git config core.quotePath true; git config diff.noprefix true; git config diff.renames copies; git config status.relativePaths false; git mv a z; echo u >ü");
    let git = world.git("base");
    let status = git.status().await.unwrap();
    let paths: Vec<_> = status.entries.iter().map(|e| e.path().to_str().unwrap()).collect();
    assert_eq!((paths, status.ahead), (vec!["a", "z", "ü"], Some(0)));
    assert!(git.diff_text(None, 10_000).await.unwrap().text.contains("--- a/a\n"));
}

#[tokio::test]
async fn the_fingerprint_follows_every_change_and_nothing_else() {
    let world = World::with_base();
    let git = world.git("base");
    let take = async || git.fingerprint(&git.status().await.unwrap()).await.unwrap();
    let mut seen = vec![take().await];
    world.sh("base", "touch a; echo l >x.log");
    assert_eq!(take().await, seen[0], "times and ignored files do not count");
    for step in [
        "echo 1 >a",
        "echo 2 >a",
        "git add a",
        "echo u >u",
        "echo v >u",
        "chmod +x u",
        "ln -s u s",
        "ln -sf a s",
        "rm dir/b",
        "git commit -qm c",
        "git checkout -q -b other",
        "head -c 9000000 /dev/zero >big",
        "printf x >>big",
    ] {
        world.sh("base", step);
        let now = take().await;
        assert!(!seen.contains(&now), "{step} was not noticed");
        assert_eq!(take().await, now, "asking twice after {step}");
        seen.push(now);
    }
}

#[tokio::test]
async fn diff_stats_cover_commits_changes_and_untracked_files() {
    let world = World::with_base();
    let git = world.git("base");
    let base = git.head().await.unwrap().unwrap();
    let status = git.status().await.unwrap();
    assert_eq!(git.diff_stats(Some(&base), &status).await.unwrap().files, []);
    world.sh("base", "echo c >c; git add c; git commit -qm c; echo three >>a; git rm -q dir/b; printf 'u\\nv' >u; printf '\\0' >bin; printf '\\0x' >c2; git add c2");
    let status = git.status().await.unwrap();
    let stats = git.diff_stats(Some(&base), &status).await.unwrap();
    let files: Vec<_> = stats
        .files
        .iter()
        .map(|f| (f.path.to_str().unwrap(), f.insertions, f.deletions, f.status))
        .collect();
    let want = [
        ("a", Some(1), Some(0), FileChange::Modified),
        ("c", Some(1), Some(0), FileChange::Added),
        ("c2", None, None, FileChange::Added),
        ("dir/b", Some(0), Some(1), FileChange::Deleted),
        ("bin", None, None, FileChange::Untracked),
        ("u", Some(2), Some(0), FileChange::Untracked),
    ];
    assert_eq!(files, want);
    assert_eq!((stats.files_changed, stats.insertions, stats.deletions), (6, 4, 1));
    let since_head = git.diff_stats(None, &status).await.unwrap();
    assert!(!since_head.files.iter().any(|f| f.path.ends_with("c")));
}

#[tokio::test]
async fn diff_text_stops_at_its_limit() {
    let world = World::with_base();
    world.sh("base", "seq 200000 >a");
    let git = world.git("base");
    let cut = git.diff_text(None, 1000).await.unwrap();
    assert_eq!((cut.text.len(), cut.truncated), (1000, true));
    let whole = git.diff_text(None, 10 << 20).await.unwrap();
    assert!(!whole.truncated && whole.text.ends_with("+200000\n"));
}

#[tokio::test]
async fn changed_paths_find_what_is_hidden_or_put_back() {
    let world = World::with_base();
    let git = world.git("base");
    let base = git.head().await.unwrap().unwrap();
    assert_eq!(git.changed_paths(&base).await.unwrap(), Vec::<PathBuf>::new());
    world.sh(
        "base",
        "echo other >dir/b; git commit -qam b; git checkout -q HEAD~1 -- dir/b; echo c >c; git add c; git commit -qm c -- c; echo u >u;
         git update-index --assume-unchanged a; echo hidden >a",
    );
    let changed = git.changed_paths(&base).await.unwrap();
    assert_eq!(changed, ["a", "c", "dir/b", "u"].map(PathBuf::from));
    assert_eq!(git.hidden_changes().await.unwrap(), [PathBuf::from("a")]);
}

#[tokio::test]
async fn commits() {
    let world = World::with_base();
    let git = world.git("base");
    assert_eq!(git.commit_all("nothing").await.unwrap(), None);
    world.sh("base", "echo 1 >>a; echo u >u; rm dir/b; echo l >x.log");
    let oid = git.commit_all("CAR checkpoint: run=1\n\n# not a comment\n").await.unwrap().unwrap();
    assert_eq!(git.head().await.unwrap(), Some(oid.clone()));
    assert!(git.status().await.unwrap().is_clean());
    assert!(world.sh("base", "git log -1 --format=%B").contains("# not a comment"));
    world.sh("base", "echo 2 >>a; echo v >v");
    git.add_and_commit(&["a"], "-x --amend").await.unwrap().unwrap();
    assert_eq!(git.status().await.unwrap().entries, [Entry::Untracked { path: "v".into() }]);
    let log = git.log("HEAD", 2).await.unwrap();
    assert_eq!(
        (log[0].subject.as_str(), log[0].author.as_str(), log[0].email.as_str()),
        ("-x --amend", "Ada", "ada@example.org")
    );
    assert_eq!(log[0].parents, std::slice::from_ref(&oid));
    assert_eq!(git.log("HEAD", 10).await.unwrap().len(), 3);
    assert_eq!(git.log(&format!("{oid}..HEAD"), 10).await.unwrap().len(), 1);
    assert!(git.log("--all", 10).await.is_err(), "a range is never an option");
    assert!(git.rev_parse("--all").await.is_err() && git.rev_parse("nowhere").await.is_err());
    assert_eq!(git.merge_base("HEAD", "HEAD~1").await.unwrap(), Some(oid));
    assert_eq!(
        git.tree_hash().await.unwrap().unwrap().as_str(),
        world.sh("base", "git rev-parse HEAD^{tree}").trim()
    );
}

#[tokio::test]
async fn a_missing_identity_is_an_error_or_the_fallback() {
    let world = World::with_base();
    std::fs::write(world.path("home/.gitconfig"), "").unwrap();
    world.sh("base", "echo x >x");
    let git = world.git("base");
    assert!(matches!(git.commit_all("x").await, Err(GitError::Failed { .. })));
    let git = git
        .with_fallback_identity(Identity { name: "Hub".into(), email: "hub@example.org".into() });
    git.commit_all("x").await.unwrap().unwrap();
    assert_eq!(git.log("HEAD", 1).await.unwrap()[0].author, "Hub");
}

#[tokio::test]
async fn unsolved_conflicts_are_not_committed() {
    let world = World::with_base();
    world.sh("base", "git checkout -qb o; echo o >a; git commit -qam o; git checkout -q main; echo m >a; git stash -q; git merge -q o; git stash pop >/dev/null 2>&1 || true");
    let refused = world.git("base").commit_all("x").await;
    assert!(matches!(refused, Err(GitError::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_file_is_not_committed_without_the_filter_it_needs() {
    let world = World::with_base();
    world.sh("base", "git config --global filter.lfs.clean 'tr a-z A-Z'; echo '*.bin filter=lfs' >.gitattributes; git add .; git commit -qm attributes; echo video >x.bin; echo t >t");
    let git = world.git("base");
    let refused = git.commit_all("x").await;
    assert!(
        matches!(&refused, Err(GitError::Refused { what }) if what.contains("lfs")),
        "{refused:?}"
    );
    git.add_and_commit(&["t"], "t").await.unwrap().unwrap();
    let approved = git.clone().approving_filter("lfs");
    approved.commit_all("x").await.unwrap().unwrap();
    assert_eq!(world.sh("base", "git show HEAD:x.bin"), "VIDEO\n");
    let added = git
        .worktree_add(&world.path("w"), "w", &car_git::StartPoint::Rev("main".into()))
        .await
        .unwrap();
    assert!(added.note.unwrap().contains("lfs"));
    assert!(world.git("w").status().await.unwrap().is_clean());
}

#[tokio::test]
async fn diff_stats_agree_with_git_however_they_are_asked() {
    let world = World::with_base();
    let git = world.git("base");
    let base = git.head().await.unwrap().unwrap();
    let check = async |step: &str, from: &str| {
        world.sh("base", step);
        let status = git.status().await.unwrap();
        let from_oid = git.rev_parse(from).await.unwrap();
        let stats = git.diff_stats(Some(&from_oid), &status).await.unwrap();
        let ours: String = stats
            .files
            .iter()
            .map(|f| {
                format!(
                    "{}\t{}\t{}\n",
                    f.insertions.unwrap(),
                    f.deletions.unwrap(),
                    f.path.display()
                )
            })
            .collect();
        assert_eq!(
            ours,
            world.sh("base", &format!("git diff --numstat --no-renames {from} --")),
            "{step}"
        );
    };
    let first = base.as_str();
    check("echo 3 >>a; echo new >n; git add n", "HEAD").await;
    check("true", first).await;
    check("git commit -qam two; rm dir/b", first).await;
    check("git checkout -q -- dir; echo only-committed >>n; git commit -qam three", first).await;
    check("for n in $(seq 300); do echo $n >f$n; done; git add .", "HEAD").await;
    check("git rm -q --cached n; echo 'n' >>.git/info/exclude", first).await;
}
