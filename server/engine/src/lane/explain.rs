//! Why a thread stands as it does, in one line.

use super::{Chore, Lane, State};

/// The line; `asking` says whether the agent waits for a permission, `agent` is its name.
#[must_use]
pub fn explain(lane: &Lane, asking: bool, agent: &str) -> String {
    let waiting = match lane.queue.len() {
        0 => String::new(),
        1 => " One message waits.".to_owned(),
        many => format!(" {many} messages wait."),
    };
    match &lane.state {
        State::Idle => "Waits for a message.".to_owned(),
        State::Admitting { .. } => format!("{agent} is about to be asked.{waiting}"),
        State::Answering { cut: true, over: Some(what), .. } => {
            format!("{agent} was told to stop. {what}{waiting}")
        }
        State::Answering { cut: true, .. } | State::Tending { cut: true, .. } => {
            format!("{agent} was told to stop.{waiting}")
        }
        State::Answering { .. } if asking => {
            format!("{agent} asks for a permission: say yes or no.{waiting}")
        }
        State::Answering { .. } => format!("{agent} answers.{waiting}"),
        State::Tending { chore: Chore::Compact, .. } => {
            format!("{agent} shortens the conversation.{waiting}")
        }
        State::Tending { chore: Chore::Fork, .. } => {
            format!("{agent} takes up the conversation this one begins with.{waiting}")
        }
        State::Held { hold } => match hold.until {
            Some(until) => {
                let until = until.in_words();
                format!("{} It goes on by itself at {until}.{waiting}", hold.reason)
            }
            None => format!("{}{waiting}", hold.reason),
        },
    }
}
