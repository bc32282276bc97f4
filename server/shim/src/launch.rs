//! How a shim comes to life: three stages of the same program.
//!
//! 1. `shim`: started by the hub, starts stage 2, waits until it serves or has failed, and ends.
//!    So the shim proper is nobody's child, and the hub has an exit status and an error text.
//! 2. `shim-serve`: the shim proper, see [`crate::shim`].
//! 3. `shim-exec`: in the agent's place, arranges that the agent dies with the shim, and becomes
//!    the agent. It is a program because setting this up between fork and exec needs `unsafe`.

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Pid, Signal};

use crate::cgroup;
use crate::options::{Options, UsageError};

/// This very program, even if its file was replaced since by an upgrade.
pub(crate) const SELF: &str = "/proc/self/exe";
/// What stage 2 says on its standard output when it serves.
pub(crate) const READY: &str = "ready";
/// Where the shim's own last words go, should it ever have any.
const LOG: &str = "shim.log";

/// Why a shim could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The options are wrong.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// Something could not be done.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The shim said why it does not run.
    #[error("{0}")]
    Failed(String),
}

impl SpawnError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io { doing: doing.into(), source }
    }
}

/// Starts a shim and returns when it serves. `exe` is a program that calls [`crate::main`]; the
/// agent inherits the caller's environment plus `options.env`. Blocks for some milliseconds.
///
/// # Errors
/// The shim or the agent could not be started; the text says why.
pub fn spawn(exe: &Path, options: &Options) -> Result<(), SpawnError> {
    let mut command = Command::new(exe);
    if options.clear_env {
        command.env_clear();
    }
    command.arg("shim").args(options.to_args()).envs(options.env.iter().map(|(k, v)| (k, v)));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.output().map_err(SpawnError::io(format!("run {}", exe.display())))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(SpawnError::Failed(if text.is_empty() { output.status.to_string() } else { text }))
}

/// Stage 1.
pub(crate) fn launch(args: Vec<OsString>) -> Result<(), SpawnError> {
    let mut options = Options::parse(args)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&options.dir)
        .map_err(SpawnError::io(format!("make {}", options.dir.display())))?;
    options.dir = options.dir.canonicalize().map_err(SpawnError::io("resolve --dir"))?;
    let log = options.dir.join(LOG);
    let log_file = File::options().append(true).create(true).mode(0o600).open(&log);
    let log_file = log_file.map_err(SpawnError::io(format!("open {}", log.display())))?;

    let mut command = Command::new(SELF);
    command.arg0("car-shim").arg("shim-serve").args(options.to_args());
    command.envs(options.env.iter().map(|(k, v)| (k, v)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file);
    let mut shim = command.spawn().map_err(SpawnError::io("start the shim"))?;
    let mut said = String::new();
    if let Some(stdout) = shim.stdout.take() {
        BufReader::new(stdout).read_line(&mut said).map_err(SpawnError::io("hear the shim"))?;
    }
    match said.trim() {
        READY => Ok(()),
        "" => Err(SpawnError::Failed(format!("the shim died at its start; see {}", log.display()))),
        error => Err(SpawnError::Failed(error.to_owned())),
    }
}

/// What stage 3 is told.
pub(crate) struct ExecArgs {
    /// The shim: if it is not the parent any more, it is dead.
    pub(crate) shim: Pid,
    /// The `cgroup.procs` to enter, if any.
    pub(crate) cgroup: Option<PathBuf>,
    /// A pipe that closes when the agent's program is running, or gets the reason why not.
    pub(crate) report: PathBuf,
    /// The agent.
    pub(crate) command: Vec<OsString>,
}

impl ExecArgs {
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let cgroup = self.cgroup.clone().unwrap_or_default();
        let own = [
            "shim-exec".into(),
            self.shim.as_raw_nonzero().to_string().into(),
            cgroup.into(),
            self.report.clone().into(),
        ];
        own.into_iter().chain(self.command.iter().cloned()).collect()
    }

    fn parse(args: Vec<OsString>) -> Option<Self> {
        let mut args = args.into_iter();
        let shim = Pid::from_raw(args.next()?.to_str()?.parse().ok()?)?;
        let cgroup = args.next().filter(|path| !path.is_empty()).map(PathBuf::from);
        let report = PathBuf::from(args.next()?);
        Some(Self { shim, cgroup, report, command: args.collect() })
    }
}

/// Stage 3; returns only if the agent could not be started.
pub(crate) fn exec(args: Vec<OsString>) -> ExitCode {
    let failed = ExitCode::from(127);
    let Some(args) = ExecArgs::parse(args) else { return failed };
    // Opened close-on-exec: success is heard as its end.
    let Ok(mut report) = File::options().write(true).open(&args.report) else { return failed };
    let error = match become_agent(&args) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    let _ = io::Write::write_all(&mut report, error.to_string().as_bytes());
    failed
}

fn become_agent(args: &ExecArgs) -> io::Result<std::convert::Infallible> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A shim that died before the line above does not send the signal any more.
    if rustix::process::getppid() != Some(args.shim) {
        return Err(io::Error::other("the shim is gone"));
    }
    rustix::process::setsid()?;
    if let Some(procs) = &args.cgroup {
        // Without it the run is still found by its marker.
        let _ = cgroup::enter(procs);
    }
    let (program, rest) = args.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    Err(Command::new(program).args(rest).exec())
}
