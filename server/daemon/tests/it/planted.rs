//! A repo that configures git to run programs is registered, worked and removed: whatever the API
//! is asked for, none of its programs is run by the hub.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use car_api::{
    PageQuery, RepoId,
    job::JobStatus,
    repo::{RepoClone, RepoRemove},
    run::{RunStart, RunStatus},
    verify::Verdict,
    worktree::WorktreeCleanup,
};
use car_client::{Client, ClientError};

use crate::{
    harness::TestHub,
    work::{Scripted, ended, git, repo, ticket, until, worktree},
};

/// Everything of one repo that has git run the program `$C`.
const PLANT: &str = r#"
    mkdir -p .git/hooks .git/info
    for hook in pre-commit commit-msg post-commit prepare-commit-msg post-checkout post-merge \
        reference-transaction post-index-change pre-push post-rewrite pre-auto-gc; do
        ln -s "$C" ".git/hooks/$hook"
    done
    git config core.fsmonitor "$C"
    git config core.sshCommand "$C"
    git config core.pager "$C"
    git config core.editor "$C"
    git config credential.helper "!$C"
    git config diff.external "$C"
    git config diff.evil.textconv "$C"
    git config filter.evil.clean "$C"
    git config filter.evil.smudge "$C"
    git config commit.gpgSign true
    git config gpg.program "$C"
    git config log.showSignature true
    git config alias.status "!$C"
    git config alias.worktree "!$C"
    git config alias.commit "!$C"
    printf '[filter "more"]\n\tclean = %s\n\tsmudge = %s\n' "$C" "$C" > .git/more
    git config include.path more
    echo '*.txt filter=evil diff=evil' > .git/info/attributes
    echo '*.dat filter=more' >> .git/info/attributes
"#;

#[tokio::test]
async fn programs_planted_in_a_repo_are_never_run() {
    let hub = TestHub::start();
    let client = hub.client();
    let (base, dir) = repo(&hub, &client, "base").await;
    fs::write(dir.join("seen.txt"), "seen\n").unwrap();
    fs::write(dir.join("seen.dat"), "seen\n").unwrap();
    git(&dir, &["add", "seen.txt", "seen.dat"]);
    git(&dir, &["commit", "--quiet", "-m", "second"]);
    let mark = hub.root().join("mark");
    let canary = hub.root().join("canary");
    fs::write(&canary, format!("#!/bin/sh\necho \"$0 $@\" >> {}\ncat\n", mark.display())).unwrap();
    fs::set_permissions(&canary, fs::Permissions::from_mode(0o755)).unwrap();
    let planted =
        Command::new("sh").args(["-ec", PLANT]).env("C", &canary).current_dir(&dir).status();
    assert!(planted.unwrap().success());
    // Planting asked git for nothing else; from here on only the hub works.
    let _ = fs::remove_file(&mark);

    repos(&client, &base, &dir).await;
    worked(&client, &base, &dir).await;
    let (tree, tree_dir) = worktree(&hub, &client, &base, "feature/planted").await;
    assert_eq!(fs::read_to_string(tree_dir.join("seen.txt")).unwrap(), "seen\n");
    worked(&client, &tree, &tree_dir).await;
    removed(&client, &tree, &tree_dir).await;
    let body = RepoRemove { delete_dir: false, drop: Vec::new(), dry_run: true };
    client.repo_remove(&base, &body).await.unwrap();
    assert!(!mark.exists(), "the hub ran {}", fs::read_to_string(&mark).unwrap());

    // Plain git does run them.
    let _ = Command::new("git").args(["diff"]).current_dir(&dir).output().unwrap();
    assert!(mark.exists(), "nothing was planted");
}

async fn repos(client: &Client, base: &RepoId, dir: &Path) {
    client.hub_scan().await.unwrap();
    client.repo_init(base).await.unwrap();
    client.repo_get(base).await.unwrap();
    client.repo_list(None, &PageQuery::default()).await.unwrap();
    client.hub_snapshot().await.unwrap();
    let url = dir.to_str().unwrap().to_owned();
    let clone = RepoClone { url, id: Some("copy".to_owned()) };
    let job = ended(client, client.repo_clone(&clone).await.unwrap()).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:?}");
}

/// A run whose agent touches no git: what is committed, the hub commits. (Files whose filter it
/// will not run it refuses to commit, so these have none.)
async fn worked(client: &Client, repo: &RepoId, dir: &Path) {
    let name = repo.as_str();
    let script = format!(
        r#"{{"write": ["{name}.c", "one\n"]}}, {{"write": ["{name}.h", "two\n"]}}, {{"done": true}}"#
    );
    let scripted = Scripted { agent: "demo", title: name, script: &script, verify: "true" };
    ticket(client, repo, scripted).await;
    let body = RunStart { auto_commit: Some(true), ..RunStart::default() };
    let run = client.run_start(repo, &body).await.unwrap().id;
    let run = until(client, &run, RunStatus::Completed).await;
    let evidence = client.run_evidence(&run.id).await.unwrap().items;
    assert_eq!(evidence[0].verdict, Verdict::Passed);
    assert!(dir.join(format!("{name}.c")).exists());
    let turns = client.run_turns(&run.id, &PageQuery::default()).await.unwrap().items;
    assert_eq!(turns[0].diff.unwrap().files_changed, 2);
}

async fn removed(client: &Client, tree: &RepoId, dir: &Path) {
    fs::write(dir.join("unsaved.txt"), "unsaved\n").unwrap();
    let mut cleanup = WorktreeCleanup { delete_branch: false, drop: Vec::new(), dry_run: true };
    client.worktree_cleanup(tree, &cleanup).await.unwrap();
    cleanup.dry_run = false;
    let Err(ClientError::Problem(refused)) = client.worktree_cleanup(tree, &cleanup).await else {
        panic!("work would have been lost")
    };
    cleanup.drop = refused.unsaved.iter().map(|unsaved| unsaved.kind.clone()).collect();
    assert!(client.worktree_cleanup(tree, &cleanup).await.unwrap().removed);
    let salvage = client.salvage_list(&PageQuery::default()).await.unwrap().items.remove(0);
    client.salvage_restore(&salvage.id).await.unwrap();
    assert_eq!(fs::read_to_string(dir.join("unsaved.txt")).unwrap(), "unsaved\n");
    assert!(client.worktree_cleanup(tree, &cleanup).await.unwrap().removed);
}
