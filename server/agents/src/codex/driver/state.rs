//! The state of a session, and what the hub's own lines and Codex's answers do to it.

use std::collections::{BTreeMap, BTreeSet};

use car_api::{
    Timestamp, TurnId,
    agent::Model,
    item::{FileChange, Usage},
    turn::{ErrorClass, TurnError},
};
use car_engine::agent::{AgentEvent, TurnOutcome};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codex::{
    errors::{self, Circumstances},
    limits::Limits,
    outgoing, proto,
    questions::Question,
};

/// Everything the journal has told so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Requests the hub has sent; the next one's number is one more.
    pub(super) requests: u64,
    pub(super) handshake: Handshake,
    /// Requests of the hub without an answer yet, by the JSON text of their id.
    pub(super) pending: BTreeMap<String, Call>,
    pub(super) account_asked: bool,
    pub(super) logged_out: bool,
    pub(super) models: Models,
    /// Threads this process has open.
    pub(super) threads: BTreeMap<String, Thread>,
    /// Threads this process could not find.
    pub(super) lost: BTreeSet<String>,
    /// Turns of the hub that have come to anything here.
    pub(super) turns: BTreeMap<TurnId, Phase>,
    /// Requests of Codex without an answer yet, by the JSON text of their id.
    pub(super) questions: BTreeMap<String, Question>,
    /// Edits under way, by item: a question about an edit names only the item.
    pub(super) edits: BTreeMap<String, Vec<FileChange>>,
    pub(super) limits: Limits,
}

/// How far the first words have come.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) enum Handshake {
    /// Nothing was said.
    #[default]
    Open,
    /// `initialize` was sent.
    Asked,
    /// It was answered.
    Answered,
    /// `initialized` was sent.
    Done,
}

/// A request of the hub that waits for its answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Call {
    Initialize,
    Account,
    Models,
    Open {
        turn: TurnId,
        resumed: Option<String>,
        /// Nothing else is wanted of the turn.
        #[serde(default)]
        only: bool,
    },
    Start {
        turn: TurnId,
    },
    Interrupt {
        turn: TurnId,
    },
    Other,
}

/// The list of models, read page by page.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) enum Models {
    #[default]
    Unasked,
    Asked {
        so_far: Vec<Model>,
    },
    /// There is another page.
    More {
        so_far: Vec<Model>,
        cursor: String,
    },
    Known,
}

/// A thread this process has open.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Thread {
    /// The turn that was sent to it and has not ended.
    pub(super) turn: Option<TurnId>,
    /// Commands of an interrupted turn may still run in it.
    pub(super) clean: bool,
    /// The model it was opened with.
    #[serde(default)]
    pub(super) model: Option<String>,
    /// Tokens used in it, as last told.
    #[serde(default)]
    pub(super) used: Option<Usage>,
}

/// How far a turn has come.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Its thread was asked for.
    Opening,
    /// Its thread is open; the prompt was not sent.
    Opened { thread: String },
    /// The prompt was sent.
    Sent { thread: String, agent_turn: Option<String> },
    /// Codex works on it.
    Running {
        thread: String,
        agent_turn: String,
        /// Interrupts sent.
        interrupts: u8,
        /// The last of them has not been refused.
        interrupting: bool,
        /// The last message that was finished.
        message: Option<String>,
    },
    /// It is over, or could not begin.
    Ended,
}

impl Models {
    /// The page to be asked for next: its cursor, or the first.
    pub(super) fn next_page(&self, wished: bool) -> Option<Option<&str>> {
        match self {
            Self::Unasked if wished => Some(None),
            Self::More { cursor, .. } => Some(Some(cursor)),
            Self::Unasked | Self::Asked { .. } | Self::Known => None,
        }
    }

    fn take(&mut self) -> Vec<Model> {
        match std::mem::take(self) {
            Self::Asked { so_far } | Self::More { so_far, .. } => so_far,
            Self::Unasked | Self::Known => Vec::new(),
        }
    }
}

impl State {
    /// Takes up a line the hub sent.
    pub(super) fn sent(&mut self, message: &proto::Message<'_>) -> Vec<AgentEvent> {
        match (message.id, message.method.as_deref()) {
            (Some(id), Some(method)) => {
                self.requests += 1;
                let call = self.call(id.get(), method, read(message.params));
                self.pending.insert(id.get().to_owned(), call);
                Vec::new()
            }
            (Some(id), None) => self.resolve(id.get()),
            (None, Some("initialized")) => {
                self.handshake = Handshake::Done;
                Vec::new()
            }
            (None, Some(_) | None) => Vec::new(),
        }
    }

