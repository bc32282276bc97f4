//! Pieces of a turn in the hub's words.

use car_api::item::{FileChange, Item, ItemBody, ItemStatus, PlanStatus, PlanStep, Usage};

use super::proto;

/// Bytes of a command's output that are kept, counted from its end. Codex itself reports up to
/// 1 MiB; the journal has all of it.
const OUTPUT_KEPT: usize = 64 * 1024;

/// Bytes of a tool's arguments that are shown.
const DETAIL_KEPT: usize = 2 * 1024;

/// The piece in the hub's words, or none for those that only repeat what the hub said itself.
/// `at_start` tells how a piece without a status of its own stands.
pub(super) fn item(item: proto::Item, at_start: bool) -> Option<Item> {
    let status = status(item.status.as_deref(), at_start);
    let body = match item.kind.as_str() {
        "" | "userMessage" | "hookPrompt" | "functionCallOutput" => return None,
        "agentMessage" | "plan" => ItemBody::Message { text: item.text },
        "reasoning" => ItemBody::Reasoning { text: item.summary.join("\n\n") },
        "commandExecution" => ItemBody::Command {
            command: item.command,
            cwd: item.cwd,
            status,
            exit_code: item.exit_code,
            output: tail(item.aggregated_output.unwrap_or_default(), OUTPUT_KEPT),
            duration_ms: item.duration_ms,
        },
        "fileChange" => {
            ItemBody::FileChange { status, changes: item.changes.into_iter().map(change).collect() }
        }
        kind => ItemBody::Tool { name: tool_name(kind, &item), status, detail: detail(&item) },
    };
    Some(Item { id: item.id, body })
}

/// The plan in the hub's words.
pub(super) fn plan(steps: Vec<proto::PlanStep>) -> Vec<PlanStep> {
    steps
        .into_iter()
        .map(|step| PlanStep {
            step: step.step,
            status: match step.status.as_str() {
                "completed" => PlanStatus::Completed,
                "inProgress" => PlanStatus::InProgress,
                _ => PlanStatus::Pending,
            },
        })
        .collect()
}

/// Tokens in the hub's words.
pub(super) fn usage(tokens: &proto::Tokens) -> Usage {
    Usage {
        input_tokens: tokens.input_tokens,
        cached_input_tokens: tokens.cached_input_tokens,
        output_tokens: tokens.output_tokens,
        reasoning_tokens: tokens.reasoning_output_tokens,
    }
}

fn status(word: Option<&str>, at_start: bool) -> ItemStatus {
    match word {
        Some("completed") => ItemStatus::Completed,
        Some("failed") => ItemStatus::Failed,
        Some("declined") => ItemStatus::Declined,
        Some("inProgress") => ItemStatus::InProgress,
        Some(_) | None if at_start => ItemStatus::InProgress,
        Some(_) | None => ItemStatus::Completed,
    }
}

fn change(change: proto::Change) -> FileChange {
    FileChange { path: change.path, kind: change.kind.kind, diff: change.diff }
}

fn tool_name(kind: &str, item: &proto::Item) -> String {
    match (&item.server, &item.tool) {
        (Some(server), Some(tool)) => format!("{server}.{tool}"),
        (None, Some(tool)) => tool.clone(),
        (Some(_) | None, None) => kind.to_owned(),
    }
}

fn detail(item: &proto::Item) -> String {
    let raw = |value: &Option<Box<serde_json::value::RawValue>>| {
        value.as_ref().map(|v| v.get().to_owned()).filter(|text| text != "null")
    };
    let mut parts: Vec<String> = [&item.query, &item.path, &item.review, &item.prompt]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    parts.extend(raw(&item.arguments));
    parts.extend(raw(&item.error).map(|error| format!("error: {error}")));
    let mut text = parts.join(" ");
    text.truncate(text.floor_char_boundary(DETAIL_KEPT));
    text
}

fn tail(mut text: String, keep: usize) -> String {
    if text.len() > keep {
        text.drain(..text.ceil_char_boundary(text.len() - keep));
    }
    text
}
