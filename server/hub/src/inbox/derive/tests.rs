//! Whatever happens in whatever order: what waits is what follows from how things stand, each thing
//! once, and what was put away stays away for as long as it stands so.

use std::collections::{BTreeMap, BTreeSet};

use car_api::{RunId, run::RunOptions};
use car_engine::flow::Flow;
use car_store::{InboxEnd, InboxQuery, Store};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Something that happens. Numbers say to which of few things, so that they meet.
#[derive(Debug, Clone)]
enum Happens {
    /// A newer run of a tree begins.
    Begins(u8),
    /// The latest run of a tree comes to stand so.
    Stands(u8, Stand),
    /// Its agent has something to say.
    Says(u8),
    /// An agent asks for permission, and has an answer, or the turn is over.
    Asks(u8),
    Answered(u8, bool),
    /// The newest message of a thread stands so; a new one, if the one before has ended.
    Message(u8, MessageStatus),
    /// A job fails.
    JobFails(u8),
    /// A channel gives a notification up, or something arrives.
    GivesUp(u8),
    Arrives(u8),
    /// A repo cannot be used, or can again, or leaves the hub.
    Repo(u8, bool),
    Gone(u8),
    /// A person puts away what waits in this place of the list.
    PutAway(u8),
}

#[derive(Debug, Clone, Copy)]
enum Stand {
    Running,
    Question,
    UserTicket,
    Budget,
    Fix,
    Failed,
    Completed,
}

fn happens() -> impl Strategy<Value = Happens> {
    use Stand::{Budget, Completed, Failed, Fix, Question, Running, UserTicket};
    let stands = [Running, Question, UserTicket, Budget, Fix, Failed, Completed];
    let which = || 0u8..3;
    prop_oneof![
        which().prop_map(Happens::Begins),
        (which(), prop::sample::select(stands.to_vec())).prop_map(|(n, s)| Happens::Stands(n, s)),
        which().prop_map(Happens::Says),
        which().prop_map(Happens::Asks),
        (which(), any::<bool>()).prop_map(|(n, void)| Happens::Answered(n, void)),
        (which(), prop::sample::select(MessageStatus::ALL.to_vec()))
            .prop_map(|(n, status)| Happens::Message(n, status)),
        which().prop_map(Happens::JobFails),
        which().prop_map(Happens::GivesUp),
        which().prop_map(Happens::Arrives),
        (which(), any::<bool>()).prop_map(|(n, wrong)| Happens::Repo(n, wrong)),
        which().prop_map(Happens::Gone),
        (0u8..12).prop_map(Happens::PutAway),
    ]
}

/// How things stand, told apart from how that came to be.
#[derive(Default)]
struct World {
    now: i64,
    runs: BTreeMap<u8, RunRow>,
    /// Notes of the latest run of a tree.
    notes: BTreeMap<u8, BTreeSet<u32>>,
    asked: BTreeMap<u8, Approval>,
    messages: BTreeMap<u8, Message>,
    jobs: BTreeSet<u8>,
    /// Since when a channel gives up.
    failing: BTreeMap<u8, Timestamp>,
    /// Since when a repo cannot be used.
    broken: BTreeMap<u8, Timestamp>,
    /// What was put away and still stands so.
    put_away: BTreeSet<String>,
}

fn repo_id(n: u8) -> RepoId {
    format!("repo-{n}").parse().unwrap()
}

fn channel_of(n: u8, failing_since: Option<Timestamp>) -> NotificationChannel {
    NotificationChannel {
        id: format!("chn_{n}").parse().unwrap(),
        kind: car_api::notification::ChannelKind::Webhook,
        name: "phone".to_owned(),
        target: "there".to_owned(),
        device: None,
        kinds: Vec::new(),
        enabled: true,
        quiet: None,
        failing_since,
        created_at: Timestamp::from_secs(1),
    }
}

/// What makes an item one thing, for whoever looks at it.
fn thing(item: &InboxItem) -> String {
    let of = |id: Option<&str>| id.unwrap_or("-").to_owned();
    let parts = [
        item.kind.as_str().to_owned(),
        of(item.repo.as_ref().map(RepoId::as_str)),
        of(item.run.as_ref().map(RunId::as_str)),
        item.dispatch.map_or("-".to_owned(), |seq| seq.to_string()),
        of(item.approval.as_ref().map(|id| id.as_str())),
        of(item.message.as_ref().map(|id| id.as_str())),
        of(item.job.as_ref().map(|id| id.as_str())),
        of(item.channel.as_ref().map(|id| id.as_str())),
    ];
    // Paused again, a run waits for something else.
    format!("{} {}", parts.join(" "), item.created_at.micros())
}

impl World {
    fn at(&self) -> Timestamp {
        Timestamp::from_secs(self.now)
    }

