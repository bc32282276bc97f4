//! Everything a repository can configure to be executed, against every public call.

use std::io::{Read as _, Write as _};

use car_git::{Oid, Patterns, Removal, RemoveRequest, StartPoint, UnsavedKind};
use tokio_util::sync::CancellationToken;

use crate::harness::World;

/// A planted setting. `$C` is a program that leaves a mark; `trigger` shows that plain git runs it.
struct Vector {
    /// Vectors of one group do not hide each other and are planted together.
    group: char,
    name: &'static str,
    plant: &'static str,
    trigger: &'static str,
}

const fn vector(
    group: char,
    name: &'static str,
    plant: &'static str,
    trigger: &'static str,
) -> Vector {
    Vector { group, name, plant, trigger }
}

const COMMIT: &str = "git commit -q --allow-empty -m x";

/// Plain git executes this one only at a terminal, which a test has not.
const NEEDS_TERMINAL: &str = "";

const VECTORS: [Vector; 38] = [
    vector('A', "fsmonitor", "git config core.fsmonitor $C", "git status"),
    vector(
        'B',
        "fsmonitor in config.worktree",
        "git config extensions.worktreeConfig true; git config --worktree core.fsmonitor $C",
        "git status",
    ),
    vector('A', "pre-commit hook", "ln -s $C .git/hooks/pre-commit", COMMIT),
    vector('A', "commit-msg hook", "ln -s $C .git/hooks/commit-msg", COMMIT),
    vector('A', "post-commit hook", "ln -s $C .git/hooks/post-commit", COMMIT),
    vector('A', "prepare-commit-msg hook", "ln -s $C .git/hooks/prepare-commit-msg", COMMIT),
    vector(
        'A',
        "post-checkout hook",
        "ln -s $C .git/hooks/post-checkout",
        "git worktree add -q ../t",
    ),
    vector('A', "reference-transaction hook", "ln -s $C .git/hooks/reference-transaction", COMMIT),
    vector('A', "post-index-change hook", "ln -s $C .git/hooks/post-index-change", "git add a"),
    vector(
        'B',
        "hooksPath",
        "mkdir .h; for h in pre-commit post-checkout post-index-change; do ln -s $C .h/$h; done; git config core.hooksPath .h",
        COMMIT,
    ),
    vector('C', "clean filter", "git config filter.evil.clean $C", "git diff"),
    vector('C', "smudge filter", "git config filter.evil.smudge $C", "git worktree add -q ../t"),
    vector(
        'D',
        "process filter",
        "git config filter.evil.process $C; git config filter.evil.required true",
        "git diff || true",
    ),
    vector(
        'E',
        "filter named with =",
        "git config filter.a=b.clean $C; echo '* filter=a=b' >.git/info/attributes",
        "git diff",
    ),
    vector(
        'F',
        "filter with a dotted section",
        "printf '[filter.evil]\\nclean = %s\\n' $C >>.git/config",
        "git diff",
    ),
    vector(
        'G',
        "filter on one line",
        "printf '[core][FILTER \"evil\"]clean=%s' $C >>.git/config",
        "git diff",
    ),
    vector(
        'H',
        "included filter",
        "git config include.path more; printf '[filter \"evil\"]\\nclean = %s\\n' $C >.git/more",
        "git diff",
    ),
    vector(
        'I',
        "filter included on a condition",
        "git config includeIf.onbranch:**.path more; printf '[filter \"evil\"]\\nclean = %s\\n' $C >.git/more",
        "git diff",
    ),
    vector(
        'J',
        "filter included only on a new branch",
        "git config includeIf.onbranch:new1.path more; printf '[filter \"evil\"]\nsmudge = %s\n' $C >.git/more",
        "git worktree add -q -b new1 ../t",
    ),
    vector(
        'K',
        "filter included in two steps",
        "git config include.path more; printf '[includeIf \"onbranch:new1\"]\npath = sub/less\n' >.git/more; mkdir .git/sub; printf '[filter \"evil\"]\nsmudge = %s\n' $C >.git/sub/less",
        "git worktree add -q -b new1 ../t",
    ),
    vector(
        'A',
        "pager",
        "git config core.pager $C; git config pager.log $C; git config pager.diff $C",
        NEEDS_TERMINAL,
    ),
    vector('A', "external diff", "git config diff.external $C", "git diff"),
    vector('C', "diff driver", "git config diff.evil.command $C", "git diff"),
    vector('B', "textconv", "git config diff.evil.textconv $C", "git diff"),
    vector(
        'A',
        "gpg",
        "git config commit.gpgSign true; git config gpg.program $C; git config log.showSignature true",
        "git commit -q --allow-empty -m x || true",
    ),
    vector(
        'A',
        "alias",
        "git config alias.status \"!$C\"; git config alias.zz \"!$C\"; git config alias.log \"!$C\"",
        "git zz",
    ),
    vector(
        'A',
        "editor",
        "git config core.editor $C; git config sequence.editor $C",
        "env -u GIT_EDITOR git commit --allow-empty || true",
    ),
    vector(
        'A',
        "sshCommand",
        "git config core.sshCommand $C; git config remote.origin.url ssh://127.0.0.1:1/x",
        "git fetch || true",
    ),
    vector('B', "uploadpack", "git config remote.origin.uploadpack $C", "git fetch || true"),
    vector(
        'C',
        "ext",
        "git config protocol.ext.allow always; git config remote.origin.url \"ext::$C\"",
        "git fetch || true",
    ),
    vector(
        'H',
        "insteadOf ext",
        "git config protocol.ext.allow always; git config url.\"ext::$C \".insteadOf /; git config remote.origin.url /x",
        "git fetch || true",
    ),
    vector(
        'F',
        "vcs helper",
        "git config protocol.ext.allow always; git config remote.origin.vcs ext; git config remote.origin.url $C",
        "git fetch || true",
    ),
    vector(
        'D',
        "gitProxy",
        "git config core.gitProxy $C; git config remote.origin.url git://127.0.0.1:1/x",
        "git fetch || true",
    ),
    vector(
        'I',
        "alternateRefsCommand",
        "git clone -q --bare ../other ../alt.git; echo $PWD/../alt.git/objects >.git/objects/info/alternates; git config core.alternateRefsCommand $C; git -C ../remote.git update-ref refs/heads/new $(git -C ../remote.git commit-tree -m new main^{tree})",
        "git fetch || true",
    ),
    vector(
        'J',
        "promisor",
        "git config core.repositoryFormatVersion 1; git config extensions.partialClone origin; git config remote.origin.promisor true; git config remote.origin.uploadpack $C",
        "git cat-file -t 1111111111111111111111111111111111111111 || true",
    ),
    vector(
        'E',
        "credential helper",
        "git config credential.helper \"!$C\"; git config credential.$HTTP.helper \"!$C\"; git config remote.origin.url $HTTP/x.git",
        "git fetch || true",
    ),
    vector(
        'E',
        "askPass",
        "git config core.askPass $C; git config remote.origin.url $HTTP/x.git",
        "git fetch || true",
    ),
    vector(
        'K',
        "submodule",
        "git -C sub config core.fsmonitor $C; git -C sub config filter.evil.clean $C; echo '* filter=evil' >.git/modules/sub/info/attributes; echo more >>sub/a; git config submodule.sub.ignore none",
        "git status",
    ),
];

