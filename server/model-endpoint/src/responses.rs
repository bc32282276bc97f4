//! `POST /v1/responses`, streamed or whole.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use car_demo_agent::script::{Dispatch, Fail, Step, Usage};
use serde_json::{Value, json};

use crate::{
    log::Log,
    moves::{self, Move},
    stream::{self, Part},
};

/// Tools agents call a shell, in the order they are looked for.
const SHELLS: &[&str] = &["exec_command", "shell_command", "shell", "local_shell", "bash"];

/// Answers a request.
pub(crate) fn respond(log: &Log, request: &Value) -> Response {
    let input = request["input"].as_array().cloned().unwrap_or_default();
    let due = moves::due(&input);
    log.write(json!({ "path": "/v1/responses", "model": request["model"], "move": due.told() }));

    let mut answer = Answer::new(request);
    for step in &due.steps {
        if let Some(fail) = step.fail.as_ref().filter(|fail| log.fails(&due.key, fail.times)) {
            return answer.failing(fail);
        }
        answer.step(step, &due);
    }
    answer.finished()
}

/// An answer as it is put together.
struct Answer<'a> {
    request: &'a Value,
    id: String,
    headers: HeaderMap,
    parts: Vec<Part>,
    /// Finished pieces of the output.
    output: Vec<Value>,
    usage: Usage,
}

impl<'a> Answer<'a> {
    fn new(request: &'a Value) -> Self {
        let id = new_id("resp");
        let created = json!({ "type": "response.created", "response": { "id": id } });
        Self {
            request,
            id,
            headers: HeaderMap::new(),
            parts: vec![Part::Event(created)],
            output: Vec::new(),
            usage: Usage { input: 1000, cached: 200, out: 50, reasoning: 10 },
        }
    }

    fn step(&mut self, step: &Step, due: &Move) {
        self.headers.extend(stream::headers(&step.headers));
        self.parts.push(Part::Pause(step.latency));
        if let Some(text) = &step.reason {
            self.reason(text, step.gap);
        }
        if let Some(text) = &step.say {
            let text = text.repeat(step.repeat.unwrap_or(1));
            self.say(&text, step.chunks.unwrap_or(4), step.gap);
        }
        self.parts.push(Part::Pause(step.stall));
        if let Some(plan) = &step.plan {
            let plan: Vec<Value> = plan
                .iter()
                .map(|(step, status)| json!({ "step": step, "status": status }))
                .collect();
            self.call("update_plan", &json!({ "plan": plan }));
        }
        if let Some((path, content)) = &step.write {
            self.write(path, content);
        }
        if let Some(command) = &step.sh {
            self.shell(command, step.escalate);
        }
        if step.done {
            let ticket = due.prompt.ticket.as_deref().unwrap_or("TICKET-001.md");
            self.shell(&format!("sed -i 's/^done:.*/done: true/' {}", quoted(ticket)), false);
        }
        if let Some(message) = &step.commit {
            self.shell(&format!("git add -A && git commit -q -m {}", quoted(message)), false);
        }
        if let Some(dispatch) = &step.dispatch {
            let path = due.prompt.dispatch.as_deref().unwrap_or(".codex-autorunner/DISPATCH.md");
            self.shell(&dispatch_command(path, dispatch), false);
        }
        if let Some((name, arguments)) = &step.tool {
            self.call(name, arguments);
        }
        if let Some((name, input)) = &step.custom {
            self.custom(name, input);
        }
        if let Some(usage) = step.usage {
            self.usage = usage;
        }
    }

    fn reason(&mut self, text: &str, gap: f64) {
        let id = new_id("rs");
        let place = |kind: &str| json!({ "type": kind, "item_id": id, "summary_index": 0 });
        self.added(json!({ "type": "reasoning", "id": id, "summary": [] }));
        self.parts.push(Part::Event(place("response.reasoning_summary_part.added")));
        for piece in pieces(text, 3) {
            let mut event = place("response.reasoning_summary_text.delta");
            event["delta"] = json!(piece);
            self.parts.push(Part::Event(event));
            self.parts.push(Part::Pause(gap));
        }
        let summary = json!([{ "type": "summary_text", "text": text }]);
        self.done(json!({
            "type": "reasoning", "id": id, "summary": summary, "encrypted_content": null,
        }));
    }

    fn say(&mut self, text: &str, chunks: usize, gap: f64) {
        let id = new_id("msg");
        self.added(json!({ "type": "message", "role": "assistant", "id": id, "content": [] }));
        for piece in pieces(text, chunks) {
            let event = json!({
                "type": "response.output_text.delta", "item_id": id, "content_index": 0,
                "delta": piece,
            });
            self.parts.push(Part::Event(event));
            self.parts.push(Part::Pause(gap));
        }
        let content = json!([{ "type": "output_text", "text": text, "annotations": [] }]);
        self.done(json!({ "type": "message", "role": "assistant", "id": id, "content": content }));
    }

    /// Runs a command by whichever shell tool the agent offers.
    fn shell(&mut self, command: &str, escalate: bool) {
        let offered = SHELLS.iter().copied().find(|name| self.offers(name).is_some());
        let name = offered.unwrap_or("exec_command");
        let mut arguments = match name {
            "exec_command" => json!({ "cmd": command }),
            "shell" | "local_shell" => json!({ "command": ["bash", "-lc", command] }),
            _ => json!({ "command": command }),
        };
        if escalate {
            arguments["sandbox_permissions"] = json!("require_escalated");
            arguments["justification"] = json!("the script asks for it");
        }
        self.call(name, &arguments);
    }

