//! Starts the agent and holds the ends of its pipes.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::cgroup::Cgroup;
use crate::launch::{ExecArgs, SELF, SpawnError};
use crate::options::Options;
use crate::process::{Process, Stat};
use crate::stdin::Stdin;
use crate::tree::{MARKER, marker_value};

/// The agent process, as long as it is not reaped.
pub(crate) struct Agent {
    pub(crate) process: Process,
    pub(crate) stdin: Stdin,
    /// Does not block.
    pub(crate) stdout: PipeReader,
    /// Does not block.
    pub(crate) stderr: PipeReader,
}

/// Starts the agent and returns when its program runs.
pub(crate) fn start(options: &Options, cgroup: Option<&Cgroup>) -> Result<Agent, SpawnError> {
    let program = options.command.first().map(|name| name.to_string_lossy().into_owned());
    let doing = format!("start {}", program.unwrap_or_default());
    let report = options.dir.join("exec");
    mknodat(CWD, &report, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .map_err(|error| SpawnError::io("make a pipe in --dir")(error.into()))?;
    let result = start_and_hear(options, cgroup, &report);
    let _ = std::fs::remove_file(&report);
    result.map_err(SpawnError::io(doing))
}

fn start_and_hear(options: &Options, cgroup: Option<&Cgroup>, report: &Path) -> io::Result<Agent> {
    // Opened before there is a writer, hence without blocking.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let mut heard = File::options().read(true).custom_flags(flags).open(report)?;
    let args = ExecArgs {
        shim: rustix::process::getpid(),
        cgroup: cgroup.map(Cgroup::procs),
        report: report.to_owned(),
        command: options.command.clone(),
    };
    let mut command = Command::new(SELF);
    command.args(args.to_args());
    command.env(MARKER, marker_value(std::env::var_os(MARKER), &options.id));
    if let Some(cwd) = &options.cwd {
        command.current_dir(cwd);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;

    let pid = Pid::from_child(&child);
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let mut fds = [
            PollFd::new(&heard, PollFlags::IN),
            PollFd::from_borrowed_fd(handle.as_fd(), PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let (spoke, ended) = (fds[0].revents(), fds[1].revents());
        if spoke.is_empty() && !ended.is_empty() {
            return Err(io::Error::other(format!("it ended at once: {}", child.wait()?)));
        }
        if spoke.is_empty() {
            continue;
        }
        // The pipe is closed by now or holds the reason, which was written in one piece.
        let mut reason = [0; 1024];
        let length = heard.read(&mut reason)?;
        if length > 0 {
            child.wait()?;
            return Err(io::Error::other(String::from_utf8_lossy(&reason[..length])));
        }
        break;
    }
    let gone = || io::Error::other("/proc is not readable: mount it");
    let process = Stat::read(pid.as_raw_nonzero().get()).ok_or_else(gone)?.process;
    let stdin = Stdin::new(child.stdin.take().ok_or_else(gone)?)?;
    let stdout = PipeReader::from(OwnedFd::from(child.stdout.take().ok_or_else(gone)?));
    let stderr = PipeReader::from(OwnedFd::from(child.stderr.take().ok_or_else(gone)?));
    rustix::io::ioctl_fionbio(&stdout, true)?;
    rustix::io::ioctl_fionbio(&stderr, true)?;
    Ok(Agent { process, stdin, stdout, stderr })
}
