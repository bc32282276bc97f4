//! What the gate, the agent and the clock say, and how a message ends.

use car_api::{
    MessageId, TurnId,
    thread::MessageStatus,
    turn::{ErrorClass, TurnError},
};

use super::{
    Effect, Hold, Illegal, Lane, MAX_TRIES, Moment, QUOTA_WAIT_MS, Restored, State, Transition,
};
use crate::agent::TurnOutcome;

/// Why a message ended that was cut off before the agent was asked.
const NEVER_ASKED: &str = "It was cut off before the agent was asked.";

/// The message that is looked at, when it is this one, and whether it was cut off.
fn admitting(lane: &Lane, of: &MessageId) -> Result<bool, Illegal> {
    match &lane.state {
        State::Admitting { message, cut } if message == of => Ok(*cut),
        State::Idle
        | State::Admitting { .. }
        | State::Answering { .. }
        | State::Tending { .. }
        | State::Held { .. } => Err(Illegal),
    }
}

pub(super) fn admitted(
    mut lane: Lane,
    message: &MessageId,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    if admitting(&lane, message)? {
        let end = end(message.clone(), MessageStatus::Interrupted, Some(NEVER_ASKED.to_owned()));
        return Ok(lane.next(vec![end]));
    }
    let (message, turn) = (message.clone(), moment.turn.clone());
    let again = lane.half_done.as_ref() == Some(&message) && lane.backend.is_some();
    lane.state = answering(message.clone(), turn.clone());
    Ok(lane.keep(vec![Effect::Ask { message, turn, again }]))
}

pub(super) fn blocked(
    lane: Lane,
    message: &MessageId,
    detail: String,
) -> Result<Transition, Illegal> {
    admitting(&lane, message)?;
    Ok(lane.next(vec![end(message.clone(), MessageStatus::Blocked, Some(detail))]))
}

pub(super) fn held(mut lane: Lane, message: &MessageId, hold: Hold) -> Result<Transition, Illegal> {
    if admitting(&lane, message)? {
        let end = end(message.clone(), MessageStatus::Interrupted, Some(NEVER_ASKED.to_owned()));
        return Ok(lane.next(vec![end]));
    }
    lane.queue.push_front(message.clone());
    Ok(lane.hold(hold, Vec::new()))
}

pub(super) fn opened(mut lane: Lane, backend: String) -> Result<Transition, Illegal> {
    lane.turn().ok_or(Illegal)?;
    lane.backend = Some(backend);
    lane.fork_of = None;
    Ok(lane.keep(Vec::new()))
}

/// The same message is asked in a new conversation, which is told what the old one was about.
pub(super) fn forgotten(
    mut lane: Lane,
    seed: Option<String>,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    match lane.state.clone() {
        State::Answering { message, cut: false, reset: false, .. } => {
            lane.begin_anew(seed);
            let turn = moment.turn.clone();
            lane.state = answering(message.clone(), turn.clone());
            Ok(lane.keep(vec![Effect::Ask { message, turn, again: false }]))
        }
        State::Answering { message, over, .. } => {
            lane.begin_anew(seed);
            Ok(lane.next(vec![end(message, MessageStatus::Interrupted, over)]))
        }
        State::Tending { .. } => {
            lane.begin_anew(seed);
            Ok(lane.next(Vec::new()))
        }
        State::Idle | State::Admitting { .. } | State::Held { .. } => Err(Illegal),
    }
}

