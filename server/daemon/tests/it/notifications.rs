//! One word to the outside for each thing that needs a person: none lost, none twice, never a storm,
//! whatever the receiver or the hub does.

mod steps;

use std::{collections::BTreeMap, time::Duration};

use car_api::{
    ChannelId, NotificationId, PageQuery, RunId, ThreadKey,
    inbox::{InboxAct, InboxAction, InboxItem, InboxKind, InboxStatus, InboxView},
    notification::{
        ChannelCreate, ChannelUpdate, Notification, NotificationKind, NotificationPayload,
        NotificationStatus, QuietHours,
    },
    run::{PauseReason, RunStatus},
    thread::MessageOrigin,
};
use car_client::{Client, ClientError, InboxFilter, MessagePage};

use crate::{
    harness::{DEADLINE, Random},
    stage::{FINISH, Repo, Stage, write_file},
    talk::Talk,
    webhooks::{Answer, Receiver},
};

/// Fast enough for a test; the factor between delays stays.
const QUICK: &str = "notifications:\n  retry_first_ms: 20\n  per_minute: 1000\n";

/// The steps, each only from the second turn on.
fn later(steps: &str) -> String {
    steps.replace('{', r#"{"from": 2, "#)
}

/// A repo whose one ticket asks this first.
async fn asking(stage: &Stage, name: &str, body: &str) -> (Repo, RunId) {
    let repo = stage.repo(name).await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "B")));
    let ask = format!(
        r#"{{"on": 1, "dispatch": {{"mode": "pause", "title": "Asks", "body": "{body}"}}}}"#
    );
    repo.ticket(1, "", &format!("{ask}, {finish}"));
    let run = stage.run(&repo).await;
    (repo, run)
}

async fn channel(client: &Client, url: &str, kinds: &[NotificationKind]) -> (ChannelId, String) {
    let body = ChannelCreate {
        name: "phone".to_owned(),
        url: url.to_owned(),
        kinds: kinds.to_vec(),
        quiet: None,
    };
    let made = client.channel_create(&body).await.unwrap();
    (made.channel.id, made.secret)
}

async fn all(client: &Client) -> Vec<Notification> {
    let page = PageQuery { after: None, limit: Some(500) };
    client.notification_list(None, &page).await.unwrap().items
}

