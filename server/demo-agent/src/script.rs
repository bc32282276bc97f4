//! Scripts: what an agent without a model is to do, written into a ticket or a prompt.
//!
//! ```text
//! @@FAKE[ {"say": "on it"}, {"sh": "make"}, {"on": 1, "done": true}, {"commit": "work"} ]@@
//! ```
//!
//! ```text
//! @@WHEN["it has failed", {"sh": "make clean"}, {"say": "cleaned"}]@@
//! ```
//!
//! Between the marks is a JSON list of steps. A step is an object; everything it names happens, in
//! the order in which [`Step`]'s members are listed. The same scripts drive the demo agent and,
//! through the scripted model endpoint, real agents; members that only one of them can carry out
//! say so. The second form is a standing order, for what is not in the prompts one writes oneself:
//! its steps are what a later prompt asks for that has these words in it (endpoint only).

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a script begins with.
const OPEN: &str = "@@FAKE[";
/// What a standing order begins with.
const ORDER: &str = "@@WHEN[";
/// What both end with.
const CLOSE: &str = "]@@";

/// One step.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Only on this attempt, counted from 1. The demo agent counts how often it was given the
    /// ticket, the endpoint how often the script stands in the conversation.
    pub on: Option<u32>,
    /// Only from this attempt on.
    pub from: Option<u32>,
    /// How often the step is done (demo agent only).
    pub times: Option<u32>,
    /// Seconds of silence before the step.
    pub latency: f64,
    /// Seconds between pieces of text.
    pub gap: f64,
    /// A summary of reasoning.
    pub reason: Option<String>,
    /// A message.
    pub say: Option<String>,
    /// How many pieces the message is streamed in.
    pub chunks: Option<usize>,
    /// How often the message's text is repeated.
    pub repeat: Option<usize>,
    /// The plan: steps with `pending`, `in_progress` or `completed`.
    pub plan: Option<Vec<(String, String)>>,
    /// Asks for permission to run `sh` or to `write`, even where the policy would not.
    pub escalate: bool,
    /// A file to be written: path and content.
    pub write: Option<(String, String)>,
    /// A command for `/bin/sh`.
    pub sh: Option<String>,
    /// Sets `done: true` in the ticket.
    pub done: bool,
    /// Commits everything with this message.
    pub commit: Option<String>,
    /// A dispatch.
    pub dispatch: Option<Dispatch>,
    /// Tokens this step costs.
    pub usage: Option<Usage>,
    /// A tool call by name, with its arguments as JSON (endpoint only).
    pub tool: Option<(String, serde_json::Value)>,
    /// A call of a free-text tool by name, with its input (endpoint only).
    pub custom: Option<(String, String)>,
    /// Headers of the model's answer (endpoint only).
    pub headers: BTreeMap<String, String>,
    /// Bytes of output of a command that prints much (demo agent only).
    pub flood: Option<usize>,
    /// Leaves a process of its own session behind, for so many seconds (demo agent only).
    pub detach: Option<f64>,
    /// Silence in the middle of the step, in seconds.
    pub stall: f64,
    /// The turn ends in an error.
    pub fail: Option<Fail>,
    /// Says nothing more until it is interrupted (demo agent only).
    pub hang: bool,
    /// Says nothing more and heeds no interrupt (demo agent only).
    pub deaf: bool,
    /// The process ends with this exit code, at once (demo agent only).
    pub crash: Option<i32>,
}

/// Tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Usage {
    /// Read, cached ones included.
    #[serde(rename = "in")]
    pub input: u64,
    /// Of those, from a cache.
    pub cached: u64,
    /// Written, reasoning included.
    pub out: u64,
    /// Of those, reasoning.
    pub reasoning: u64,
}

/// A dispatch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dispatch {
    /// `notify` or `pause`.
    pub mode: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Text.
    pub body: String,
}

/// An error. The demo agent knows classes only.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fail {
    /// What kind: `transient`, `quota`, `auth`, `context`, `other`.
    pub class: Option<String>,
    /// What the error says.
    pub message: Option<String>,
    /// For `quota`: seconds until the limit is reset.
    pub resets_in: Option<u64>,
    /// HTTP status of the answer (endpoint only).
    pub status: Option<u16>,
    /// Breaks the connection after so many events (endpoint only).
    pub drop: Option<usize>,
    /// Ends the stream with `failed` or `incomplete` (endpoint only).
    pub sse: Option<String>,
    /// The error's code (endpoint only).
    pub code: Option<String>,
    /// How often it happens before the step succeeds; always when negative (endpoint only).
    pub times: Option<i64>,
    /// Headers of the failing answer (endpoint only).
    pub headers: BTreeMap<String, String>,
    /// Body of the failing answer (endpoint only).
    pub body: Option<serde_json::Value>,
}