pub(super) fn ended(
    mut lane: Lane,
    of: &TurnId,
    outcome: TurnOutcome,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    if lane.turn() != Some(of) {
        return Err(Illegal);
    }
    match lane.state.clone() {
        State::Answering { message, cut, over, reset, .. } => {
            lane.half_done = None;
            Ok(match outcome {
                TurnOutcome::Completed { .. } => {
                    lane.tries = 0;
                    go_on(lane, reset, end(message, MessageStatus::Completed, None))
                }
                TurnOutcome::Interrupted => {
                    lane.half_done = Some(message.clone());
                    go_on(lane, reset, end(message, MessageStatus::Interrupted, over))
                }
                TurnOutcome::Failed(error) if cut || reset => {
                    lane.half_done = Some(message.clone());
                    let detail = over.or(Some(error.message));
                    go_on(lane, reset, end(message, MessageStatus::Interrupted, detail))
                }
                TurnOutcome::Failed(error) => went_wrong(lane, message, error, moment),
            })
        }
        State::Tending { reset, .. } => {
            if reset {
                lane.begin_anew(None);
                return Ok(lane.next(vec![Effect::EndSession]));
            }
            Ok(lane.next(Vec::new()))
        }
        State::Idle | State::Admitting { .. } | State::Held { .. } => Err(Illegal),
    }
}

/// The next message, in a new conversation if that was wanted meanwhile.
fn go_on(mut lane: Lane, reset: bool, end: Effect) -> Transition {
    let mut effects = vec![end];
    if reset {
        lane.begin_anew(None);
        effects.push(Effect::EndSession);
    }
    lane.next(effects)
}

/// What passes by itself is waited for; the rest is told.
fn went_wrong(mut lane: Lane, message: MessageId, error: TurnError, moment: &Moment) -> Transition {
    let class = error.class;
    let said = error.message.clone();
    let wait = |mut lane: Lane, hold: Hold, mut effects: Vec<Effect>, detail: String| {
        lane.half_done = Some(message.clone());
        lane.queue.push_front(message.clone());
        effects.push(Effect::Requeue { message: message.clone(), detail });
        lane.hold(hold, effects)
    };
    match class {
        ErrorClass::Quota => {
            let until = error.retry_at.filter(|at| *at > moment.now);
            let until = until.unwrap_or_else(|| moment.now.plus_millis(QUOTA_WAIT_MS));
            let reason = "The account's limit is reached.".to_owned();
            let effects = vec![Effect::HoldAccount { until }, Effect::EndSession];
            wait(lane, Hold { reason, until: Some(until), person_since: None }, effects, said)
        }
        ErrorClass::Transient if lane.tries < MAX_TRIES => {
            lane.tries += 1;
            let delay = 2_000_i64 << (2 * lane.tries);
            let until = error.retry_at.filter(|at| *at > moment.now);
            let until = until.unwrap_or_else(|| moment.now.plus_millis(delay));
            let reason = format!("The agent could not be reached; try {} follows.", lane.tries + 1);
            wait(lane, Hold { reason, until: Some(until), person_since: None }, Vec::new(), said)
        }
        ErrorClass::AgentLost => {
            lane.half_done = Some(message.clone());
            lane.next(vec![end(message, MessageStatus::Interrupted, Some(said))])
        }
        ErrorClass::Transient
        | ErrorClass::Auth
        | ErrorClass::ContextOverflow
        | ErrorClass::Other => {
            lane.tries = 0;
            lane.half_done = Some(message.clone());
            let (status, error) = (MessageStatus::Failed, Some(error));
            lane.next(vec![Effect::End { message, status, detail: None, error }])
        }
    }
}

/// The turn under way is cut off, once; what it was about ends with the reason.
pub(super) fn budget_reached(mut lane: Lane, what: String) -> Result<Transition, Illegal> {
    let turn = match &mut lane.state {
        State::Answering { turn, cut: cut @ false, over, .. } => {
            (*cut, *over) = (true, Some(what));
            turn.clone()
        }
        State::Tending { turn, cut: cut @ false, .. } => {
            *cut = true;
            turn.clone()
        }
        State::Idle
        | State::Admitting { .. }
        | State::Answering { .. }
        | State::Tending { .. }
        | State::Held { .. } => return Err(Illegal),
    };
    Ok(lane.keep(vec![Effect::Interrupt { turn }]))
}

