use car_api::{
    AgentId, Event, EventKind, RepoId, RunId, SessionId, Timestamp, TokenId, TurnId,
    item::{Item, ItemBody, Usage},
    run::{RunOptions, RunState},
    token::Token,
    turn::{Turn, TurnPurpose, TurnStatus},
};
use car_engine::flow::{Effect, Flow};

use super::*;

fn at(n: i64) -> Timestamp {
    Timestamp::from_secs(n)
}

fn repo(id: &str) -> RepoId {
    id.parse().unwrap()
}

async fn store(dir: &tempfile::TempDir) -> Store {
    Store::open(&dir.path().join("hub.sqlite3")).await.unwrap()
}

fn run(repo_id: &str) -> RunRow {
    RunRow {
        id: RunId::generate(),
        repo: repo(repo_id),
        flow: Flow::new(RunOptions::default(), Vec::new()),
        base_commit: Some("c0".into()),
        created_at: at(1),
        queued_at: at(1),
        started_at: None,
        ended_at: None,
    }
}

fn event(n: usize, repo_id: &str) -> Write {
    let path = format!("p{n}");
    let kind = Box::new(EventKind::RepoAdded { path });
    Write::Event { at: at(1), repo: Some(repo(repo_id)), run: None, thread: None, kind }
}

fn all(after: i64) -> EventQuery {
    EventQuery { after, limit: 10_000, ..EventQuery::default() }
}

/// Many writers at once, some of whose commits are refused: what was acknowledged is there, in
/// one gapless order, and nothing of a refused commit is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_commits_are_whole_and_gapless() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let first = run("a");
    store.commit(vec![Write::RunCreate(Box::new(first))]).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200 {
        let store = store.clone();
        tasks.spawn(async move {
            // Every third one tries a second active run of the same tree, after its events.
            let mut writes = vec![event(n, "a"), event(n, "a")];
            let refused = n % 3 == 0;
            if refused {
                writes.push(Write::RunCreate(Box::new(run("a"))));
            }
            (refused, store.commit(writes).await)
        });
    }
    let mut acknowledged = 0;
    for (refused, result) in tasks.join_all().await {
        match result {
            Ok(_) => {
                assert!(!refused);
                acknowledged += 2;
            }
            Err(error) => assert!(refused && matches!(error, Error::Conflict), "{error}"),
        }
    }
    let events = store.events(&all(0)).await.unwrap();
    assert_eq!(events.len(), acknowledged);
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=i64::try_from(acknowledged).unwrap()).collect::<Vec<_>>());
    assert_eq!(*store.bell().borrow(), *seqs.last().unwrap());
    // The two events of one commit stand side by side.
    for pair in events.chunks(2) {
        assert_eq!(pair[0].event, pair[1].event);
    }
    store.close().await;
    let again = Store::open(&dir.path().join("hub.sqlite3")).await.unwrap();
    assert_eq!(again.events(&all(0)).await.unwrap(), events, "as it was after a restart");
    assert_eq!(*again.bell().borrow(), *seqs.last().unwrap());
}

#[tokio::test]
async fn one_active_run_a_tree_until_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let mut first = run("a");
    store.commit(vec![Write::RunCreate(Box::new(first.clone()))]).await.unwrap();
    let second = run("a");
    let refused = store.commit(vec![Write::RunCreate(Box::new(second.clone()))]).await;
    assert!(matches!(refused, Err(Error::Conflict)));
    first.flow.state = RunState::Stopped;
    first.ended_at = Some(at(9));
    store.commit(vec![Write::Run(Box::new(first.clone()))]).await.unwrap();
    store.commit(vec![Write::RunCreate(Box::new(second.clone()))]).await.unwrap();

    assert_eq!(store.run(&first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.active_runs().await.unwrap(), std::slice::from_ref(&second));
    assert_eq!(store.latest_runs().await.unwrap(), std::slice::from_ref(&second));
    let query = RunQuery { limit: 10, ..RunQuery::default() };
    assert_eq!(store.runs(&query).await.unwrap(), [second.clone(), first.clone()]);
    let older = RunQuery { before: Some(second.id), limit: 10, ..RunQuery::default() };
    assert_eq!(store.runs(&older).await.unwrap(), [first]);
}

