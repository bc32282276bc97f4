//! Carrying out steps.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    script::Step,
    threads::Tokens,
    ticket::{self, Prompt},
    turn::{self, End, Order},
    wire::new_id,
};

/// Bytes of output one message carries.
const PIECE: usize = 8 * 1024;
/// Bytes of output a finished command repeats.
const OUTPUT_REPEATED: usize = 1024 * 1024;
/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Does the steps of one turn.
pub(crate) struct Worker<'a> {
    order: &'a Order,
    cwd: PathBuf,
    prompt: Prompt,
    total: Tokens,
    counted: bool,
    said: usize,
    /// The last message: its item's id and text.
    message: Option<(String, String)>,
}

/// An early end is an `Err`, so that `?` leaves the steps.
type Done = Result<(), End>;

impl<'a> Worker<'a> {
    pub(crate) fn new(order: &'a Order, cwd: PathBuf, prompt: Prompt, total: Tokens) -> Self {
        Self { order, cwd, prompt, total, counted: false, said: 0, message: None }
    }

    pub(crate) fn carry_out(&mut self, steps: &[Step]) -> End {
        let each = |step: &Step| (0..step.times.unwrap_or(1)).try_for_each(|_| self.step(step));
        match steps.iter().try_for_each(each) {
            Ok(()) => End::Completed,
            Err(end) => end,
        }
    }

    /// The last message and the tokens used, which are made up when the script tells none.
    pub(crate) fn finish(&mut self, prompt_bytes: usize) -> (Option<(String, String)>, Tokens) {
        if !self.counted {
            let tokens = |bytes: usize| u64::try_from(bytes / 4 + 1).unwrap_or(u64::MAX);
            let (input, out) = (tokens(prompt_bytes), tokens(self.said));
            self.count(Tokens { input, cached: 0, out, reasoning: 0 });
        }
        (self.message.take(), self.total)
    }

    fn step(&mut self, step: &Step) -> Done {
        self.pause(step.latency)?;
        self.heed()?;
        if let Some(text) = &step.reason {
            self.reason(text, step.gap)?;
        }
        if let Some(text) = &step.say {
            self.say(&text.repeat(step.repeat.unwrap_or(1)), step)?;
        }
        if let Some(plan) = &step.plan {
            self.plan(plan);
        }
        if let Some((path, content)) = &step.write {
            self.write(path, content, step.escalate)?;
        }
        if let Some(command) = &step.sh {
            self.shell(command, step.escalate)?;
        }
        if step.done {
            self.done()?;
        }
        if let Some(message) = &step.commit {
            self.shell(&commit_command(message), false)?;
        }
        if let Some(dispatch) = &step.dispatch {
            let path = ticket::within(&self.cwd, turn::dispatch_path(&self.prompt));
            let done = ticket::dispatch(&path, dispatch);
            self.edit(&path, &turn::dispatch_line(dispatch), "add", done)?;
        }
        if let Some(usage) = step.usage {
            let (input, cached) = (usage.input, usage.cached);
            self.count(Tokens { input, cached, out: usage.out, reasoning: usage.reasoning });
        }
        if let Some(bytes) = step.flood {
            self.flood(bytes);
        }
        if let Some(seconds) = step.detach {
            detach(seconds);
        }
        self.pause(step.stall)?;
        if let Some(fail) = &step.fail {
            let (end, limits) = turn::failure(fail);
            if let Some(limits) = limits {
                self.order.server.client.notify("account/rateLimits/updated", limits);
            }
            return Err(end);
        }
        if step.deaf {
            loop {
                std::thread::park();
            }
        }
        if step.hang {
            self.order.control.wait(None);
            return Err(End::Interrupted);
        }
        if let Some(code) = step.crash {
            std::process::exit(code);
        }
        Ok(())
    }

    fn reason(&mut self, text: &str, gap: f64) -> Done {
        let id = new_id();
        self.item("item/started", json!({ "type": "reasoning", "id": id, "summary": [] }));
        let part = json!({ "itemId": id, "summaryIndex": 0 });
        self.tell("item/reasoning/summaryPartAdded", part);
        for piece in pieces(text, 4) {
            let params = json!({ "itemId": id, "delta": piece, "summaryIndex": 0 });
            self.tell("item/reasoning/summaryTextDelta", params);
            self.pause(gap)?;
        }
        self.item("item/completed", json!({ "type": "reasoning", "id": id, "summary": [text] }));
        Ok(())
    }

    fn say(&mut self, text: &str, step: &Step) -> Done {
        let id = new_id();
        self.item("item/started", json!({ "type": "agentMessage", "id": id, "text": "" }));
        for piece in pieces(text, step.chunks.unwrap_or(4)) {
            self.tell("item/agentMessage/delta", json!({ "itemId": id, "delta": piece }));
            self.pause(step.gap)?;
        }
        self.item("item/completed", json!({ "type": "agentMessage", "id": id, "text": text }));
        self.said += text.len();
        self.message = Some((id, text.to_owned()));
        Ok(())
    }

