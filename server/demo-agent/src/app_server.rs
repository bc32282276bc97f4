//! The conversation with the client: requests in, answers out. Turns run in threads of their own,
//! so that the client is heard while one runs.

use std::{
    collections::HashMap,
    io::BufRead,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
};

use serde_json::{Value, json};

use crate::{
    threads::{self, Thread},
    turn::{self, Control, Order},
    wire::{Client, new_id, now_millis},
};

/// Serves one client until its pipe ends; commands that still run are ended then.
pub(crate) fn serve(stdin: impl BufRead, stdout: impl std::io::Write + Send + 'static) {
    let server = Arc::new(Server::new(Client::new(stdout)));
    for line in stdin.lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        match (message.get("method").and_then(Value::as_str), message.get("id")) {
            (Some(method), Some(id)) => {
                server.request(id, method, message.get("params").unwrap_or(&Value::Null));
            }
            (None, Some(id)) => server.answer(id, &message),
            (Some(_) | None, None) => {}
        }
    }
    server.end_commands(None);
}

/// What every part of the agent shares.
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) home: PathBuf,
    open: Mutex<HashMap<String, Arc<Open>>>,
    questions: Mutex<HashMap<u64, Sender<Value>>>,
    asked: Mutex<u64>,
    /// Commands that run, by the id of their process group, with their thread.
    commands: Mutex<HashMap<u32, String>>,
}

/// A thread this process has open.
pub(crate) struct Open {
    pub(crate) thread: Mutex<Thread>,
    /// What it may do without asking: Codex's word.
    approval_policy: Mutex<String>,
    /// The turn under way.
    active: Mutex<Option<(String, Arc<Control>)>>,
}

impl Server {
    fn new(client: Client) -> Self {
        Self {
            client,
            home: threads::home(),
            open: Mutex::default(),
            questions: Mutex::default(),
            asked: Mutex::default(),
            commands: Mutex::default(),
        }
    }

    /// Asks the client; the answer comes through the channel.
    pub(crate) fn ask(&self, method: &str, params: Value) -> (u64, Receiver<Value>) {
        let (sender, receiver) = mpsc::channel();
        let mut asked = lock(&self.asked);
        let id = *asked;
        *asked += 1;
        lock(&self.questions).insert(id, sender);
        self.client.ask(id, method, params);
        (id, receiver)
    }

    /// The question is void.
    pub(crate) fn forget(&self, id: u64) {
        lock(&self.questions).remove(&id);
    }

    pub(crate) fn command_runs(&self, group: u32, thread: &str) {
        lock(&self.commands).insert(group, thread.to_owned());
    }

    pub(crate) fn command_ended(&self, group: u32) {
        lock(&self.commands).remove(&group);
    }

    pub(crate) fn turn_ended(&self, thread: &str) {
        if let Some(open) = self.opened(thread) {
            *lock(&open.active) = None;
        }
    }

    fn end_commands(&self, of_thread: Option<&str>) {
        lock(&self.commands).retain(|group, thread| {
            let meant = of_thread.is_none_or(|id| id == thread);
            if meant {
                turn::end_group(*group);
            }
            !meant
        });
    }

    fn opened(&self, thread: &str) -> Option<Arc<Open>> {
        lock(&self.open).get(thread).cloned()
    }

    fn answer(&self, id: &Value, message: &Value) {
        let sender = id.as_u64().and_then(|id| lock(&self.questions).remove(&id));
        if let Some(sender) = sender {
            let _ = sender.send(message.get("result").cloned().unwrap_or(Value::Null));
        }
    }