#[tokio::test]
async fn events_are_filtered_and_paged() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let id = RunId::generate();
    let of_run = Write::Event {
        at: at(2),
        repo: Some(repo("b")),
        run: Some(id.clone()),
        thread: None,
        kind: Box::new(EventKind::RunCreated),
    };
    store.commit(vec![event(1, "a"), of_run, event(2, "b"), event(3, "a")]).await.unwrap();
    let seqs = |events: Vec<Event>| events.into_iter().map(|e| e.seq).collect::<Vec<_>>();
    let mut query = all(0);
    query.repo = Some(repo("b"));
    assert_eq!(seqs(store.events(&query).await.unwrap()), [2, 3]);
    query.kinds = vec!["run_created".into(), "hub_started".into()];
    assert_eq!(seqs(store.events(&query).await.unwrap()), [2]);
    query = EventQuery { run: Some(id), ..all(0) };
    assert_eq!(seqs(store.events(&query).await.unwrap()), [2]);
    query = EventQuery { after: 1, limit: 2, ..EventQuery::default() };
    assert_eq!(seqs(store.events(&query).await.unwrap()), [2, 3]);
}

#[tokio::test]
async fn effects_wait_until_they_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let id = RunId::generate();
    let row = |step, place, effect| EffectRow { run: id.clone(), step, place, effect };
    let rows = [row(1, 0, Effect::Survey), row(1, 1, Effect::Seal), row(2, 0, Effect::EndSession)];
    store.commit(rows.iter().cloned().map(Write::EffectAdd).collect()).await.unwrap();
    assert_eq!(store.effects(&id).await.unwrap(), rows);
    assert_eq!(store.runs_with_effects().await.unwrap(), std::slice::from_ref(&id));
    let done = Write::EffectDone { run: id.clone(), step: 1, place: 0 };
    store.commit(vec![done]).await.unwrap();
    assert_eq!(store.effects(&id).await.unwrap(), rows[1..]);
    store.commit(vec![Write::EffectsDone { run: id.clone(), step: 1 }]).await.unwrap();
    assert_eq!(store.effects(&id).await.unwrap(), rows[2..]);
}