    fn plan(&self, plan: &[(String, String)]) {
        let steps: Vec<Value> = plan
            .iter()
            .map(|(step, status)| {
                let status = if status == "in_progress" { "inProgress" } else { status };
                json!({ "step": step, "status": status })
            })
            .collect();
        self.tell("turn/plan/updated", json!({ "explanation": null, "plan": steps }));
    }

    fn write(&mut self, path: &str, content: &str, escalate: bool) -> Done {
        let path = ticket::within(&self.cwd, path);
        let kind = if path.exists() { "update" } else { "add" };
        let (id, mut item) = file_change(&path, content, kind, "inProgress");
        self.item("item/started", item.clone());
        let params = json!({ "itemId": id, "reason": null, "grantRoot": null });
        let may = self.permission(escalate, "item/fileChange/requestApproval", params);
        let status = match may {
            Permission::Granted => {
                let dir = path.parent().map_or(Ok(()), std::fs::create_dir_all);
                match dir.and_then(|()| std::fs::write(&path, content)) {
                    Ok(()) => "completed",
                    Err(_) => "failed",
                }
            }
            Permission::Declined | Permission::Cancelled => "declined",
            Permission::Failed => "failed",
        };
        item["status"] = json!(status);
        self.item("item/completed", item);
        may.end()
    }

    fn done(&mut self) -> Done {
        let Some(ticket) = self.prompt.ticket.clone() else { return Ok(()) };
        let path = ticket::within(&self.cwd, &ticket);
        let done = ticket::set_done(&path);
        self.edit(&path, "done: true", "update", done)
    }

    /// Tells of an edit that was made.
    fn edit(
        &mut self,
        path: &std::path::Path,
        diff: &str,
        kind: &str,
        done: Result<(), String>,
    ) -> Done {
        let status = if done.is_ok() { "completed" } else { "failed" };
        let (_, item) = file_change(path, diff, kind, status);
        self.item(
            "item/started",
            json!({ "type": "fileChange", "id": item["id"],
            "changes": item["changes"], "status": "inProgress" }),
        );
        self.item("item/completed", item);
        done.map_err(|message| End::Failed { info: json!("other"), message })
    }

