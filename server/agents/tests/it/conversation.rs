//! What the driver says and when, line by line, where no recorded session shows it.

use car_api::item::{ApprovalRequest, Decision};
use car_engine::agent::{AgentEvent, Direction, Driver, TurnOrder};
use serde_json::{Value, json};

use crate::{
    session::order,
    transcript::{self, Wanted},
};

#[test]
fn every_request_of_codex_is_answered_once() {
    let mut talk = Talk::open();
    let ask = |method: &str, params: Value| json!({ "id": 0, "method": method, "params": params });
    let questions = json!({ "turnId": "t", "questions": [{ "id": "q1", "question": "Which?" }] });
    for (method, params, pointer) in [
        ("item/tool/requestUserInput", questions, "/result/answers/q1/answers/0"),
        ("mcpServer/elicitation/request", json!({ "mode": "form" }), "/result/action"),
        ("item/tool/call", json!({ "tool": "x" }), "/result/contentItems/0/text"),
        ("currentTime/read", json!({}), "/error/message"),
        ("account/chatgptAuthTokens/refresh", json!({}), "/error/message"),
        ("something/new", Value::Null, "/error/message"),
    ] {
        assert_eq!(talk.out(ask(method, params)), [], "{method} is no question for people");
        let answer = talk.next(&Wanted::default()).unwrap();
        assert_eq!(answer["id"], 0, "{answer}");
        assert!(answer.pointer(pointer).is_some_and(Value::is_string), "{method}: {answer}");
        assert_eq!(talk.next(&Wanted::default()), None, "{method} is answered once");
    }
}

#[test]
fn permissions_are_granted_as_asked_or_not_at_all() {
    let permissions = json!({ "network": { "enabled": true } });
    for (decision, expected) in [
        (Decision::Accept, json!({ "permissions": permissions, "scope": "turn" })),
        (Decision::AcceptForSession, json!({ "permissions": permissions, "scope": "session" })),
        (Decision::Decline, json!({ "permissions": {}, "scope": "turn" })),
    ] {
        let mut talk = Talk::open();
        let params = json!({ "turnId": "t", "reason": "need it", "permissions": permissions });
        let method = "item/permissions/requestApproval";
        let events = talk.out(json!({ "id": "a", "method": method, "params": params }));
        let [AgentEvent::ApprovalRequested { key, request: ApprovalRequest::Other { detail } }] =
            &events[..]
        else {
            panic!("{events:?}");
        };
        assert!(detail.starts_with("need it"), "{detail}");
        assert_eq!(talk.next(&Wanted::default()), None, "it waits for people");
        let wanted = Wanted { decisions: vec![(key.clone(), decision)], ..Wanted::default() };
        let answer = talk.next(&wanted).unwrap();
        assert_eq!(answer, json!({ "id": "a", "result": expected }));
        assert_eq!(talk.next(&wanted), None);
    }
}

#[test]
fn what_is_not_known_of_the_quota_does_not_erase_what_is() {
    let mut talk = Talk::open();
    let mut report = |primary: Value, secondary: Value| {
        let limits = json!({ "primary": primary, "secondary": secondary });
        let method = "account/rateLimits/updated";
        let events = talk.out(json!({ "method": method, "params": { "rateLimits": limits } }));
        events.first().map(|event| match event {
            AgentEvent::RateLimits { limits } => {
                limits.iter().map(|l| (l.used_percent, l.resets_at.is_some())).collect::<Vec<_>>()
            }
            _ => panic!("{event:?}"),
        })
    };
    let window = |used: u32, resets: Value| json!({ "usedPercent": used, "resetsAt": resets });
    assert_eq!(report(window(10, json!(1)), Value::Null), Some(vec![(10.0, true)]));
    assert_eq!(report(Value::Null, Value::Null), None);
    assert_eq!(report(window(20, Value::Null), Value::Null), Some(vec![(20.0, true)]));
    let both = Some(vec![(20.0, true), (5.0, false)]);
    assert_eq!(report(Value::Null, window(5, Value::Null)), both);
}

#[test]
fn a_busy_thread_is_given_no_second_prompt() {
    let mut talk = Talk::open();
    let first = Wanted { turn: Some(turn("trn_1", Some("th"))), ..Wanted::default() };
    talk.resume(&first);
    assert_eq!(talk.next(&first).unwrap()["method"], "turn/start");
    let second = Wanted { turn: Some(turn("trn_2", Some("th"))), ..Wanted::default() };
    assert_eq!(talk.next(&second), None, "the first has not ended");

    // Another thread of the same process is free.
    let other = Wanted { turn: Some(turn("trn_3", Some("other"))), ..Wanted::default() };
    assert_eq!(talk.next(&other).unwrap()["method"], "thread/resume");

    talk.begin("th", "t1");
    talk.end("th", "t1", "completed");
    assert_eq!(talk.next(&second).unwrap()["params"]["clientUserMessageId"], "trn_2");
}

