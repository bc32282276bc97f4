//! What looks like a secret, or is one the hub knows, is nowhere to be read afterwards but in the
//! files of the agent itself.

use std::fs;

use car_api::run::PauseReason;

use crate::stage::Stage;

/// A value the agent is given, which looks like nothing.
const KNOWN: &str = "correct horse battery";

#[tokio::test]
async fn secrets_stay_where_they_are() {
    let shaped = format!("ghp_{}", "aB3dE5".repeat(6));
    let stage =
        Stage::start(&format!("      GIVEN_KEY: {KNOWN}\nticket_flow:\n  max_verify_retries: 0\n"));
    let repo = stage.repo("demo").await;
    let script = format!(
        r#"{{"say": "I use {shaped} and {KNOWN}."}}, {{"sh": "echo {shaped}"}}, {{"done": true}}"#
    );
    fs::write(repo.dir.join("secret.txt"), format!("{shaped}\n{KNOWN}\n")).unwrap();
    repo.git(&["add", "--", "secret.txt"]);
    repo.git(&["commit", "--quiet", "--message", "Something to show"]);
    repo.ticket(1, "verify:\n  - \"cat secret.txt; false\"\n", &script);
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::VerifyFailed).await;
    let client = stage.client();
    let turns = stage.turns(&run).await;
    let mut seen = vec![details, format!("{:?}", stage.events(&run).await), format!("{turns:?}")];
    for turn in &turns {
        seen.push(format!("{:?}", client.turn_get(&turn.id).await.unwrap().items));
    }
    seen.push(format!("{:?}", client.run_get(&run).await.unwrap()));
    for text in &seen {
        for secret in [&shaped as &str, KNOWN] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(seen.iter().any(|text| text.contains("I use [redacted] and [redacted].")), "{seen:?}");

    // What a request is refused with repeats nothing either.
    let token = format!("Authorization: Bearer {}", stage.hub.token());
    let path = format!("/api/v1/repos/{shaped}");
    let answer = stage.hub.send("GET", &path, &[&token], "");
    assert!(answer.status >= 400 && !answer.body.contains(&shaped), "{answer:?}");

    let evidence = repo.dir.join(format!(".codex-autorunner/runs/{run}/evidence/0001.json"));
    let evidence = fs::read_to_string(evidence).unwrap();
    assert!(evidence.contains("[redacted]") && !evidence.contains(&shaped), "{evidence}");
    assert!(!evidence.contains(KNOWN), "{evidence}");
}
