//! Copies of repositories nobody vouches for.

use std::path::Path;
use std::time::Duration;

use car_git::{FetchLimits, GitError, LineAt, Mirror, TreeFileKind};
use tokio_util::sync::CancellationToken;

use crate::harness::World;

const LIMITS: FetchLimits = FetchLimits { bytes: 64 << 20, time: Duration::from_secs(60) };

fn mirror(world: &World) -> Mirror {
    Mirror::at(world.path("mirror.git")).with_home(world.path("home"))
}

async fn fetched(world: &World, limits: FetchLimits) -> Result<Mirror, GitError> {
    let mirror = mirror(world);
    mirror.make().await?;
    let url = world.path("base").to_str().unwrap().to_owned();
    mirror.fetch(&url, limits, |_| {}, CancellationToken::new()).await?;
    Ok(mirror)
}

#[tokio::test]
async fn branches_tags_and_commits_are_found_and_nothing_is_checked_out() {
    let world = World::with_base();
    world.sh("base", "git tag -a v1 -m one && git checkout -qb side/two && echo c >c.md && git add . && git commit -qm two && git checkout -q main");
    let mirror = fetched(&world, LIMITS).await.unwrap();
    let first = world.sh("base", "git rev-parse main").trim().to_owned();
    let second = world.sh("base", "git rev-parse side/two").trim().to_owned();
    for (name, commit) in
        [("main", &first), ("v1", &first), ("side/two", &second), (second.as_str(), &second)]
    {
        let found = mirror.commit_of(name).await.unwrap();
        assert_eq!(found.as_ref().map(ToString::to_string).as_ref(), Some(commit), "{name}");
    }
    for name in ["none", "HEAD", "-x", "main~1", "main:a", "", "refs/car/pin", &"0".repeat(40)] {
        assert_eq!(mirror.commit_of(name).await.unwrap(), None, "{name}");
    }
    let side = mirror.commit_of("side/two").await.unwrap().unwrap();
    let main = mirror.commit_of("main").await.unwrap().unwrap();
    assert!(mirror.follows(&side, &main).await.unwrap());
    assert!(!mirror.follows(&main, &side).await.unwrap());
    let files = mirror.files(&side).await.unwrap();
    let paths: Vec<_> = files.iter().map(|file| file.path.to_str().unwrap()).collect();
    assert_eq!(paths, [".gitignore", "a", "c.md", "dir/b"]);
    let blobs: Vec<_> = files.iter().map(|file| file.oid.clone()).collect();
    let texts = mirror.blobs(&blobs[1..], 1000).await.unwrap();
    assert_eq!(texts, [&b"one\ntwo\n"[..], b"c\n", b"b\n"]);
    assert!(mirror.blobs(&blobs, 0).await.is_ok(), "the bookkeeping is not counted");
    assert!(!world.path("mirror.git/a").exists());
}

#[tokio::test]
async fn a_pinned_commit_outlives_its_branch() {
    let world = World::with_base();
    let mirror = fetched(&world, LIMITS).await.unwrap();
    let before = mirror.commit_of("main").await.unwrap().unwrap();
    mirror.pin(&before).await.unwrap();
    world.sh("base", "echo other >a && git commit -qa --amend -m rewritten && git reflog expire --expire=now --all && git gc -q --prune=now");
    let mirror = fetched(&world, LIMITS).await.unwrap();
    let after = mirror.commit_of("main").await.unwrap().unwrap();
    assert_ne!(before, after);
    assert!(!mirror.follows(&after, &before).await.unwrap());
    world.sh("mirror.git", "git --git-dir=. gc -q --prune=now");
    let old = mirror.files(&before).await.unwrap();
    let texts = mirror.blobs(&[old[1].oid.clone()], 100).await.unwrap();
    assert_eq!(texts, [b"one\ntwo\n"]);
    // The other side is gone: the copy stays readable.
    world.sh(".", "rm -rf base");
    assert!(matches!(fetched(&world, LIMITS).await, Err(GitError::Failed { .. })));
    assert_eq!(mirror.commit_of("main").await.unwrap(), Some(after));
}