    fn shell(&mut self, command: &str, escalate: bool) -> Done {
        let id = new_id();
        let mut item = json!({
            "type": "commandExecution", "id": id, "command": command, "cwd": self.cwd,
            "processId": null, "source": "agent", "status": "inProgress",
            "aggregatedOutput": null, "exitCode": null, "durationMs": null,
        });
        self.item("item/started", item.clone());
        let params = json!({ "itemId": id, "command": command, "cwd": self.cwd, "reason": null });
        let may = self.permission(escalate, "item/commandExecution/requestApproval", params);
        match may {
            Permission::Granted => {}
            Permission::Declined | Permission::Cancelled | Permission::Failed => {
                let failed = may == Permission::Failed;
                item["status"] = json!(if failed { "failed" } else { "declined" });
                self.item("item/completed", item);
                return may.end();
            }
        }
        let begin = Instant::now();
        let (output, code) = self.run(command, &id)?;
        item["status"] = json!(if code == Some(0) { "completed" } else { "failed" });
        item["exitCode"] = json!(code);
        item["durationMs"] = json!(u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX));
        item["aggregatedOutput"] = json!(last(&output, OUTPUT_REPEATED));
        self.item("item/completed", item);
        Ok(())
    }

    /// Runs a command to its end. An interrupt leaves it running, like Codex does, until its
    /// thread is cleaned or the client goes.
    fn run(&self, command: &str, item: &str) -> Result<(String, Option<i32>), End> {
        let failed =
            |e: std::io::Error| End::Failed { info: json!("other"), message: e.to_string() };
        let (mut reader, writer) = std::io::pipe().map_err(failed)?;
        let mut child = Command::new("/bin/sh")
            .args(["-c", command])
            .current_dir(&self.cwd)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().map_err(failed)?)
            .stderr(writer)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let group = child.id();
        self.order.server.command_runs(group, &self.order.thread);
        let (sender, pieces) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0_u8; PIECE];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                let piece = buffer.get(..read).unwrap_or_default();
                if sender.send(String::from_utf8_lossy(piece).into_owned()).is_err() {
                    break;
                }
            }
        });
        let mut output = String::new();
        let mut code = None;
        loop {
            match pieces.recv_timeout(LOOK) {
                Ok(piece) => {
                    let params = json!({ "itemId": item, "delta": piece });
                    self.tell("item/commandExecution/outputDelta", params);
                    output.push_str(&piece);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    code = code.or(child.wait().ok());
                    break;
                }
                // What a command leaves running in the background may hold the pipe open.
                Err(RecvTimeoutError::Timeout) if code.is_some() => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.heed()?;
            code = child.try_wait().map_err(failed)?;
        }
        self.order.server.command_ended(group);
        Ok((output, code.and_then(|status| status.code())))
    }

    fn permission(&self, escalate: bool, method: &str, mut params: Value) -> Permission {
        if !escalate && !self.order.asks {
            return Permission::Granted;
        }
        params["threadId"] = json!(self.order.thread);
        params["turnId"] = json!(self.order.turn);
        let (id, answers) = self.order.server.ask(method, params);
        let answer = loop {
            match answers.recv_timeout(LOOK) {
                Ok(answer) => break Some(answer),
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) if self.order.control.interrupted() => break None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        self.order.server.forget(id);
        let resolved = json!({ "threadId": self.order.thread, "requestId": id });
        self.order.server.client.notify("serverRequest/resolved", resolved);
        let word = answer.as_ref().map(|answer| answer.get("decision").and_then(Value::as_str));
        match word {
            Some(Some("accept" | "acceptForSession")) => Permission::Granted,
            Some(Some("decline")) => Permission::Declined,
            Some(Some("cancel")) | None => Permission::Cancelled,
            Some(_) => Permission::Failed,
        }
    }

    fn flood(&mut self, bytes: usize) {
        let id = new_id();
        let mut item = json!({
            "type": "commandExecution", "id": id, "command": format!("flood {bytes}"),
            "cwd": self.cwd, "status": "inProgress",
        });
        self.item("item/started", item.clone());
        let line = "The quick brown fox jumps over the lazy dog, again and again and again.\n";
        let text = line.repeat(bytes / line.len() + 1);
        let text = text.get(..bytes).unwrap_or(&text);
        for piece in pieces(text, bytes / PIECE + 1) {
            self.tell("item/commandExecution/outputDelta", json!({ "itemId": id, "delta": piece }));
        }
        item["status"] = json!("completed");
        item["exitCode"] = json!(0);
        item["aggregatedOutput"] = json!(last(text, OUTPUT_REPEATED));
        self.item("item/completed", item);
    }

    fn count(&mut self, used: Tokens) {
        self.counted = true;
        self.total.input += used.input;
        self.total.cached += used.cached;
        self.total.out += used.out;
        self.total.reasoning += used.reasoning;
        let view = |t: &Tokens| {
            json!({
                "totalTokens": t.input + t.out, "inputTokens": t.input, "outputTokens": t.out,
                "cachedInputTokens": t.cached, "reasoningOutputTokens": t.reasoning,
            })
        };
        let usage = json!({
            "total": view(&self.total), "last": view(&used), "modelContextWindow": 258_400,
        });
        self.tell("thread/tokenUsage/updated", json!({ "tokenUsage": usage }));
    }

    fn item(&self, method: &str, item: Value) {
        self.tell(method, json!({ "item": item }));
    }

    /// Tells something of this turn.
    fn tell(&self, method: &str, mut params: Value) {
        params["threadId"] = json!(self.order.thread);
        params["turnId"] = json!(self.order.turn);
        self.order.server.client.notify(method, params);
    }

    fn pause(&self, seconds: f64) -> Done {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        if !time.is_zero() && self.order.control.wait(Some(time)) {
            return Err(End::Interrupted);
        }
        Ok(())
    }

    fn heed(&self) -> Done {
        if self.order.control.interrupted() { Err(End::Interrupted) } else { Ok(()) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permission {
    Granted,
    Declined,
    Cancelled,
    Failed,
}

impl Permission {
    /// Only "no, and end the turn" ends the turn.
    fn end(self) -> Done {
        match self {
            Self::Granted | Self::Declined | Self::Failed => Ok(()),
            Self::Cancelled => Err(End::Interrupted),
        }
    }
}

/// Commits everything; with a name of its own only where git knows none.
fn commit_command(message: &str) -> String {
    let quoted = message.replace('\'', "'\\''");
    format!(
        "git add -A && {{ git config user.email >/dev/null || \
         set -- -c user.name='Demo agent' -c user.email=demo@localhost; \
         git \"$@\" commit -q -m '{quoted}'; }}"
    )
}

/// Leaves a process behind that no process group or session of ours reaches.
fn detach(seconds: f64) {
    let _ = Command::new("setsid")
        .args(["sleep", &seconds.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}

fn file_change(path: &std::path::Path, diff: &str, kind: &str, status: &str) -> (String, Value) {
    let id = new_id();
    let change = json!({ "path": path, "kind": { "type": kind }, "diff": diff });
    let item = json!({ "type": "fileChange", "id": id, "changes": [change], "status": status });
    (id, item)
}

/// The text in at most `count` pieces of about the same size.
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

fn last(text: &str, bytes: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(bytes))..).unwrap_or(text)
}
