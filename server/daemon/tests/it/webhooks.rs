//! Events that leave the hub: signed, tried again until they arrive, none lost and none with two
//! ids, whatever the receiver or the hub does.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Barrier, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use car_api::{
    PageQuery,
    repo::RepoCreate,
    webhook::{
        DeliveryStatus, WebhookCreate, WebhookDelivery, WebhookFilter, WebhookPayload,
        WebhookUpdate,
    },
};
use car_client::{Client, EventFilter};
use hmac::{Hmac, KeyInit, Mac};
use sha2_hmac::Sha256;

use crate::{
    harness::{TestHub, wait_until},
    stage::Stage,
};

/// Fast enough for a test; the factor between delays stays.
const QUICK: &str = "webhooks:\n  retry_first_ms: 20\n  timeout_s: 10\n";

/// What the receiver does with a message.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// This status, with these further header lines.
    Status(u16, &'static str),
    /// The connection is cut without an answer.
    Reset,
    /// Waits for the test.
    Held(Held),
}

/// How far a message has come when its receiver waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Come {
    /// It begins to arrive; nothing of it was read.
    Begun,
    /// Its head was read.
    Head,
    /// It was read.
    Whole,
}

/// A receiver that waits: the test goes on when the message has come so far, and may have it
/// answered then. Without that it is held for ever.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    come: Come,
    status: u16,
    /// Both sides meet when the message has come, when it is to be answered, and when it was.
    meet: Arc<Barrier>,
}

impl Held {
    pub(crate) fn new(come: Come, status: u16) -> Self {
        Self { come, status, meet: Arc::new(Barrier::new(2)) }
    }

    /// Waits until the message has come.
    pub(crate) fn has_come(&self) {
        self.meet.wait();
    }

    /// Has it answered, and waits until it was.
    pub(crate) fn answered(&self) {
        self.meet.wait();
        self.meet.wait();
    }
}

/// A message as it came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    fn payload(&self) -> WebhookPayload {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Which of the secrets have signed it.
    pub(crate) fn signed_by<'a>(&self, secrets: &[&'a str]) -> Vec<&'a str> {
        let signed = format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.body);
        let by = |secret: &&&str| {
            let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(signed.as_bytes());
            let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
            self.headers["webhook-signature"].split(' ').any(|given| given == signature)
        };
        secrets.iter().filter(by).copied().collect()
    }
}

#[derive(Default)]
struct State {
    got: Vec<Got>,
    answers: VecDeque<Answer>,
    otherwise: Option<Answer>,
}

/// Somebody who receives webhooks. Its thread ends with the process: it waits for connections.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Answers so, one after the other, and with 204 after that.
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { answers: answers.into(), ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                // One that is cut has nothing more to say.
                std::thread::spawn(move || receive(stream.unwrap(), &state));
            }
        });
        Self { url, state }
    }

    /// Answers so when nothing else is said, or with 204.
    pub(crate) fn answer_always(&self, answer: Option<Answer>) {
        self.state.lock().unwrap().otherwise = answer;
    }

    /// Answers so from now on, whatever was said before.
    pub(crate) fn answer_only(&self, answer: Answer) {
        let mut state = self.state.lock().unwrap();
        state.answers.clear();
        state.otherwise = Some(answer);
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.clone()
    }
}

fn receive(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        reader.fill_buf().ok().filter(|read| !read.is_empty())?;
        let answer = {
            let mut state = state.lock().unwrap();
            let next = state.answers.pop_front().or_else(|| state.otherwise.clone());
            next.unwrap_or(Answer::Status(204, ""))
        };
        let hold = |come| {
            if let Answer::Held(held) = &answer
                && held.come == come
            {
                held.meet.wait();
                held.meet.wait();
            }
        };
        hold(Come::Begun);
        let mut headers = BTreeMap::new();
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        assert!(line.starts_with("POST /hook HTTP/1.1"), "{line}");
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        hold(Come::Head);
        let mut body = vec![0; headers.get("content-length")?.parse().unwrap()];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        state.lock().unwrap().got.push(Got { headers, body });
        hold(Come::Whole);
        let (status, more) = match &answer {
            Answer::Status(status, more) => (*status, *more),
            Answer::Held(held) => (held.status, ""),
            Answer::Reset => return None,
        };
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 4\r\n{more}\r\nwhy?");
        let text = if status == 204 { "HTTP/1.1 204 X\r\n\r\n".to_owned() } else { text };
        let said = reader.get_mut().write_all(text.as_bytes());
        if let Answer::Held(held) = &answer {
            held.meet.wait();
        }
        said.ok()?;
    }
}