#[tokio::test]
async fn what_a_hostile_repository_brings_is_listed_and_nothing_of_it_runs() {
    let world = World::with_base();
    let marker = world.path("ran");
    let evil = format!("#!/bin/sh\ntouch {}\n", marker.display());
    std::fs::write(world.path("evil"), evil).unwrap();
    world.sh(
        "base",
        "chmod +x ../evil && for hook in post-checkout reference-transaction pre-receive update post-update; do cp ../evil .git/hooks/$hook; done
         git config uploadpack.packObjectsHook \"$PWD/../evil\"
         git config core.fsmonitor \"$PWD/../evil\"
         git config core.sshCommand \"$PWD/../evil\"
         git config filter.evil.smudge \"$PWD/../evil\"
         echo '* filter=evil diff=evil' >.gitattributes
         ln -s /etc/passwd link.md
         printf '[submodule \"s\"]\\npath = s\\nurl = ext::sh\\n' >.gitmodules
         git -c core.fsmonitor= add -A
         git -c core.fsmonitor= update-index --add --cacheinfo 160000,$(git rev-parse HEAD),s
         git -c core.fsmonitor= -c core.hooksPath=/dev/null commit -qm evil",
    );
    // A tree that leaves its directory, and a name that is not UTF-8.
    world.sh(
        "base",
        r#"blob=$(echo out | git hash-object -w --stdin)
           inner=$(printf '100644 blob %s\tx.md\n' $blob | git mktree)
           tree=$(printf '040000 tree %s\t..\n100644 blob %s\tb\377.md\n' $inner $blob | git mktree)
           commit=$(echo outside | git -c core.hooksPath=/dev/null commit-tree $tree)
           git -c core.hooksPath=/dev/null update-ref refs/heads/outside $commit
           rm -f ../ran"#,
    );
    let mirror = fetched(&world, LIMITS).await.unwrap();
    let main = mirror.commit_of("main").await.unwrap().unwrap();
    let files = mirror.files(&main).await.unwrap();
    let kind = |path: &str| files.iter().find(|file| file.path == Path::new(path)).unwrap().kind;
    assert_eq!(kind("link.md"), TreeFileKind::Symlink);
    assert_eq!(kind("s"), TreeFileKind::Submodule);
    assert_eq!(kind("a"), TreeFileKind::File);
    let outside = mirror.commit_of("outside").await.unwrap().unwrap();
    let files = mirror.files(&outside).await.unwrap();
    assert!(files.iter().any(|file| file.path == Path::new("../x.md")), "{files:?}");
    assert!(files.iter().any(|file| file.path.to_str().is_none()), "{files:?}");
    mirror.difference(b"a\n", b"b\n").await.unwrap();
    assert!(!marker.exists(), "something of the repository ran");
}

#[tokio::test]
async fn a_mirrors_own_configuration_runs_nothing_either() {
    let world = World::with_base();
    let mirror = fetched(&world, LIMITS).await.unwrap();
    let marker = world.path("ran");
    std::fs::write(world.path("evil"), format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    world.sh(
        "mirror.git",
        "chmod +x ../evil && mkdir -p hooks && cp ../evil hooks/reference-transaction
         git --git-dir=. config core.fsmonitor \"$PWD/../evil\"
         git --git-dir=. config diff.external \"$PWD/../evil\"
         git --git-dir=. config core.alternateRefsCommand \"$PWD/../evil\"
         git --git-dir=. config filter.evil.clean \"$PWD/../evil\"
         mkdir -p info && echo '* filter=evil' >info/attributes",
    );
    fetched(&world, LIMITS).await.unwrap();
    let main = mirror.commit_of("main").await.unwrap().unwrap();
    mirror.pin(&main).await.unwrap();
    mirror.files(&main).await.unwrap();
    mirror.difference(b"a\n", b"b\n").await.unwrap();
    assert!(!marker.exists(), "something of the mirror's configuration ran");
}

#[tokio::test]
async fn more_than_is_allowed_is_given_up() {
    let world = World::with_base();
    world.sh("base", "head -c 3000000 /dev/urandom >big && git add big && git commit -qm big");
    let few = FetchLimits { bytes: 1 << 20, ..LIMITS };
    let refused = fetched(&world, few).await.unwrap_err();
    assert!(matches!(refused, GitError::Refused { .. }), "{refused}");
    assert!(refused.to_string().contains("more than 1 MiB"), "{refused}");
    fetched(&world, LIMITS).await.unwrap();
    let mirror = mirror(&world);
    let ext = mirror.fetch("ext::sh -c true", LIMITS, |_| {}, CancellationToken::new()).await;
    assert!(matches!(ext, Err(GitError::Refused { .. })), "{ext:?}");
}

#[tokio::test]
async fn a_difference_has_the_lines_of_both() {
    let world = World::with_base();
    let mirror = mirror(&world);
    mirror.make().await.unwrap();
    let patch = mirror.difference(b"one\ntwo\n", b"one\nthree\n").await.unwrap();
    let lines: Vec<_> = patch.lines.iter().map(|line| (line.at, line.text.as_str())).collect();
    assert_eq!(
        lines[1..],
        [
            (LineAt::Context { old: 1, new: 1 }, "one"),
            (LineAt::Removed(2), "two"),
            (LineAt::Added(2), "three")
        ]
    );
    assert!(mirror.difference(b"same", b"same").await.unwrap().lines.is_empty());
}