    fn request(self: &Arc<Self>, id: &Value, method: &str, params: &Value) {
        let text = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
        let answer = match method {
            "initialize" => Ok(json!({
                "userAgent": format!("{}/0.169.0 (car demo agent)", params
                    .pointer("/clientInfo/name").and_then(Value::as_str).unwrap_or("client")),
                "codexHome": self.home, "platformFamily": "unix", "platformOs": std::env::consts::OS,
            })),
            "account/read" => Ok(json!({ "account": null, "requiresOpenaiAuth": false })),
            "account/rateLimits/read" => Ok(json!({ "rateLimits": rate_limits(None) })),
            "model/list" => Ok(json!({ "data": [model()], "nextCursor": null })),
            "thread/start" => Ok(self.thread_start(params)),
            "thread/resume" => self.thread_resume(params),
            "thread/fork" => self.thread_fork(params),
            "thread/compact/start" => return self.compact(id, text("threadId")),
            "thread/read" => self.thread_read(text("threadId")),
            "thread/turns/list" => self.turns(text("threadId")),
            "thread/list" => Ok(self.list()),
            "thread/loaded/list" => {
                Ok(json!({ "data": lock(&self.open).keys().collect::<Vec<_>>() }))
            }
            "thread/name/set" | "thread/archive" | "thread/unarchive" | "thread/unsubscribe" => {
                Ok(json!({}))
            }
            "thread/backgroundTerminals/clean" => {
                self.end_commands(Some(text("threadId")));
                Ok(json!({}))
            }
            "turn/start" | "review/start" => return self.turn_start(id, params),
            "turn/interrupt" => self.turn_interrupt(text("threadId"), text("turnId")),
            other => Err(format!("Invalid request: unknown variant `{other}`")),
        };
        match answer {
            Ok(result) => self.client.result(id, result),
            Err(message) => self.client.error(id, &message),
        }
        if method == "initialize" {
            let status = json!({ "status": "disabled", "serverName": "demo" });
            self.client.notify("remoteControl/status/changed", status);
        }
    }

    fn thread_start(&self, params: &Value) -> Value {
        let cwd = params.get("cwd").and_then(Value::as_str).map(PathBuf::from);
        let thread =
            Thread::start(cwd.or_else(|| std::env::current_dir().ok()).unwrap_or_default());
        let answer = self.enter(thread, params);
        self.client.notify("thread/started", json!({ "thread": answer["thread"] }));
        answer
    }

    fn thread_resume(&self, params: &Value) -> Result<Value, String> {
        let id = params.get("threadId").and_then(Value::as_str).unwrap_or_default();
        if let Some(open) = self.opened(id) {
            return Ok(described(&lock(&open.thread)));
        }
        let mut thread = Thread::resume(&self.home, id)?;
        if let Some(cwd) = params.get("cwd").and_then(Value::as_str) {
            thread.cwd = PathBuf::from(cwd);
        }
        Ok(self.enter(thread, params))
    }

    fn thread_fork(&self, params: &Value) -> Result<Value, String> {
        let id = params.get("threadId").and_then(Value::as_str).unwrap_or_default();
        let mut thread = Thread::fork(&self.home, id)?;
        if let Some(cwd) = params.get("cwd").and_then(Value::as_str) {
            thread.cwd = PathBuf::from(cwd);
        }
        Ok(self.enter(thread, params))
    }

    /// There is nothing to be made shorter; the client sees what it sees of Codex.
    fn compact(&self, id: &Value, thread: &str) {
        let Some(open) = self.opened(thread) else {
            return self.client.error(id, &format!("thread not found: {thread}"));
        };
        if lock(&open.active).is_some() {
            return self.client.error(id, "a turn is under way");
        }
        self.client.result(id, json!({}));
        let turn = new_id();
        let of_turn =
            |status: &str| json!({ "threadId": thread, "turn": turn_view(&turn, status, None) });
        self.client.notify("turn/started", of_turn("inProgress"));
        let item = json!({ "type": "contextCompaction", "id": new_id() });
        for method in ["item/started", "item/completed"] {
            let params = json!({ "item": item, "threadId": thread, "turnId": turn });
            self.client.notify(method, params);
        }
        self.client.notify("turn/completed", of_turn("completed"));
    }

    fn enter(&self, thread: Thread, params: &Value) -> Value {
        let answer = described(&thread);
        let policy = params.get("approvalPolicy").and_then(Value::as_str).unwrap_or("never");
        let id = thread.id.clone();
        let open = Open {
            thread: Mutex::new(thread),
            approval_policy: Mutex::new(policy.to_owned()),
            active: Mutex::default(),
        };
        lock(&self.open).insert(id, Arc::new(open));
        answer
    }

    fn thread_read(&self, id: &str) -> Result<Value, String> {
        match self.opened(id) {
            Some(open) => Ok(described(&lock(&open.thread))),
            None => Ok(described(&Thread::resume(&self.home, id)?)),
        }
    }

    fn turns(&self, id: &str) -> Result<Value, String> {
        let thread = self.thread_read(id)?;
        let mut turns = thread["thread"]["turns"].as_array().cloned().unwrap_or_default();
        turns.reverse();
        Ok(json!({ "data": turns, "nextCursor": null }))
    }

