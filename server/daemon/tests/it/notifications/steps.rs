//! The hub killed at every step of a delivery.
//!
//! What is kept of a delivery changes in few commits: the line of the ledger is written with its
//! cause, and what came of an attempt is noted after it. In between only the receiver knows more.
//! So each step here is one state of the ledger with one state of the receiver, brought about by
//! holding the receiver, or the hub, where it is; then the hub is killed.
//!
//! "Exactly one delivery" means: the thing has one notification, that has one id and one sequence of
//! bytes, and the ledger says `delivered` once the receiver has taken it. The receiver may see the
//! same bytes under the same id again where the hub died before it could note what came of an
//! attempt, and only there; how often is stated with each step. Who keeps ids sees one message.

use std::fs;

use car_api::{
    ChannelId,
    inbox::{InboxAction, InboxItem, InboxKind, InboxView},
    notification::{Notification, NotificationKind, NotificationStatus},
    run::PauseReason,
};
use rustix::process::{Pid, Signal, kill_process};

use super::{QUICK, act, all, asking, channel, hush, inbox, stands, unhush, until};
use crate::{
    harness::wait_until,
    stage::Stage,
    webhooks::{Answer, Come, Held, Receiver},
};

/// A hub with a receiver and a channel to it.
struct Scene {
    stage: Stage,
    receiver: Receiver,
    channel: ChannelId,
}

impl Scene {
    async fn new(answers: Vec<Answer>, config: &str) -> Self {
        let stage = Stage::start(config);
        let receiver = Receiver::start(answers);
        let client = stage.client();
        let (channel, _) = channel(&client, &receiver.url, &[NotificationKind::Attention]).await;
        Self { stage, receiver, channel }
    }

