//! What agents use: counted over runs and threads, priced when a turn ends, and stopped at a budget.

use car_api::{
    Code, PageQuery, Scope,
    budget::BudgetLimits,
    doctor::Level,
    inbox::{InboxAct, InboxAction, InboxKind},
    money::{Amount, Cost},
    problem::Versioned,
    run::{PauseReason, RunResume, RunStart},
    thread::{MessageStatus, ThreadStatus},
    token::TokenCreate,
    turn::TurnStatus,
    usage::{UsageBy, UsageReport, UsageRow},
};
use car_client::{Client, ClientError, InboxFilter, UsageCount};

use crate::{
    harness::DEADLINE,
    stage::{FINISH, Repo, Stage, write_file},
    talk::Talk,
};

/// 1 a million tokens read, half from a cache, 10 written; the demo agent's model is `demo`.
const PRICES: &str = "prices:
  currency: EUR
  table:
    - {agent: demo, model: 'de*', input: '1', cached_input: 0.5, output: 10}
";

/// 1000 read, 400 of them from a cache, 100 written: 0.0018.
const USES: &str = r#"{"usage": {"in": 1000, "cached": 400, "out": 100}}"#;

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn priced(text: &str) -> Cost {
    Cost { amount: amount(text), unpriced_tokens: 0 }
}

async fn count(client: &Client, by: UsageBy) -> UsageReport {
    let count = UsageCount { by: Some(by), ..UsageCount::default() };
    client.usage_get(&count).await.unwrap()
}

fn row<'a>(report: &'a UsageReport, key: Option<&str>) -> &'a UsageRow {
    let found = report.rows.iter().find(|row| row.key.as_deref() == key);
    found.unwrap_or_else(|| panic!("no row {key:?}: {report:#?}"))
}

/// Finishes a ticket with one turn that uses tokens.
async fn finished(stage: &Stage, repo: &Repo) -> car_api::RunId {
    repo.ticket(1, "", &format!("{}, {USES}, {FINISH}", write_file(1, "x")));
    let run = stage.run(repo).await;
    stage.until_completed(&run).await;
    run
}

