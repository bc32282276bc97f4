//! The lines the hub sends to Codex.
//!
//! A request's id is a running number and, where the request serves a turn, the hub's id of that
//! turn: `7 trn_…`, and `7 trn_… open` when all that is wanted of the turn is an open thread. So the
//! journal alone tells what was asked for which turn.

use car_api::{TurnId, agent::ApprovalPolicy};
use car_engine::agent::{Task, TurnOrder};
use serde::Serialize;
use serde_json::{Value, json};

use super::{config::Config, questions::Answer};

/// The id of the `number`-th request.
pub(super) fn request_id(number: u64, turn: Option<&TurnId>) -> String {
    match turn {
        Some(turn) => format!("{number} {turn}"),
        None => number.to_string(),
    }
}

/// The id of a request that opens a thread for a turn, which may want nothing else.
pub(super) fn open_id(number: u64, order: &TurnOrder) -> String {
    let id = request_id(number, Some(&order.turn));
    match order.task {
        Task::Open => format!("{id} {OPEN}"),
        Task::Answer | Task::Compact => id,
    }
}

/// What marks a turn that wants nothing but an open thread.
const OPEN: &str = "open";

/// The turn a request of the hub serves, by its id as it stands in the journal.
pub(super) fn turn_of(id: &str) -> Option<TurnId> {
    id.trim_matches('"').split(' ').nth(1)?.parse().ok()
}

/// Whether a request serves a turn that wants nothing but an open thread.
pub(super) fn only_opens(id: &str) -> bool {
    id.trim_matches('"').split(' ').nth(2) == Some(OPEN)
}

pub(super) fn request(id: &str, method: &str, params: impl Serialize) -> String {
    json!({ "id": id, "method": method, "params": params }).to_string()
}

pub(super) fn notification(method: &str) -> String {
    json!({ "method": method }).to_string()
}

/// The answer to a request of Codex; `id` is the JSON text of its id.
pub(super) fn answer(id: &str, answer: Answer) -> String {
    let id: Value = serde_json::from_str(id).unwrap_or(Value::Null);
    match answer {
        Answer::Result(result) => json!({ "id": id, "result": result }),
        Answer::Error(message) => {
            json!({ "id": id, "error": { "code": -32601, "message": message } })
        }
    }
    .to_string()
}

pub(super) fn client() -> Value {
    json!({
        "clientInfo": { "name": "car-hub", "title": "CAR Hub", "version": env!("CARGO_PKG_VERSION") },
        "capabilities": { "experimentalApi": true, "requestAttestation": false },
    })
}

/// Parameters of `thread/start` and, with a thread, of `thread/resume` and `thread/fork`. Codex does not keep the
/// permissions of a thread: they are given each time.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenThread<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<&'a str>,
    cwd: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    approval_policy: &'static str,
    sandbox: &'static str,
    /// The hub has the history itself; without this Codex sends all of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    exclude_turns: bool,
}

impl<'a> OpenThread<'a> {
    pub(super) fn new(order: &'a TurnOrder, config: &'a Config, thread: Option<&'a str>) -> Self {
        Self {
            thread_id: thread,
            cwd: &order.cwd,
            model: order.model.as_deref().or(config.model.as_deref()),
            approval_policy: approval_policy(order.approvals),
            sandbox: match order.approvals {
                ApprovalPolicy::Never => "danger-full-access",
                ApprovalPolicy::OnRequest | ApprovalPolicy::Untrusted => "workspace-write",
            },
            exclude_turns: thread.is_some(),
        }
    }
}

/// Parameters of `turn/start`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartTurn<'a> {
    thread_id: &'a str,
    client_user_message_id: &'a TurnId,
    input: Value,
    cwd: &'a str,
    approval_policy: &'static str,
    sandbox_policy: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    summary: &'a str,
}

impl<'a> StartTurn<'a> {
    pub(super) fn new(order: &'a TurnOrder, config: &'a Config, thread: &'a str) -> Self {
        Self {
            thread_id: thread,
            client_user_message_id: &order.turn,
            input: json!([{ "type": "text", "text": order.prompt, "text_elements": [] }]),
            cwd: &order.cwd,
            approval_policy: approval_policy(order.approvals),
            sandbox_policy: sandbox_policy(order, config),
            model: order.model.as_deref().or(config.model.as_deref()),
            effort: order.effort.as_deref().or(config.effort.as_deref()),
            summary: &config.summary,
        }
    }
}

fn approval_policy(policy: ApprovalPolicy) -> &'static str {
    match policy {
        ApprovalPolicy::Never => "never",
        ApprovalPolicy::OnRequest => "on-request",
        ApprovalPolicy::Untrusted => "untrusted",
    }
}

/// In Codex's sandbox `.git` is read-only unless it is named, and a worktree's lies elsewhere:
/// without these roots an agent cannot commit.
fn sandbox_policy(order: &TurnOrder, config: &Config) -> Value {
    match order.approvals {
        ApprovalPolicy::Never => json!({ "type": "dangerFullAccess" }),
        ApprovalPolicy::OnRequest | ApprovalPolicy::Untrusted => json!({
            "type": "workspaceWrite",
            "writableRoots": order.writable,
            "networkAccess": config.network,
            "excludeTmpdirEnvVar": false,
            "excludeSlashTmp": false,
        }),
    }
}