    /// Takes in what happens and gives what the hub writes because of it.
    fn take(&mut self, happens: &Happens) -> Vec<Write> {
        self.now += 1;
        let at = self.at();
        match happens {
            Happens::Begins(n) => {
                let row = RunRow {
                    id: RunId::generate(),
                    repo: repo_id(*n),
                    flow: Flow::new(RunOptions::default(), Vec::new()),
                    base_commit: None,
                    created_at: at,
                    queued_at: at,
                    started_at: None,
                    ended_at: None,
                };
                let writes = run_begins(&row.repo, &row.id, at, "somebody").to_vec();
                self.runs.insert(*n, row);
                self.notes.remove(n);
                writes
            }
            Happens::Stands(n, stand) => {
                let alive = |row: &&mut RunRow| !row.flow.state.status().is_end();
                let Some(row) = self.runs.get_mut(n).filter(alive) else { return Vec::new() };
                row.flow.state = state(*stand, at);
                row.ended_at = row.flow.state.status().is_end().then_some(at);
                vec![run_stands(row, None, None, (at, None))]
            }
            Happens::Says(n) => {
                let Some(row) = self.runs.get(n) else { return Vec::new() };
                let notes = self.notes.entry(*n).or_default();
                let seq = u32::try_from(self.now).unwrap();
                notes.insert(seq);
                vec![note((&row.repo, &row.id), seq, (Some("A word"), "More of it."), at)]
            }
            Happens::Asks(n) => {
                let asked = Approval {
                    id: format!("apr_{n}x{}", self.now).parse().unwrap(),
                    request: ApprovalRequest::Other { detail: "May it?".to_owned() },
                    asked_at: at,
                    decision: None,
                };
                let place = AskedIn { repo: None, run: None, thread: None };
                let mut writes = Vec::new();
                if let Some(before) = self.asked.remove(n) {
                    writes.push(approval(&before, &place, true, (at, None)));
                }
                writes.push(approval(&asked, &place, false, (at, None)));
                self.asked.insert(*n, asked);
                writes
            }
            Happens::Answered(n, void) => {
                let Some(mut asked) = self.asked.remove(n) else { return Vec::new() };
                asked.decision = (!void).then_some(car_api::item::Decision::Accept);
                let place = AskedIn { repo: None, run: None, thread: None };
                vec![approval(&asked, &place, *void, (at, Some("somebody")))]
            }
            Happens::Message(n, status) => {
                let ended = self.messages.get(n).is_none_or(|one| one.ended_at.is_some());
                if ended {
                    let new = json!({
                        "id": format!("mes_{n}x{}", self.now), "thread": format!("thr_{n}"),
                        "number": 1, "conversation": 1, "origin": "user", "author": "somebody",
                        "body": "Do it.", "status": "queued", "usage": car_api::item::Usage::default(),
                        "created_at": at,
                    });
                    self.messages.insert(*n, serde_json::from_value(new).unwrap());
                }
                let newest = self.messages.get_mut(n).unwrap();
                newest.status = *status;
                newest.ended_at = match status {
                    MessageStatus::Queued | MessageStatus::Working => None,
                    MessageStatus::Completed
                    | MessageStatus::Failed
                    | MessageStatus::Interrupted
                    | MessageStatus::Cancelled
                    | MessageStatus::Blocked => Some(at),
                };
                vec![message(newest, None)]
            }
            Happens::JobFails(n) => {
                self.jobs.insert(*n);
                vec![job_fails(*n)]
            }
            Happens::GivesUp(n) => {
                let since = *self.failing.entry(*n).or_insert(at);
                vec![gives_up(*n, since, at)]
            }
            Happens::Arrives(n) => {
                self.failing.remove(n);
                vec![nothing(channel(&channel_of(*n, None).id), at, None)]
            }
            Happens::Repo(n, wrong) => {
                if *wrong {
                    self.broken.entry(*n).or_insert(at);
                } else {
                    self.broken.remove(n);
                }
                vec![repo(&repo_id(*n), wrong.then_some("Its directory is gone."), at)]
            }
            Happens::Gone(n) => {
                self.runs.remove(n);
                self.notes.remove(n);
                self.broken.remove(n);
                repo_gone(&repo_id(*n), at).to_vec()
            }
            Happens::PutAway(_) => Vec::new(),
        }
    }
}

/// How many things wait, counted without the functions that are tried.
fn waits(world: &World) -> usize {
    let run = |row: &&RunRow| match row.flow.state {
        RunState::Paused { .. } | RunState::Failed { .. } => true,
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Stopped
        | RunState::Superseded { .. } => false,
    };
    let message = |newest: &&Message| {
        matches!(newest.status, MessageStatus::Failed | MessageStatus::Interrupted)
    };
    world.runs.values().filter(run).count()
        + world.notes.values().map(BTreeSet::len).sum::<usize>()
        + world.asked.len()
        + world.messages.values().filter(message).count()
        + world.jobs.len()
        + world.failing.len()
        + world.broken.len()
}

fn job_fails(n: u8) -> Write {
    let failed = json!({
        "id": format!("job_{n}"), "kind": "clone", "repo": null, "status": "failed",
        "phase": "x", "percent": null, "problem": null, "result": null,
        "created_at": Timestamp::from_secs(1), "ended_at": Timestamp::from_secs(2),
    });
    job(&serde_json::from_value(failed).unwrap()).unwrap()
}

