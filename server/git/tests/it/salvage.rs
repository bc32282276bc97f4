//! Each kind of unsaved work × each removal: refused, or salvaged and restored identical.

use std::collections::BTreeSet;

use car_git::{GitError, Patterns, Removal, RemoveRequest, UnsavedKind};

use crate::harness::World;

/// Makes one kind of unsaved work in a tree that otherwise has everything saved.
struct Case {
    kind: UnsavedKind,
    script: &'static str,
    /// A linked worktree alone keeps it: the repository still has it.
    kept_by_worktree: bool,
    /// Also a removed branch leaves it in the repository.
    kept_by_branch: bool,
}

const fn case(kind: UnsavedKind, script: &'static str) -> Case {
    Case { kind, script, kept_by_worktree: false, kept_by_branch: false }
}

const CASES: [Case; 17] = [
    case(UnsavedKind::Staged, "echo new >a; git add a; printf x >fresh; git add fresh; git rm -q dir/b; echo later >>a"),
    case(UnsavedKind::Unstaged, "echo changed >a; chmod +x dir/b; rm .gitignore; ln -s nowhere .gitignore"),
    case(UnsavedKind::Unstaged, "rm -r dir; echo file-now >dir; rm a; mkdir a; echo deep >a/x"),
    case(
        UnsavedKind::Untracked,
        "mkdir -p n/m; echo x >n/m/y; ln -s /etc/hostname link; printf z >\"$(printf 'new\\nline')\"; echo d >./-dash;
         echo l >\"$(printf 'l%.0s' $(seq 255))\"; echo b >\"$(printf 'n\\377')\"; chmod +x n/m/y",
    ),
    case(UnsavedKind::Ignored, "echo secret >.env; mkdir -p cache/deep target; echo c >cache/deep/f; echo t >target/t"),
    case(UnsavedKind::NestedRepo, "git init -q nested; cd nested; echo n >n; git add n; git commit -qm n; echo m >m"),
    case(UnsavedKind::Hidden, "git update-index --assume-unchanged a; echo hidden >a; git update-index --skip-worktree dir/b; echo h >dir/b"),
    Case { kept_by_worktree: true, ..case(UnsavedKind::Stash, "echo s >a; git stash -q; echo t >a; echo u >u; git stash -qu -m mine") },
    Case { kept_by_worktree: true, ..case(UnsavedKind::Unpushed, "git commit -q --allow-empty -m one; echo 2 >two; git add two; git commit -qm two") },
    case(UnsavedKind::Detached, "git checkout -q --detach; echo d >d; git add d; git commit -qm detached"),
    Case {
        kept_by_worktree: true,
        kept_by_branch: true,
        ..case(UnsavedKind::OtherRef, "git commit -q --allow-empty -m tagged; git tag v1; git reset -q --hard HEAD~1")
    },
    case(
        UnsavedKind::Operation,
        "git checkout -q -b other; echo o >a; git commit -qam o; git checkout -q -; echo f >a; git commit -qam f; git merge -q other >/dev/null || true",
    ),
    case(
        UnsavedKind::Conflict,
        "b=$(git branch --show-current); git checkout -q -b other2; echo o >a; git commit -qam o; git checkout -q $b; echo f >a; git commit -qam f;
         echo g >g; git add g; git commit -qm g; git rebase -q other2 >/dev/null 2>&1 || true; git status --short | grep -q UU; test -d \"$(git rev-parse --git-dir)/rebase-merge\"",
    ),
    case(UnsavedKind::Operation, "echo x >x; git add x; git commit -qm x; git revert --no-commit HEAD; git status | grep -q -i revert"),
    case(UnsavedKind::Submodule, "git -C \"$(git rev-parse --show-toplevel)\" submodule --quiet add \"$OTHER\" sub; git commit -qm sub; echo dirt >sub/a; echo u >sub/u; cd sub; git commit -q --allow-empty -m own"),
    case(UnsavedKind::Staged, "echo split >a; git update-index --split-index; git add a; echo i >intent; git add -N intent"),
    case(UnsavedKind::Untracked, "git switch -q --orphan fresh; echo first >first"),
];

fn regenerable() -> Patterns {
    Patterns::new(["target/", "node_modules/"])
}

fn world(removal: Removal, case: &Case) -> (World, &'static str) {
    let world = World::with_worktree();
    world.sh(".", "git init -q other; cd other; echo a >a; git add a; git commit -qm o");
    let tree = match removal {
        Removal::Worktree | Removal::WorktreeAndBranch => "wt",
        Removal::Repo => {
            world.sh(
                "base",
                "git worktree remove ../wt; git branch -q -D feat; git switch -q -c feat",
            );
            "base"
        }
    };
    let other = world.path("other");
    world.sh(tree, &format!("OTHER={}; {}", other.display(), case.script));
    (world, tree)
}

