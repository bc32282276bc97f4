//! One child process in its own process group, with a deadline and bounded output.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long a group may take to clean up (lock files, half-made directories) after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);
/// How long output may stay open after the process itself ended: a shared ssh connection left
/// running by the user's configuration keeps stderr open for hours.
const LINGER: Duration = Duration::from_secs(1);
/// How much of the end of stderr is kept.
const STDERR_KEPT: usize = 16 * 1024;

pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    pub(crate) stdout: usize,
    pub(crate) cancel: Option<CancellationToken>,
}

pub(crate) enum Ended {
    Exit { code: Option<i32>, stdout: Vec<u8>, truncated: bool, stderr: String },
    Timeout,
    Cancelled,
}

/// Runs `command` to its end. When the future is dropped, the deadline passes or the caller
/// cancels, the whole group gets SIGTERM and, after a grace period, SIGKILL. Output over the limit
/// also ends the group; what was read up to then is returned as truncated.
pub(crate) async fn run(
    mut command: Command,
    input: &[u8],
    limits: Limits,
    mut on_stderr: impl FnMut(&[u8]),
) -> std::io::Result<Ended> {
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut group = Group { child: Some(child) };

    let mut out = Vec::new();
    let mut err = Vec::new();
    let mut truncated = false;
    let work = async {
        let feed = async {
            if let Some(mut pipe) = stdin {
                // A closed pipe means git has decided without reading everything; its exit code
                // tells the rest.
                let _ = pipe.write_all(input).await;
            }
        };
        let read_out = read_limited(stdout, &mut out, limits.stdout);
        let read_err = read_tail(stderr, &mut err, &mut on_stderr);
        let pipes = async {
            let (over, (), ()) = tokio::join!(read_out, read_err, feed);
            over
        };
        tokio::pin!(pipes);
        let mut over = None;
        let status = tokio::select! {
            done = &mut pipes => { over = Some(done); None }
            status = group.wait() => Some(status),
        };
        match (status, over) {
            (Some(status), _) => {
                truncated = tokio::time::timeout(LINGER, &mut pipes).await.unwrap_or(false);
                Ok::<_, std::io::Error>(Some(status?))
            }
            (None, Some(true)) => {
                truncated = true;
                Ok(None)
            }
            (None, _) => Ok(Some(group.wait().await?)),
        }
    };
    let cancelled = async {
        match &limits.cancel {
            Some(token) => token.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        biased;
        () = cancelled => return { group.stop().await; Ok(Ended::Cancelled) },
        done = tokio::time::timeout(limits.timeout, work) => done,
    };
    let status = match ended {
        Ok(status) => status?,
        Err(_) => {
            group.stop().await;
            return Ok(Ended::Timeout);
        }
    };
    let code = match status {
        // Ended by its closed stdout, as it should.
        Some(_) if truncated => Some(0),
        Some(status) => status.code(),
        None => {
            group.stop().await;
            Some(0)
        }
    };
    group.child = None;
    let stderr = String::from_utf8_lossy(&err).trim().to_owned();
    Ok(Ended::Exit { code, stdout: out, truncated, stderr })
}

/// Owns a child until it is known to have ended; dropping it ends the child's whole group.
struct Group {
    child: Option<Child>,
}

impl Group {
    async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
        match &mut self.child {
            Some(child) => child.wait().await,
            None => Err(std::io::Error::other("the process was already awaited")),
        }
    }

    async fn stop(&mut self) {
        if let Some(child) = self.child.take() {
            end(child).await;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(child) = self.child.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                signal(&child, Signal::TERM);
                runtime.spawn(end(child));
            }
            Err(_) => signal(&child, Signal::KILL),
        }
    }
}

async fn end(mut child: Child) {
    let group = pid(&child);
    signal(&child, Signal::TERM);
    let _ = tokio::time::timeout(GRACE, child.wait()).await;
    // Also after the leader has gone: a helper that ignores SIGTERM must not outlive the call.
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait().await;
}

fn pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

fn signal(child: &Child, signal: Signal) {
    if let Some(group) = pid(child) {
        // ESRCH: the group has ended by itself.
        let _ = kill_process_group(group, signal);
    }
}

/// Reads to the end or to the limit; true when there was more.
async fn read_limited(
    from: Option<impl AsyncRead + Unpin>,
    into: &mut Vec<u8>,
    limit: usize,
) -> bool {
    let Some(mut from) = from else { return false };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(n) => {
                let room = limit.saturating_sub(into.len());
                into.extend_from_slice(buffer.get(..n.min(room)).unwrap_or_default());
                if n > room {
                    return true;
                }
            }
        }
    }
}

async fn read_tail(
    from: Option<impl AsyncRead + Unpin>,
    into: &mut Vec<u8>,
    seen: &mut impl FnMut(&[u8]),
) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 8 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer.get(..n).unwrap_or_default();
        seen(bytes);
        into.extend_from_slice(bytes);
        if into.len() > 2 * STDERR_KEPT {
            into.drain(..into.len() - STDERR_KEPT);
        }
    }
    if into.len() > STDERR_KEPT {
        into.drain(..into.len() - STDERR_KEPT);
    }
}
