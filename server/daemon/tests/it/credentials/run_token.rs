//! What the agent of a run can do with the token of its run, and what it cannot.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use car_api::{PageQuery, RepoId, RunId, Scope, audit::ActorKind, run::RunStatus};
use car_client::{
    Client,
    find::contexts::{self, Context, Contexts},
};

use crate::{
    harness::{DEADLINE, TestHub, wait_until},
    work,
};

/// A run whose agent waits in its first turn.
pub(super) async fn agent_at_work(client: &Client, repo: &RepoId) -> RunId {
    let script = r#"{"hang": true}"#;
    let hang = work::Scripted { agent: "demo", title: "Wait", script, verify: "true" };
    work::ticket(client, repo, hang).await;
    let run = work::start(client, repo).await;
    let working = async {
        while client.run_turns(&run.id, &PageQuery::default()).await.unwrap().items.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, working).await.unwrap();
    run.id
}

/// Stops every run, and waits until none is at work.
pub(super) async fn ended(client: &Client) {
    let page = PageQuery::default();
    for run in client.run_list(None, None, &page).await.unwrap().items {
        if !run.state.status().is_end() {
            client.run_stop(&run.id).await.unwrap();
        }
        let ending = async {
            while !client.run_get(&run.id).await.unwrap().state.status().is_end() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ending).await.unwrap();
    }
}

/// The token a run's agent was given.
pub(super) fn token_of(tree: &Path, run: &RunId) -> String {
    let path = tree.join(format!(".codex-autorunner/runs/{run}/token"));
    let text = wait_until("the agent has its token", || fs::read_to_string(&path).ok());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    text.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agents_token_is_for_its_run_and_ends_with_it() {
    let mut hub = TestHub::start();
    let client = hub.client();
    let (repo, dir) = work::repo(&hub, &client, "demo").await;
    let (other, _) = work::repo(&hub, &client, "other").await;
    let run = agent_at_work(&client, &repo).await;
    let secret = token_of(&dir, &run);
    let agent = Client::new(hub.url(), Some(&secret)).unwrap();
    let own = agent.credential_get().await.unwrap();
    assert_eq!((own.actor.kind, own.actor.id.as_str()), (ActorKind::Agent, run.as_str()));
    assert_eq!(own.scopes, [Scope::Read, Scope::Write]);
    let page = PageQuery::default();
    assert_eq!(agent.repo_list(None, &page).await.unwrap().items.len(), 1, "its own only");
    assert_eq!(agent.run_list(None, None, &page).await.unwrap().items[0].id, run);
    let snapshot = agent.hub_snapshot().await.unwrap();
    assert_eq!((snapshot.counts.repos + snapshot.counts.worktrees, snapshot.runs.len()), (1, 1));
    let events = agent.event_list(0, Some(500), &Default::default()).await.unwrap().items;
    assert!(!events.is_empty() && events.iter().all(|e| e.repo.as_ref() == Some(&repo)));
    let done = work::Scripted { agent: "demo", title: "Found", script: "", verify: "true" };
    work::ticket(&agent, &repo, done).await;
    assert!(agent.ticket_list(&other, None, &page).await.is_err());

    // A hub that starts again takes it up as it is.
    let port = hub.authority().rsplit_once(':').unwrap().1.to_owned();
    hub.kill();
    hub.serve(&["--port", &port]);
    let client = hub.client();
    agent.run_get(&run).await.unwrap();
    // Logging everybody out has the agent get another.
    client.token_delete_others().await.unwrap();
    assert!(agent.run_get(&run).await.is_err());
    let renewed = token_of(&dir, &run);
    assert_ne!(renewed, secret);
    let agent = Client::new(hub.url(), Some(&renewed)).unwrap();
    agent.run_get(&run).await.unwrap();

    client.run_stop(&run).await.unwrap();
    wait_until("the token ends with the run", || {
        (!dir.join(format!(".codex-autorunner/runs/{run}/token")).exists()).then_some(())
    });
    assert_eq!(client.run_get(&run).await.unwrap().state.status(), RunStatus::Stopped);
    assert!(agent.run_get(&run).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agents_car_acts_for_the_run_and_never_for_its_owner() {
    let hub = TestHub::start();
    let client = hub.client();
    let (repo, dir) = work::repo(&hub, &client, "demo").await;
    // The owner uses another hub by default, and has the owner's token of this one at hand.
    let elsewhere = Context {
        url: "http://127.0.0.1:9".to_owned(),
        token: Some("x".to_owned()),
        instance: None,
    };
    let all = Contexts {
        current: Some("elsewhere".to_owned()),
        contexts: [("elsewhere".to_owned(), elsewhere)].into(),
    };
    contexts::save(&hub.config_dir(), &all).unwrap();
    work::car(&hub, &["token", "show"]);
    let car = std::path::PathBuf::from(env!("CARGO_BIN_EXE_car-hub")).with_file_name("car");
    let say = dir.join("said.sh");
    let script = format!(
        "exec > said.txt 2>&1\nexport CAR_CONFIG_DIR='{}'\n\
         '{car}' token show\n\
         '{car}' ticket new Found && echo made\n\
         '{car}' tickets lint && echo linted\n\
         '{car}' ask 'This or that?' && echo asked\n\
         '{car}' token list || echo tokens $?\n\
         '{car}' approve $CAR_REPO || true\n\
         '{car}' reply $CAR_REPO yes || echo reply $?\n\
         env -u CAR_TOKEN_FILE '{car}' token show | head -n 1\n\
         CAR_TOKEN_FILE=/nowhere '{car}' token show || echo nowhere $?\n",
        hub.config_dir().display(),
        car = car.display(),
    );
    fs::write(&say, script).unwrap();
    let steps = r#"{"sh": "sh said.sh"}, {"done": true}, {"commit": "Said"}"#;
    let ticket = work::Scripted { agent: "demo", title: "Say", script: steps, verify: "true" };
    work::ticket(&client, &repo, ticket).await;
    work::start(&client, &repo).await;
    let said = wait_until("the agent has said all", || {
        fs::read_to_string(dir.join("said.txt")).ok().filter(|text| text.contains("nowhere 1"))
    });
    for wanted in ["agent    run_", "made", "linted", "asked", "tokens 4", "reply 4"] {
        assert!(said.contains(wanted), "{wanted}:\n{said}");
    }
    assert_eq!(said.matches("agent    run_").count(), 2, "by either variable:\n{said}");
    ended(&client).await;
}