fn request(world: &World, removal: Removal, drop: &[UnsavedKind]) -> RemoveRequest {
    RemoveRequest {
        removal,
        regenerable: regenerable(),
        drop: drop.iter().copied().collect::<BTreeSet<_>>(),
        salvage_to: world.path("salvage"),
    }
}

/// What git misses in the repository: nothing, or what it also missed before.
fn missing(world: &World, tree: &str) -> String {
    world.sh(tree, "git fsck --connectivity-only 2>/dev/null | grep -E '^(missing|broken)' || true")
}

async fn check(removal: Removal) {
    for (n, case) in CASES.iter().enumerate() {
        let name = format!("case {n} {} {removal:?}", case.kind.name());
        let (world, tree) = world(removal, case);
        let git = world.git(tree);
        let (files, state) = (world.files(tree), world.state(tree));
        let all_refs =
            |w: &World, at: &str| w.sh(at, "git for-each-ref; git stash list --format='%H %gs'");
        let refs = all_refs(&world, tree);
        let lacked = missing(&world, tree);

        let unsaved =
            git.unsaved(removal, &regenerable()).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let kinds: Vec<UnsavedKind> = unsaved.iter().map(|u| u.kind).collect();
        let kept = match removal {
            Removal::Worktree => case.kept_by_worktree,
            Removal::WorktreeAndBranch => case.kept_by_branch,
            Removal::Repo => false,
        };
        assert_eq!(kinds.contains(&case.kind), !kept, "{name}: {unsaved:?}");
        assert_eq!(world.state(tree), state, "{name}: asking changed something");
        if kept && kinds.is_empty() {
            let removed = git.remove(&request(&world, removal, &[])).await.unwrap();
            assert!(removed.salvage.is_none() && !world.path(tree).exists(), "{name}");
            assert!(all_refs(&world, "base").lines().all(|l| refs.contains(l)), "{name}");
            continue;
        }

        // One kind not named is enough to stop it.
        for keep in &kinds {
            let others: Vec<_> = kinds.iter().copied().filter(|k| k != keep).collect();
            match git.remove(&request(&world, removal, &others)).await {
                Err(GitError::WouldLose { unsaved }) => assert_eq!(unsaved.len(), 1, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!(
            (world.files(tree), world.state(tree)),
            (files.clone(), state.clone()),
            "{name}: a refusal changed something"
        );
        assert!(!world.path("salvage").exists(), "{name}");

        let removed = git
            .remove(&request(&world, removal, &kinds))
            .await
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(removed.dropped, unsaved, "{name}");
        assert!(!world.path(tree).exists(), "{name}");
        if removal != Removal::Repo {
            assert_eq!(world.sh("base", "git for-each-ref refs/car-salvage"), "", "{name}");
            // Whatever a later cleanup throws away must come out of the salvage.
            world.sh(
                "base",
                "git stash clear; git reflog expire --expire=now --all; git gc -q --prune=now",
            );
        }

        let restored = world.git("base").restore(&world.path("salvage"), &world.path(tree)).await;
        let restored = restored.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(restored.note, None, "{name}");
        let mut files = files;
        files.retain(|path, _| !path.starts_with("target"));
        let state: String =
            state.lines().filter(|l| *l != "! target/").map(|l| format!("{l}\n")).collect();
        assert_eq!(world.files(tree), files, "{name}: files");
        assert_eq!(world.state(tree), state, "{name}: state");
        assert_eq!(all_refs(&world, tree), refs, "{name}: refs");
        assert!(missing(&world, tree).lines().all(|l| lacked.contains(l)), "{name}: objects");
        let again = git.unsaved(removal, &regenerable()).await.unwrap();
        assert_eq!(again, unsaved, "{name}: restored work counts as before");
    }
}

#[tokio::test]
async fn worktree() {
    check(Removal::Worktree).await;
}

#[tokio::test]
async fn worktree_and_branch() {
    check(Removal::WorktreeAndBranch).await;
}

#[tokio::test]
async fn repo() {
    check(Removal::Repo).await;
}

#[tokio::test]
async fn every_kind_of_unsaved_work_has_a_case() {
    for kind in UnsavedKind::ALL {
        let covered = CASES.iter().any(|c| c.kind == kind) || kind == UnsavedKind::LinkedWorktree;
        assert!(covered, "{}", kind.name());
        assert_eq!(UnsavedKind::from_name(kind.name()), Some(kind));
    }
}

#[tokio::test]
async fn a_repository_with_worktrees_names_them() {
    let world = World::with_worktree();
    let unsaved = world.git("base").unsaved(Removal::Repo, &regenerable()).await.unwrap();
    assert_eq!(unsaved.iter().map(|u| u.kind).collect::<Vec<_>>(), [UnsavedKind::LinkedWorktree]);
    let drop = request(&world, Removal::Repo, &[UnsavedKind::LinkedWorktree]);
    let removed = world.git("base").remove(&drop).await.unwrap();
    assert!(removed.salvage.is_some() && !world.path("base").exists() && world.path("wt").exists());
    world.git("base").restore(&world.path("salvage"), &world.path("base")).await.unwrap();
    assert!(world.git("wt").status().await.unwrap().is_clean());
}

#[tokio::test]
async fn the_wrong_kind_of_removal_is_refused() {
    let world = World::with_worktree();
    for (tree, removal) in
        [("wt", Removal::Repo), ("base", Removal::Worktree), ("base", Removal::WorktreeAndBranch)]
    {
        let answer = world.git(tree).remove(&request(&world, removal, &UnsavedKind::ALL)).await;
        assert!(matches!(answer, Err(GitError::Refused { .. })), "{tree} {removal:?}");
        assert!(world.path(tree).exists());
    }
    world.sh("base", "git worktree lock ../wt");
    let locked = world.git("wt").remove(&request(&world, Removal::Worktree, &[])).await;
    assert!(matches!(locked, Err(GitError::Refused { .. })) && world.path("wt").exists());
}

#[tokio::test]
async fn commits_count_as_saved_only_where_a_living_remote_has_them() {
    let world = World::with_base();
    let kinds = async |world: &World| {
        let unsaved = world.git("base").unsaved(Removal::Repo, &regenerable()).await.unwrap();
        unsaved.into_iter().map(|u| u.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&world).await, [UnsavedKind::Unpushed], "no remote at all");
    let world = World::with_worktree();
    world.sh("base", "git worktree remove ../wt");
    assert_eq!(kinds(&world).await, [], "pushed");
    std::fs::rename(world.path("remote.git"), world.path("moved.git")).unwrap();
    assert_eq!(kinds(&world).await, [UnsavedKind::Unpushed], "the remote has vanished");
    std::fs::rename(world.path("moved.git"), world.path("remote.git")).unwrap();
    world
        .sh("remote.git", "git update-ref refs/heads/main $(git commit-tree -m other HEAD^{tree})");
    world.sh("base", "git fetch -q");
    assert_eq!(kinds(&world).await, [UnsavedKind::Unpushed], "the remote was force-pushed");
}

#[tokio::test]
async fn a_branch_that_moved_on_is_left_alone() {
    let world = World::with_worktree();
    world.sh("wt", "echo x >x");
    let _ = world
        .git("wt")
        .remove(&request(&world, Removal::Worktree, &[UnsavedKind::Untracked]))
        .await
        .unwrap();
    world.sh(
        "base",
        "git checkout -q feat; git commit -q --allow-empty -m on; git checkout -q main",
    );
    let restored =
        world.git("base").restore(&world.path("salvage"), &world.path("wt")).await.unwrap();
    assert!(restored.branch.is_none() && restored.note.unwrap().contains("moved on"));
    assert!(world.path("wt/x").exists());
    assert!(world.git("wt").status().await.unwrap().detached);
}

#[tokio::test]
async fn a_damaged_or_incomplete_salvage_is_not_restored() {
    let world = World::with_worktree();
    world.sh("wt", "echo x >x");
    world
        .git("wt")
        .salvage(&world.path("salvage"), Removal::Worktree, &regenerable())
        .await
        .unwrap();
    let again =
        world.git("wt").salvage(&world.path("salvage"), Removal::Worktree, &regenerable()).await;
    assert!(matches!(again, Err(GitError::Refused { .. })), "never written over");
    let inside =
        world.git("wt").salvage(&world.path("wt/.s"), Removal::Worktree, &regenerable()).await;
    assert!(matches!(inside, Err(GitError::Refused { .. })), "never inside what goes");
    let tar = world.path("salvage/files.tar");
    let mut bytes = std::fs::read(&tar).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&tar, bytes).unwrap();
    let damaged = world.git("base").restore(&world.path("salvage"), &world.path("new")).await;
    assert!(matches!(damaged, Err(GitError::Unreadable { .. })), "{damaged:?}");
    std::fs::remove_file(world.path("salvage/manifest.json")).unwrap();
    assert!(world.git("base").restore(&world.path("salvage"), &world.path("new")).await.is_err());
    assert!(!world.path("new").exists());
}
