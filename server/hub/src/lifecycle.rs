//! What happens to runs, handled once: questions a rule answers, and words for the project manager.
//!
//! The log is followed from a cursor that is kept with what was made of each event, so every event is
//! handled once, whatever dies. A question that no rule answers is passed on: to the project
//! manager while it may have the answer, to people when it has none or takes too long.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use car_api::{
    Event, EventKind, RunId, Timestamp,
    audit::{Actor, ActorKind},
    dispatch::ReplyCreate,
    inbox::{InboxAction, InboxItem, InboxKind},
    pma::WakeRule,
    run::{PauseReason, ResumeRule, RunState},
};
use car_engine::pma::wake::{answer, asked_for_by, wakes};
use car_store::{AuditQuery, EventQuery, InboxQuery, WakeRow, Write};

use crate::{Hub, PmaConfig, Result, clock, hub::Inner};

/// Facts that keep where the log was followed to, and when the project manager was last woken.
const CURSOR: &str = "lifecycle";
const WOKEN: &str = "lifecycle_woken";

/// Events looked at at a time.
const BATCH: u32 = 200;

/// After so many events of other kinds the cursor is kept all the same.
const KEPT_EVERY: i64 = 1000;

/// What comes within this time is looked at together.
const SETTLE: Duration = Duration::from_millis(25);

/// How long to rest when the database or a thread refuses.
const REST: Duration = Duration::from_secs(5);

/// The longest sleep: a clock that was set must not keep a word back for long.
const NAP: Duration = Duration::from_secs(600);

/// How long a question is held back from people while it is looked whether a rule answers it.
const LOOK_MS: i64 = 60_000;

impl PmaConfig {
    /// Whether the project manager is told of such things.
    fn wakes_for(&self, rule: WakeRule) -> bool {
        self.enabled && self.wake.enabled && self.wake.on.contains(&rule)
    }

    /// Until when a question that is asked now is held back from people.
    pub(crate) fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.wakes_for(WakeRule::Paused) {
            let wait = i64::from(self.escalate_after_s).saturating_mul(1000);
            return Some(now.plus_millis(wait.max(LOOK_MS)));
        }
        let looks = self.enabled && self.dispatch_interception_enabled;
        looks.then(|| now.plus_millis(LOOK_MS))
    }
}

/// Follows the log for as long as the hub lives.
pub(crate) async fn follow(hub: Weak<Inner>) {
    let Some(inner) = hub.upgrade() else { return };
    let mut bell = inner.store.bell();
    let mut follower = match Follower::begin(&inner).await {
        Ok(follower) => follower,
        Err(error) => {
            tracing::error!(%error, "what happens to runs cannot be followed");
            return;
        }
    };
    drop(inner);
    loop {
        let Some(inner) = hub.upgrade() else { return };
        bell.mark_unchanged();
        let next = match follower.round(&inner).await {
            Ok(next) => next.map_or(NAP, |at| clock::until(at).min(NAP)),
            // Nothing can be told or kept any more: the next start sees to it.
            Err(_) if inner.runs.are_closed() => return,
            Err(error) => {
                tracing::warn!(%error, "what happened to runs could not be handled; trying again");
                REST
            }
        };
        drop(inner);
        tokio::select! {
            rung = bell.changed() => {
                if rung.is_err() {
                    return;
                }
                tokio::time::sleep(SETTLE).await;
            }
            () = tokio::time::sleep(next) => {}
        }
    }
}

struct Follower {
    /// Events up to here were handled; up to `kept` that is committed.
    cursor: i64,
    kept: i64,
    woken: Timestamp,
}

impl Follower {
    async fn begin(hub: &Inner) -> Result<Self> {
        let newest = *hub.store.bell().borrow();
        let kept = hub.store.fact(CURSOR).await?.and_then(|text| text.parse().ok());
        let woken = hub.store.fact(WOKEN).await?.and_then(|text| text.parse().ok());
        // What happened before anybody followed is not told of.
        let cursor = kept.unwrap_or(newest).min(newest);
        let woken = Timestamp::from_micros(woken.unwrap_or(0));
        Ok(Self { cursor, kept: kept.unwrap_or(-1), woken })
    }

