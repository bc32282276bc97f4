//! Recorded sessions of real agents: what they mean, and that nothing is said twice.

use car_api::item::Decision;
use car_engine::agent::{AgentEvent, Direction, TurnOrder};

use crate::transcript::{self, Line, Sent, Wanted};

/// `UPDATE=1 cargo nextest run -p car-agents transcripts` writes the goldens anew.
#[test]
fn recorded_sessions_mean_what_they_meant() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differing = Vec::new();
    for (name, lines) in transcript::all() {
        let mut driver = transcript::driver(None);
        let mut text = String::new();
        for line in &lines {
            let Line::Said(direction, message) = line else { continue };
            for event in driver.observe(*direction, &message.to_string()) {
                text.push_str(&serde_json::to_string(&event).unwrap());
                text.push('\n');
            }
        }
        let path = transcript::directory().join(format!("{name}.events"));
        if update {
            std::fs::write(&path, &text).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != text {
            differing.push(name);
        }
    }
    assert!(
        differing.is_empty(),
        "the events of {differing:?} have changed; if that is right:\n  \
         UPDATE=1 cargo nextest run -p car-agents transcripts && git diff server/agents/tests"
    );
}

/// Killed and started again at any line, a driver tells the same and wants the same.
#[test]
fn a_driver_restored_anywhere_goes_on_as_if_nothing_had_happened() {
    for (name, lines) in transcript::all() {
        let mut whole = transcript::driver(None);
        let mut restored = transcript::driver(None);
        let mut wanted = hub_of(&lines);
        for (number, line) in lines.iter().enumerate() {
            let at = format!("{name}.jsonl:{}", number + 1);
            // A chain of restarts: each line is met by a driver made from the last one's snapshot,
            // so every cut is tried, and every cut after every other.
            restored = transcript::driver(Some(&restored.snapshot()));
            match line {
                Line::Wants(wish) => wanted = vec![(**wish).clone()],
                Line::Said(direction, message) => {
                    let text = message.to_string();
                    let events = whole.observe(*direction, &text);
                    assert_eq!(restored.observe(*direction, &text), events, "{at}");
                }
            }
            for wish in &wanted {
                let next = whole.next(&wish.wish());
                assert_eq!(restored.next(&wish.wish()), next, "{at}");
            }
        }
        assert_eq!(restored.snapshot(), whole.snapshot(), "{name}");
    }
}

/// From every prefix of every session, with every turn wished for and every question decided, the
/// driver never asks to send what the prefix shows as sent.
#[test]
fn nothing_is_sent_twice() {
    let mut tried = 0_u32;
    for (name, lines) in transcript::all() {
        let mut driver = transcript::driver(None);
        let mut sent = Sent::default();
        let wishes = hub_of(&lines);
        for (number, line) in lines.iter().enumerate() {
            let Line::Said(direction, message) = line else { continue };
            driver.observe(*direction, &message.to_string());
            sent.observe(*direction, message);
            for wish in &wishes {
                if let Some(next) = driver.next(&wish.wish()) {
                    tried += 1;
                    assert!(!sent.repeats(&next), "{name}.jsonl:{} repeats {next}", number + 1);
                }
            }
        }
    }
    assert!(tried > 1000, "the sessions gave only {tried} lines to send");
}

/// Where the hub's own driver took part, every line it sent is the line it sends again when it
/// comes to that point from a snapshot, and it is silent where it was silent.
#[test]
fn recorded_drivers_are_driven_again_word_for_word() {
    let mut sessions = 0_u32;
    for (name, lines) in transcript::all() {
        let mut wanted: Option<Wanted> = None;
        let mut driver = transcript::driver(None);
        for (number, line) in lines.iter().enumerate() {
            let at = format!("{name}.jsonl:{}", number + 1);
            match line {
                Line::Wants(wish) => {
                    sessions += u32::from(wanted.is_none());
                    wanted = Some((**wish).clone());
                }
                Line::Said(Direction::In, message) => {
                    if let Some(wish) = &wanted {
                        let next = driver.next(&wish.wish()).unwrap_or_default();
                        let next: serde_json::Value =
                            serde_json::from_str(&next).unwrap_or_default();
                        // The recording may be of an older version of the hub.
                        assert_eq!(without_version(next), without_version(message.clone()), "{at}");
                    }
                    driver.observe(Direction::In, &message.to_string());
                }
                Line::Said(Direction::Out, message) => {
                    if let Some(wish) = &wanted {
                        assert_eq!(driver.next(&wish.wish()), None, "{at}");
                    }
                    driver.observe(Direction::Out, &message.to_string());
                }
            }
            driver = transcript::driver(Some(&driver.snapshot()));
        }
    }
    assert!(sessions > 3, "only {sessions} sessions of the hub's own driver");
}

