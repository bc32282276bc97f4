//! One turn: what is announced around the steps, and how it ends.

use std::{
    fs::OpenOptions,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    app_server::{Open, Server, lock, rate_limits, turn_view},
    script::{self, Dispatch, Step},
    steps::Worker,
    threads::{self, PastTurn, Tokens},
    ticket::{self, Prompt},
    wire::{new_id, now_millis},
};

/// A turn to be done.
pub(crate) struct Order {
    pub(crate) server: Arc<Server>,
    pub(crate) open: Arc<Open>,
    pub(crate) thread: String,
    pub(crate) turn: String,
    /// The client's own id of the prompt, or null.
    pub(crate) client_id: Value,
    pub(crate) input: Value,
    /// Every command and edit needs permission.
    pub(crate) asks: bool,
    pub(crate) control: Arc<Control>,
}

/// How a turn ends before its steps do, or after them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Completed,
    Interrupted,
    Failed { info: Value, message: String },
}

/// The client's hold on a turn that runs.
#[derive(Default)]
pub(crate) struct Control {
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Control {
    pub(crate) fn started(&self) -> bool {
        lock(&self.state).0
    }

    pub(crate) fn interrupted(&self) -> bool {
        lock(&self.state).1
    }

    pub(crate) fn interrupt(&self) {
        lock(&self.state).1 = true;
        self.changed.notify_all();
    }

    fn start(&self) {
        lock(&self.state).0 = true;
    }

    /// Waits so long, or for ever, or until the interrupt; whether it was interrupted.
    pub(crate) fn wait(&self, time: Option<Duration>) -> bool {
        let end = time.map(|time| Instant::now() + time);
        let mut state = lock(&self.state);
        while !state.1 {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return false;
            }
            let day = Duration::from_secs(86_400);
            let waited = self.changed.wait_timeout(state, left.unwrap_or(day));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Does a turn from its announcement to its end.
pub(crate) fn run(order: Order) {
    let text = prompt_text(&order.input);
    let prompt = ticket::read(&text);
    let (cwd, total) = {
        let mut thread = lock(&order.open.thread);
        if let Err(error) = thread.begin(&order.server.home, &order.turn) {
            eprintln!("the thread cannot be kept: {error}");
        }
        (thread.cwd.clone(), thread.total)
    };
    log("START", &order, &prompt, "");
    announce(&order);

    let mut worker = Worker::new(&order, cwd.clone(), prompt.clone(), total);
    let end = match steps(&order, &text, &prompt, &cwd) {
        Ok(steps) => worker.carry_out(&steps),
        Err(message) => End::Failed { info: json!("other"), message },
    };
    let (message, total) = worker.finish(text.len());
    // Before the end is told: whoever hears of it may start the next turn at once.
    log("END", &order, &prompt, status(&end));
    conclude(&order, &end, message, total);
}

/// Ends every process of a group.
pub(crate) fn end_group(group: u32) {
    // The standard library cannot signal a group; the shell can.
    let kill = format!("kill -KILL -{group}");
    let _ = Command::new("/bin/sh")
        .args(["-c", &kill])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

fn prompt_text(input: &Value) -> String {
    let parts = input.as_array().into_iter().flatten();
    parts.filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
}

/// The steps of this attempt: those of the ticket's script, of the prompt's, or the default.
fn steps(
    order: &Order,
    text: &str,
    prompt: &Prompt,
    cwd: &std::path::Path,
) -> Result<Vec<Step>, String> {
    let path = prompt.ticket.as_ref().map(|ticket| ticket::within(cwd, ticket));
    let body = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    let script = body.as_deref().and_then(script::find).or_else(|| script::find_in_prompt(text));
    // What a prompt without a ticket asks for is counted by the thread's turns.
    let attempt = match &path {
        Some(path) => threads::attempt(&order.server.home, path).map_err(|e| e.to_string())?,
        None => u32::try_from(lock(&order.open.thread).past.len()).unwrap_or(u32::MAX),
    };
    match script {
        Some(script) => Ok(script::of_attempt(&script?, attempt)),
        None => Ok(default_steps(prompt, attempt)),
    }
}

fn default_steps(prompt: &Prompt, attempt: u32) -> Vec<Step> {
    let say = |text: String| Step { say: Some(text), ..Step::default() };
    let Some(ticket) = &prompt.ticket else {
        return vec![say(
            "I am the demo agent and have no model behind me. Give me a ticket with a \
                         script, @@FAKE[ … ]@@, and I follow it."
                .to_owned(),
        )];
    };
    let stem = ticket::stem(ticket);
    let commit = Step { commit: Some(format!("Work on {stem}")), ..Step::default() };
    if prompt.commit_only {
        return vec![say("I commit what is there.".to_owned()), commit];
    }
    let quoted = stem.replace('\'', "");
    vec![
        say(format!(
            "I am the demo agent and have no model behind me. {stem} has no script, so I add a \
             line to {stem}.txt, set the ticket to done and commit."
        )),
        Step {
            sh: Some(format!(
                "echo 'worked on by the demo agent, attempt {attempt}' >> '{quoted}.txt'"
            )),
            ..Step::default()
        },
        Step { done: true, ..Step::default() },
        commit,
    ]
}

fn announce(order: &Order) {
    let Order { server, thread, turn, .. } = order;
    let status = json!({ "threadId": thread, "status": { "type": "active", "activeFlags": [] } });
    server.client.notify("thread/status/changed", status);
    order.control.start();
    let view = turn_view(turn, "inProgress", None);
    server.client.notify("turn/started", json!({ "threadId": thread, "turn": view }));
    let message = json!({
        "type": "userMessage", "id": new_id(), "clientId": order.client_id, "content": order.input,
    });
    for method in ["item/started", "item/completed"] {
        let params = json!({ "item": message, "threadId": thread, "turnId": turn });
        server.client.notify(method, params);
    }
}

/// The end is kept before it is told: a client that heard of it finds it again.
fn conclude(order: &Order, end: &End, message: Option<(String, String)>, total: Tokens) {
    let Order { server, thread, turn, .. } = order;
    let past = PastTurn {
        id: turn.clone(),
        status: status(end).to_owned(),
        message: message.as_ref().map(|(_, text)| text.clone()),
    };
    if let Err(error) = lock(&order.open.thread).end(past, total) {
        eprintln!("the thread cannot be kept: {error}");
    }
    let mut idle = "idle";
    let mut view = turn_view(turn, status(end), None);
    match end {
        End::Completed => {
            let item =
                message.map(|(id, text)| json!({ "type": "agentMessage", "id": id, "text": text }));
            view["items"] = Value::Array(item.into_iter().collect());
            view["itemsView"] = json!("summary");
        }
        End::Interrupted => {}
        End::Failed { info, message } => {
            let error = json!({
                "message": message, "codexErrorInfo": info, "additionalDetails": null,
            });
            view["error"] = error.clone();
            idle = "systemError";
            let params = json!({
                "error": error, "willRetry": false, "threadId": thread, "turnId": turn,
            });
            server.client.notify("error", params);
        }
    }
    let status = json!({ "threadId": thread, "status": { "type": idle } });
    server.client.notify("thread/status/changed", status);
    server.turn_ended(thread);
    server.client.notify("turn/completed", json!({ "threadId": thread, "turn": view }));
}

fn status(end: &End) -> &'static str {
    match end {
        End::Completed => "completed",
        End::Interrupted => "interrupted",
        End::Failed { .. } => "failed",
    }
}

/// One line a start and an end, for checks that nothing ran twice or at once.
fn log(word: &str, order: &Order, prompt: &Prompt, status: &str) {
    let Some(path) = std::env::var_os("DEMO_AGENT_LOG").filter(|path| !path.is_empty()) else {
        return;
    };
    let ticket = prompt.ticket.as_deref().unwrap_or("-");
    let cwd = lock(&order.open.thread).cwd.clone();
    let ticket = ticket::within(&cwd, ticket);
    let turn = order.client_id.as_str().unwrap_or(&order.turn);
    let pid = std::process::id();
    let line = format!("{word} {} {turn} {pid} {} {status}", ticket.display(), now_millis());
    let file = OpenOptions::new().create(true).append(true).open(PathBuf::from(path));
    // One write of a short line to a file opened for appending is not torn.
    let _ = file.and_then(|mut file| file.write_all(format!("{}\n", line.trim_end()).as_bytes()));
}

/// What a failure of a class looks like in Codex's words, and the quota's reset, if it is one.
pub(crate) fn failure(fail: &script::Fail) -> (End, Option<Value>) {
    let (info, words, limits) = match fail.class.as_deref() {
        Some("transient") => (
            json!({ "responseStreamDisconnected": { "httpStatusCode": null } }),
            "stream disconnected before completion (demo)",
            None,
        ),
        Some("quota") => {
            let at = now_millis() / 1000 + fail.resets_in.unwrap_or(3600);
            let limits = json!({ "rateLimits": rate_limits(Some(at)) });
            (json!("usageLimitExceeded"), "You've hit your usage limit (demo).", Some(limits))
        }
        Some("auth") => (json!("unauthorized"), "not logged in (demo)", None),
        Some("context") => {
            (json!("contextWindowExceeded"), "ran out of room in the context window (demo)", None)
        }
        Some(_) | None => (json!("other"), "the script says so (demo)", None),
    };
    let message = fail.message.clone().unwrap_or_else(|| words.to_owned());
    (End::Failed { info, message }, limits)
}

/// The dispatch's place when the prompt names none.
pub(crate) fn dispatch_path(prompt: &Prompt) -> &str {
    prompt.dispatch.as_deref().unwrap_or(".codex-autorunner/DISPATCH.md")
}

/// A dispatch in one line, for people.
pub(crate) fn dispatch_line(dispatch: &Dispatch) -> String {
    dispatch.title.clone().unwrap_or_else(|| dispatch.body.lines().next().unwrap_or("").to_owned())
}