fn world() -> World {
    let world = World::with_worktree();
    world.sh(
        ".",
        "printf '#!/bin/sh\\ntouch %s/canary\\nexit 0\\n' \"$PWD\" >canary.sh; chmod +x canary.sh
         git init -q other; cd other; echo a >a; git add a; git commit -qm o; cd ../base
         echo '* filter=evil diff=evil' >.gitattributes; git add .; git submodule --quiet add \"$PWD/../other\" sub; git commit -qm sub; git push -q origin main
         git worktree remove ../wt; git branch -qf feat; git worktree add -q ../wt feat; git branch existing; git branch gone
         git worktree add -q --no-track -b behind ../behind origin/main~1; git branch -q -u origin/main behind",
    );
    world
}

/// A server that wants a password for everything.
fn http_server() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let answer = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer);
        }
    });
    address
}

/// Makes the stat data differ, so that git has to look at contents.
const TOUCH: &str = "printf 'more\\n' >>a; printf more >>../wt/a; echo u >u; echo u >../wt/u; echo s >>.gitignore; git --git-dir=.git -c core.fsmonitor=false -c core.hooksPath=/dev/null -c filter.evil.clean= -c filter.evil.process= add .gitignore 2>/dev/null || true";

/// Calls everything; returns the names of the calls that failed.
async fn call_everything(world: &World) -> Vec<String> {
    let mut failed = Vec::new();
    macro_rules! call {
        ($name:literal, $call:expr) => {
            match $call.await {
                Ok(value) => Some(value),
                Err(error) => {
                    failed.push(format!("{}: {error}", $name));
                    None
                }
            }
        };
    }
    let (base, wt) = (world.git("base"), world.git("wt"));
    let patterns = Patterns::default();
    let quiet = CancellationToken::new();
    for tree in [&base, &wt] {
        let status = call!("status", tree.status()).unwrap_or_default();
        call!("status_with_ignored", tree.status_with_ignored());
        call!("fingerprint", tree.fingerprint(&status));
        call!("diff_stats", tree.diff_stats(None, &status));
        call!("diff_text", tree.diff_text(None, 1 << 20));
        if let Some(oid) = call!("rev_parse", tree.rev_parse("main~1")) {
            call!("diff_stats base", tree.diff_stats(Some(&oid), &status));
            call!("diff_text base", tree.diff_text(Some(&oid), 1 << 20));
            call!("changed_paths", tree.changed_paths(&oid));
        }
        let absent = Oid::parse(&"1".repeat(40)).unwrap();
        let _ = tree.diff_stats(Some(&absent), &status).await;
        let _ = tree.rev_parse(&format!("{absent}^{{commit}}")).await;
        call!("hidden_changes", tree.hidden_changes());
        call!("head", tree.head());
        call!("tree_hash", tree.tree_hash());
        call!("merge_base", tree.merge_base("main", "feat"));
        call!("log", tree.log("HEAD", 5));
        call!("worktree_list", tree.worktree_list());
    }
    call!("unsaved repo", base.unsaved(Removal::Repo, &patterns));
    call!("unsaved", wt.unsaved(Removal::WorktreeAndBranch, &patterns));
    call!("salvage", base.salvage(&world.path("s1"), Removal::Repo, &patterns));
    call!("salvage wt", wt.salvage(&world.path("s2"), Removal::WorktreeAndBranch, &patterns));
    call!("restore repo", base.restore(&world.path("s1"), &world.path("restored")));
    call!("commit_all", base.commit_all("all"));
    call!("add_and_commit", wt.add_and_commit(&["a"], "some"));
    call!("remote_url", base.remote_url("origin"));
    call!("default_branch", base.default_branch());
    call!("fetch", base.fetch("origin", |_| {}, quiet.clone()));
    call!("fast_forward", world.git("behind").fast_forward());
    call!(
        "worktree_add default",
        base.worktree_add(&world.path("n1"), "new1", &StartPoint::Default)
    );
    call!(
        "worktree_add existing",
        base.worktree_add(&world.path("n2"), "existing", &StartPoint::Default)
    );
    call!(
        "worktree_add rev",
        base.worktree_add(&world.path("n3"), "new3", &StartPoint::Rev("main".into()))
    );
    if let Some(oid) = call!("rev_parse", base.rev_parse("main")) {
        call!("checkout_detached", base.checkout_detached(&oid, &world.path("n4")));
        call!("checkout_remove", base.checkout_remove(&world.path("n4")));
    }
    if let Some(oid) = call!("rev_parse", base.rev_parse("gone")) {
        call!("branch_delete", base.branch_delete("gone", &oid));
    }
    call!("worktree_remove", base.worktree_remove(&world.path("n2")));
    let _ = std::fs::remove_dir_all(world.path("n3"));
    call!("worktree_prune", base.worktree_prune());
    let remove = RemoveRequest {
        removal: Removal::WorktreeAndBranch,
        regenerable: patterns.clone(),
        drop: UnsavedKind::ALL.into_iter().collect(),
        salvage_to: world.path("s3"),
    };
    call!("remove", wt.remove(&remove));
    call!("restore", base.restore(&world.path("s3"), &world.path("wt")));
    let source = world.path("base").display().to_string();
    call!("clone", world.git("cloned").clone_from(&source, |_| {}, quiet));
    call!("init", world.git("inited").init("main"));
    assert!(base.index_lock(std::time::SystemTime::now()).is_ok());
    failed
}

