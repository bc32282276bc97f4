//! What Codex reports of its quota, and what follows when there is none left.

use car_api::{
    Timestamp,
    run::{Owner, RunState, RunStatus},
    turn::{ErrorClass, TurnStatus},
};

use super::{World, gate, ticket};
use crate::work::{repo, start, ticket as ticket_in, turns, until, wait_for};

#[tokio::test]
async fn tokens_and_quota_are_seen() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (repo, _) = repo(&world.hub, &client, "base").await;
    let door = world.hub.root().join("door");
    let script = r#"{"say": "one", "sh": "echo one > one.txt",
            "usage": {"in": 3000, "cached": 1000, "out": 70, "reasoning": 20},
            "headers": {"x-codex-primary-used-percent": "42", "x-codex-primary-window-minutes": "300",
                        "x-codex-primary-reset-at": "4102444800"}},
        GATE, {"commit": "One", "usage": {"in": 100, "out": 10}},
        {"done": true, "usage": {"in": 100, "out": 10}},
        {"say": "end", "usage": {"in": 100, "out": 10}}"#;
    let script = script.replace("GATE", &gate("echo", &door));
    ticket_in(&client, &repo, ticket("Count", &script, "true")).await;
    let second = r#"{"sh": "echo two > two.txt", "usage": {"in": 1, "out": 1}},
        {"commit": "Two", "usage": {"in": 1, "out": 1}}, {"done": true, "usage": {"in": 1, "out": 1}},
        {"say": "end", "usage": {"in": 1, "out": 1}}"#;
    ticket_in(&client, &repo, ticket("Count on", second, "true")).await;
    let run = start(&client, &repo).await.id;
    let now = wait_for(&client, &run, |run| !run.rate_limits.is_empty()).await;
    let primary = now.rate_limits.iter().find(|limit| limit.window == "primary").unwrap();
    assert_eq!((primary.used_percent, primary.window_minutes), (42.0, Some(300)));
    assert_eq!(primary.resets_at, Some(Timestamp::from_secs(4_102_444_800)));
    std::fs::write(door, "").unwrap();

    let run = until(&client, &run, RunStatus::Completed).await;
    let turns = turns(&client, &run.id).await;
    let used = turns[0].usage;
    assert_eq!(
        (used.input_tokens, used.cached_input_tokens, used.output_tokens, used.reasoning_tokens),
        (4300, 1200, 150, 30)
    );
    // Counted by conversation, so that the second ticket is not charged for the first.
    assert_eq!((turns[1].usage.input_tokens, turns[1].usage.output_tokens), (4, 4));
    assert_eq!((run.usage.input_tokens, run.usage.output_tokens), (4304, 154));
}

#[tokio::test]
async fn a_used_up_quota_parks_every_run_of_the_account() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (first, _) = repo(&world.hub, &client, "first").await;
    let (second, _) = repo(&world.hub, &client, "second").await;
    let script = r#"{"fail": {"class": "quota", "resets_in": 3600}}"#;
    ticket_in(&client, &first, ticket("Too much", script, "true")).await;
    ticket_in(&client, &second, ticket("Next", r#"{"done": true}"#, "true")).await;
    let begun = Timestamp::from_secs(now_secs());
    let parked = until(&client, &start(&client, &first).await.id, RunStatus::Parked).await;
    let RunState::Parked { account, until: at } = parked.state.clone() else { unreachable!() };
    assert_eq!(account, "codex");
    // At the reset the provider named, or a little later so that not all ask at once.
    let after = at.millis_since(begun);
    assert!((3_590_000..3_690_000).contains(&after), "{after} ms");
    assert_eq!(parked.explain.next_at, Some(at));
    assert_eq!(parked.explain.owner, Owner::Provider);
    let failed = turns(&client, &parked.id).await.remove(0);
    assert_eq!(failed.status, TurnStatus::Failed);
    assert_eq!(failed.error.unwrap().class, ErrorClass::Quota);
    let asked = world.log().len();

    let held = until(&client, &start(&client, &second).await.id, RunStatus::Parked).await;
    assert_eq!(held.turns, 0, "no turn is spent to find out what is known");
    assert_eq!(world.log().len(), asked, "and the model was not asked");
    client.run_stop(&held.id).await.unwrap();
    client.run_stop(&parked.id).await.unwrap();
    until(&client, &parked.id, RunStatus::Stopped).await;
}

#[tokio::test]
async fn a_parked_run_goes_on_at_the_reset() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (repo, _) = repo(&world.hub, &client, "base").await;
    let script = r#"{"on": 1, "fail": {"class": "quota", "resets_in": 1}},
        {"from": 2, "sh": "echo x > x.txt"}, {"from": 2, "commit": "Later"}, {"from": 2, "done": true}"#;
    ticket_in(&client, &repo, ticket("Later", script, "test -f x.txt")).await;
    let run = start(&client, &repo).await.id;
    let run = until(&client, &run, RunStatus::Completed).await;
    let turns = turns(&client, &run.id).await;
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0].error.as_ref().unwrap().class, ErrorClass::Quota);
    assert_eq!(turns[0].thread, turns[1].thread, "the conversation goes on");
    let reset = turns[0].error.as_ref().unwrap().retry_at;
    assert!(reset.is_none_or(|at| turns[1].started_at >= at), "{turns:#?}");
}

fn now_secs() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
