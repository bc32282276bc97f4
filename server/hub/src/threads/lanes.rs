//! The tasks of threads that have something to do; the others cost nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use car_api::{
    ApprovalId, Code, ThreadId,
    item::{Approval, Decision},
    thread::{Message, ThreadUpdate},
};
use car_engine::lane::Input;
use car_store::Write;
use tokio::sync::{mpsc, oneshot};

use super::{actor, post::Draft};
use crate::{Error, Result, hub::Inner};

/// What the task of a thread can be told.
pub(crate) enum Told {
    /// A message came.
    Post(Box<Draft>, oneshot::Sender<Result<Posted>>),
    /// Something happened; who asks is told when it is committed with their act.
    Input(Input, Option<Write>, oneshot::Sender<Result<()>>),
    /// A question of the agent was answered.
    Decide(ApprovalId, Decision, Write, oneshot::Sender<Result<Approval>>),
    /// The thread's settings are changed.
    Change(Box<ThreadUpdate>, Write, oneshot::Sender<Result<()>>),
    /// Let go: the hub is closing.
    Close,
}

/// What became of a message that was posted.
#[derive(Debug)]
pub(crate) struct Posted {
    /// It.
    pub(crate) message: Message,
    /// Whether it was there before.
    pub(crate) again: bool,
}

/// The tasks of all threads at work.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<Tasks>);

#[derive(Default)]
struct Tasks {
    closed: bool,
    handles: HashMap<ThreadId, Handle>,
}

struct Handle {
    told: mpsc::UnboundedSender<Told>,
    task: tokio::task::JoinHandle<()>,
}

impl Lanes {
    fn lock(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands something to a thread's task, which is started when there is none. It is handed over
    /// under the lock: a task leaves under the same lock, and only when nothing was handed to it.
    fn hand(&self, hub: &Arc<Inner>, thread: &ThreadId, told: Option<Told>) -> Result<()> {
        let closing = || Error::new(Code::Unavailable, "The hub is shutting down; try again.");
        let mut tasks = self.lock();
        if tasks.closed {
            return Err(closing());
        }
        let handle = tasks.handles.entry(thread.clone()).or_insert_with(|| {
            // Whoever hands something over waits for what comes of it: callers bound it.
            let (told, inbox) = mpsc::unbounded_channel();
            let task = tokio::spawn(actor::run(Arc::clone(hub), thread.clone(), inbox));
            Handle { told, task }
        });
        match told {
            Some(told) => handle.told.send(told).map_err(|_| closing()),
            None => Ok(()),
        }
    }

    /// Has a thread taken up by a task, if it has none.
    pub(crate) fn wake(&self, hub: &Arc<Inner>, thread: &ThreadId) {
        if let Err(error) = self.hand(hub, thread, None) {
            tracing::info!(%thread, %error, "a thread is not taken up");
        }
    }

    /// Hands something over and waits for what comes of it.
    pub(crate) async fn ask<T>(
        &self,
        hub: &Arc<Inner>,
        thread: &ThreadId,
        told: impl FnOnce(oneshot::Sender<Result<T>>) -> Told,
    ) -> Result<T> {
        let (done, answer) = oneshot::channel();
        self.hand(hub, thread, Some(told(done)))?;
        let gone = |_| Error::new(Code::Unavailable, "The hub is shutting down; try again.");
        answer.await.map_err(gone)?
    }

    /// What held messages may be another thing now: those that are held are looked at again.
    pub(crate) fn look_again(&self) {
        for handle in self.lock().handles.values() {
            // One that is not held says so to nobody.
            let (done, _) = oneshot::channel();
            let _ = handle.told.send(Told::Input(Input::Released, None, done));
        }
    }

    /// Lets a thread's task leave, when nothing was handed to it meanwhile.
    pub(crate) fn leave(&self, thread: &ThreadId, inbox: &mpsc::UnboundedReceiver<Told>) -> bool {
        let mut tasks = self.lock();
        let may = inbox.is_empty();
        if may {
            tasks.handles.remove(thread);
        }
        may
    }

    /// Lets every task finish what it is writing. Agents live on.
    pub(crate) async fn close(&self) {
        let handles: Vec<Handle> = {
            let mut tasks = self.lock();
            tasks.closed = true;
            tasks.handles.drain().map(|(_, handle)| handle).collect()
        };
        for handle in &handles {
            let _ = handle.told.send(Told::Close);
        }
        for handle in handles {
            let _ = handle.task.await;
        }
    }
}