fn repos_added(url: &str) -> WebhookCreate {
    let filter = WebhookFilter { kinds: vec!["repo_added".to_owned()], ..WebhookFilter::default() };
    WebhookCreate { url: url.to_owned(), description: "test".to_owned(), filter }
}

async fn add_repo(client: &Client, id: &str) {
    let body = RepoCreate { id: id.to_owned(), path: None, force: false };
    client.repo_create(&body).await.unwrap();
}

async fn ledger(client: &Client, id: &car_api::WebhookId) -> Vec<WebhookDelivery> {
    let page = PageQuery { after: None, limit: Some(500) };
    client.webhook_deliveries(id, None, &page).await.unwrap().items
}

/// Waits until all lines of the ledger stand so, and there are so many.
async fn until(
    client: &Client,
    id: &car_api::WebhookId,
    status: DeliveryStatus,
    count: usize,
) -> Vec<WebhookDelivery> {
    let begun = std::time::Instant::now();
    loop {
        let lines = ledger(client, id).await;
        if lines.len() == count && lines.iter().all(|line| line.status == status) {
            return lines;
        }
        assert!(begun.elapsed() < crate::harness::DEADLINE, "{lines:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_signed_and_tried_again_with_its_id_until_it_arrives() {
    let stage = Stage::start(QUICK);
    let client = stage.client();
    let receiver = Receiver::start(vec![
        Answer::Status(500, ""),
        Answer::Status(429, "Retry-After: 0\r\n"),
        Answer::Reset,
        Answer::Status(302, "Location: /elsewhere\r\n"),
    ]);
    let made = client.webhook_create(&repos_added(&receiver.url)).await.unwrap();
    let id = made.webhook.id.clone();
    add_repo(&client, "one").await;
    let [line] = until(&client, &id, DeliveryStatus::Delivered, 1).await.try_into().unwrap();
    assert_eq!((line.attempts, line.last_status, line.last_error), (5, Some(204), None));
    let got = receiver.got();
    assert_eq!(got.len(), 5);
    for message in &got {
        assert_eq!(message.id(), line.id.as_str());
        assert_eq!(message.body, got[0].body);
        assert_eq!(message.headers["content-type"], "application/json");
        assert_eq!(message.signed_by(&[&made.secret]), [made.secret.as_str()]);
    }
    let payload = got[0].payload();
    assert_eq!(payload.r#type, "repo_added");
    assert_eq!(payload.data.as_ref().map(|event| event.seq), line.seq);
    assert!(client.webhook_get(&id).await.unwrap().failing_since.is_none());

    // For a day both secrets sign; what is not wanted is not sent.
    let new = client.webhook_rotate(&id).await.unwrap().secret;
    client.repo_list(None, &PageQuery::default()).await.unwrap();
    let test = client.webhook_test(&id).await.unwrap();
    assert_eq!((test.status, test.kind.as_str()), (DeliveryStatus::Delivered, "test"));
    let last = receiver.got().pop().unwrap();
    assert_eq!(last.payload().r#type, "test");
    assert_eq!(last.signed_by(&[&made.secret, &new]), [made.secret.as_str(), new.as_str()]);

    // By hand it is sent again, as it was.
    client.webhook_redeliver(&id, &line.id).await.unwrap();
    wait_until("it is sent again", || (receiver.got().len() == 7).then_some(()));
    let again = receiver.got().pop().unwrap();
    assert_eq!((again.id(), &again.body), (line.id.as_str(), &got[0].body));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_killed_loses_no_message_and_gives_none_a_second_id() {
    let mut stage = Stage::start(QUICK);
    let receiver = Receiver::start(Vec::new());
    let made = stage.client().webhook_create(&repos_added(&receiver.url)).await.unwrap();
    let mut repos = 0;
    for round in 0..6 {
        // Nothing arrives, something arrives, in turn; the hub dies in the middle of it.
        let refuse = (round % 2 == 0).then_some(Answer::Status(503, ""));
        receiver.answer_always(refuse);
        let before = receiver.got().len();
        for _ in 0..5 {
            repos += 1;
            add_repo(&stage.client(), &format!("repo-{repos}")).await;
        }
        wait_until("something is sent", || (receiver.got().len() > before).then_some(()));
        stage.kill_and_serve();
    }
    receiver.answer_always(None);
    let client = stage.client();
    let lines = until(&client, &made.webhook.id, DeliveryStatus::Delivered, repos).await;
    let added = EventFilter { kinds: vec!["repo_added".to_owned()], ..EventFilter::default() };
    let events = client.event_list(0, Some(500), &added).await.unwrap().items;
    let seqs: BTreeSet<i64> = lines.iter().filter_map(|line| line.seq).collect();
    assert_eq!(seqs, events.iter().map(|event| event.seq).collect());
    // One id an event, one body an id; every message was signed.
    let mut ids = BTreeMap::new();
    for message in receiver.got() {
        assert_eq!(message.signed_by(&[&made.secret]).len(), 1);
        let seq = message.payload().data.unwrap().seq;
        let known =
            ids.entry(seq).or_insert_with(|| (message.id().to_owned(), message.body.clone()));
        assert_eq!(*known, (message.id().to_owned(), message.body));
    }
    let sent: BTreeSet<i64> = ids.keys().copied().collect();
    assert_eq!(sent, seqs);
    for line in &lines {
        assert_eq!(ids[&line.seq.unwrap()].0, line.id.as_str());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_arrives_is_given_up_and_said() {
    let config = "webhooks:\n  retry_first_ms: 1\n  max_attempts: 2\n";
    let stage = Stage::start(config);
    let client = stage.client();
    let receiver = Receiver::start(Vec::new());
    receiver.answer_always(Some(Answer::Status(500, "")));
    let made = client.webhook_create(&repos_added(&receiver.url)).await.unwrap();
    let id = made.webhook.id;
    add_repo(&client, "one").await;
    let [line] = until(&client, &id, DeliveryStatus::Failed, 1).await.try_into().unwrap();
    assert_eq!((line.attempts, line.last_status), (2, Some(500)));
    assert_eq!(line.last_error.as_deref(), Some("it answered 500: why?"));
    assert!(client.webhook_get(&id).await.unwrap().failing_since.is_some());

    // An address that wants no more is left alone, and the log says so.
    receiver.answer_always(Some(Answer::Status(410, "")));
    add_repo(&client, "two").await;
    until(&client, &id, DeliveryStatus::Failed, 2).await;
    let webhook = client.webhook_get(&id).await.unwrap();
    assert!(!webhook.enabled && webhook.disabled_reason.unwrap().contains("410"));
    let kind = "webhook_disabled".to_owned();
    let filter = EventFilter { kinds: vec![kind], ..EventFilter::default() };
    assert_eq!(client.event_list(0, None, &filter).await.unwrap().items.len(), 1);

    // Turned on again it goes on where it was: what happened meanwhile is sent too.
    add_repo(&client, "three").await;
    receiver.answer_always(None);
    let on = WebhookUpdate { enabled: Some(true), ..WebhookUpdate::default() };
    assert!(client.webhook_update(&id, &on).await.unwrap().disabled_reason.is_none());
    for line in ledger(&client, &id).await {
        if line.status == DeliveryStatus::Failed {
            client.webhook_redeliver(&id, &line.id).await.unwrap();
        }
    }
    let lines = until(&client, &id, DeliveryStatus::Delivered, 3).await;
    let ids: BTreeSet<_> = lines.iter().map(|line| line.id.to_string()).collect();
    let got: BTreeSet<_> = receiver.got().iter().map(|got| got.id().to_owned()).collect();
    assert_eq!(ids, got);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_fails_for_long_is_turned_off() {
    let stage = Stage::start("webhooks:\n  retry_first_ms: 1\n  disable_after_s: 0\n");
    let client = stage.client();
    let receiver = Receiver::start(Vec::new());
    receiver.answer_always(Some(Answer::Reset));
    let made = client.webhook_create(&repos_added(&receiver.url)).await.unwrap();
    add_repo(&client, "one").await;
    let begun = std::time::Instant::now();
    while client.webhook_get(&made.webhook.id).await.unwrap().enabled {
        assert!(begun.elapsed() < crate::harness::DEADLINE, "it is still on");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // What was not delivered waits for its owner.
    let lines = ledger(&client, &made.webhook.id).await;
    assert_eq!((lines.len(), lines[0].status), (1, DeliveryStatus::Pending));
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn addresses_and_kinds_that_are_none_are_refused() {
    let hub = TestHub::start();
    let client = hub.client();
    for url in ["", "example.org", "file:///etc/passwd", "http://user:pw@example.org/"] {
        let error = client.webhook_create(&repos_added(url)).await.unwrap_err();
        assert_eq!(error.code(), Some(car_api::Code::Unprocessable), "{url}");
    }
    let mut body = repos_added("http://127.0.0.1:1/");
    body.filter.kinds = vec!["repo_add".to_owned()];
    let error = client.webhook_create(&body).await.unwrap_err();
    assert!(error.to_string().contains("repo_added"), "{error}");
}