    fn list(&self) -> Value {
        let threads: Vec<Value> = threads::kept(&self.home)
            .into_iter()
            .map(|id| json!({ "id": id, "status": { "type": "notLoaded" } }))
            .collect();
        json!({ "data": threads, "nextCursor": null })
    }

    fn turn_start(self: &Arc<Self>, id: &Value, params: &Value) {
        let thread = params.get("threadId").and_then(Value::as_str).unwrap_or_default();
        let Some(open) = self.opened(thread) else {
            return self.client.error(id, &format!("thread not found: {thread}"));
        };
        let mut active = lock(&open.active);
        // Like Codex: a prompt for a busy thread is taken as a word in its turn.
        if let Some((turn, _)) = active.as_ref() {
            return self.client.result(id, json!({ "turn": turn_view(turn, "inProgress", None) }));
        }
        if let Some(policy) = params.get("approvalPolicy").and_then(Value::as_str) {
            policy.clone_into(&mut lock(&open.approval_policy));
        }
        if let Some(cwd) = params.get("cwd").and_then(Value::as_str) {
            lock(&open.thread).cwd = PathBuf::from(cwd);
        }
        let turn = new_id();
        let control = Arc::new(Control::default());
        *active = Some((turn.clone(), control.clone()));
        drop(active);
        let asks = *lock(&open.approval_policy) == "untrusted";
        let order = Order {
            server: self.clone(),
            thread: thread.to_owned(),
            asks,
            open,
            turn: turn.clone(),
            client_id: params.get("clientUserMessageId").cloned().unwrap_or(Value::Null),
            input: params.get("input").cloned().unwrap_or(Value::Null),
            control,
        };
        self.client.result(id, json!({ "turn": turn_view(&turn, "inProgress", None) }));
        std::thread::spawn(move || turn::run(order));
    }

    fn turn_interrupt(&self, thread: &str, turn: &str) -> Result<Value, String> {
        let open = self.opened(thread).ok_or_else(|| format!("thread not found: {thread}"))?;
        let active = lock(&open.active);
        let control = active.as_ref().filter(|(id, control)| id == turn && control.started());
        let (_, control) = control.ok_or("no active turn to interrupt")?;
        control.interrupt();
        Ok(json!({}))
    }
}

/// The quota as reported: nothing known, or used up until `resets_at` (seconds since the epoch).
pub(crate) fn rate_limits(resets_at: Option<u64>) -> Value {
    let primary = resets_at
        .map(|at| json!({ "usedPercent": 100, "windowDurationMins": 300, "resetsAt": at }));
    json!({ "limitId": "codex", "limitName": null, "primary": primary, "secondary": null })
}

/// A turn as answers and notifications show it.
pub(crate) fn turn_view(id: &str, status: &str, error: Option<Value>) -> Value {
    json!({ "id": id, "items": [], "itemsView": "notLoaded", "status": status, "error": error })
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn described(thread: &Thread) -> Value {
    let turns: Vec<Value> = thread
        .past
        .iter()
        .map(|turn| {
            let mut view = turn_view(&turn.id, &turn.status, None);
            if let Some(text) = &turn.message {
                view["items"] = json!([{ "type": "agentMessage", "id": turn.id, "text": text }]);
            }
            view
        })
        .collect();
    json!({
        "thread": {
            "id": thread.id, "sessionId": thread.id, "cwd": thread.cwd, "preview": "",
            "modelProvider": "demo", "model": "demo", "createdAt": now_millis() / 1000,
            "status": { "type": "idle" }, "cliVersion": "0.169.0", "source": "vscode",
            "turns": turns,
        },
        "model": "demo", "modelProvider": "demo", "cwd": thread.cwd, "approvalPolicy": "never",
        "sandbox": { "type": "dangerFullAccess" }, "reasoningEffort": null,
    })
}

fn model() -> Value {
    let efforts: Vec<Value> = ["low", "medium", "high"]
        .iter()
        .map(|effort| json!({ "reasoningEffort": effort, "description": "the same work" }))
        .collect();
    json!({
        "id": "demo", "model": "demo", "displayName": "Demo (no model)", "hidden": false,
        "description": "follows the script in the ticket", "isDefault": true,
        "supportedReasoningEfforts": efforts, "defaultReasoningEffort": "medium",
    })
}