    /// Takes up an answer of Codex to a request of the hub.
    pub(super) fn answered(
        &mut self,
        id: &str,
        result: Option<&RawValue>,
        error: Option<&proto::RpcError>,
    ) -> Vec<AgentEvent> {
        let Some(call) = self.pending.remove(id) else { return Vec::new() };
        let error = error.map(|e| e.message.as_str());
        match call {
            // An error can only be "already initialized": there is nothing else to say then.
            Call::Initialize => {
                self.handshake = Handshake::Answered;
                let agent: proto::Initialized = read(result);
                vec![AgentEvent::Ready { version: version(&agent.user_agent) }]
            }
            Call::Account if error.is_some() => Vec::new(),
            Call::Account => {
                let answer: proto::AccountRead = read(result);
                let login_required = answer.requires_openai_auth;
                let name = answer.account.map(account_name);
                self.logged_out = login_required && name.is_none();
                vec![AgentEvent::Account { name, login_required }]
            }
            Call::Models => self.models_page(read(result)),
            Call::Open { turn, resumed, only } => match error {
                None => self.opened(turn, resumed.is_some(), only, read(result)),
                Some(error) => self.not_opened(turn, resumed, error),
            },
            Call::Start { turn } => match error {
                None => self.accepted(&turn, read(result)),
                Some(error) => self.refused(turn, error),
            },
            Call::Interrupt { turn } => {
                if let (Some(_), Some(Phase::Running { interrupting, .. })) =
                    (error, self.turns.get_mut(&turn))
                {
                    *interrupting = false;
                }
                Vec::new()
            }
            Call::Other => Vec::new(),
        }
    }