#[test]
fn an_interrupt_is_sent_once_and_only_while_the_turn_runs() {
    let mut talk = Talk::open();
    let mut wanted = Wanted { turn: Some(turn("trn_1", Some("th"))), ..Wanted::default() };
    wanted.interrupt = true;
    assert_eq!(talk.next(&wanted), None, "a turn that is not wanted any more is not begun");
    wanted.interrupt = false;
    talk.resume(&wanted);
    talk.next(&wanted).unwrap();
    wanted.interrupt = true;
    assert_eq!(talk.next(&wanted), None, "Codex loses an interrupt before the start");
    talk.begin("th", "t1");
    let interrupt = talk.next(&wanted).unwrap();
    assert_eq!(interrupt["method"], "turn/interrupt");
    assert_eq!(interrupt["params"], json!({ "threadId": "th", "turnId": "t1" }));
    assert_eq!(talk.next(&wanted), None);
    // Refused, it is tried again, but not for ever.
    let mut refused = interrupt["id"].clone();
    let mut tries = 1;
    loop {
        let error = json!({ "code": -32600, "message": "no active turn to interrupt" });
        talk.out(json!({ "id": refused, "error": error }));
        let Some(again) = talk.next(&wanted) else { break };
        refused = again["id"].clone();
        tries += 1;
    }
    assert_eq!(tries, 3);
    talk.end("th", "t1", "interrupted");
    let clean = talk.next(&Wanted::default()).unwrap();
    assert_eq!(clean["method"], "thread/backgroundTerminals/clean");
    assert_eq!(talk.next(&wanted), None);
}

#[test]
fn models_come_in_pages() {
    let mut talk = Talk::open();
    let wanted = Wanted { models: true, ..Wanted::default() };
    let page = talk.next(&wanted).unwrap();
    let data =
        |id: &str| json!([{ "model": id, "hidden": false }, { "model": "h", "hidden": true }]);
    let more = json!({ "data": data("a"), "nextCursor": "c" });
    assert_eq!(talk.out(json!({ "id": page["id"], "result": more })), []);
    let page = talk.next(&wanted).unwrap();
    assert_eq!(page["params"]["cursor"], "c");
    let events = talk.out(json!({ "id": page["id"], "result": { "data": data("b") } }));
    let [AgentEvent::Models { models }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(models.iter().map(|m| m.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(talk.next(&wanted), None);
}

/// A conversation after its first words; the driver is made anew at every line.
struct Talk(Box<dyn Driver>);

impl Talk {
    fn open() -> Self {
        let mut talk = Self(transcript::driver(None));
        let initialize = talk.next(&Wanted::default()).unwrap();
        assert_eq!(talk.next(&Wanted::default()), None, "nothing comes before the answer");
        talk.out(json!({ "id": initialize["id"], "result": { "userAgent": "hub/0.169.0 (x)" } }));
        assert_eq!(talk.next(&Wanted::default()).unwrap()["method"], "initialized");
        assert_eq!(talk.next(&Wanted::default()).unwrap()["method"], "account/read");
        talk
    }

    /// What is to be sent, which is then sent.
    fn next(&mut self, wanted: &Wanted) -> Option<Value> {
        let line = self.0.next(&wanted.wish())?;
        self.observe(Direction::In, &line);
        Some(serde_json::from_str(&line).unwrap())
    }

    fn out(&mut self, message: Value) -> Vec<AgentEvent> {
        self.observe(Direction::Out, &message.to_string())
    }

    fn observe(&mut self, direction: Direction, line: &str) -> Vec<AgentEvent> {
        let events = self.0.observe(direction, line);
        self.0 = transcript::driver(Some(&self.0.snapshot()));
        events
    }

    fn resume(&mut self, wanted: &Wanted) {
        let resume = self.next(wanted).unwrap();
        assert_eq!(resume["method"], "thread/resume");
        let thread = json!({ "thread": { "id": resume["params"]["threadId"] } });
        self.out(json!({ "id": resume["id"], "result": thread }));
    }

    fn begin(&mut self, thread: &str, turn: &str) {
        let params = json!({ "threadId": thread, "turn": { "id": turn, "status": "inProgress" } });
        let events = self.out(json!({ "method": "turn/started", "params": params }));
        assert!(matches!(events[..], [AgentEvent::TurnStarted { .. }]), "{events:?}");
    }

    fn end(&mut self, thread: &str, turn: &str, status: &str) {
        let params = json!({ "threadId": thread, "turn": { "id": turn, "status": status } });
        let events = self.out(json!({ "method": "turn/completed", "params": params }));
        assert!(matches!(events[..], [AgentEvent::TurnEnded { .. }]), "{events:?}");
    }
}

fn turn(id: &str, thread: Option<&str>) -> TurnOrder {
    let order = order(id, "do it", std::path::Path::new("/tree"));
    TurnOrder { thread: thread.map(str::to_owned), ..order }
}
