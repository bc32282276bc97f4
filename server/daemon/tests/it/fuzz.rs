//! The API under a fuzzer that reads its document (schemathesis, all checks on), and the document
//! under a validator. Both are put into `.tools/` by `deploy/dev/test-tools.sh`; without them the
//! tests say so and skip.

use std::{fs, path::PathBuf, process::Command};

use car_api::{PageQuery, token::TokenCreate};

use crate::{
    contract::operations,
    harness::TestHub,
    work::{Scripted, repo, start, ticket, tools, worktree},
};

/// How many cases there must be at least.
const CASES: u64 = 2000;

/// Examples an operation and phase; `make fuzz` takes more.
const EXAMPLES: &str = "CAR_FUZZ_EXAMPLES";

fn program(name: &str) -> Option<PathBuf> {
    let program = tools().join("schemathesis/bin").join(name);
    let there = program.is_file();
    if !there {
        eprintln!("skipped: {} is not there; run `make tools`", program.display());
    }
    there.then_some(program)
}

#[test]
fn the_document_is_valid() {
    let Some(validator) = program("openapi-spec-validator") else { return };
    let document = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi/openapi.json");
    let output = Command::new(validator).arg(document).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn no_request_finds_a_fault() {
    let Some(fuzzer) = program("st") else { return };
    let hub = TestHub::start();
    let client = hub.client();
    let (base, _) = repo(&hub, &client, "base").await;
    let script = r#"{"done": true}, {"commit": "Done"}"#;
    let one = Scripted { agent: "demo", title: "One", script, verify: "true" };
    ticket(&client, &base, one).await;
    let (tree, _) = worktree(&hub, &client, &base, "feature").await;
    let other = Scripted { agent: "user", title: "Yours", script, verify: "true" };
    ticket(&client, &tree, other).await;
    let run = start(&client, &tree).await;
    let jobs = client.job_list(&PageQuery::default()).await.unwrap().items;
    let known = serde_json::json!({
        "repo": base, "ticket": "1", "run": run.id, "job": jobs[0].id, "agent": "demo",
    });
    let own = TokenCreate {
        name: "fuzzer".to_owned(),
        scopes: Some(
            car_api::Scope::ALL
                .iter()
                .copied()
                .filter(|s| *s != car_api::Scope::Terminal)
                .collect(),
        ),
        days: Some(1),
        ..TokenCreate::default()
    };
    let own = client.token_create(&own).await.unwrap();

    let config = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let work = tempfile::tempdir().unwrap();
    for name in ["schemathesis.toml", "hooks.py"] {
        fs::copy(config.join(name), work.path().join(name)).unwrap();
    }
    let document = client.openapi_get().await.unwrap();
    fs::write(work.path().join("openapi.json"), document.to_string()).unwrap();
    let examples = std::env::var(EXAMPLES).unwrap_or_else(|_| "10".to_owned());
    let seed = std::env::var("CAR_FUZZ_SEED").unwrap_or_else(|_| "1".to_owned());
    let output = Command::new(fuzzer)
        .args(["--config-file", "schemathesis.toml", "run"])
        // As a file: by its address, the operation that serves it is left out.
        .arg("openapi.json")
        .args(["--url", hub.url(), "--checks", "all"])
        .args(["--max-examples", &examples, "--seed", &seed, "--no-color"])
        // Whoever ends its own credential has none for the rest; `credentials::matrix` tries that one.
        .args(["--exclude-operation-id", "credential_delete"])
        .args(["--header", &format!("Authorization: Bearer {}", own.secret)])
        .env("CAR_FUZZ_OWN_TOKEN", own.token.id.as_str())
        .env("CAR_FUZZ_KNOWN", known.to_string())
        .current_dir(work.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let heard = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{heard}");
    // A fuzzer that shut itself out would have found nothing any more.
    let fuzzer = car_client::Client::new(hub.url(), Some(&own.secret)).unwrap();
    fuzzer.hub_get().await.unwrap();
    let number = |before: &str| {
        let rest = said.split(before).nth(1).unwrap_or_default().trim_start();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap_or_else(|_| panic!("no {before:?} in\n{said}"))
    };
    assert_eq!(number("Tested:"), operations().len() as u64 - 1, "{said}");
    let cases = number("Test cases:");
    assert!(cases >= CASES, "only {cases} cases:\n{said}");
    println!("{cases} cases of {} operations", operations().len());
}