fn gives_up(n: u8, since: Timestamp, at: Timestamp) -> Write {
    let lost = json!({
        "id": format!("ntf_{n}"), "dedupe_key": "k", "kind": "attention", "title": "It asks",
        "line": "", "created_at": at, "deliveries": [],
    });
    let lost = serde_json::from_value(lost).unwrap();
    delivery_failed(&channel_of(n, Some(since)), &lost, "503", at)
}

fn state(stand: Stand, since: Timestamp) -> RunState {
    let pause =
        |reason, resume| RunState::Paused { reason, details: "Because.".to_owned(), since, resume };
    match stand {
        Stand::Running => RunState::Running { phase: car_api::run::Phase::Selecting },
        Stand::Question => pause(PauseReason::UserPause, ResumeRule::Reply),
        Stand::UserTicket => pause(PauseReason::UserPause, ResumeRule::UserTicket),
        Stand::Budget => pause(PauseReason::Budget, ResumeRule::Fix),
        Stand::Fix => pause(PauseReason::VerifyFailed, ResumeRule::Reply),
        Stand::Failed => {
            RunState::Failed { code: FailureCode::Internal, message: "It broke.".to_owned() }
        }
        Stand::Completed => RunState::Completed,
    }
}

async fn open(store: &Store) -> Vec<InboxItem> {
    store.inbox(&InboxQuery { limit: 1000, ..InboxQuery::default() }).await.unwrap()
}

async fn try_all(all: &[Happens]) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("hub.sqlite3")).await.unwrap();
    let mut world = World::default();
    let mut known: BTreeMap<String, InboxItem> = BTreeMap::new();
    for one in all {
        let mut writes = world.take(one);
        if let Happens::PutAway(place) = one {
            let items = open(&store).await;
            let Some(item) = items.get(usize::from(*place) % items.len().max(1)) else { continue };
            world.put_away.insert(thing(item));
            writes.push(Write::InboxEnd(Box::new(InboxEnd {
                id: item.id.clone(),
                at: world.at(),
                status: InboxStatus::Dismissed,
                action: Some(InboxAction::Dismiss),
                resolution: Some("put away".to_owned()),
            })));
        }
        store.commit(writes.clone()).await.unwrap();
        let items = open(&store).await;
        let things: BTreeSet<String> = items.iter().map(thing).collect();
        assert_eq!(things.len(), items.len(), "something waits twice: {items:#?}");
        // From how things stand alone the same follows as from all that was written so far.
        let stands = settled(&world);
        assert_eq!(stands.len(), waits(&world), "after {one:?}: {stands:#?}");
        world.put_away.retain(|thing| stands.contains(thing));
        let expected: BTreeSet<String> = stands.difference(&world.put_away).cloned().collect();
        assert_eq!(things, expected, "after {one:?}");
        for item in items {
            known.insert(item.id.to_string(), item);
        }
        // Committed again, as after a crash, it changes nothing.
        let before = open(&store).await;
        store.commit(writes).await.unwrap();
        assert_eq!(open(&store).await, before);
    }
    let items = open(&store).await;
    // Whatever waited once and waits no longer has ended, and says how.
    for (id, item) in known {
        let now = store.inbox_item(&item.id).await.unwrap().unwrap();
        let waits = items.iter().any(|open| open.id.as_str() == id);
        assert_eq!(now.status == InboxStatus::Open, waits);
        assert!(waits || now.resolution.is_some(), "{now:#?}");
    }
}

/// Everything that waits because of how things stand, derived anew.
fn settled(world: &World) -> BTreeSet<String> {
    let mut writes = Vec::new();
    for row in world.runs.values() {
        writes.push(run_stands(row, None, None, (world.at(), None)));
    }
    for (n, notes) in &world.notes {
        let row = &world.runs[n];
        for seq in notes {
            let at = Timestamp::from_secs(i64::from(*seq));
            writes.push(note((&row.repo, &row.id), *seq, (Some("A word"), "More of it."), at));
        }
    }
    let place = AskedIn { repo: None, run: None, thread: None };
    let now = (world.at(), None);
    writes.extend(world.asked.values().map(|asked| approval(asked, &place, false, now)));
    writes.extend(world.messages.values().map(|newest| message(newest, None)));
    writes.extend(world.jobs.iter().map(|n| job_fails(*n)));
    writes.extend(world.failing.iter().map(|(n, since)| gives_up(*n, *since, *since)));
    let wrong = Some("Its directory is gone.");
    writes.extend(world.broken.iter().map(|(n, since)| repo(&repo_id(*n), wrong, *since)));
    let opened = |write| {
        let Write::Inbox(sync) = write else { panic!("{write:?}") };
        sync.open
    };
    writes.into_iter().flat_map(opened).map(|draft| thing(&draft.item)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_waits_follows_from_how_things_stand(all in prop::collection::vec(happens(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(try_all(&all));
    }
}