    /// A question was answered, or its turn is over.
    pub(super) fn resolve(&mut self, key: &str) -> Vec<AgentEvent> {
        match self.questions.remove(key) {
            Some(question) if question.for_people() => {
                vec![AgentEvent::ApprovalResolved { key: key.to_owned() }]
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// The end of a turn, with everything that hung on it.
    pub(super) fn ended(&mut self, turn: TurnId, outcome: TurnOutcome) -> Vec<AgentEvent> {
        let mut void = Vec::new();
        match self.turns.insert(turn.clone(), Phase::Ended) {
            Some(Phase::Running { thread, agent_turn, interrupts, .. }) => {
                if let Some(thread) = self.threads.get_mut(&thread) {
                    thread.turn = None;
                    thread.clean = interrupts > 0;
                }
                void = self.questions_of(&agent_turn);
            }
            Some(Phase::Sent { thread, .. }) => {
                if let Some(thread) = self.threads.get_mut(&thread) {
                    thread.turn = None;
                }
            }
            Some(Phase::Ended) => return Vec::new(),
            Some(Phase::Opening | Phase::Opened { .. }) | None => {}
        }
        // Edits of an interrupted turn are never told to be complete.
        if self.threads.values().all(|thread| thread.turn.is_none()) {
            self.edits.clear();
        }
        let mut events: Vec<_> = void.iter().flat_map(|key| self.resolve(key)).collect();
        events.push(AgentEvent::TurnEnded { turn, outcome });
        events
    }

    /// The error in the hub's words.
    pub(super) fn classify(&self, error: &proto::TurnError, at: Option<Timestamp>) -> TurnError {
        let now = Circumstances { limits: &self.limits, logged_out: self.logged_out, at };
        errors::classify(error, &now)
    }

    /// What a request of the hub is for, and what is known now that it was sent.
    fn call(&mut self, id: &str, method: &str, params: proto::Sent) -> Call {
        let of_message = params.client_user_message_id.as_deref().and_then(|id| id.parse().ok());
        match (method, of_message.or_else(|| outgoing::turn_of(id))) {
            ("initialize", _) => {
                self.handshake = Handshake::Asked;
                Call::Initialize
            }
            ("account/read", _) => {
                self.account_asked = true;
                Call::Account
            }
            ("model/list", _) => {
                self.models = Models::Asked { so_far: self.models.take() };
                Call::Models
            }
            ("thread/start" | "thread/resume", Some(turn)) => {
                self.turns.insert(turn.clone(), Phase::Opening);
                let only = outgoing::only_opens(id);
                Call::Open { turn, resumed: params.thread_id, only }
            }
            // The thread that is copied is no thread of this session.
            ("thread/fork", Some(turn)) => {
                self.turns.insert(turn.clone(), Phase::Opening);
                Call::Open { turn, resumed: None, only: outgoing::only_opens(id) }
            }
            // A turn without a prompt.
            ("thread/compact/start", Some(turn)) => {
                let thread = params.thread_id.unwrap_or_default();
                self.threads.entry(thread.clone()).or_default().turn = Some(turn.clone());
                self.turns.insert(turn.clone(), Phase::Sent { thread, agent_turn: None });
                Call::Start { turn }
            }
            ("turn/start", Some(turn)) => {
                let thread = params.thread_id.unwrap_or_default();
                self.threads.entry(thread.clone()).or_default().turn = Some(turn.clone());
                self.turns.insert(turn.clone(), Phase::Sent { thread, agent_turn: None });
                Call::Start { turn }
            }
            ("turn/interrupt", Some(turn)) => {
                if let Some(Phase::Running { interrupts, interrupting, .. }) =
                    self.turns.get_mut(&turn)
                {
                    *interrupts = interrupts.saturating_add(1);
                    *interrupting = true;
                }
                Call::Interrupt { turn }
            }
            ("thread/backgroundTerminals/clean", _) => {
                let thread = params.thread_id.and_then(|id| self.threads.get_mut(&id));
                if let Some(thread) = thread {
                    thread.clean = false;
                }
                Call::Other
            }
            (_, _) => Call::Other,
        }
    }

    fn models_page(&mut self, page: proto::ModelList) -> Vec<AgentEvent> {
        let mut models = self.models.take();
        models.extend(page.data.into_iter().filter(|m| !m.hidden).map(model));
        match page.next_cursor {
            Some(cursor) => {
                self.models = Models::More { so_far: models, cursor };
                Vec::new()
            }
            None => {
                self.models = Models::Known;
                vec![AgentEvent::Models { models }]
            }
        }
    }

    fn opened(
        &mut self,
        turn: TurnId,
        resumed: bool,
        only: bool,
        answer: proto::ThreadOpened,
    ) -> Vec<AgentEvent> {
        let thread = answer.thread.id;
        self.lost.remove(&thread);
        self.threads.entry(thread.clone()).or_default().model =
            answer.model.filter(|model| !model.is_empty());
        self.turns.insert(turn.clone(), Phase::Opened { thread: thread.clone() });
        let mut events = vec![AgentEvent::ThreadOpened { thread, resumed }];
        if only {
            events.extend(self.ended(turn, TurnOutcome::Completed { message: None }));
        }
        events
    }

    fn not_opened(
        &mut self,
        turn: TurnId,
        resumed: Option<String>,
        error: &str,
    ) -> Vec<AgentEvent> {
        let gone = error.contains("no rollout found") || error.contains("thread not found");
        match resumed {
            Some(thread) if gone => {
                self.lost.insert(thread);
                // The same turn may be tried on a new thread.
                self.turns.remove(&turn);
                vec![AgentEvent::ThreadLost { detail: error.to_owned() }]
            }
            Some(_) | None => self.refused(turn, error),
        }
    }

    fn accepted(&mut self, turn: &TurnId, answer: proto::TurnNews) -> Vec<AgentEvent> {
        // A request that begins a turn without a prompt does not name it.
        if let Some(Phase::Sent { agent_turn, .. }) = self.turns.get_mut(turn)
            && !answer.turn.id.is_empty()
        {
            *agent_turn = Some(answer.turn.id);
        }
        Vec::new()
    }

    /// A request for the turn was refused, so it will not begin.
    fn refused(&mut self, turn: TurnId, error: &str) -> Vec<AgentEvent> {
        let wire = proto::TurnError { message: error.to_owned(), ..proto::TurnError::default() };
        let mut error = self.classify(&wire, None);
        // Another process has the thread open, or has only just begun to write it down.
        if error.message.contains("active writer") || error.message.contains("is empty") {
            error.class = ErrorClass::Transient;
        }
        self.ended(turn, TurnOutcome::Failed(error))
    }

    fn questions_of(&self, agent_turn: &str) -> Vec<String> {
        let of_turn = |q: &&Question| q.turn.as_deref() == Some(agent_turn);
        self.questions.iter().filter(|(_, q)| of_turn(q)).map(|(key, _)| key.clone()).collect()
    }
}

/// Reads what is expected, or nothing: a message of another shape must not end a session.
pub(super) fn read<T: Default + serde::de::DeserializeOwned>(raw: Option<&RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn version(user_agent: &str) -> Option<String> {
    let (_, rest) = user_agent.split_once('/')?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn account_name(account: proto::Account) -> String {
    let detail = account.email.or(account.plan_type);
    match detail {
        Some(detail) => format!("{}:{detail}", account.kind),
        None => account.kind,
    }
}

fn model(model: proto::Model) -> Model {
    let id = if model.model.is_empty() { model.id } else { model.model };
    Model {
        name: if model.display_name.is_empty() { id.clone() } else { model.display_name },
        id,
        efforts: model
            .supported_reasoning_efforts
            .into_iter()
            .map(|effort| effort.reasoning_effort)
            .collect(),
        default: model.is_default,
    }
}
