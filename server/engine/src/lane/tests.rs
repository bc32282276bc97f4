use std::{collections::BTreeMap, fmt::Write as _};

use car_api::{
    MessageId, Timestamp, TurnId,
    thread::MessageStatus,
    turn::{ErrorClass, TurnError},
};
use proptest::prelude::*;

use super::*;
use crate::agent::TurnOutcome;

fn turn(n: u32) -> TurnId {
    format!("trn_{n}").parse().unwrap()
}

fn message(n: u32) -> MessageId {
    format!("mes_{n}").parse().unwrap()
}

fn moment(n: u32) -> Moment {
    Moment { now: Timestamp::from_secs(1000 + i64::from(n)), turn: turn(n) }
}

fn failure(class: ErrorClass, retry_at: Option<Timestamp>) -> TurnOutcome {
    TurnOutcome::Failed(TurnError { class, message: "it broke".into(), retry_at })
}

fn ended(outcome: TurnOutcome) -> Input {
    Input::Ended { turn: turn(0), outcome }
}

fn hold(until: Option<i64>) -> Hold {
    let until = until.map(Timestamp::from_secs);
    Hold { reason: "No quota.".into(), until, person_since: None }
}

fn inputs() -> Vec<Input> {
    let reset = Some(Timestamp::from_secs(5000));
    vec![
        Input::Posted { message: message(9), first: false },
        Input::Posted { message: message(9), first: true },
        Input::Admitted { message: message(0) },
        Input::Blocked { message: message(0), detail: "the third of its kind".into() },
        Input::Held { message: message(0), hold: hold(Some(5000)) },
        Input::Opened { backend: "b".into() },
        Input::Forgotten { seed: Some("what was said".into()) },
        ended(TurnOutcome::Completed { message: Some("so".into()) }),
        ended(TurnOutcome::Interrupted),
        ended(failure(ErrorClass::Transient, None)),
        ended(failure(ErrorClass::Quota, reset)),
        ended(failure(ErrorClass::Quota, None)),
        ended(failure(ErrorClass::Auth, None)),
        ended(failure(ErrorClass::ContextOverflow, None)),
        ended(failure(ErrorClass::AgentLost, None)),
        ended(failure(ErrorClass::Other, None)),
        Input::Ended { turn: turn(99), outcome: TurnOutcome::Interrupted },
        Input::Lost { detail: "killed".into() },
        Input::Failed { detail: "no such agent".into() },
        Input::Cancel { message: message(1) },
        Input::BudgetReached { what: "tokens".into() },
        Input::Interrupt,
        Input::Stop,
        Input::Reset,
        Input::Compact { seed: None },
        Input::Compact { seed: Some("what was said".into()) },
        Input::Elapsed,
        Input::Released,
        Input::Recovered,
        Input::Restored { from: Restored::Backup },
        Input::Restored { from: Restored::Files },
    ]
}

fn with(state: State) -> Lane {
    let queue = match state {
        State::Idle => Vec::new(),
        State::Admitting { .. }
        | State::Answering { .. }
        | State::Tending { .. }
        | State::Held { .. } => vec![message(1)],
    };
    Lane { state, queue: queue.into(), backend: Some("b".into()), ..Lane::default() }
}

fn states() -> Vec<Lane> {
    let answering = |cut, reset| {
        with(State::Answering { message: message(0), turn: turn(0), cut, over: None, reset })
    };
    let tending = |chore, reset| with(State::Tending { chore, turn: turn(0), cut: reset, reset });
    vec![
        Lane::default(),
        with(State::Idle),
        with(State::Admitting { message: message(0), cut: false }),
        with(State::Admitting { message: message(0), cut: true }),
        answering(false, false),
        answering(true, false),
        answering(true, true),
        with(State::Answering {
            message: message(0),
            turn: turn(0),
            cut: true,
            over: Some("No tokens are left.".into()),
            reset: false,
        }),
        tending(Chore::Compact, false),
        tending(Chore::Compact, true),
        tending(Chore::Fork, false),
        with(State::Held { hold: hold(Some(5000)) }),
        with(State::Held { hold: hold(None) }),
    ]
}