#[tokio::test]
async fn turns_items_and_sessions_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let agent: AgentId = "codex".parse().unwrap();
    let run = RunId::generate();
    let errand = Errand::Run(run.clone());
    let session = SessionRow {
        id: SessionId::generate(),
        errand: errand.clone(),
        agent: agent.clone(),
        dir: "/x".into(),
        line: 0,
        driver: None,
        started_at: at(1),
        ended_at: None,
    };
    let mut turn = Turn {
        id: TurnId::generate(),
        run: run.clone(),
        number: 1,
        ticket: "tkt_000001".parse().unwrap(),
        ticket_file: "TICKET-001.md".into(),
        agent,
        model: None,
        purpose: TurnPurpose::Work,
        status: TurnStatus::Running,
        session: Some(session.id.clone()),
        thread: None,
        prompt_hash: Some("h".into()),
        started_at: at(1),
        ended_at: None,
        usage: Usage::default(),
        cost: None,
        message: None,
        error: None,
        diff: None,
    };
    let begun = vec![
        Write::Turn(Box::new(turn.clone()), Some("c:f".into())),
        Write::Session(session.clone()),
    ];
    store.commit(begun).await.unwrap();
    let item = Item { id: "i1".into(), body: ItemBody::Message { text: "hello".into() } };
    turn.status = TurnStatus::Completed;
    turn.thread = Some("t".into());
    turn.usage.input_tokens = 5;
    turn.ended_at = Some(at(2));
    let moved = SessionRow { line: 7, driver: Some("{}".into()), ..session.clone() };
    let ended = vec![
        Write::Turn(Box::new(turn.clone()), None),
        Write::Item(ItemRow {
            turn: turn.id.clone(),
            place: 0,
            item: item.clone(),
            completed: true,
        }),
        Write::Session(moved.clone()),
    ];
    store.commit(ended).await.unwrap();
    assert_eq!(store.turn(&turn.id).await.unwrap(), Some(turn.clone()));
    let fingerprint = store.turn_fingerprint(&turn.id).await.unwrap();
    assert_eq!(fingerprint.as_deref(), Some("c:f"), "an update keeps it");
    assert_eq!(store.items(&turn.id).await.unwrap(), [item]);
    assert_eq!(store.open_sessions(Some(&errand)).await.unwrap(), std::slice::from_ref(&moved));
    let over = SessionRow { ended_at: Some(at(3)), ..moved };
    store.commit(vec![Write::Session(over)]).await.unwrap();
    assert_eq!(store.open_sessions(None).await.unwrap(), []);
    assert_eq!(store.turns(&run, 0, 10).await.unwrap(), std::slice::from_ref(&turn));
    assert_eq!(store.turns(&run, 1, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_revoked_token_is_gone_and_a_secret_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let token = Token {
        id: TokenId::generate(),
        name: "laptop".into(),
        scopes: vec![car_api::Scope::Read],
        repos: vec!["demo".parse().unwrap()],
        run: None,
        created_at: at(1),
        expires_at: Some(at(9)),
        last_used_at: None,
    };
    let row = TokenRow { token: token.clone(), secret_hash: "aa".into() };
    store.commit(vec![Write::TokenCreate(row.clone())]).await.unwrap();
    assert_eq!(store.tokens().await.unwrap(), std::slice::from_ref(&row));
    let other = Token { id: TokenId::generate(), ..token.clone() };
    let same = TokenRow { token: other, secret_hash: "aa".into() };
    assert!(matches!(store.commit(vec![Write::TokenCreate(same)]).await, Err(Error::Conflict)));
    store.commit(vec![Write::TokenRevoke(token.id, at(5))]).await.unwrap();
    assert_eq!(store.tokens().await.unwrap(), []);
}

/// A turn counts once, when it has ended, however often it is written; days begin where its people
/// are, and what is asked for is all that is counted.
#[tokio::test]
async fn turns_are_counted_once_and_on_their_day() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let (one, two) = (run("one"), run("two"));
    let mut writes =
        vec![Write::RunCreate(Box::new(one.clone())), Write::RunCreate(Box::new(two.clone()))];
    let noon = "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap();
    let mut turns = Vec::new();
    // Hours after noon of the first day, tokens, millionths.
    for (run, hours, tokens, cost) in [
        (&one, 0, 10, Some(100)),
        (&one, 11, 20, Some(200)),
        (&two, 13, 40, None),
        (&two, 48, 80, Some(800)),
    ] {
        let ended_at = noon.plus_millis(hours * 3_600_000);
        let turn = Turn {
            id: TurnId::generate(),
            run: run.id.clone(),
            number: 1,
            ticket: "tkt_000001".parse().unwrap(),
            ticket_file: "TICKET-001.md".into(),
            agent: "codex".parse().unwrap(),
            model: (tokens < 80).then(|| "m1".to_owned()),
            purpose: TurnPurpose::Work,
            status: TurnStatus::Completed,
            session: None,
            thread: None,
            prompt_hash: None,
            started_at: ended_at.plus_millis(-1500),
            ended_at: Some(ended_at),
            usage: Usage { input_tokens: tokens, ..Usage::default() },
            cost: cost.map(car_api::money::Amount::from_millionths),
            message: None,
            error: None,
            diff: None,
        };
        writes.push(Write::Turn(Box::new(Turn { ended_at: None, ..turn.clone() }), None));
        writes.push(Write::Turn(Box::new(turn.clone()), None));
        writes.push(Write::Turn(Box::new(turn.clone()), None));
        turns.push(turn);
    }
    store.commit(writes).await.unwrap();
    assert_eq!(store.turn(&turns[1].id).await.unwrap(), Some(turns[1].clone()));
    let all = UsageQuery {
        by: car_api::usage::UsageBy::Day,
        since: None,
        until: None,
        repos: None,
        offset_s: 0,
        limit: 10,
    };
    let seen = async |query: &UsageQuery| {
        let counted = store.usage(query).await.unwrap();
        let row = |row: &car_api::usage::UsageRow| {
            let key = row.key.clone().unwrap_or_default();
            (key, row.used.usage.input_tokens, row.used.cost.amount.millionths())
        };
        let rows: Vec<_> = counted.rows.iter().map(row).collect();
        (rows, counted.all, counted.total.turns)
    };
    let days = |list: &[(&str, i64, i64)]| {
        list.iter()
            .map(|(day, tokens, cost)| ((*day).to_owned(), *tokens, *cost))
            .collect::<Vec<_>>()
    };
    let utc = [("2026-03-01", 30, 300), ("2026-03-02", 40, 0), ("2026-03-03", 80, 800)];
    assert_eq!(seen(&all).await, (days(&utc), 3, 4));
    // Two hours ahead the second turn is the next day's.
    let ahead = UsageQuery { offset_s: 7200, ..all.clone() };
    let there = [("2026-03-01", 10, 100), ("2026-03-02", 60, 200), ("2026-03-03", 80, 800)];
    assert_eq!(seen(&ahead).await, (days(&there), 3, 4));
    let until = UsageQuery { until: Some(noon.plus_millis(1)), ..all.clone() };
    assert_eq!(seen(&until).await, (days(&[("2026-03-01", 10, 100)]), 1, 1));
    let by = car_api::usage::UsageBy::Model;
    let models = UsageQuery { by, limit: 1, ..all.clone() };
    assert_eq!(seen(&models).await, (days(&[("", 80, 800)]), 2, 4), "the most tokens first");
    let by = car_api::usage::UsageBy::Run;
    let of_two = UsageQuery { by, repos: Some(vec![repo("two")]), ..all.clone() };
    assert_eq!(seen(&of_two).await, (days(&[(two.id.as_str(), 120, 800)]), 1, 2));
    let none = UsageQuery { repos: Some(Vec::new()), ..all };
    assert_eq!(seen(&none).await, (Vec::new(), 0, 0));
}