#[tokio::test]
async fn runs_and_threads_are_counted_by_whatever_is_asked_for() {
    let mut stage = Stage::start(PRICES);
    let client = stage.client();
    let (one, two) = (stage.repo("one").await, stage.repo("two").await);
    let run = finished(&stage, &one).await;
    finished(&stage, &two).await;
    let talk = Talk::new(&client).await;
    let said = talk.post(&format!("Please. @@FAKE[{{\"say\": \"yes\"}}, {USES}]@@")).await;
    let said = talk.until(&said.id, MessageStatus::Completed).await;
    // The demo agent counts a few tokens for what it says as well.
    let spoken = said.usage;
    assert!(spoken.total() >= 1100, "{spoken:?}");
    // It is priced like a turn of a run, in every answer that has it.
    let cost = said.cost.unwrap();
    assert!(cost.amount >= amount("0.0018") && cost.unpriced_tokens == 0, "{cost:?}");
    assert_eq!(talk.message(&said.id).await.cost, Some(cost));

    let turn = stage.turns(&run).await.remove(0);
    assert_eq!((turn.model.as_deref(), turn.usage.total()), (Some("demo"), 1100));
    assert_eq!(turn.cost, Some(amount("0.0018")));
    assert_eq!(client.run_get(&run).await.unwrap().cost, priced("0.0018"));

    let by_repo = count(&client, UsageBy::Repo).await;
    assert_eq!(by_repo.currency.as_deref(), Some("EUR"));
    assert_eq!(by_repo.rows.len(), 3, "{by_repo:#?}");
    let used = row(&by_repo, Some("one")).used;
    assert_eq!((used.turns, used.runs, used.usage), (1, 1, turn.usage));
    assert_eq!(used.cost, priced("0.0018"));
    assert!(used.active_ms >= 0);
    // The thread is in no repo.
    let of_hub = row(&by_repo, None).used;
    assert_eq!((of_hub.turns, of_hub.runs, of_hub.usage), (1, 0, spoken));
    assert_eq!(of_hub.cost, cost);
    let total = by_repo.total;
    assert_eq!((total.turns, total.runs, total.cost.unpriced_tokens), (3, 2, 0));
    assert_eq!(total.usage.total(), 2 * 1100 + spoken.total());
    for (by, key, turns) in [
        (UsageBy::Agent, "demo".to_owned(), 3),
        (UsageBy::Model, "demo".to_owned(), 3),
        (UsageBy::Run, run.to_string(), 1),
        (UsageBy::Thread, talk.thread().await.id.to_string(), 1),
        (UsageBy::Day, turn.ended_at.unwrap().to_string()[..10].to_owned(), 3),
    ] {
        let report = count(&client, by).await;
        let found = row(&report, Some(&key));
        // A day can end while the test is at work.
        assert!(found.used.turns == turns || by == UsageBy::Day, "{by}: {report:#?}");
    }
    assert_eq!(
        row(&count(&client, UsageBy::Run).await, Some(run.as_str())).repo,
        Some(one.id.clone())
    );
    let threads = count(&client, UsageBy::Thread).await;
    let name = threads.rows[0].name.as_deref().unwrap();
    assert!(name.starts_with("Please."), "{name}");

    // Only so many rows; the total is of all.
    let few = UsageCount { by: Some(UsageBy::Repo), limit: Some(1), ..UsageCount::default() };
    let few = client.usage_get(&few).await.unwrap();
    assert_eq!((few.rows.len(), few.left_off, few.total), (1, 2, total));
    // Days that nothing was used on, in whatever zone.
    let past = UsageCount {
        until: Some("2020-02-29".to_owned()),
        utc_offset: Some("+02:00".to_owned()),
        ..UsageCount::default()
    };
    assert_eq!(client.usage_get(&past).await.unwrap().total.turns, 0);
    for (since, utc_offset) in [("2026-02-30", "Z"), ("yesterday", "Z"), ("2026-02-01", "+25:00")] {
        let wrong = UsageCount {
            since: Some(since.to_owned()),
            utc_offset: Some(utc_offset.to_owned()),
            ..UsageCount::default()
        };
        let refused = client.usage_get(&wrong).await.unwrap_err();
        assert_eq!(refused.code(), Some(Code::BadRequest), "{since} {utc_offset}");
    }

    // A credential for one repo sees that one alone, and no budgets.
    let body = TokenCreate {
        name: "one".to_owned(),
        scopes: Some(vec![Scope::Read]),
        repos: vec![one.id.clone()],
        ..TokenCreate::default()
    };
    let token = client.token_create(&body).await.unwrap().secret;
    let limited = Client::new(stage.hub.url(), Some(&token)).unwrap();
    let seen = count(&limited, UsageBy::Repo).await;
    assert_eq!((seen.rows.len(), seen.total.turns), (1, 1), "{seen:#?}");
    let other = UsageCount { repo: Some(two.id.clone()), ..UsageCount::default() };
    assert_eq!(limited.usage_get(&other).await.unwrap_err().code(), Some(Code::Forbidden));
    assert_eq!(limited.budgets_get().await.unwrap_err().code(), Some(Code::Forbidden));

    // A price that comes later changes nothing of what was; without one the cost is not known.
    assert!(stage.hub.stop().success());
    stage.configure("");
    stage.hub.serve(&[]);
    let three = stage.repo("three").await;
    let run = finished(&stage, &three).await;
    let client = stage.client();
    assert_eq!(stage.turns(&run).await[0].cost, None);
    let unpriced = Cost { amount: Amount::default(), unpriced_tokens: 1100 };
    assert_eq!(client.run_get(&run).await.unwrap().cost, unpriced);
    let later = count(&client, UsageBy::Repo).await;
    assert_eq!(row(&later, Some("one")).used.cost, priced("0.0018"));
    assert_eq!(row(&later, Some("three")).used.cost, unpriced);
    assert_eq!(later.currency, None);
    let talk = Talk { client, ..talk };
    assert_eq!(talk.message(&said.id).await.cost, Some(cost), "it stays what it was");
    let free = talk.post("And now?").await;
    let free = talk.until(&free.id, MessageStatus::Completed).await;
    let unpriced = Cost { amount: Amount::default(), unpriced_tokens: free.usage.total() };
    assert_eq!(free.cost, Some(unpriced), "what has no price has none made up");
}

