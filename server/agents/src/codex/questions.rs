//! What Codex asks of its client. Questions of permission go to a person; every other request is
//! answered at once, because a request without an answer stops the turn for ever.

use std::collections::BTreeMap;

use car_api::item::{ApprovalRequest, Decision, FileChange};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::proto;

/// A request of Codex that was not answered yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Question {
    /// Codex's id of the turn that waits for it.
    pub(super) turn: Option<String>,
    pub(super) kind: Kind,
}

/// How it is answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Kind {
    /// By a person, with a decision.
    Approval,
    /// By a person; `permissions` are what is granted.
    Permissions { permissions: Value },
    /// At once, with this result.
    Result(Value),
    /// At once, with this refusal.
    Refusal(String),
}

/// What is said to questions that want words rather than a yes or no.
const NOBODY: &str = "Nobody is there to answer. Decide yourself if it is safe; otherwise ask \
                      through a dispatch with `mode: pause` and end the turn.";

/// Reads a request. The second value is the question for a person, if it is one.
pub(super) fn question(
    method: &str,
    params: &str,
    edits: &BTreeMap<String, Vec<FileChange>>,
) -> (Question, Option<ApprovalRequest>) {
    let ask: proto::Ask = serde_json::from_str(params).unwrap_or_default();
    let item = ask.item_id.unwrap_or_default();
    let (kind, request) = match method {
        "item/commandExecution/requestApproval" => (
            Kind::Approval,
            Some(ApprovalRequest::Command {
                command: ask.command.unwrap_or_default(),
                cwd: ask.cwd.unwrap_or_default(),
                reason: ask.reason,
            }),
        ),
        "item/fileChange/requestApproval" => (
            Kind::Approval,
            Some(ApprovalRequest::FileChange {
                changes: edits.get(&item).cloned().unwrap_or_default(),
                reason: ask.reason,
            }),
        ),
        "item/permissions/requestApproval" => permissions(params, ask.reason),
        "item/tool/requestUserInput" => {
            let answers: serde_json::Map<String, Value> =
                ask.questions.into_iter().map(|q| (q.id, json!({ "answers": [NOBODY] }))).collect();
            (Kind::Result(json!({ "answers": answers })), None)
        }
        "mcpServer/elicitation/request" => {
            (Kind::Result(json!({ "action": "decline", "content": null })), None)
        }
        "item/tool/call" => {
            let text = "The hub offers no tools of this name.";
            let content = json!([{ "type": "inputText", "text": text }]);
            (Kind::Result(json!({ "contentItems": content, "success": false })), None)
        }
        other => (Kind::Refusal(format!("the hub does not answer {other}")), None),
    };
    (Question { turn: ask.turn_id, kind }, request)
}

impl Question {
    /// Whether people are asked.
    pub(super) fn for_people(&self) -> bool {
        match self.kind {
            Kind::Approval | Kind::Permissions { .. } => true,
            Kind::Result(_) | Kind::Refusal(_) => false,
        }
    }

    /// The answer, given what people decided; none while it waits for them.
    pub(super) fn answer(&self, decision: Option<Decision>) -> Option<Answer> {
        match &self.kind {
            Kind::Result(value) => Some(Answer::Result(value.clone())),
            Kind::Refusal(text) => Some(Answer::Error(text.clone())),
            Kind::Approval => {
                let word = match decision? {
                    Decision::Accept => "accept",
                    Decision::AcceptForSession => "acceptForSession",
                    Decision::Decline => "decline",
                    Decision::Cancel => "cancel",
                };
                Some(Answer::Result(json!({ "decision": word })))
            }
            Kind::Permissions { permissions } => Some(Answer::Result(match decision? {
                Decision::Accept => json!({ "permissions": permissions, "scope": "turn" }),
                Decision::AcceptForSession => {
                    json!({ "permissions": permissions, "scope": "session" })
                }
                Decision::Decline | Decision::Cancel => {
                    json!({ "permissions": {}, "scope": "turn" })
                }
            })),
        }
    }
}

/// What is sent back.
pub(super) enum Answer {
    Result(Value),
    Error(String),
}

fn permissions(params: &str, reason: Option<String>) -> (Kind, Option<ApprovalRequest>) {
    let params: Value = serde_json::from_str(params).unwrap_or_default();
    let permissions = params.get("permissions").cloned().unwrap_or_else(|| json!({}));
    let wanted = format!("more permissions: {permissions}");
    let detail = match reason {
        Some(reason) => format!("{reason} ({wanted})"),
        None => wanted,
    };
    (Kind::Permissions { permissions }, Some(ApprovalRequest::Other { detail }))
}