    /// Writes a file by the agent's own editing tool, or by its shell.
    fn write(&mut self, path: &str, content: &str) {
        let lines: String = content.lines().map(|line| format!("+{line}\n")).collect();
        let patch = format!("*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch");
        match self.offers("apply_patch") {
            Some("custom") => self.custom("apply_patch", &patch),
            Some(_) => self.call("apply_patch", &json!({ "input": patch })),
            None => {
                let (path, content) = (quoted(path), quoted(content));
                let command =
                    format!("mkdir -p \"$(dirname {path})\" && printf '%s' {content} > {path}");
                self.shell(&command, false);
            }
        }
    }

    fn call(&mut self, name: &str, arguments: &Value) {
        self.done(json!({
            "type": "function_call", "id": new_id("fc"), "call_id": new_id("call"), "name": name,
            "arguments": arguments.to_string(),
        }));
    }

    fn custom(&mut self, name: &str, input: &str) {
        self.done(json!({
            "type": "custom_tool_call", "id": new_id("ctc"), "call_id": new_id("call"),
            "name": name, "input": input,
        }));
    }

    /// The kind of a tool the agent offers.
    fn offers(&self, name: &str) -> Option<&str> {
        let tools = self.request["tools"].as_array()?;
        tools.iter().find(|tool| tool["name"] == name)?["type"].as_str()
    }

    fn added(&mut self, item: Value) {
        self.parts.push(Part::Event(json!({
            "type": "response.output_item.added", "output_index": self.output.len(), "item": item,
        })));
    }

    fn done(&mut self, item: Value) {
        self.parts.push(Part::Event(json!({
            "type": "response.output_item.done", "output_index": self.output.len(), "item": item,
        })));
        self.output.push(item);
    }

    fn finished(mut self) -> Response {
        let usage = self.usage;
        let response = json!({
            "id": self.id, "object": "response", "status": "completed", "output": self.output,
            "usage": {
                "input_tokens": usage.input,
                "input_tokens_details": { "cached_tokens": usage.cached },
                "output_tokens": usage.out,
                "output_tokens_details": { "reasoning_tokens": usage.reasoning },
                "total_tokens": usage.input + usage.out,
            },
        });
        if self.request["stream"] == false {
            return (self.headers, Json(response)).into_response();
        }
        let completed = json!({ "type": "response.completed", "response": response });
        self.parts.push(Part::Event(completed));
        stream::response(self.headers, self.parts)
    }

    fn failing(mut self, fail: &Fail) -> Response {
        let fail = by_class(fail);
        let message = fail.message.clone().unwrap_or_else(|| "the script says so".to_owned());
        let code = fail.code.clone().unwrap_or_else(|| "scripted".to_owned());
        self.headers.extend(stream::headers(&fail.headers));
        if let Some(status) = fail.status {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            let error = json!({ "message": message, "type": code, "code": code });
            let body = fail.body.clone().unwrap_or_else(|| json!({ "error": error }));
            return (status, self.headers, Json(body)).into_response();
        }
        if let Some(events) = fail.drop {
            self.say("a message that is never finished", 100, 0.0);
            self.parts.truncate(events);
            self.parts.push(Part::Break);
            return stream::response(self.headers, self.parts);
        }
        let event = if fail.sse.as_deref() == Some("incomplete") {
            let response = json!({ "id": self.id, "incomplete_details": { "reason": code } });
            json!({ "type": "response.incomplete", "response": response })
        } else {
            let error = json!({ "code": code, "message": message });
            let response = json!({ "id": self.id, "status": "failed", "error": error });
            json!({ "type": "response.failed", "response": response })
        };
        self.parts.push(Part::Event(event));
        stream::response(self.headers, self.parts)
    }
}

/// What a provider answers when something of the class is wrong.
fn by_class(fail: &Fail) -> Fail {
    let mut fail = fail.clone();
    match fail.class.as_deref() {
        Some("transient") => fail.status = fail.status.or(Some(500)),
        Some("auth") => fail.status = fail.status.or(Some(401)),
        Some("context") => {
            fail.sse.get_or_insert_with(|| "failed".to_owned());
            fail.code.get_or_insert_with(|| "context_length_exceeded".to_owned());
        }
        Some("quota") => {
            let resets_at = now_secs() + fail.resets_in.unwrap_or(3600);
            fail.status = fail.status.or(Some(429));
            let error = json!({
                "type": "usage_limit_reached", "message": "The usage limit has been reached",
                "plan_type": "plus", "resets_at": resets_at,
            });
            fail.body.get_or_insert_with(|| json!({ "error": error }));
            for (name, value) in [
                ("x-codex-primary-used-percent", "100".to_owned()),
                ("x-codex-primary-window-minutes", "300".to_owned()),
                ("x-codex-primary-reset-at", resets_at.to_string()),
            ] {
                fail.headers.entry(name.to_owned()).or_insert(value);
            }
        }
        Some(_) => fail.status = fail.status.or(Some(400)),
        None => {}
    }
    fail
}

fn dispatch_command(path: &str, dispatch: &Dispatch) -> String {
    let mode = dispatch.mode.as_deref().unwrap_or("notify");
    let title = dispatch.title.as_ref().map_or(String::new(), |t| format!("title: {}\n", json!(t)));
    let text = format!("---\nmode: {mode}\n{title}---\n\n{}\n", dispatch.body);
    let (path, text) = (quoted(path), quoted(&text));
    format!("mkdir -p \"$(dirname {path})\" && printf '%s' {text} > {path}")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn pieces(text: &str, count: usize) -> Vec<&str> {
    let size = text.len().div_ceil(count.max(1)).max(1);
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(rest.ceil_char_boundary(size));
        pieces.push(piece);
        rest = left;
    }
    pieces
}

fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Ids are unique within the process, which is all an agent asks of them.
fn new_id(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    format!("{prefix}_{since:x}{:06x}", NEXT.fetch_add(1, Ordering::Relaxed))
}
