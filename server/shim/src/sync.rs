//! Brings written output to the disk in batches, beside the loop that reads the agent.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// Output is synced at most this often.
const INTERVAL: Duration = Duration::from_millis(50);

/// A thread that syncs one file at a time and sleeps when there is nothing to sync.
pub(crate) struct Syncer {
    files: SyncSender<Arc<File>>,
    failure: Arc<OnceLock<io::Error>>,
}

impl Syncer {
    pub(crate) fn start() -> io::Result<Self> {
        let (files, receiver) = sync_channel(1);
        let failure = Arc::new(OnceLock::new());
        let failed = Arc::clone(&failure);
        thread::Builder::new().name("sync".into()).spawn(move || run(&receiver, &failed))?;
        Ok(Self { files, failure })
    }

    /// Has the file synced within the interval. When a request is waiting already it covers this
    /// one too, because the sync comes after it; a change of files is synced by who changes them.
    pub(crate) fn mark(&self, file: &Arc<File>) {
        let _ = self.files.try_send(Arc::clone(file));
    }

    /// Why a sync failed. It is not tried again: the kernel may have dropped the pages.
    pub(crate) fn failed(&self) -> Option<io::Error> {
        self.failure.get().map(|error| io::Error::new(error.kind(), error.to_string()))
    }
}

fn run(files: &Receiver<Arc<File>>, failure: &OnceLock<io::Error>) {
    for file in files {
        if let Err(error) = file.sync_data() {
            let _ = failure.set(error);
            return;
        }
        thread::sleep(INTERVAL);
    }
}
