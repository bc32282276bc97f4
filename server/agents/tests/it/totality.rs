//! Whatever comes over the pipes, a driver stays a driver.

use car_engine::agent::Direction;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::transcript::{self, Line, Wanted};

proptest! {
    #[test]
    fn any_text_is_taken(lines in prop::collection::vec((any::<bool>(), any::<String>()), 0..8)) {
        let mut driver = transcript::driver(None);
        for (from_hub, line) in lines {
            driver.observe(direction(from_hub), &line);
            driver.next(&Wanted::default().wish());
            transcript::driver(Some(&driver.snapshot()));
        }
    }

    /// Messages of the right names with members of the wrong kinds, in any order.
    #[test]
    fn any_message_is_taken(
        lines in prop::collection::vec((any::<bool>(), message()), 0..30)
    ) {
        let mut driver = transcript::driver(None);
        for (from_hub, line) in lines {
            driver.observe(direction(from_hub), &line.to_string());
            driver.next(&Wanted { models: true, ..Wanted::default() }.wish());
            transcript::driver(Some(&driver.snapshot()));
        }
    }

    /// A recorded session with lines lost, doubled and swapped.
    #[test]
    fn any_order_of_a_session_is_taken(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..200)) {
        let (_, lines) = transcript::all().into_iter().find(|(n, _)| n == "kill-resume-2").unwrap();
        let mut driver = transcript::driver(None);
        for pick in picks {
            if let Line::Said(direction, message) = pick.get(&lines) {
                driver.observe(*direction, &message.to_string());
            }
        }
        prop_assert_eq!(
            transcript::driver(Some(&driver.snapshot())).snapshot(),
            driver.snapshot()
        );
    }
}

fn direction(from_hub: bool) -> Direction {
    if from_hub { Direction::In } else { Direction::Out }
}

fn message() -> impl Strategy<Value = Value> {
    let methods = prop::sample::select(vec![
        "initialize",
        "initialized",
        "account/read",
        "model/list",
        "thread/start",
        "thread/resume",
        "turn/start",
        "turn/interrupt",
        "turn/started",
        "turn/completed",
        "item/started",
        "item/completed",
        "item/agentMessage/delta",
        "turn/plan/updated",
        "thread/tokenUsage/updated",
        "account/rateLimits/updated",
        "error",
        "warning",
        "item/commandExecution/requestApproval",
        "item/fileChange/requestApproval",
        "item/tool/requestUserInput",
        "serverRequest/resolved",
        "thread/closed",
        "unheard/of",
    ]);
    let id = prop_oneof![
        Just(Value::Null),
        (0..4).prop_map(Value::from),
        Just(json!("1 trn_1")),
        Just(json!({})),
    ];
    (methods, id, value(), any::<bool>(), any::<bool>()).prop_map(
        |(method, id, value, answers, fails)| match (answers, fails) {
            (false, _) => json!({ "method": method, "id": id, "params": value }),
            (true, false) => json!({ "id": id, "result": value }),
            (true, true) => json!({ "id": id, "error": value }),
        },
    )
}

fn value() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "threadId",
        "turnId",
        "turn",
        "thread",
        "item",
        "id",
        "type",
        "status",
        "error",
        "message",
        "codexErrorInfo",
        "rateLimits",
        "primary",
        "usedPercent",
        "resetsAt",
        "plan",
        "tokenUsage",
        "total",
        "inputTokens",
        "clientUserMessageId",
        "data",
        "nextCursor",
        "account",
        "requestId",
        "delta",
        "itemId",
        "changes",
        "summary",
        "willRetry",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["t", "trn_1", "agentMessage", "fileChange", "completed", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}