/// The process is gone: what was written stays, and a person may have it gone on with.
pub(super) fn lost(mut lane: Lane, detail: String) -> Result<Transition, Illegal> {
    match lane.state.clone() {
        State::Answering { message, over, reset, .. } => {
            lane.half_done = Some(message.clone());
            let detail = over.or(Some(detail));
            Ok(go_on(lane, reset, end(message, MessageStatus::Interrupted, detail)))
        }
        State::Tending { reset, .. } => {
            if reset {
                lane.begin_anew(None);
            }
            Ok(lane.next(Vec::new()))
        }
        State::Idle | State::Admitting { .. } | State::Held { .. } => Err(Illegal),
    }
}

/// The agent never had the prompt.
pub(super) fn failed(mut lane: Lane, detail: String) -> Result<Transition, Illegal> {
    match lane.state.clone() {
        State::Admitting { message, .. } | State::Answering { message, .. } => {
            if let State::Answering { reset: true, .. } = lane.state {
                lane.begin_anew(None);
            }
            let error = TurnError { class: ErrorClass::Other, message: detail, retry_at: None };
            let (status, error) = (MessageStatus::Failed, Some(error));
            Ok(lane.next(vec![Effect::End { message, status, detail: None, error }]))
        }
        State::Tending { .. } => Ok(lane.next(Vec::new())),
        State::Idle | State::Held { .. } => Err(Illegal),
    }
}

pub(super) fn released(lane: Lane) -> Result<Transition, Illegal> {
    match &lane.state {
        State::Held { .. } => Ok(lane.next(Vec::new())),
        State::Idle | State::Admitting { .. } | State::Answering { .. } | State::Tending { .. } => {
            Err(Illegal)
        }
    }
}

/// The hub may have died at any instruction: say again what the present state needs.
pub(super) fn recovered(lane: Lane) -> Transition {
    match lane.state.clone() {
        State::Idle => lane.next(Vec::new()),
        State::Admitting { message, .. } => lane.keep(vec![Effect::Admit { message }]),
        State::Answering { message, turn, cut, .. } => {
            let again = lane.half_done.as_ref() == Some(&message) && lane.backend.is_some();
            let mut effects = vec![Effect::Ask { message, turn: turn.clone(), again }];
            effects.extend(cut.then_some(Effect::Interrupt { turn }));
            lane.keep(effects)
        }
        State::Tending { chore, turn, cut, .. } => {
            let mut effects = vec![Effect::Tend { chore, turn: turn.clone() }];
            effects.extend(cut.then_some(Effect::Interrupt { turn }));
            lane.keep(effects)
        }
        State::Held { hold } => {
            lane.keep(hold.until.map(|at| Effect::WakeAt { at }).into_iter().collect())
        }
    }
}

/// Nothing that was under way is under way now; what waited waits for a person, who may want some of
/// it no more.
pub(super) fn restored(mut lane: Lane, from: Restored, moment: &Moment) -> Transition {
    let what = match from {
        Restored::Backup => "The hub was restored from a backup",
        Restored::Files => "The hub's database was made anew from its files",
    };
    let ends = match lane.state.clone() {
        State::Admitting { message, .. } | State::Answering { message, .. } => {
            vec![end(message, MessageStatus::Interrupted, Some(format!("{what} meanwhile.")))]
        }
        State::Idle | State::Tending { .. } | State::Held { .. } => Vec::new(),
    };
    if lane.queue.is_empty() {
        lane.state = State::Idle;
        return lane.keep(ends);
    }
    let reason = format!("{what}: look at what waits.");
    lane.hold(Hold { reason, until: None, person_since: Some(moment.now) }, ends)
}

/// The agent is asked, and nobody cut it off yet.
fn answering(message: MessageId, turn: TurnId) -> State {
    State::Answering { message, turn, cut: false, over: None, reset: false }
}

fn end(message: MessageId, status: MessageStatus, detail: Option<String>) -> Effect {
    Effect::End { message, status, detail, error: None }
}
