//! A task that sends messages one by one, and can be asked to end.

use std::{future::Future, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long an attempt that is under way has to end, and to be noted.
const GRACE: Duration = Duration::from_secs(2);

/// What sends, at work.
pub(crate) struct Sender {
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl Sender {
    /// Begins work that ends by itself, between two attempts, once its token is cancelled.
    pub(crate) fn start<W>(work: impl FnOnce(CancellationToken) -> W) -> Self
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let ending = CancellationToken::new();
        let task = tokio::spawn(work(ending.clone()));
        Self { ending, task }
    }

    /// Ends the work and waits until it has. An attempt that takes too long is cut off: nobody knows
    /// whether it has arrived, and it is made once more later.
    pub(crate) async fn stop(mut self) {
        self.ending.cancel();
        if tokio::time::timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
            let _ = self.task.await;
        }
    }
}
