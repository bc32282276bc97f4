//! Shell commands of verification and set-up: bounded in time and output, ended as a group.

use std::{ffi::OsString, path::Path, process::Stdio, time::Duration};

use tokio::io::AsyncReadExt;

/// How long output is read that a command left behind.
const DRAIN: Duration = Duration::from_millis(200);

/// One shell command.
pub(crate) struct Shell<'a> {
    pub(crate) script: &'a str,
    pub(crate) dir: &'a Path,
    pub(crate) environment: &'a [(OsString, OsString)],
    pub(crate) timeout: Duration,
    /// How much of the output is kept, from its end, in bytes.
    pub(crate) max_tail: usize,
}

/// How it went.
pub(crate) struct Done {
    pub(crate) exit_code: Option<i32>,
    pub(crate) timed_out: bool,
    pub(crate) tail: String,
}

/// Ends whatever carries the marker when the command is given up half-way.
struct Sweeper<'a> {
    marker: &'a str,
    armed: bool,
}

impl Drop for Sweeper<'_> {
    fn drop(&mut self) {
        if self.armed {
            let marker = self.marker.to_owned();
            std::thread::spawn(move || car_shim::sweep(&marker, Duration::from_secs(2)));
        }
    }
}

/// Runs a command by `/bin/sh -c`. The environment must carry `marker` under
/// [`car_shim::MARKER`], so that everything it starts can be found and ended.
pub(crate) async fn run(
    shell: &Shell<'_>,
    marker: &str,
    mut show: impl FnMut(&str),
) -> std::io::Result<Done> {
    let (mut reader, writer) = tokio::net::unix::pipe::pipe().map(|(w, r)| (r, w))?;
    let writer = writer.into_blocking_fd()?;
    let mut command = tokio::process::Command::new("/bin/sh");
    command.arg("-c").arg(shell.script).current_dir(shell.dir).env_clear();
    command.envs(shell.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn()?;
    // The parent's ends of the pipe are in the command; without it the pipe can close.
    drop(command);
    let mut sweeper = Sweeper { marker, armed: true };
    let mut tail = Tail { bytes: Vec::new(), max: shell.max_tail, cut: false };
    let mut buffer = vec![0; 16 << 10];
    let deadline = tokio::time::Instant::now() + shell.timeout;
    let mut status = None;
    let mut timed_out = false;
    loop {
        tokio::select! {
            read = reader.read(&mut buffer) => {
                let count = read?;
                if count == 0 {
                    break;
                }
                tail.push(&buffer[..count]);
                show(&String::from_utf8_lossy(&buffer[..count]));
            }
            ended = child.wait(), if status.is_none() => {
                status = Some(ended?);
                // What it left in the pipe is read; a child it left behind does not hold it up.
                let drained = tokio::time::Instant::now() + DRAIN;
                while let Ok(Ok(count)) =
                    tokio::time::timeout_at(drained, reader.read(&mut buffer)).await
                {
                    if count == 0 {
                        break;
                    }
                    tail.push(&buffer[..count]);
                    show(&String::from_utf8_lossy(&buffer[..count]));
                }
                break;
            }
            () = tokio::time::sleep_until(deadline) => {
                timed_out = true;
                break;
            }
        }
    }
    if status.is_none() && !timed_out {
        match tokio::time::timeout_at(deadline, child.wait()).await {
            Ok(ended) => status = Some(ended?),
            Err(_) => timed_out = true,
        }
    }
    let marker = marker.to_owned();
    let swept =
        tokio::task::spawn_blocking(move || car_shim::sweep(&marker, Duration::from_secs(2)));
    let _ = swept.await;
    sweeper.armed = false;
    if timed_out {
        let _ = child.wait().await;
    }
    let exit_code = if timed_out { None } else { status.and_then(|status| status.code()) };
    Ok(Done { exit_code, timed_out, tail: tail.text() })
}

/// The last bytes of an output.
struct Tail {
    bytes: Vec<u8>,
    max: usize,
    cut: bool,
}

impl Tail {
    fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        if self.bytes.len() > self.max * 2 {
            self.bytes.drain(..self.bytes.len() - self.max);
            self.cut = true;
        }
    }

    fn text(mut self) -> String {
        if self.bytes.len() > self.max {
            self.bytes.drain(..self.bytes.len() - self.max);
            self.cut = true;
        }
        let text = String::from_utf8_lossy(&self.bytes);
        if self.cut { format!("[... cut ...]\n{text}") } else { text.into_owned() }
    }
}
