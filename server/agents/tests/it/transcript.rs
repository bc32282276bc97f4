//! Recorded sessions: one JSON object a line, `{"dir": "in" | "out", "msg": …}`; and, in those the
//! hub's own driver took part in, `{"wish": …}` lines that say what the hub wanted from there on.

use std::{collections::BTreeSet, path::PathBuf};

use car_agents::codex::{Codex, Config};
use car_api::item::Decision;
use car_engine::agent::{Adapter, Direction, Driver, TurnOrder, Wish};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the hub wants, in a form that can be kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) turn: Option<TurnOrder>,
    pub(crate) interrupt: bool,
    pub(crate) decisions: Vec<(String, Decision)>,
    pub(crate) models: bool,
}

impl Wanted {
    pub(crate) fn wish(&self) -> Wish<'_> {
        Wish {
            turn: self.turn.as_ref(),
            interrupt: self.interrupt,
            decisions: &self.decisions,
            models: self.models,
        }
    }
}

/// One line of a recorded session.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    Said(Direction, Value),
    Wants(Box<Wanted>),
}

/// Directory of the recorded sessions.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// All of them by name, in order.
pub(crate) fn all() -> Vec<(String, Vec<Line>)> {
    let mut names: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() > 5, "no recorded sessions in {}", directory().display());
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

/// A driver at the beginning of a session, or at a snapshot.
pub(crate) fn driver(snapshot: Option<&str>) -> Box<dyn Driver> {
    Codex::new(&Config::default()).driver(snapshot).unwrap()
}

/// What must not be sent twice: requests that change something, by what they are about, and
/// answers to questions.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    said: BTreeSet<String>,
    open: BTreeSet<String>,
    handshake: BTreeSet<String>,
}

impl Sent {
    /// Takes up a line of the session.
    pub(crate) fn observe(&mut self, direction: Direction, message: &Value) {
        let id = message["id"].to_string();
        match (direction, message["method"].as_str()) {
            (Direction::In, Some(method)) => match about(message) {
                Some(about) => drop(self.said.insert(about)),
                None => drop(self.handshake.insert(method.to_owned())),
            },
            (Direction::In, None) => drop(self.open.remove(&id)),
            (Direction::Out, Some("serverRequest/resolved")) => {
                self.open.remove(&message["params"]["requestId"].to_string());
            }
            (Direction::Out, Some(_)) if !message["id"].is_null() => drop(self.open.insert(id)),
            (Direction::Out, Some(_) | None) => {}
        }
    }

    /// Whether sending the line would repeat something.
    pub(crate) fn repeats(&self, line: &str) -> bool {
        let message: Value = serde_json::from_str(line).unwrap();
        match (message["method"].as_str(), about(&message)) {
            (Some(_), Some(about)) => self.said.contains(&about),
            (Some(method), None) => {
                ["initialize", "initialized", "account/read", "model/list"].contains(&method)
                    && self.handshake.contains(method)
            }
            (None, _) => !self.open.contains(&message["id"].to_string()),
        }
    }
}

/// The turn a prompt belongs to: the one thing that must never be said twice.
fn about(message: &Value) -> Option<String> {
    (message["method"] == "turn/start")
        .then(|| message["params"]["clientUserMessageId"].as_str().unwrap_or_default().to_owned())
}

fn read(name: &str) -> Vec<Line> {
    let path = directory().join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        match line["dir"].as_str() {
            Some("in") => Line::Said(Direction::In, line["msg"].take()),
            Some("out") => Line::Said(Direction::Out, line["msg"].take()),
            Some(other) => panic!("{name}: direction {other}"),
            None => Line::Wants(Box::new(serde_json::from_value(line["wish"].take()).unwrap())),
        }
    });
    lines.collect()
}
