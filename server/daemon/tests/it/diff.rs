//! What a run and each of its turns changed, as the review of it sees it.

use std::{collections::BTreeMap, fs};

use car_api::{
    Code, PageQuery, RunId,
    diff::{DiffChange, DiffFile, LineKind, RunDiff},
    run::PauseReason,
};
use car_client::Client;

use crate::stage::{FINISH, Stage};

fn page(after: Option<String>, limit: u32) -> PageQuery {
    PageQuery { after, limit: Some(limit) }
}

async fn whole(client: &Client, run: &RunId) -> RunDiff {
    client.run_diff(run, None, &page(None, 500)).await.unwrap()
}

fn paths(diff: &RunDiff) -> Vec<&str> {
    diff.files.iter().map(|file| file.path.as_str()).collect()
}

#[tokio::test]
async fn a_run_and_its_turns_show_what_they_changed_and_nothing_else() {
    let stage = Stage::start("");
    let repo = stage.repo("demo").await;
    let one = r#"{"write": ["one.txt", "1\n2\n3\n"]}, {"write": ["Cargo.lock", "x\n"]}"#;
    repo.ticket(1, "", &format!("{one}, {FINISH}"));
    let two = r#"{"write": ["one.txt", "1\nzwei\n3\n"]}, {"sh": "git rm -q README.md"}"#;
    repo.ticket(2, "", &format!("{two}, {FINISH}"));
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    let client = stage.client();
    let turns = stage.turns(&run).await;

    let all = whole(&client, &run).await;
    assert_eq!(paths(&all), ["Cargo.lock", "README.md", "one.txt"]);
    assert_eq!((all.files_changed, all.insertions, all.deletions, all.generated), (3, 4, 1, 1));
    let lock = DiffFile {
        path: "Cargo.lock".to_owned(),
        change: DiffChange::Added,
        insertions: Some(1),
        deletions: Some(0),
        generated: true,
    };
    assert_eq!(all.files[0], lock);
    let first = client.run_diff(&run, Some(&turns[0].id), &page(None, 1)).await.unwrap();
    assert!(first.exact && first.to.is_some());
    assert_eq!(paths(&first), ["Cargo.lock"]);
    let rest = client.run_diff(&run, Some(&turns[0].id), &page(first.next, 1)).await.unwrap();
    assert_eq!((paths(&rest), rest.next.as_deref()), (vec!["one.txt"], None));
    let second = client.run_diff(&run, Some(&turns[1].id), &page(None, 9)).await.unwrap();
    assert_eq!(paths(&second), ["README.md", "one.txt"]);
    assert_eq!(Some(&second.base), first.to.as_ref());

    let lines = |limit, after| {
        let (client, run, turn) = (&client, &run, turns[1].id.clone());
        async move {
            client.run_diff_file(run, Some(&turn), "one.txt", &page(after, limit)).await.unwrap()
        }
    };
    let file = lines(500, None).await;
    let shown: Vec<_> = file.lines.iter().map(|l| (l.kind, l.text.as_str())).collect();
    let want = [
        (LineKind::Hunk, "@@ -1,3 +1,3 @@"),
        (LineKind::Context, "1"),
        (LineKind::Removed, "2"),
        (LineKind::Added, "zwei"),
        (LineKind::Context, "3"),
    ];
    assert_eq!((shown.as_slice(), file.lines_total), (want.as_slice(), 5));
    let part = lines(2, None).await;
    let rest = lines(9, part.next).await;
    assert_eq!([part.lines, rest.lines].concat(), file.lines);

    // Turn 1 did not touch it; and nothing beside the tree is ever read.
    for path in
        ["README.md", ".", "../../codex-autorunner.override.yml", "/etc/passwd", ".git/HEAD"]
    {
        let refused = client.run_diff_file(&run, Some(&turns[0].id), path, &page(None, 9)).await;
        assert_eq!(refused.unwrap_err().code(), Some(Code::NotFound), "{path}");
    }

    // Another run begins where this one ended; what comes later is not this one's.
    repo.ticket(3, "", &format!(r#"{{"write": ["later.txt", "x"]}}, {FINISH}"#));
    let next = stage.run(&repo).await;
    stage.until_completed(&next).await;
    let again = whole(&client, &run).await;
    assert_eq!((paths(&again), again.exact), (paths(&all), true));
    assert_eq!(paths(&whole(&client, &next).await), ["later.txt"]);
    // A turn of another run is none of this one.
    let foreign = client.run_diff(&next, Some(&turns[0].id), &page(None, 9)).await;
    assert_eq!(foreign.unwrap_err().code(), Some(Code::NotFound));
}

#[tokio::test]
async fn five_thousand_files_untracked_and_hidden_ones() {
    let stage = Stage::start("");
    let repo = stage.repo("demo").await;
    fs::write(repo.dir.join(".gitignore"), ".env\n").unwrap();
    repo.git(&["add", "--", ".gitignore"]);
    repo.git(&["commit", "--quiet", "--message", "Ignore"]);
    let write =
        r#"{"sh": "mkdir many && cd many && for i in $(seq 1000 5999); do echo $i > $i; done"}"#;
    let hide = r#"{"sh": "echo secret > .env; ln -s /etc/passwd link; printf 'a\\0b' > bin"}"#;
    let ask = r#"{"dispatch": {"mode": "pause", "title": "So?", "body": "Well?"}}"#;
    repo.ticket(1, "", &format!("{write}, {hide}, {ask}"));
    let run = stage.run(&repo).await;
    stage.until_paused(&run, PauseReason::UserPause).await;
    let client = stage.client();
    let first = whole(&client, &run).await;
    assert_eq!((first.files_changed, first.to.as_deref()), (5002, None));
    let mut seen: BTreeMap<String, DiffFile> = BTreeMap::new();
    let (mut files, mut next) = (first.files, first.next);
    // A page shows what the first one saw, whatever happens meanwhile.
    fs::remove_dir_all(repo.dir.join("many")).unwrap();
    loop {
        seen.extend(files.into_iter().map(|file| (file.path.clone(), file)));
        let Some(after) = next else { break };
        let more = client.run_diff(&run, None, &page(Some(after), 500)).await.unwrap();
        (files, next) = (more.files, more.next);
    }
    assert_eq!(seen.len(), 5002);
    assert_eq!(seen["bin"].insertions, None);
    assert!(!seen.contains_key(".env"));
    let file = async |path: &str| client.run_diff_file(&run, None, path, &page(None, 9)).await;
    assert!(file("bin").await.unwrap().binary);
    assert!(file("link").await.unwrap().lines.is_empty(), "it is not followed");
    for path in [".env", "many", "many/1000", ":(glob)*", "*"] {
        assert_eq!(file(path).await.unwrap_err().code(), Some(Code::NotFound), "{path}");
    }
    client.run_stop(&run).await.unwrap();
}