/// Waits until this holds of the notifications, newest first.
async fn until(
    client: &Client,
    what: &str,
    wanted: impl Fn(&[Notification]) -> bool,
) -> Vec<Notification> {
    let begun = std::time::Instant::now();
    loop {
        let found = all(client).await;
        if wanted(&found) {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "{what}: {found:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn inbox(client: &Client, status: InboxView) -> Vec<InboxItem> {
    let filter = InboxFilter { status, ..InboxFilter::default() };
    client.inbox_list(&filter, &PageQuery::default()).await.unwrap().items
}

fn stands(one: &Notification, status: NotificationStatus) -> bool {
    one.deliveries.iter().all(|way| way.status == status)
}

fn act(action: InboxAction, body: Option<&str>) -> InboxAct {
    InboxAct { action, body: body.map(str::to_owned) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_thing_is_told_once_and_signed() {
    let stage = Stage::start(QUICK);
    let client = stage.client();
    let receiver = Receiver::start(vec![Answer::Status(500, ""), Answer::Reset]);
    let (_, secret) = channel(&client, &receiver.url, &[]).await;
    let (_, run) = asking(&stage, "demo", "A or B?").await;
    stage.until_paused(&run, PauseReason::UserPause).await;
    let told = until(&client, "it arrives", |all| {
        all.len() == 1 && stands(&all[0], NotificationStatus::Delivered)
    })
    .await;
    let item = inbox(&client, InboxView::Open).await.remove(0);
    assert_eq!(
        (told[0].kind, &told[0].item),
        (NotificationKind::Attention, &Some(item.id.clone()))
    );
    assert_eq!(told[0].deliveries[0].attempts, 3);
    client.inbox_act(&item.id, &act(InboxAction::Reply, Some("B."))).await.unwrap();
    stage.until_completed(&run).await;
    let told = until(&client, "the end is told", |all| {
        all.len() == 2 && stands(&all[0], NotificationStatus::Delivered)
    })
    .await;
    assert_eq!(told[0].kind, NotificationKind::Completed);
    assert!(told[1].acted_at.is_some());
    let got = receiver.got();
    assert_eq!(got.len(), 4, "two that did not arrive, and two that did");
    for message in &got {
        assert_eq!(message.signed_by(&[&secret]), [secret.as_str()]);
        let payload: NotificationPayload = serde_json::from_str(&message.body).unwrap();
        assert_eq!(payload.data.id.as_str(), message.id());
    }
    assert!(got[..3].iter().all(|message| message.body == got[0].body));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_resolved_before_it_left_does_not_leave() {
    let stage = Stage::start("");
    let client = stage.client();
    let receiver = Receiver::start(Vec::new());
    let (id, _) = channel(&client, &receiver.url, &[NotificationKind::Attention]).await;
    hush(&client, &id).await;
    let (_, run) = asking(&stage, "demo", "A or B?").await;
    stage.until_paused(&run, PauseReason::UserPause).await;
    assert!(stands(&all(&client).await[0], NotificationStatus::Pending));
    let item = inbox(&client, InboxView::Open).await.remove(0);
    client.inbox_act(&item.id, &act(InboxAction::Reply, Some("B."))).await.unwrap();
    assert!(stands(&all(&client).await[0], NotificationStatus::Obsolete));
    unhush(&client, &id).await;
    stage.until_completed(&run).await;
    // A trial is sent at once; whatever would have left before it has.
    client.channel_test(&id).await.unwrap();
    assert_eq!(receiver.got().len(), 1);
}

/// It is quiet now on a channel, whatever the time is.
async fn hush(client: &Client, id: &ChannelId) {
    let minute = 12 * 60;
    let now = car_client_minute();
    let offset = i16::try_from(minute - now).unwrap();
    let offset = if offset < -720 { offset + 1440 } else { offset };
    let quiet = QuietHours { from_minute: 600, to_minute: 900, utc_offset_minutes: offset };
    let hush = ChannelUpdate { quiet: Some(Some(quiet)), ..ChannelUpdate::default() };
    client.channel_update(id, &hush).await.unwrap();
}

async fn unhush(client: &Client, id: &ChannelId) {
    let loud = ChannelUpdate { quiet: Some(None), ..ChannelUpdate::default() };
    client.channel_update(id, &loud).await.unwrap();
}

/// The minute of the day in UTC.
fn car_client_minute() -> i32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i32::try_from(now.as_secs() / 60 % 1440).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_is_seen_and_tried_again_when_asked() {
    let stage = Stage::start(&format!("{QUICK}  max_attempts: 2\n"));
    let client = stage.client();
    let receiver = Receiver::start(Vec::new());
    receiver.answer_always(Some(Answer::Status(503, "")));
    let (id, _) = channel(&client, &receiver.url, &[NotificationKind::Attention]).await;
    let (_, run) = asking(&stage, "demo", "A or B?").await;
    stage.until_paused(&run, PauseReason::UserPause).await;
    until(&client, "it is given up", |all| stands(&all[0], NotificationStatus::Failed)).await;
    let open = inbox(&client, InboxView::Open).await;
    let kinds: Vec<_> = open.iter().map(|item| item.kind).collect();
    assert_eq!(kinds, [InboxKind::Question, InboxKind::DeliveryFailed]);
    assert_eq!(open[1].channel, Some(id.clone()));
    assert_eq!(all(&client).await.len(), 1, "nobody is notified of that");
    assert!(client.channel_get(&id).await.unwrap().failing_since.is_some());
    receiver.answer_always(None);
    client.inbox_act(&open[1].id, &act(InboxAction::Retry, None)).await.unwrap();
    until(&client, "it arrives", |all| stands(&all[0], NotificationStatus::Delivered)).await;
    let over = client.inbox_get(&open[1].id).await.unwrap();
    assert_eq!(over.status, InboxStatus::Resolved);
    assert!(client.channel_get(&id).await.unwrap().failing_since.is_none());
    let ids: Vec<_> = receiver.got().iter().map(|message| message.id().to_owned()).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

/// One question is answered by rule, the other is passed on to a person once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_answers_what_needs_no_thought_and_the_rest_is_told_once() {
    let config = format!("{QUICK}pma:\n  dispatch_interception_enabled: true\n");
    let stage = Stage::start(&config);
    let client = stage.client();
    let receiver = Receiver::start(Vec::new());
    channel(&client, &receiver.url, &[NotificationKind::Attention]).await;
    let (_, easy) = asking(&stage, "easy", "Go ahead!").await;
    stage.until(&easy, "goes on", |run| run.state.status() == RunStatus::Completed).await;
    let replies = client.run_replies(&easy).await.unwrap().items;
    assert_eq!(replies.len(), 1, "{replies:#?}");
    let (_, hard) = asking(&stage, "hard", "Postgres or SQLite?").await;
    stage.until_paused(&hard, PauseReason::UserPause).await;
    let told = until(&client, "it is passed on", |all| {
        all.iter().any(|one| {
            one.run.as_ref() == Some(&hard) && stands(one, NotificationStatus::Delivered)
        })
    })
    .await;
    assert_eq!(receiver.got().len(), 1);
    let of_easy = told
        .iter()
        .find(|one| one.run.as_ref() == Some(&easy) && one.kind == NotificationKind::Attention);
    assert!(stands(of_easy.unwrap(), NotificationStatus::Obsolete), "{told:#?}");
    let filter = car_client::AuditFilter {
        verb: Some("run_reply".to_owned()),
        ..car_client::AuditFilter::default()
    };
    let lines = client.audit_list(&filter, &PageQuery::default()).await.unwrap().items;
    assert_eq!(lines[0].actor.name, "rule of the PMA");
}

/// The project manager is woken for a question, and passes it on: only then a person is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_the_project_managers_until_it_is_passed_on() {
    let config = format!(
        "{QUICK}hub:\n  default_agent: demo\npma:\n  wake:\n    enabled: true\n    \
         debounce_seconds: 0\n"
    );
    let mut stage = Stage::start(&config);
    let client = stage.client();
    let receiver = Receiver::start(Vec::new());
    channel(&client, &receiver.url, &[NotificationKind::Attention]).await;
    let (_, run) = asking(&stage, "hard", "Postgres or SQLite?").await;
    stage.until_paused(&run, PauseReason::UserPause).await;
    let item = inbox(&client, InboxView::Open).await.remove(0);
    assert!(item.held_until.is_some() && item.actions.contains(&InboxAction::Escalate));
    let woken = |client: Client| async move {
        let all = client.message_list(&"pma".parse().unwrap(), MessagePage::default()).await;
        let all = all.unwrap().items;
        all.into_iter().filter(|message| message.origin == MessageOrigin::Wake).collect::<Vec<_>>()
    };
    let begun = std::time::Instant::now();
    while woken(stage.client()).await.is_empty() {
        assert!(begun.elapsed() < DEADLINE, "it is not woken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage.kill_and_serve();
    let client = stage.client();
    let messages = woken(stage.client()).await;
    assert_eq!(messages.len(), 1, "{messages:#?}");
    assert!(messages[0].body.contains(item.id.as_str()) && messages[0].author == "paused");
    assert!(stands(&all(&client).await[0], NotificationStatus::Pending));
    client.inbox_act(&item.id, &act(InboxAction::Escalate, None)).await.unwrap();
    until(&client, "a person is told", |all| stands(&all[0], NotificationStatus::Delivered)).await;
    assert_eq!(receiver.got().len(), 1);
    let again = client.inbox_get(&item.id).await.unwrap();
    assert_eq!((again.status, again.held_until), (InboxStatus::Open, None));
    // An agent in the middle of an answer would outlive the hub.
    Talk { client, key: ThreadKey::pma() }.until_idle().await;
}

/// How many things happen while the hub is killed.
const THINGS: u64 = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_hub_tells_of_each_thing_with_one_id() {
    let mut stage = Stage::start(QUICK);
    let receiver = Receiver::start(Vec::new());
    channel(&stage.client(), &receiver.url, &[NotificationKind::Attention]).await;
    let mut repos = Vec::new();
    for number in 0..3 {
        let repo = stage.repo(&format!("tree-{number}")).await;
        let ask = r#"{"dispatch": {"mode": "pause", "title": "Asks", "body": "A or B?"}}"#;
        repo.ticket(1, "", ask);
        repos.push((stage.run(&repo).await, repo));
    }
    let mut random = Random(7);
    let mut answered = 0;
    let mut kills = 0;
    while answered < THINGS {
        let delay = Duration::from_millis(random.below(60));
        // The hub may die at any of these calls.
        if let Ok(more) = answer_all(&stage.client()).await {
            answered += more;
        }
        if random.below(3) == 0 {
            tokio::time::sleep(delay).await;
            stage.kill_and_serve();
            kills += 1;
        }
    }
    let client = stage.client();
    // The answers of last go on to the next question; once each run waits, nothing more is told.
    let begun = std::time::Instant::now();
    while inbox(&client, InboxView::Open).await.len() < repos.len() {
        assert!(begun.elapsed() < DEADLINE, "a run does not ask again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let items = inbox(&client, InboxView::All).await;
    let told = until(&client, "everything has ended", |all| {
        all.iter()
            .all(|one| !one.deliveries.iter().any(|way| way.status == NotificationStatus::Pending))
    })
    .await;
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    for message in receiver.got() {
        *ids.entry(message.id().to_owned()).or_default() += 1;
    }
    let known: Vec<NotificationId> = told.iter().map(|one| one.id.clone()).collect();
    let mut keys: Vec<_> = told.iter().map(|one| one.dedupe_key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), told.len(), "two notifications of one thing");
    for id in ids.keys() {
        assert!(known.iter().any(|known| known.as_str() == id), "{id} is in no ledger");
    }
    for one in &told {
        let arrived = ids.contains_key(one.id.as_str());
        let delivered = stands(one, NotificationStatus::Delivered);
        assert!(arrived || !delivered, "{one:#?} has not arrived");
    }
    // Each thing that waited has its one notification.
    for item in items.iter().filter(|item| item.kind == InboxKind::Question) {
        let of = told.iter().filter(|one| one.item.as_ref() == Some(&item.id)).count();
        assert_eq!(of, 1, "{item:#?}");
    }
    println!("{} notifications of {answered} answers through {kills} kills", told.len());
    for (run, _) in &repos {
        client.run_stop(run).await.unwrap();
        stage.until(run, "is stopped", |run| run.state.status() == RunStatus::Stopped).await;
    }
}

/// Answers every question that waits; how many there were.
async fn answer_all(client: &Client) -> Result<u64, ClientError> {
    let filter = InboxFilter { kind: Some(InboxKind::Question), ..InboxFilter::default() };
    let items = client.inbox_list(&filter, &PageQuery::default()).await?.items;
    let mut count = 0;
    for item in items {
        let done = client.inbox_act(&item.id, &act(InboxAction::Reply, Some("B."))).await;
        count += u64::from(done.is_ok());
    }
    Ok(count)
}