/// The script in a text, or none. A script that cannot be read is an error text.
///
/// # Errors
/// What is wrong with the script, and where.
pub fn find(text: &str) -> Option<Result<Vec<Step>, String>> {
    let start = text.find(OPEN)? + OPEN.len();
    let end = start + text.get(start..)?.find(CLOSE)?;
    let list = format!("[{}]", text.get(start..end)?);
    Some(serde_json::from_str(&list).map_err(|e| format!("the script cannot be read: {e}")))
}

/// The script of the ticket a prompt is about, or of the prompt itself.
///
/// # Errors
/// As [`find`].
pub fn find_in_prompt(prompt: &str) -> Option<Result<Vec<Step>, String>> {
    let ticket = ["<CAR_CURRENT_TICKET_FILE>\n", "<CAR_TICKET>\n"]
        .iter()
        .filter_map(|tag| prompt.rfind(tag))
        .max()
        .and_then(|at| prompt.get(at..));
    ticket.and_then(find).or_else(|| find(prompt))
}

/// What is to be done whenever a prompt has certain words in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The words.
    pub words: String,
    /// What is to be done.
    pub steps: Vec<Step>,
}

/// The standing orders in a text, and the text without them: an order is no occasion for itself.
///
/// # Errors
/// What is wrong with an order, and where.
pub fn orders(text: &str) -> Result<(Vec<Order>, String), String> {
    let (mut orders, mut rest, mut text) = (Vec::new(), String::new(), text);
    while let Some((before, order)) = text.split_once(ORDER) {
        let Some((list, after)) = order.split_once(CLOSE) else { break };
        let wrong = |e: &dyn std::fmt::Display| format!("the order cannot be read: {e}");
        let mut list: Vec<serde_json::Value> =
            serde_json::from_str(&format!("[{list}]")).map_err(|e| wrong(&e))?;
        let words = list.first().and_then(|words| words.as_str()).map(str::to_owned);
        let words = words.ok_or_else(|| wrong(&"it begins with the words it waits for"))?;
        let steps = list.drain(1..).map(serde_json::from_value).collect::<Result<_, _>>();
        orders.push(Order { words, steps: steps.map_err(|e| wrong(&e))? });
        rest += before;
        text = after;
    }
    Ok((orders, rest + text))
}

/// The steps of an attempt, counted from 1.
#[must_use]
pub fn of_attempt(steps: &[Step], attempt: u32) -> Vec<Step> {
    let meant = |step: &&Step| {
        step.on.is_none_or(|on| on == attempt) && step.from.is_none_or(|from| from <= attempt)
    };
    steps.iter().filter(meant).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_in_prose() {
        let text = "# Ticket\n@@FAKE[{\"say\": \"hi\"},\n {\"sh\": \"echo [x]\"}]@@ and more";
        let steps = find(text).unwrap().unwrap();
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[1].sh.as_deref(), Some("echo [x]"));
        assert_eq!(find("no script here"), None);
        assert_eq!(find("@@FAKE[{\"say\": 1"), None);
    }

    #[test]
    fn a_misspelt_step_is_told() {
        let error = find("@@FAKE[{\"sya\": \"hi\"}]@@").unwrap().unwrap_err();
        assert!(error.contains("sya"), "{error}");
    }

    #[test]
    fn orders_are_told_from_what_they_wait_for() {
        let text = "Mind: @@WHEN[\"it failed\", {\"sh\": \"x\"}, {\"say\": \"y\"}]@@. Thanks.";
        let (found, rest) = orders(text).unwrap();
        assert_eq!((found[0].words.as_str(), found[0].steps.len()), ("it failed", 2));
        assert_eq!(rest, "Mind: . Thanks.");
        assert_eq!(orders("none").unwrap(), (Vec::new(), "none".to_owned()));
        assert!(orders("@@WHEN[{\"sh\": \"x\"}]@@").unwrap_err().contains("begins with the words"));
        assert!(orders("@@WHEN[\"a\", {\"hs\": \"x\"}]@@").unwrap_err().contains("hs"));
    }

    #[test]
    fn attempts_choose_steps() {
        let steps = find(
            r#"@@FAKE[{"on": 1, "say": "a"}, {"from": 2, "say": "b"}, {"on": 3, "say": "c"}, {"say": "d"}]@@"#,
        )
        .unwrap()
        .unwrap();
        let said = |attempt| -> String {
            of_attempt(&steps, attempt).into_iter().filter_map(|step| step.say).collect()
        };
        assert_eq!(said(1), "ad");
        assert_eq!(said(2), "bd");
        assert_eq!(said(3), "bcd");
    }
}
