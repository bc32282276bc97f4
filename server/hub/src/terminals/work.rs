//! The task of one open terminal.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use car_api::{
    TerminalId,
    terminal::{Terminal, TerminalEnd},
};

use super::GRACE;
use crate::hub::Inner;

/// An open terminal, as the hub knows it.
pub(super) struct Open {
    pub(super) pty: car_pty::Terminal,
    /// How many look at it.
    viewers: Arc<AtomicU32>,
    /// Why it is ended, once somebody wishes that.
    why: Arc<Mutex<Option<TerminalEnd>>>,
}

/// One who looks; counted as long as it lives.
pub(super) struct Look {
    pub(super) pty: car_pty::Terminal,
    viewers: Arc<AtomicU32>,
}

impl Drop for Look {
    fn drop(&mut self) {
        self.viewers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Open {
    pub(super) fn viewers(&self) -> u32 {
        self.viewers.load(Ordering::Acquire)
    }

    pub(super) fn look(&self) -> Look {
        self.viewers.fetch_add(1, Ordering::AcqRel);
        Look { pty: self.pty.clone(), viewers: Arc::clone(&self.viewers) }
    }

    /// Has it end; the first reason stands.
    pub(super) fn end(&self, why: TerminalEnd) -> car_pty::Terminal {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.pty.end();
        self.pty.clone()
    }
}

/// Works a terminal until it ends.
pub(super) fn begin(
    hub: &Arc<Inner>,
    terminal: Terminal,
    pty: car_pty::Terminal,
    mut shell: car_pty::Shell,
) {
    let why = Arc::new(Mutex::new(None));
    let open = Open { pty: pty.clone(), viewers: Arc::default(), why: Arc::clone(&why) };
    hub.terminals.open().insert(terminal.id.clone(), open);
    let life = Duration::from_secs(hub.config.terminal.life_s);
    let all = Arc::clone(hub);
    hub.terminals.tasks.spawn(async move {
        let expiry = async {
            tokio::time::sleep(life).await;
            why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(TerminalEnd::Expired);
            pty.end();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = shell.work() => {}
            () = expiry => {}
        }
        sweep(&terminal.id).await;
        let exit = shell.exit().await;
        let wished = why.lock().unwrap_or_else(PoisonError::into_inner).take();
        let end = wished.unwrap_or(TerminalEnd::Exited);
        let code = exit.code.filter(|_| end == TerminalEnd::Exited);
        let state = *pty.state().borrow();
        let id = terminal.id.clone();
        let ended = Terminal {
            written: state.written,
            cols: state.size.cols,
            rows: state.size.rows,
            ..terminal
        };
        if let Err(error) = all.terminal_ended(ended, end, code).await {
            tracing::warn!(terminal = %id, %error, "the end of a terminal was not written");
        }
        all.terminals.open().remove(&id);
        pty.close();
    });
}

/// Ends whatever was started in a terminal and is still there.
pub(super) async fn sweep(id: &TerminalId) {
    let marker = id.as_str().to_owned();
    let swept = tokio::task::spawn_blocking(move || car_shim::sweep(&marker, GRACE)).await;
    if let Ok(count @ 1..) = swept {
        tracing::info!(terminal = %id, count, "ended what was left of a terminal");
    }
}
