//! Runs at work: one task a run, a bounded number of them with an agent at once.

mod actor;
mod examine;
mod news;
mod prompt;
mod recover;
mod slots;
mod survey;
mod timers;
mod turn;
pub(crate) mod verify;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use car_api::{ApprovalId, Code, RepoId, RunId, item::Approval, item::Decision};
use car_engine::flow::Input;
use car_store::{RunRow, Write};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{Error, Result, hub::Inner};

pub(crate) use recover::recover;
pub(crate) use slots::Slots;

/// What the task of a run can be told.
pub(crate) enum Message {
    /// Something happened; who asks is told when it is committed, together with what is to be
    /// noted of it.
    Input(Input, Option<Asked<()>>),
    /// A question of the agent was answered.
    Decide(ApprovalId, Decision, Asked<Approval>),
    /// Let go: the hub is closing.
    Close,
}

/// Somebody who asked something of a run.
pub(crate) struct Asked<T> {
    /// What is committed with it: their act, for the audit chain.
    pub(crate) act: Option<Write>,
    /// Where they wait for the answer.
    pub(crate) done: oneshot::Sender<Result<T>>,
}

/// The tasks of all runs that have not ended.
#[derive(Default)]
pub(crate) struct Runs {
    handles: Mutex<HashMap<RunId, Handle>>,
    starts: Mutex<HashMap<RepoId, Arc<tokio::sync::Mutex<()>>>>,
    closed: AtomicBool,
}

struct Handle {
    repo: RepoId,
    messages: mpsc::Sender<Message>,
    /// Cancelled when the task is through: it holds nothing of the tree any more.
    left: CancellationToken,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Runs {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Handle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else is about to start a run of that repo. The database refuses a second
    /// run whatever happens here; this keeps one that is superseded from ending for a newer run
    /// that is then refused.
    pub(crate) async fn start_alone(&self, repo: &RepoId) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(starts.entry(repo.clone()).or_default())
        };
        lock.lock_owned().await
    }

    /// Starts the task of a run, unless the hub is closing: then the next hub does. `first` is what
    /// it is told first. A run that has ended ends its agent before this one has the tree.
    pub(crate) fn start(&self, hub: &Arc<Inner>, row: RunRow, first: Option<Input>) {
        let (messages, inbox) = mpsc::channel(64);
        let (id, repo) = (row.id.clone(), row.repo.clone());
        let mut handles = self.lock();
        if self.are_closed() {
            return;
        }
        let earlier = leaving(&handles, &repo);
        let (left, hub) = (CancellationToken::new(), Arc::clone(hub));
        let over = left.clone().drop_guard();
        let task = tokio::spawn(async move {
            let _over = over;
            for left in earlier {
                left.cancelled().await;
            }
            // The next hub begins it.
            if hub.runs.are_closed() {
                return;
            }
            actor::run(hub, row, inbox, first).await;
        });
        handles.insert(id, Handle { repo, messages, left, task: Some(task) });
    }

    /// Waits until the runs of a repo have left its tree. That is for whoever knows that they have
    /// ended: their agents still may be on their way out.
    pub(crate) async fn have_left(&self, repo: &RepoId) {
        let leaving = leaving(&self.lock(), repo);
        for left in leaving {
            left.cancelled().await;
        }
    }

    fn sender(&self, run: &RunId) -> Option<mpsc::Sender<Message>> {
        self.lock().get(run).map(|handle| handle.messages.clone())
    }

    /// Whether the hub is closing.
    pub(crate) fn are_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Why a run has no task.
    fn gone(&self) -> Error {
        if self.are_closed() {
            return Error::new(Code::Unavailable, "The hub is shutting down; try again.");
        }
        Error::new(Code::IllegalTransition, "The run has ended.")
    }

    /// Tells a run something, and waits until it is committed with the act it came by.
    pub(crate) async fn tell(&self, run: &RunId, input: Input, act: Option<Write>) -> Result<()> {
        let ended = || self.gone();
        let sender = self.sender(run).ok_or_else(ended)?;
        let (done, answer) = oneshot::channel();
        let asked = Asked { act, done };
        sender.send(Message::Input(input, Some(asked))).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Tells a run something without waiting.
    pub(crate) fn hint(&self, run: &RunId, input: Input) {
        if let Some(sender) = self.sender(run) {
            tokio::spawn(async move { sender.send(Message::Input(input, None)).await });
        }
    }

    /// Tells the run of a repo something without waiting. One that has ended makes nothing of it.
    pub(crate) fn hint_repo(&self, repo: &RepoId, input: &Input) {
        let of = |(_, handle): &(&RunId, &Handle)| handle.repo == *repo;
        let runs: Vec<RunId> = self.lock().iter().filter(of).map(|(run, _)| run.clone()).collect();
        for run in runs {
            self.hint(&run, input.clone());
        }
    }

    /// Answers a question of a run's agent.
    pub(crate) async fn decide(
        &self,
        run: &RunId,
        approval: &ApprovalId,
        decision: Decision,
        act: Write,
    ) -> Result<Approval> {
        let ended = || self.gone();
        let sender = self.sender(run).ok_or_else(ended)?;
        let (done, answer) = oneshot::channel();
        let message = Message::Decide(approval.clone(), decision, Asked { act: Some(act), done });
        sender.send(message).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    fn forget(&self, run: &RunId) {
        self.lock().remove(run);
    }

    /// Lets every task finish what it is writing. Agents live on.
    pub(crate) async fn close(&self) {
        let handles: Vec<Handle> = {
            let mut handles = self.lock();
            self.closed.store(true, Ordering::Release);
            handles.drain().map(|(_, handle)| handle).collect()
        };
        for handle in &handles {
            let _ = handle.messages.send(Message::Close).await;
        }
        for mut handle in handles {
            if let Some(task) = handle.task.take() {
                let _ = task.await;
            }
        }
    }
}

/// What tells when the tasks of a repo's runs are through.
fn leaving(handles: &HashMap<RunId, Handle>, repo: &RepoId) -> Vec<CancellationToken> {
    let of = handles.values().filter(|handle| handle.repo == *repo);
    of.map(|handle| handle.left.clone()).collect()
}