/// Every state meets every input; the whole table is one reviewable file.
#[test]
#[expect(clippy::disallowed_methods, reason = "the golden is a file")]
fn transition_table() {
    let mut table = String::new();
    for lane in states() {
        writeln!(table, "{}", shown(&lane)).unwrap();
        for input in inputs() {
            writeln!(table, "    {input:?}").unwrap();
            match step(&lane, input, &moment(7)) {
                Ok(t) => {
                    writeln!(table, "        -> {} {:?}", shown(&t.lane), t.effects).unwrap();
                }
                Err(Illegal) => writeln!(table, "        -> illegal").unwrap(),
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lane/transitions.txt");
    if std::fs::read_to_string(path).unwrap_or_default() != table {
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, table).unwrap();
            return;
        }
        panic!("{path} is out of date; run `UPDATE=1 cargo nextest run -p car-engine transition`");
    }
}

fn shown(lane: &Lane) -> String {
    let queue: Vec<&str> = lane.queue.iter().map(MessageId::as_str).collect();
    let backend = lane.backend.as_deref().unwrap_or("-");
    format!("{:?} [{}] {}:{backend}", lane.state, queue.join(" "), lane.conversation)
}

/// A thread's messages and everything outside that acts on them, as the shell does it: the model
/// the properties are looked at on.
#[derive(Debug, Clone, Default)]
struct World {
    lane: Lane,
    /// Every message posted, and how it ended.
    ends: BTreeMap<MessageId, Option<MessageStatus>>,
    /// What is to be carried out.
    effects: Vec<Effect>,
    /// Turns the agent was asked for, with their messages.
    asked: Vec<(TurnId, MessageId)>,
}

impl World {
    fn apply(&mut self, input: Input, at: u32) -> bool {
        if let Input::Posted { message, .. } = &input
            && self.ends.insert(message.clone(), None).is_some()
        {
            panic!("posted twice");
        }
        let Ok(transition) = step(&self.lane, input, &moment(at)) else { return false };
        self.lane = transition.lane;
        for effect in transition.effects {
            self.note(effect);
        }
        self.check();
        true
    }

    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::End { message, status, .. } => {
                let before = self.ends.insert(message, Some(status));
                assert_eq!(before, Some(None), "a message ends once, and was posted before");
            }
            Effect::Requeue { message, .. } => assert!(self.lane.queue.contains(&message)),
            Effect::Admit { .. }
            | Effect::Ask { .. }
            | Effect::Tend { .. }
            | Effect::Interrupt { .. }
            | Effect::WakeAt { .. }
            | Effect::HoldAccount { .. }
            | Effect::EndSession => self.effects.push(effect),
        }
    }

    /// Every message is in one place: it has ended, it waits, or it is looked at or answered.
    fn check(&self) {
        for (id, end) in &self.ends {
            let waits = self.lane.queue.iter().filter(|queued| *queued == id).count();
            let current = usize::from(self.lane.current() == Some(id));
            let over = usize::from(end.is_some());
            assert_eq!(waits + current + over, 1, "{id}: {:?}", self.lane);
        }
        // What waits is waited for: with nothing under way, nothing waits.
        if self.lane.state == State::Idle {
            assert!(self.lane.queue.is_empty(), "{:?}", self.lane);
        }
    }

    /// Carries out what is to be done, as the pick says it goes.
    fn carry_out(&mut self, pick: u32, at: u32) {
        if self.effects.is_empty() {
            return;
        }
        match self.effects.remove(0) {
            Effect::Admit { message } => {
                let input = match pick % 8 {
                    0 => Input::Blocked { message, detail: "blocked".into() },
                    1 => Input::Held { message, hold: hold(Some(5000)) },
                    _ => Input::Admitted { message },
                };
                self.apply(input, at);
            }
            Effect::Ask { message, turn, .. } => {
                if !self.asked.iter().any(|(asked, _)| *asked == turn) {
                    self.asked.push((turn, message));
                }
            }
            Effect::Tend { .. }
            | Effect::Interrupt { .. }
            | Effect::WakeAt { .. }
            | Effect::HoldAccount { .. }
            | Effect::EndSession
            | Effect::End { .. }
            | Effect::Requeue { .. } => {}
        }
    }

    /// The hub dies: what was to be done is forgotten, and said again by recovery.
    fn die(&mut self, at: u32) {
        self.effects.clear();
        assert!(self.apply(Input::Recovered, at));
    }
}