    /// Something happens that a person is to be told of.
    async fn ask(&self) {
        let (_, run) = asking(&self.stage, "demo", "A or B?").await;
        self.stage.until_paused(&run, PauseReason::UserPause).await;
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.stage.hub.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// The hub is killed where it is and started again; the receiver takes what comes.
    fn kill(&mut self) {
        self.stage.hub.kill();
        self.receiver.answer_only(Answer::Status(204, ""));
        self.stage.hub.serve(&[]);
    }

    /// Waits until nothing is on its way; the one notification of what happened, which ended so.
    async fn ended(&self, status: NotificationStatus) -> Notification {
        let client = self.stage.client();
        let none_pending = |all: &[Notification]| {
            let pending = |one: &Notification| {
                one.deliveries.iter().any(|way| way.status == NotificationStatus::Pending)
            };
            !all.is_empty() && !all.iter().any(pending)
        };
        let mut found = until(&client, "it ends", none_pending).await;
        // A trial is of nothing.
        found.retain(|one| one.item.is_some());
        assert_eq!(found.len(), 1, "{found:#?}");
        let one = found.remove(0);
        assert!(stands(&one, status) && one.deliveries.len() == 1, "{one:#?}");
        one
    }

    /// What came is one message, so many times; another start sends nothing more.
    async fn came(&mut self, times: usize) -> Notification {
        let one = self.ended(NotificationStatus::Delivered).await;
        self.same(&one, times);
        self.kill();
        // A trial comes at once; whatever would have left before it has.
        self.stage.client().channel_test(&self.channel).await.unwrap();
        let mut got = self.receiver.got();
        assert_ne!(got.pop().unwrap().id(), one.id.as_str());
        assert_eq!(got.len(), times, "{got:#?}");
        assert_eq!(self.ended(NotificationStatus::Delivered).await, one);
        assert_eq!(self.failures().await, []);
        one
    }

    fn same(&self, one: &Notification, times: usize) {
        let got = self.receiver.got();
        assert_eq!(got.len(), times, "{got:#?}");
        for message in &got {
            assert_eq!(message.id(), one.id.as_str());
            assert_eq!(message.body, got[0].body);
        }
    }

    /// What the inbox says of deliveries that failed.
    async fn failures(&self) -> Vec<InboxItem> {
        let mut items = inbox(&self.stage.client(), InboxView::All).await;
        items.retain(|item| item.kind == InboxKind::DeliveryFailed);
        items
    }

    /// Its failure is seen in one place, once; when it is tried again it arrives.
    async fn failed(&mut self, times: usize) {
        let one = self.ended(NotificationStatus::Failed).await;
        self.same(&one, times);
        self.kill();
        assert_eq!(self.ended(NotificationStatus::Failed).await, one);
        let mut failures = self.failures().await;
        assert_eq!(failures.len(), 1, "{failures:#?}");
        let item = failures.remove(0);
        let client = self.stage.client();
        client.inbox_act(&item.id, &act(InboxAction::Retry, None)).await.unwrap();
        let one = self.ended(NotificationStatus::Delivered).await;
        self.same(&one, times + 1);
    }
}

/// A message is held when it has come so far; the hub is killed there, and it comes again.
async fn killed_when_it_has_come(come: Come, times: usize) {
    let held = Held::new(come, 204);
    let mut scene = Scene::new(vec![Answer::Held(held.clone())], QUICK).await;
    scene.ask().await;
    held.has_come();
    assert!(stands(&all(&scene.stage.client()).await[0], NotificationStatus::Pending));
    scene.kill();
    scene.came(times).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_its_cause_is_written() {
    let mut scene = Scene::new(Vec::new(), QUICK).await;
    let repo = scene.stage.repo("demo").await;
    let gate = scene.stage.hub.root().join("gate");
    let wait = format!("while [ ! -e {} ]; do sleep 0.02; done", gate.display());
    let ask = r#"{"dispatch": {"mode": "pause", "title": "Asks", "body": "A or B?"}}"#;
    repo.ticket(1, "", &format!("{{\"sh\": \"{wait}\"}}, {ask}"));
    let run = scene.stage.run(&repo).await;
    scene.stage.until_begun(1).await;
    scene.signal(Signal::STOP);
    fs::write(&gate, "").unwrap();
    let ended = || scene.stage.noted().iter().any(|line| line.ended.is_some()).then_some(());
    wait_until("the agent has asked", ended);
    scene.kill();
    scene.stage.until_paused(&run, PauseReason::UserPause).await;
    scene.came(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_it_leaves() {
    let mut scene = Scene::new(Vec::new(), QUICK).await;
    hush(&scene.stage.client(), &scene.channel).await;
    scene.ask().await;
    let told = all(&scene.stage.client()).await;
    assert!(stands(&told[0], NotificationStatus::Pending) && told[0].deliveries[0].attempts == 0);
    scene.kill();
    unhush(&scene.stage.client(), &scene.channel).await;
    scene.came(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_it_begins_to_arrive() {
    killed_when_it_has_come(Come::Begun, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_middle_of_it() {
    killed_when_it_has_come(Come::Head, 1).await;
}

/// The receiver has it and the hub cannot know: it comes once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_it_is_answered() {
    killed_when_it_has_come(Come::Whole, 2).await;
}

/// The answer has left the receiver, and the hub has not read it.
async fn answered_and_not_noted(status: u16, config: &str) -> Scene {
    let held = Held::new(Come::Whole, status);
    let scene = Scene::new(vec![Answer::Held(held.clone())], config).await;
    scene.ask().await;
    held.has_come();
    scene.signal(Signal::STOP);
    held.answered();
    scene
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_it_was_taken_and_before_that_is_noted() {
    let mut scene = answered_and_not_noted(204, QUICK).await;
    scene.kill();
    scene.came(2).await;
}

/// The same, three times over: still one message to whoever keeps ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn again_and_again_before_that_is_noted() {
    let mut scene = answered_and_not_noted(204, QUICK).await;
    for _ in 0..2 {
        scene.stage.hub.kill();
        let held = Held::new(Come::Whole, 204);
        scene.receiver.answer_only(Answer::Held(held.clone()));
        scene.stage.hub.serve(&[]);
        held.has_come();
        scene.signal(Signal::STOP);
        held.answered();
    }
    scene.kill();
    scene.came(4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_that_is_noted() {
    let mut scene = Scene::new(Vec::new(), QUICK).await;
    scene.ask().await;
    scene.ended(NotificationStatus::Delivered).await;
    scene.kill();
    scene.came(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_it_was_refused_and_before_that_is_noted() {
    let mut scene = answered_and_not_noted(503, QUICK).await;
    scene.kill();
    let told = scene.came(2).await;
    assert_eq!(told.deliveries[0].attempts, 1, "the other one is not known of");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_another_attempt_is_noted_and_before_it_is_made() {
    // Should the attempt begin before the hub is killed, it is not read.
    let later = Answer::Held(Held::new(Come::Begun, 204));
    let answers = vec![Answer::Status(503, ""), later];
    let mut scene = Scene::new(answers, "notifications:\n  retry_first_ms: 1000\n").await;
    scene.ask().await;
    until(&scene.stage.client(), "it was refused", |all| {
        let way = all.first().map(|one| &one.deliveries[0]);
        way.is_some_and(|way| way.attempts == 1 && way.next_attempt_at.is_some())
    })
    .await;
    scene.kill();
    let told = scene.came(2).await;
    assert_eq!(told.deliveries[0].attempts, 2);
}

/// A notification that is tried once.
fn once() -> String {
    format!("{QUICK}  max_attempts: 1\n")
}

/// The last refusal is not known of, so it is tried once more; then it is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_last_refusal_and_before_it_is_given_up() {
    let mut scene = answered_and_not_noted(503, &once()).await;
    scene.stage.hub.kill();
    scene.receiver.answer_only(Answer::Status(503, ""));
    scene.stage.hub.serve(&[]);
    scene.failed(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_it_is_given_up() {
    let mut scene = Scene::new(vec![Answer::Status(503, "")], &once()).await;
    scene.ask().await;
    scene.ended(NotificationStatus::Failed).await;
    scene.failed(1).await;
}