#[tokio::test]
async fn without_a_vector_every_call_works() {
    let world = world();
    world.sh("base", TOUCH);
    assert_eq!(call_everything(&world).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_planted_is_executed() {
    let http = http_server();
    for group in 'A'..='K' {
        let world = world();
        let canary = world.path("canary");
        let vars = format!("C={}; HTTP={http}; ", world.path("canary.sh").display());
        let vectors: Vec<&Vector> = VECTORS.iter().filter(|v| v.group == group).collect();
        assert!(!vectors.is_empty());
        for vector in &vectors {
            world.sh("base", &format!("{vars} {}", vector.plant));
        }
        world.sh("base", TOUCH);
        let _ = std::fs::remove_file(&canary);
        call_everything(&world).await;
        let names: Vec<&str> = vectors.iter().map(|v| v.name).collect();
        assert!(!canary.exists(), "one of these was executed: {names:?}");
    }
}

/// Without this, a vector that is planted wrongly would pass for one that is withstood.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_git_executes_every_vector() {
    let http = http_server();
    for vector in VECTORS.iter().filter(|v| v.trigger != NEEDS_TERMINAL) {
        let world = world();
        let canary = world.path("canary");
        let vars = format!("C={}; HTTP={http}; ", world.path("canary.sh").display());
        world.sh("base", &format!("{vars} {}", vector.plant));
        world.sh("base", TOUCH);
        let _ = std::fs::remove_file(&canary);
        world.sh("base", &format!("({}) >/dev/null 2>&1 || true", vector.trigger));
        assert!(canary.exists(), "{} is not planted right", vector.name);
    }
}

#[tokio::test]
async fn an_approved_filter_runs_and_no_other() {
    let world = world();
    world
        .sh("base", &format!("git config filter.evil.clean {}", world.path("canary.sh").display()));
    world.sh("base", "printf more >>a");
    world.git("base").approving_filter("other").status().await.unwrap();
    assert!(!world.path("canary").exists());
    world.git("base").approving_filter("evil").diff_text(None, 1 << 20).await.unwrap();
    assert!(world.path("canary").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_users_own_credential_helper_is_honoured() {
    let http = http_server();
    let world = world();
    world.sh(
        "base",
        &format!("git config --global credential.helper '!{}'", world.path("canary.sh").display()),
    );
    let cancel = CancellationToken::new();
    let url = format!("{http}/x.git");
    assert!(world.git("cloned").clone_from(&url, |_| {}, cancel).await.is_err());
    assert!(world.path("canary").exists());
    assert!(!world.path("cloned").exists());
}