proptest! {
    /// Whatever happens in whatever order, and wherever the hub dies: every message ends once or
    /// waits, one at a time is answered, and once nothing disturbs any more all of them end.
    #[test]
    fn every_message_ends_once(
        picks in proptest::collection::vec((0u32..64, any::<bool>()), 1..120),
    ) {
        let mut world = World::default();
        for (at, (pick, dies)) in (0u32..).zip(picks) {
            if dies && pick % 3 == 0 {
                world.die(at);
            }
            let nobody = turn(999);
            let turn = world.lane.turn().cloned().unwrap_or(nobody);
            let waits = world.lane.queue.front().cloned().unwrap_or_else(|| message(0));
            let outcome = |outcome| Input::Ended { turn: turn.clone(), outcome };
            let soon = Some(Timestamp::from_secs(i64::from(at) + 1010));
            match pick % 16 {
                0 | 1 => { world.apply(Input::Posted { message: message(at), first: false }, at); }
                2 => { world.apply(Input::Posted { message: message(at), first: true }, at); }
                3 => { world.apply(outcome(TurnOutcome::Completed { message: None }), at); }
                4 => { world.apply(outcome(TurnOutcome::Interrupted), at); }
                5 => { world.apply(outcome(failure(ErrorClass::Transient, None)), at); }
                6 => { world.apply(outcome(failure(ErrorClass::Quota, soon)), at); }
                7 => { world.apply(outcome(failure(ErrorClass::Other, None)), at); }
                8 => { world.apply(Input::Lost { detail: "killed".into() }, at); }
                9 => { world.apply(Input::Cancel { message: waits }, at); }
                10 => { world.apply(Input::Interrupt, at); }
                11 => { world.apply(Input::Reset, at); }
                12 => { world.apply(Input::Elapsed, at); }
                13 => { world.apply(Input::Opened { backend: format!("b{at}") }, at); }
                14 => { world.apply(Input::Compact { seed: (pick > 30).then(String::new) }, at); }
                _ => { world.apply(Input::Forgotten { seed: None }, at); }
            }
            world.carry_out(pick, at);
        }
        // From here on everything goes well.
        for at in 1000u32..2000 {
            match world.lane.state.clone() {
                State::Idle => break,
                State::Held { .. } => { world.apply(Input::Released, at); }
                State::Answering { turn, .. } | State::Tending { turn, .. } => {
                    world.effects.clear();
                    let outcome = TurnOutcome::Completed { message: None };
                    world.apply(Input::Ended { turn, outcome }, at);
                }
                State::Admitting { message, .. } => {
                    world.effects.clear();
                    world.apply(Input::Admitted { message }, at);
                }
            }
        }
        prop_assert!(world.lane.is_at_rest(), "{:?}", world.lane);
        prop_assert!(world.ends.values().all(Option::is_some), "{:?}", world.ends);
        // No turn was for two messages.
        let mut turns: Vec<_> = world.asked.iter().map(|(turn, _)| turn).collect();
        turns.sort();
        turns.dedup();
        prop_assert_eq!(turns.len(), world.asked.len());
    }

    /// A hub that dies after any step and recovers is where it was: nothing is decided anew.
    #[test]
    fn recovery_decides_nothing(picks in proptest::collection::vec(0usize..29, 1..60)) {
        let mut calm = Lane::default();
        let mut shaken = Lane::default();
        for (n, pick) in (0u32..).zip(picks) {
            let input = match (&inputs()[pick % inputs().len()], calm.turn(), calm.current()) {
                (Input::Ended { outcome, .. }, Some(turn), _) => {
                    Input::Ended { turn: turn.clone(), outcome: outcome.clone() }
                }
                (Input::Admitted { .. }, _, Some(id)) => Input::Admitted { message: id.clone() },
                (Input::Posted { first, .. }, _, _) => {
                    Input::Posted { message: message(n), first: *first }
                }
                (input, _, _) => input.clone(),
            };
            shaken = step(&shaken, Input::Recovered, &moment(n)).unwrap().lane;
            prop_assert_eq!(&calm, &shaken);
            if let Ok(transition) = step(&calm, input.clone(), &moment(n)) {
                calm = transition.lane;
                shaken = step(&shaken, input, &moment(n)).unwrap().lane;
            } else {
                prop_assert!(step(&shaken, input, &moment(n)).is_err());
            }
        }
    }
}

#[test]
fn a_quota_is_waited_out_and_the_message_goes_on() {
    let mut lane = with(State::Answering {
        message: message(0),
        turn: turn(0),
        cut: false,
        over: None,
        reset: false,
    });
    let reset = Timestamp::from_secs(5000);
    let held = step(&lane, ended(failure(ErrorClass::Quota, Some(reset))), &moment(1)).unwrap();
    assert_eq!(held.lane.queue, [message(0), message(1)]);
    assert!(held.effects.contains(&Effect::WakeAt { at: reset }));
    assert!(held.effects.contains(&Effect::HoldAccount { until: reset }));
    lane = step(&held.lane, Input::Elapsed, &moment(2)).unwrap().lane;
    let asked = step(&lane, Input::Admitted { message: message(0) }, &moment(3)).unwrap();
    let (message, turn) = (message(0), turn(3));
    assert_eq!(asked.effects, [Effect::Ask { message, turn, again: true }]);
}

#[test]
fn passing_errors_are_tried_a_bounded_number_of_times() {
    let mut lane = Lane::default();
    lane =
        step(&lane, Input::Posted { message: message(0), first: false }, &moment(0)).unwrap().lane;
    for n in 0..=MAX_TRIES {
        lane = step(&lane, Input::Admitted { message: message(0) }, &moment(n)).unwrap().lane;
        let outcome = failure(ErrorClass::Transient, None);
        let after = step(&lane, Input::Ended { turn: turn(n), outcome }, &moment(n)).unwrap();
        lane = after.lane;
        if n < MAX_TRIES {
            lane = step(&lane, Input::Elapsed, &moment(n)).unwrap().lane;
        } else {
            let failed =
                |e: &Effect| matches!(e, Effect::End { status: MessageStatus::Failed, .. });
            assert!(after.effects.iter().any(failed), "{:?}", after.effects);
        }
    }
    assert!(lane.is_at_rest());
}

#[test]
fn every_state_says_why_in_a_line() {
    for lane in states() {
        for asking in [false, true] {
            let line = explain(&lane, asking, "Codex");
            assert!(!line.is_empty() && !line.contains('\n'), "{line}");
        }
    }
}