#[tokio::test]
async fn a_new_database_counts_what_the_files_say() {
    let mut stage = Stage::start(PRICES);
    let one = stage.repo("one").await;
    let run = finished(&stage, &one).await;
    let talk = Talk::new(&stage.client()).await;
    let said = talk.post(&format!("Please. @@FAKE[{USES}, {{\"say\": \"yes\"}}]@@")).await;
    let said = talk.until(&said.id, MessageStatus::Completed).await;
    assert!(said.cost.is_some_and(|cost| cost.unpriced_tokens == 0), "{:?}", said.cost);
    let before = count(&stage.client(), UsageBy::Model).await;
    assert_eq!((before.total.turns, before.total.cost.unpriced_tokens), (2, 0));
    assert!(stage.hub.stop().success());
    let root = stage.hub.root();
    let made = stage.hub.run(&["reindex", "--root", root.to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    stage.hub.serve(&[]);
    let client = stage.client();
    assert_eq!(count(&client, UsageBy::Model).await, before);
    assert_eq!(client.run_get(&run).await.unwrap().cost, priced("0.0018"));
    let talk = Talk { client, ..talk };
    assert_eq!(talk.message(&said.id).await.cost, said.cost);
}

#[tokio::test]
async fn a_run_pauses_at_what_it_may_cost_also_over_a_kill() {
    let mut stage = Stage::start(PRICES);
    let repo = stage.repo("between").await;
    repo.ticket(1, "", &format!(r#"{{"sh": "echo more >> README.md"}}, {USES}"#));
    let body = RunStart { max_cost: Some(amount("0.003")), ..RunStart::default() };
    let run = stage.client().run_start(&repo.id, &body).await.unwrap().id;
    let details = stage.until_paused(&run, PauseReason::Budget).await;
    assert!(details.contains("0.003 EUR") && details.contains("0.0036 EUR used"), "{details}");
    assert!(details.contains("--max-cost"), "{details}");
    assert_eq!(stage.turns(&run).await.len(), 2);
    stage.kill_and_serve();
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    stage.until_paused(&run, PauseReason::Budget).await;
    assert_eq!(stage.turns(&run).await.len(), 2, "no turn is begun over the budget");
    let more = RunResume { max_cost: Some(amount("0.005")), ..RunResume::default() };
    stage.client().run_resume(&run, &more).await.unwrap();
    stage.until(&run, "has three turns", |run| run.turns == 3).await;
    stage.until_paused(&run, PauseReason::Budget).await;

    // Used up in the middle of a turn, the hub killed meanwhile: it is interrupted, and what it
    // used by then is not lost.
    let repo = stage.repo("within").await;
    let waits = r#"{"sh": "until [ -e .codex-autorunner/go ]; do sleep 0.02; done"}"#;
    let uses = r#"{"usage": {"in": 2000}}"#;
    repo.ticket(1, "", &format!(r#"{uses}, {waits}, {uses}, {{"hang": true}}"#));
    let run = stage.client().run_start(&repo.id, &body).await.unwrap().id;
    let client = stage.client();
    let begun = std::time::Instant::now();
    while client.budgets_get().await.unwrap().repos.iter().all(|line| line.repo != repo.id) {
        assert!(begun.elapsed() < DEADLINE, "what a turn uses is not counted while it is at work");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    stage.kill_and_serve();
    std::fs::write(repo.dir.join(".codex-autorunner/go"), "").unwrap();
    stage.until_paused(&run, PauseReason::Budget).await;
    let turn = stage.turns(&run).await.remove(0);
    assert_eq!((turn.status, turn.cost), (TurnStatus::Interrupted, Some(amount("0.004"))));
}

/// An answer is cut off like a turn of a run, and says why; what waits is held until the day ends.
#[tokio::test]
async fn an_answer_that_passes_the_budget_of_the_day_is_cut_off() {
    let stage = Stage::start(&format!("{PRICES}budget:\n  day_cost: 0.001\n"));
    let client = stage.client();
    let talk = Talk::new(&client).await;
    let script = format!(r#"@@FAKE[{{"say": "half"}}, {USES}, {{"hang": true}}]@@"#);
    let message = talk.post(&script).await;
    let cut = talk.until(&message.id, MessageStatus::Interrupted).await;
    let detail = cut.detail.unwrap();
    for words in ["0.001 EUR for the hub", "0.0018 EUR used", "`budget.day_cost`", "00:00 UTC"] {
        assert!(detail.contains(words), "{words}: {detail}");
    }
    assert_eq!((cut.answer.as_deref(), cut.cost), (Some("half"), Some(priced("0.0018"))));
    let waits = talk.post(r#"@@FAKE[{"say": "yes"}]@@"#).await;
    talk.until_thread(|thread| thread.status == ThreadStatus::Held).await;
    let standing = client.budgets_get().await.unwrap();
    let limits = BudgetLimits { day_cost: Some(amount("1")), ..standing.limits };
    client.budgets_update(&limits, Some(&standing.etag)).await.unwrap();
    assert_eq!(
        talk.until(&waits.id, MessageStatus::Completed).await.answer.as_deref(),
        Some("yes")
    );
}

#[tokio::test]
async fn over_the_budget_of_the_day_nothing_begins() {
    let mut stage = Stage::start(&format!("{PRICES}budget:\n  day_cost: 0.003\n"));
    let client = stage.client();
    let repo = stage.repo("one").await;
    repo.ticket(1, "", &format!(r#"{{"sh": "echo more >> README.md"}}, {USES}"#));
    let own = Some(amount("9"));
    let body = RunStart { max_cost: own, ..RunStart::default() };
    let run = client.run_start(&repo.id, &body).await.unwrap().id;
    let details = stage.until_paused(&run, PauseReason::Budget).await;
    for words in ["0.003 EUR for the hub", "0.0036 EUR used", "`budget.day_cost`", "00:00 UTC"] {
        assert!(details.contains(words), "{words}: {details}");
    }
    let explain = client.run_explain(&run).await.unwrap();
    assert!(explain.line.contains("`budget.day_cost`"), "{explain:?}");
    let standing = client.budgets_get().await.unwrap();
    assert_eq!((standing.used.tokens, standing.used.cost), (2200, priced("0.0036")));
    let today = client.hub_snapshot().await.unwrap().today.unwrap();
    assert_eq!((today.used, today.day_cost), (standing.used, Some(amount("0.003"))));

    // The sums are the database's: a hub that is killed knows them again.
    stage.kill_and_serve();
    let client = stage.client();
    assert_eq!(client.budgets_get().await.unwrap().used, standing.used);
    let filter = InboxFilter { run: Some(run.clone()), ..InboxFilter::default() };
    let item = client.inbox_list(&filter, &PageQuery::default()).await.unwrap().items.remove(0);
    assert_eq!(item.kind, InboxKind::Budget);
    let go_on = InboxAct { action: InboxAction::Resume, body: None };
    client.inbox_act(&item.id, &go_on).await.unwrap();
    stage.until_paused(&run, PauseReason::Budget).await;
    let options = client.run_get(&run).await.unwrap().options;
    assert_eq!(options.max_cost, own, "going on raises only what the run itself has used up");
    // Of another run nothing begins either, and a message waits, for the same reason.
    let other = stage.repo("two").await;
    other.ticket(1, "", &format!("{}, {FINISH}", write_file(1, "y")));
    let held = stage.run(&other).await;
    stage.until_paused(&held, PauseReason::Budget).await;
    assert!(stage.turns(&held).await.is_empty());
    let talk = Talk::new(&client).await;
    let waits = talk.post("Please. @@FAKE[{\"say\": \"yes\"}]@@").await;
    let thread = talk.until_thread(|thread| thread.status == ThreadStatus::Held).await;
    assert!(thread.explain.contains("0.003 EUR for the hub"), "{thread:?}");

    // Raised, it holds at once, and what was held goes on; only on the version that was read.
    let limits = BudgetLimits { day_cost: Some(amount("1")), ..standing.limits };
    let stale = client.budgets_update(&limits, Some("0123")).await.unwrap_err();
    let ClientError::Problem(stale) = stale else { panic!("{stale:?}") };
    assert_eq!(stale.code, Code::Stale);
    let limits_of = |version: Option<Versioned>| -> BudgetLimits {
        serde_json::from_str(&version.unwrap().content).unwrap()
    };
    assert_eq!(stale.current.as_ref().unwrap().etag, standing.etag);
    assert_eq!(limits_of(stale.current), standing.limits);
    assert_eq!(limits_of(stale.yours), limits);
    let nothing = BudgetLimits { day_tokens: Some(0), ..limits };
    let refused = client.budgets_update(&nothing, Some(&standing.etag)).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Unprocessable));
    let raised = client.budgets_update(&limits, Some(&standing.etag)).await.unwrap();
    assert_eq!(raised.limits, limits);
    assert_ne!(raised.etag, standing.etag);
    talk.until(&waits.id, MessageStatus::Completed).await;
    client.run_resume(&held, &RunResume::default()).await.unwrap();
    stage.until_completed(&held).await;
    // And it is kept.
    stage.kill_and_serve();
    let client = stage.client();
    assert_eq!(client.budgets_get().await.unwrap().limits, limits);

    // Taken away it is away, though a weaker file has it; what new runs may use is set as well.
    let etag = client.budgets_get().await.unwrap().etag;
    let limits = BudgetLimits { max_tokens: Some(500), ..BudgetLimits::default() };
    client.budgets_update(&limits, Some(&etag)).await.unwrap();
    stage.kill_and_serve();
    let client = stage.client();
    assert_eq!(client.budgets_get().await.unwrap().limits, limits);
    let third = stage.repo("three").await;
    third.ticket(1, "", &format!("{USES}, {{\"hang\": true}}"));
    let run = stage.run(&third).await;
    let details = stage.until_paused(&run, PauseReason::Budget).await;
    assert!(details.contains("500 tokens"), "{details}");
    assert_eq!(client.hub_snapshot().await.unwrap().today, None);
}

#[tokio::test]
async fn a_repo_has_a_day_of_its_own() {
    let stage = Stage::start("budget:\n  repo_day_tokens: 1500\n");
    let (one, two) = (stage.repo("one").await, stage.repo("two").await);
    finished(&stage, &one).await;
    one.ticket(2, "", &format!("{}, {USES}, {{\"hang\": true}}", write_file(2, "y")));
    let over = stage.run(&one).await;
    let details = stage.until_paused(&over, PauseReason::Budget).await;
    assert!(
        details.contains("1500 tokens for this repo") && details.contains("2200 tokens used"),
        "{details}"
    );
    finished(&stage, &two).await;
}

#[tokio::test]
async fn prices_that_cannot_be_read_are_found_before_the_next_start() {
    let stage = Stage::start(PRICES);
    let client = stage.client();
    let said = async || {
        let report = client.hub_doctor().await.unwrap();
        let found = report.findings.into_iter().filter(|found| found.check == "configuration");
        found.map(|found| (found.level, found.detail)).collect::<Vec<_>>()
    };
    assert_eq!(said().await, []);
    stage.configure("prices: {currency: EUR, table: [{input: much, output: 1}]}\n");
    let found = said().await;
    assert!(found.len() == 1 && found[0].0 == Level::Error, "{found:?}");
    assert!(found[0].1.contains("prices.table") && found[0].1.contains("much"), "{found:?}");
    stage.configure("budget: {day_cost: 1}\n");
    let found = said().await;
    assert!(found.len() == 1 && found[0].0 == Level::Warning, "{found:?}");
    // What the owner sets is looked at first, and is not there when it cannot be meant.
    let root = stage.hub.root();
    let set = |key, value| {
        stage.hub.run(&["config", "--root", root.to_str().unwrap(), "set", key, value]).status
    };
    assert!(!set("prices.table", "[{input: 1}]").success());
    assert!(!set("budget.day_cost", "0").success());
    assert!(set("prices.table", "[{agent: demo, input: \"0.5\", output: 2}]").success());
    assert!(set("prices.currency", "EUR").success());
    assert_eq!(said().await, []);
}
