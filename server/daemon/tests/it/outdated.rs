//! What was checked on an older tree is checked again before a run is completed.

use car_api::{RunId, verify::Verdict};

use crate::stage::{FINISH, Repo, Stage, write_file};

/// Ticket number, verdict, and whether it was found on the tree as it is now.
async fn checks(stage: &Stage, repo: &Repo, run: &RunId) -> Vec<(u32, Verdict, bool)> {
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let evidence = stage.client().run_evidence(run).await.unwrap().items;
    let number = |path: &str| path.rsplit("TICKET-").next()?.trim_end_matches(".md").parse().ok();
    evidence
        .iter()
        .map(|found| {
            let now = found.tree.as_deref() == Some(tree.trim());
            (number(&found.ticket_path).unwrap(), found.verdict, now)
        })
        .collect()
}

#[tokio::test]
async fn a_later_ticket_that_breaks_an_earlier_one_is_found_out() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let mend = r#"{"from": 2, "sh": "git rm -q --ignore-unmatch spoiled"}"#;
    repo.ticket(
        1,
        "verify: [\"test ! -e spoiled\"]",
        &format!("{}, {mend}, {FINISH}", write_file(1, "good")),
    );
    let spoil = r#"{"write": ["spoiled", "by the second\n"]}"#;
    repo.ticket(
        2,
        "verify: [\"test -e file-2.txt\"]",
        &format!("{}, {spoil}, {FINISH}", write_file(2, "good")),
    );
    let run = stage.run(&repo).await;
    let ended = stage.until_completed(&run).await;
    assert_eq!((ended.finished.tickets, ended.finished.verified), (2, 2), "each counts once");
    assert!(!repo.dir.join("spoiled").exists());
    let found = checks(&stage, &repo, &run).await;
    let wanted = [
        (1, Verdict::Passed, false),
        (2, Verdict::Passed, false),
        (1, Verdict::Failed, false),
        (1, Verdict::Passed, true),
        (2, Verdict::Passed, true),
    ];
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn the_same_commands_on_the_same_tree_run_once() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    for number in 1..=3 {
        let steps = format!("{}, {FINISH}", write_file(number, "good"));
        repo.ticket(number, "verify: [\"test -e README.md\"]", &steps);
    }
    let run = stage.run(&repo).await;
    assert_eq!(stage.until_completed(&run).await.finished.verified, 3);
    let found = checks(&stage, &repo, &run).await;
    let wanted =
        [(1, Verdict::Passed, false), (2, Verdict::Passed, false), (3, Verdict::Passed, true)];
    assert_eq!(found, wanted);
}
