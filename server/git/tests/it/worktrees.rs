//! Adding and removing worktrees, temporary checkouts, branches; and how many processes it takes.

use std::os::unix::fs::PermissionsExt as _;

use car_git::{GitError, StartPoint};

use crate::harness::World;

fn refused<T: std::fmt::Debug>(answer: Result<T, GitError>) -> String {
    match answer {
        Err(GitError::Refused { what }) => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_branch_starts_from_the_fetched_default_branch() {
    let world = World::with_worktree();
    world.sh(".", "git clone -q remote.git other; cd other; git commit -q --allow-empty -m theirs; git push -q");
    let theirs = world.sh("other", "git rev-parse HEAD");
    let added = world
        .git("base")
        .worktree_add(&world.path("w"), "topic", &StartPoint::Default)
        .await
        .unwrap();
    assert_eq!(
        (added.start_oid.as_str(), added.created_branch, added.note),
        (theirs.trim(), true, None)
    );
    let status = world.git("w").status().await.unwrap();
    assert_eq!((status.branch.as_deref(), status.upstream), (Some("topic"), None));
    // Without the remote: from what is known, and a note.
    std::fs::rename(world.path("remote.git"), world.path("away")).unwrap();
    world.sh("base", "git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main");
    let added = world
        .git("base")
        .worktree_add(&world.path("w2"), "topic2", &StartPoint::Default)
        .await
        .unwrap();
    assert_eq!(added.start_oid.as_str(), theirs.trim());
    assert!(added.note.unwrap().contains("could not be fetched"));
    // Without any remote: from HEAD, and a note.
    world.sh("base", "git remote remove origin");
    let added = world
        .git("base")
        .worktree_add(&world.path("w3"), "topic3", &StartPoint::Default)
        .await
        .unwrap();
    assert_eq!(Some(added.start_oid), world.git("base").head().await.unwrap());
    assert!(added.note.unwrap().contains("HEAD"));
}

#[tokio::test]
async fn an_existing_branch_is_taken_where_it_stands() {
    let world = World::with_worktree();
    world.sh("base", "git branch kept; git commit -q --allow-empty -m more");
    let base = world.git("base");
    let rev = |r: &str| StartPoint::Rev(r.to_owned());
    assert!(
        refused(base.worktree_add(&world.path("w"), "kept", &rev("main")).await)
            .contains("leave out the start point")
    );
    assert!(!world.path("w").exists());
    let added = base.worktree_add(&world.path("w"), "kept", &rev("main~1")).await.unwrap();
    assert!(!added.created_branch);
    assert!(
        refused(base.worktree_add(&world.path("x"), "kept", &StartPoint::Default).await)
            .contains("checked out at")
    );
    assert!(
        refused(base.worktree_add(&world.path("x"), "main", &StartPoint::Default).await)
            .contains("checked out at")
    );
    assert!(
        refused(base.worktree_add(&world.path("w"), "new", &StartPoint::Default).await)
            .contains("exists already")
    );
    assert!(
        refused(base.worktree_add(&world.path("x"), "new", &rev("nowhere")).await)
            .contains("names nothing")
    );
    assert!(
        refused(base.worktree_add(&world.path("x"), "-b", &StartPoint::Default).await)
            .contains("begins with")
    );
    assert!(!world.path("x").exists());
}

#[tokio::test]
async fn a_failed_add_leaves_nothing_behind() {
    let world = World::with_worktree();
    // An object that is needed for the checkout is gone.
    world.sh("base", "git checkout -qb broken; echo unique >q; git add q; git commit -qm q; b=$(git rev-parse HEAD:q); git checkout -q main; rm -f .git/objects/$(echo $b | cut -c1-2)/$(echo $b | cut -c3-)");
    let before = world.sh("base", "git for-each-ref; git worktree list");
    let failed = world
        .git("base")
        .worktree_add(&world.path("w"), "topic", &StartPoint::Rev("broken".into()))
        .await;
    assert!(matches!(failed, Err(GitError::Failed { .. })), "{failed:?}");
    assert!(!world.path("w").exists());
    assert_eq!(world.sh("base", "git for-each-ref; git worktree list"), before);
}

#[tokio::test]
async fn a_temporary_checkout_comes_and_goes() {
    let world = World::with_worktree();
    let base = world.git("base");
    world.sh("base", "echo dirt >>a; echo u >u; echo l >x.log");
    let commit = base.head().await.unwrap().unwrap();
    base.checkout_detached(&commit, &world.path("clean")).await.unwrap();
    assert!(world.git("clean").status().await.unwrap().detached);
    assert_eq!(world.files("clean").len(), 3);
    world.sh("clean", "echo built >out; echo l >y.log");
    base.checkout_remove(&world.path("clean")).await.unwrap();
    assert!(!world.path("clean").exists());
    assert_eq!(base.worktree_list().await.unwrap().len(), 2);
    refused(base.checkout_remove(&world.path("wt")).await);
    refused(base.checkout_remove(&world.path("base")).await);
    assert!(world.path("wt/a").exists());
}

#[tokio::test]
async fn plain_removal_refuses_changes() {
    let world = World::with_worktree();
    let base = world.git("base");
    world.sh("wt", "echo x >x");
    refused(base.worktree_remove(&world.path("wt")).await);
    world.sh("wt", "rm x");
    base.worktree_remove(&world.path("wt")).await.unwrap();
    assert!(!world.path("wt").exists());
}

#[tokio::test]
async fn a_branch_is_deleted_only_where_it_stands_and_nothing_is_lost() {
    let world = World::with_worktree();
    let base = world.git("base");
    let main = base.rev_parse("main").await.unwrap();
    world.sh("base", "git branch old; git checkout -qb own; git commit -q --allow-empty -m own; git checkout -q main");
    let own = base.rev_parse("own").await.unwrap();
    assert!(refused(base.branch_delete("own", &own).await).contains("nowhere else"));
    assert!(refused(base.branch_delete("feat", &main).await).contains("checked out"));
    assert!(base.branch_delete("own", &main).await.is_err(), "it stands elsewhere");
    base.branch_delete("old", &main).await.unwrap();
    assert_eq!(world.sh("base", "git branch --list old own --format='%(refname:short)'"), "own\n");
}

#[tokio::test]
async fn the_number_of_processes_is_bounded() {
    let world = World::with_worktree();
    let log = world.path("calls");
    let counting = world.path("counting");
    std::fs::write(&counting, format!("#!/bin/sh\necho x >>{}\nexec git \"$@\"\n", log.display()))
        .unwrap();
    std::fs::set_permissions(&counting, std::fs::Permissions::from_mode(0o755)).unwrap();
    let count = || {
        let n = std::fs::read_to_string(&log).unwrap_or_default().lines().count();
        let _ = std::fs::remove_file(&log);
        n
    };
    let (base, wt) =
        (world.git("base").with_program(&counting), world.git("wt").with_program(&counting));
    world.sh("wt", "echo x >x; echo y >>a");
    let status = wt.status().await.unwrap();
    assert_eq!(count(), 1, "status");
    wt.fingerprint(&status).await.unwrap();
    assert_eq!(count(), 0, "fingerprint");
    wt.diff_stats(None, &status).await.unwrap();
    assert_eq!(count(), 1, "diff_stats");
    wt.main_worktree().unwrap();
    assert_eq!(count(), 0, "main_worktree");
    wt.tree_hash().await.unwrap();
    assert_eq!(count(), 1, "tree_hash");
    wt.worktree_list().await.unwrap();
    assert_eq!(count(), 1, "worktree_list");
    wt.commit_all("x").await.unwrap();
    assert_eq!(count(), 3, "commit_all");
    wt.head().await.unwrap();
    assert_eq!(count(), 0, "head");
    base.worktree_add(&world.path("w1"), "one", &StartPoint::Rev("main".into())).await.unwrap();
    assert_eq!(count(), 3, "worktree_add from a revision");
    world.sh("base", "git branch two");
    base.worktree_add(&world.path("w2"), "two", &StartPoint::Default).await.unwrap();
    assert_eq!(count(), 2, "worktree_add of a branch");
    world.sh("base", "git remote set-head origin main");
    base.worktree_add(&world.path("w3"), "three", &StartPoint::Default).await.unwrap();
    assert_eq!(count(), 4, "worktree_add from origin, one of them the fetch");
}

/// A worktree another git is just making is none yet, and no reason to give up.
#[tokio::test]
async fn a_worktree_that_is_being_made_is_waited_for() {
    let world = World::with_worktree();
    let half = world.path("base/.git/worktrees/half");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("gitdir"), format!("{}/.git\n", world.path("half").display()))
        .unwrap();
    std::fs::write(half.join("HEAD"), world.sh("base", "git rev-parse HEAD")).unwrap();
    std::fs::write(half.join("commondir"), "").unwrap();
    // The second time it is asked, the other one has come further.
    let program = world.path("slow-git");
    let script = format!(
        "#!/bin/sh\nif [ -e {0}/asked ]; then echo ../.. >{0}/commondir; fi\n: >{0}/asked\nexec git \"$@\"\n",
        half.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let listed = world.git("base").with_program(&program).worktree_list().await.unwrap();
    assert!(listed.iter().any(|tree| tree.path == world.path("half")), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_made_and_removed_at_once() {
    let world = World::with_worktree();
    let head = world.git("base").head().await.unwrap().unwrap();
    let mut making = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (git, head) = (world.git("base"), head.clone());
        let dest = world.path(&format!("tree-{number}"));
        making.spawn(async move {
            if number % 2 == 0 {
                let start = StartPoint::Rev("HEAD".to_owned());
                git.worktree_add(&dest, &format!("topic-{number}"), &start).await.unwrap();
            } else {
                git.checkout_detached(&head, &dest).await.unwrap();
                git.worktree_list().await.unwrap();
                git.checkout_remove(&dest).await.unwrap();
            }
        });
    }
    while let Some(made) = making.join_next().await {
        made.unwrap();
    }
    assert_eq!(world.git("base").worktree_list().await.unwrap().len(), 2 + 6);
}
