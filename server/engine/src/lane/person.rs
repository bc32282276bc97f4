//! What people do to a thread.

use car_api::{MessageId, thread::MessageStatus};

use super::{Chore, Effect, Illegal, Lane, Moment, State, Transition};

pub(super) fn posted(mut lane: Lane, message: MessageId, first: bool) -> Transition {
    if first {
        lane.queue.push_front(message);
    } else {
        lane.queue.push_back(message);
    }
    match &mut lane.state {
        State::Idle => lane.next(Vec::new()),
        State::Admitting { cut, .. } => {
            *cut |= first;
            lane.keep(Vec::new())
        }
        State::Answering { turn, cut, .. } | State::Tending { turn, cut, .. } => {
            let effects = interrupt_once(turn, cut, first);
            lane.keep(effects)
        }
        State::Held { .. } => lane.keep(Vec::new()),
    }
}

fn interrupt_once(turn: &car_api::TurnId, cut: &mut bool, wanted: bool) -> Vec<Effect> {
    if !wanted || *cut {
        return Vec::new();
    }
    *cut = true;
    vec![Effect::Interrupt { turn: turn.clone() }]
}

pub(super) fn cancel(mut lane: Lane, message: &MessageId) -> Result<Transition, Illegal> {
    let at = lane.queue.iter().position(|queued| queued == message).ok_or(Illegal)?;
    lane.queue.remove(at);
    Ok(lane.keep(vec![cancelled(message.clone())]))
}

fn cancelled(message: MessageId) -> Effect {
    Effect::End { message, status: MessageStatus::Cancelled, detail: None, error: None }
}

pub(super) fn interrupt(mut lane: Lane) -> Result<Transition, Illegal> {
    match &mut lane.state {
        State::Admitting { cut, .. } => {
            *cut = true;
            Ok(lane.keep(Vec::new()))
        }
        State::Answering { turn, cut, .. } | State::Tending { turn, cut, .. } => {
            let effects = interrupt_once(turn, cut, true);
            Ok(lane.keep(effects))
        }
        State::Idle | State::Held { .. } => Err(Illegal),
    }
}

/// A thread that stands still already has nothing to be stopped, which is what was wanted.
pub(super) fn stop(mut lane: Lane) -> Transition {
    let mut effects: Vec<Effect> = lane.queue.drain(..).map(cancelled).collect();
    match &mut lane.state {
        State::Idle => lane.keep(effects),
        State::Admitting { cut, .. } => {
            *cut = true;
            lane.keep(effects)
        }
        State::Answering { turn, cut, .. } | State::Tending { turn, cut, .. } => {
            effects.extend(interrupt_once(turn, cut, true));
            lane.keep(effects)
        }
        State::Held { .. } => {
            lane.state = State::Idle;
            lane.keep(effects)
        }
    }
}

/// What waits is answered in the new conversation.
pub(super) fn reset(mut lane: Lane) -> Transition {
    match &mut lane.state {
        State::Idle | State::Admitting { .. } | State::Held { .. } => {
            lane.begin_anew(None);
            lane.keep(vec![Effect::EndSession])
        }
        State::Answering { turn, cut, reset, .. } | State::Tending { turn, cut, reset, .. } => {
            *reset = true;
            let effects = interrupt_once(turn, cut, true);
            lane.keep(effects)
        }
    }
}

pub(super) fn compact(
    mut lane: Lane,
    seed: Option<String>,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    match (&lane.state, &lane.backend, seed) {
        (State::Idle, Some(_), None) => {
            let turn = moment.turn.clone();
            let chore = Chore::Compact;
            lane.state = State::Tending { chore, turn: turn.clone(), cut: false, reset: false };
            Ok(lane.keep(vec![Effect::Tend { chore, turn }]))
        }
        (State::Idle, Some(_), Some(seed)) => {
            lane.begin_anew(Some(seed));
            Ok(lane.keep(vec![Effect::EndSession]))
        }
        (State::Idle, None, _)
        | (
            State::Admitting { .. }
            | State::Answering { .. }
            | State::Tending { .. }
            | State::Held { .. },
            _,
            _,
        ) => Err(Illegal),
    }
}