    /// Handles what is new; when there is something to do next.
    async fn round(&mut self, hub: &Arc<Inner>) -> Result<Option<Timestamp>> {
        while self.look(hub).await? {}
        self.tell(hub).await
    }

    /// Handles a batch of events; whether there may be more.
    async fn look(&mut self, hub: &Arc<Inner>) -> Result<bool> {
        let newest = *hub.store.bell().borrow();
        // What is no longer kept is not told of.
        self.cursor = self.cursor.max(hub.store.gone());
        let kinds = ["run_state_changed", "dispatch_created"].map(str::to_owned).to_vec();
        let query = EventQuery { after: self.cursor, limit: BATCH, kinds, ..EventQuery::default() };
        let events = hub.store.events(&query).await?;
        let full = events.len() >= BATCH as usize;
        let mut writes = Vec::new();
        for event in &events {
            writes.extend(handle(hub, event).await?.map(|row| Write::Wake(Box::new(row))));
        }
        // A batch that is not full reached the end as it was before.
        let end = if full { 0 } else { newest };
        self.cursor = events.last().map_or(self.cursor, |event| event.seq).max(end);
        if !events.is_empty() || self.cursor - self.kept >= KEPT_EVERY {
            writes.push(Write::Fact { name: CURSOR, value: self.cursor.to_string() });
            hub.store.commit(writes).await?;
            self.kept = self.cursor;
        }
        Ok(full)
    }

    /// Wakes the project manager, when there is something to tell and it was not woken just now.
    async fn tell(&mut self, hub: &Arc<Inner>) -> Result<Option<Timestamp>> {
        let mut rows = hub.store.wakes().await?;
        if rows.is_empty() || !hub.config.pma.enabled {
            return Ok(None);
        }
        let Some(thread) = hub.store.pma_thread().await? else { return Ok(None) };
        let begun = rows.iter().find_map(|row| row.message.clone());
        let key = match begun {
            // Decided before the hub died, and perhaps posted.
            Some(key) => {
                rows.retain(|row| row.message.as_ref() == Some(&key));
                key
            }
            None => {
                let pause = i64::from(hub.config.pma.wake.debounce_s).saturating_mul(1000);
                let due = self.woken.plus_millis(pause);
                let now = clock::now();
                if due > now {
                    return Ok(Some(due));
                }
                let last = rows.last().map_or(0, |row| row.seq);
                let key = format!("wake:{last}");
                let decide = |row: &mut WakeRow| {
                    row.message = Some(key.clone());
                    Write::Wake(Box::new(row.clone()))
                };
                let mut writes: Vec<Write> = rows.iter_mut().map(decide).collect();
                writes.push(Write::Fact { name: WOKEN, value: now.micros().to_string() });
                hub.store.commit(writes).await?;
                self.woken = now;
                key
            }
        };
        let (rule, body) = words(&rows);
        let posted = hub.wake_thread(&thread.id, &rule, key.clone(), body).await;
        if let Err(error) = posted {
            // A thread that takes nothing now is told with the next.
            tracing::warn!(%error, "the project manager could not be woken");
            return Ok(Some(clock::now().plus_millis(5000)));
        }
        hub.store.commit(vec![Write::WakesTold(key)]).await?;
        Ok(Some(clock::now()))
    }
}