#[test]
fn a_snapshot_of_something_else_is_refused() {
    use car_engine::agent::Adapter;
    let codex = car_agents::codex::Codex::new(&car_agents::codex::Config::default());
    let error = codex.driver(Some("{\"requests\": \"many\"}")).err().unwrap();
    assert!(error.contains("codex"), "{error}");
}

/// The wishes a hub could have in a session: each of its turns, with and without interrupt, on the
/// thread it was on and on a new one, all questions decided.
fn hub_of(lines: &[Line]) -> Vec<Wanted> {
    let mut wishes = vec![Wanted { models: true, ..Wanted::default() }];
    for line in lines {
        let Line::Said(Direction::In, message) = line else { continue };
        if message["method"] != "turn/start" {
            continue;
        }
        let params = &message["params"];
        let order = TurnOrder {
            turn: params["clientUserMessageId"].as_str().unwrap().parse().unwrap(),
            prompt: "p".to_owned(),
            cwd: "/w".to_owned(),
            thread: params["threadId"].as_str().map(str::to_owned),
            fork_of: None,
            task: car_engine::agent::Task::Answer,
            model: None,
            effort: None,
            approvals: car_api::agent::ApprovalPolicy::Never,
            writable: Vec::new(),
        };
        let decisions: Vec<_> = (0..30).map(|n| (format!("{n}"), Decision::Accept)).collect();
        for (interrupt, thread) in
            [(false, order.thread.clone()), (true, order.thread.clone()), (false, None)]
        {
            let turn = Some(TurnOrder { thread, ..order.clone() });
            wishes.push(Wanted { turn, interrupt, decisions: decisions.clone(), models: false });
        }
    }
    wishes
}

fn without_version(mut message: serde_json::Value) -> serde_json::Value {
    if let Some(version) = message.pointer_mut("/params/clientInfo/version") {
        *version = serde_json::Value::Null;
    }
    message
}

/// Every kind of event occurs somewhere, so the goldens watch all of them.
#[test]
fn the_sessions_show_every_kind_of_event() {
    let mut seen = std::collections::BTreeSet::new();
    for (_, lines) in transcript::all() {
        let mut driver = transcript::driver(None);
        for line in &lines {
            let Line::Said(direction, message) = line else { continue };
            for event in driver.observe(*direction, &message.to_string()) {
                seen.insert(kind(&event));
            }
        }
    }
    let expected = [
        "account",
        "approval",
        "completed",
        "delta",
        "lost",
        "models",
        "notice",
        "opened",
        "plan",
        "ready",
        "resolved",
        "limits",
        "started",
        "turn ended",
        "turn started",
        "usage",
    ];
    let missing: Vec<_> = expected.iter().filter(|kind| !seen.contains(**kind)).collect();
    assert!(missing.is_empty(), "no session shows {missing:?}");
}

fn kind(event: &AgentEvent) -> &'static str {
    match event {
        AgentEvent::Ready { .. } => "ready",
        AgentEvent::ThreadOpened { .. } => "opened",
        AgentEvent::ThreadLost { .. } => "lost",
        AgentEvent::Account { .. } => "account",
        AgentEvent::Models { .. } => "models",
        AgentEvent::TurnStarted { .. } => "turn started",
        AgentEvent::ItemStarted { .. } => "started",
        AgentEvent::ItemCompleted { .. } => "completed",
        AgentEvent::Delta { .. } => "delta",
        AgentEvent::Plan { .. } => "plan",
        AgentEvent::Usage { .. } => "usage",
        AgentEvent::RateLimits { .. } => "limits",
        AgentEvent::ApprovalRequested { .. } => "approval",
        AgentEvent::ApprovalResolved { .. } => "resolved",
        AgentEvent::Notice { .. } => "notice",
        AgentEvent::TurnEnded { .. } => "turn ended",
    }
}