/// What is to be told of an event, after what a rule does about it.
async fn handle(hub: &Arc<Inner>, event: &Event) -> Result<Option<WakeRow>> {
    let (Some(repo), Some(run)) = (&event.repo, &event.run) else { return Ok(None) };
    let Some((rule, what)) = wakes(&event.event) else { return Ok(None) };
    let config = &hub.config.pma;
    let mut line = format!("{repo} ({run}) {what}");
    if let EventKind::RunStateChanged { state, .. } = &event.event {
        if let Some(verb) = asked_for_by(state)
            && own_act(hub, run, verb).await?
        {
            return Ok(None);
        }
        if let Some(question) = question(hub, run, state).await? {
            if answered(hub, run, &question).await? {
                return Ok(None);
            }
            if !config.wakes_for(rule) {
                pass_on(hub, &question).await?;
            }
            let item = &question.id;
            line.push_str(&format!(
                " — answer with `car inbox act {item} reply \"…\"`, or let a person be told now \
                 with `car inbox act {item} escalate`; its text: `car inbox show {item}`"
            ));
        }
    }
    if !config.wakes_for(rule) {
        return Ok(None);
    }
    Ok(Some(WakeRow {
        seq: event.seq,
        at: event.at,
        rule: rule.as_str().to_owned(),
        line,
        repo: Some(repo.clone()),
        run: Some(run.clone()),
        message: None,
    }))
}

/// Whether the project manager itself had the run do that.
async fn own_act(hub: &Inner, run: &RunId, verb: &str) -> Result<bool> {
    let query = AuditQuery {
        verb: Some(verb.to_owned()),
        object: Some(run.to_string()),
        limit: 1,
        ..AuditQuery::default()
    };
    let lines = hub.store.audit_lines(&query).await?;
    Ok(lines.first().is_some_and(|line| line.actor.kind == ActorKind::Pma))
}

/// The question of a run that still waits.
async fn question(hub: &Inner, run: &RunId, state: &RunState) -> Result<Option<InboxItem>> {
    let asks = matches!(
        state,
        RunState::Paused { reason: PauseReason::UserPause, resume: ResumeRule::Reply, .. }
    );
    if !asks {
        return Ok(None);
    }
    let query = InboxQuery {
        run: Some(run.clone()),
        kind: Some(InboxKind::Question),
        limit: 1,
        ..InboxQuery::default()
    };
    Ok(hub.store.inbox(&query).await?.into_iter().next())
}

/// Answers a question by rule, if one has the answer.
async fn answered(hub: &Arc<Inner>, run: &RunId, item: &InboxItem) -> Result<bool> {
    let config = &hub.config.pma;
    if !(config.enabled && config.dispatch_interception_enabled) {
        return Ok(false);
    }
    let body = item.body.as_deref().unwrap_or(&item.title);
    let Some(reply) = answer(&config.dispatch_rules, body) else { return Ok(false) };
    // Before the hub died it may have been answered without anything else knowing of it.
    let replies = hub.replies_after(run, 0).await?;
    if replies.iter().any(|reply| reply.created_at > Some(item.created_at)) {
        return Ok(true);
    }
    let rule = Actor {
        kind: ActorKind::Pma,
        id: "dispatch_rule".to_owned(),
        name: "rule of the PMA".to_owned(),
    };
    let own = Hub { actor: Arc::new(rule), ..Hub::own(Arc::clone(hub)) };
    let title = Some("Answered by a rule of the PMA".to_owned());
    let answered = own.run_reply(run, ReplyCreate { title, body: reply.to_owned() }).await;
    match answered {
        Ok(_) => Ok(true),
        Err(error) => {
            // It has ended or went on meanwhile.
            tracing::info!(%run, %error, "a question could not be answered by rule");
            Ok(false)
        }
    }
}

/// A person is told of a question nobody else will answer.
async fn pass_on(hub: &Inner, item: &InboxItem) -> Result<()> {
    if item.actions.contains(&InboxAction::Escalate) {
        let told = Write::InboxRelease(item.id.clone(), clock::now());
        hub.store.commit(vec![told]).await?;
    }
    Ok(())
}

/// The message that tells of all of it, and the rules it comes from.
fn words(rows: &[WakeRow]) -> (String, String) {
    let mut rules: Vec<&str> = rows.iter().map(|row| row.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let lines: Vec<String> = rows.iter().map(|row| format!("- {}", row.line)).collect();
    let body = format!(
        "Something happened that you are told of by rule. Look whether you are to do something \
         about it; if not, one line is enough.\n\n{}",
        lines.join("\n")
    );
    (rules.join(", "), body)
}
