//! The hardened door: every git process of this crate is started here.

mod hardening;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::error::GitError;
use crate::process::{Ended, Limits, run};

/// Stdout of a call that does not say otherwise.
const STDOUT_LIMIT: usize = 256 << 20;

/// One working tree, and the only way to run git in it.
#[derive(Debug, Clone)]
pub struct Git {
    path: PathBuf,
    program: PathBuf,
    home: Option<PathBuf>,
    approved_filters: BTreeSet<Vec<u8>>,
    identity: Option<crate::commit::Identity>,
    timeout: Option<Duration>,
    /// The path is a repository without a working tree.
    bare: bool,
}

impl Git {
    /// The working tree whose root is `path`. Nothing is read until a question is asked.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            program: PathBuf::from("git"),
            home: None,
            approved_filters: BTreeSet::new(),
            identity: None,
            timeout: None,
            bare: false,
        }
    }

    /// The repository without a working tree at `path`.
    pub(crate) fn bare(path: impl Into<PathBuf>) -> Self {
        Self { bare: true, ..Self::at(path) }
    }

    /// Uses another git program than the one on `PATH`.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Takes the user's global configuration (identity, credentials) from this home directory
    /// instead of the process's own.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// Lets the clean/smudge/process driver `filter.<name>` run, for example `lfs`. Without
    /// approval, files are taken and written as they are stored.
    #[must_use]
    pub fn approving_filter(mut self, name: impl Into<String>) -> Self {
        self.approved_filters.insert(name.into().into_bytes());
        self
    }

    /// The identity for commits when the user's configuration has none.
    #[must_use]
    pub fn with_fallback_identity(mut self, identity: crate::commit::Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Ends any one git process after this time instead of the default (2 minutes to read, 10 to
    /// write, an hour on the network).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The root of the working tree, as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Filters somebody configured and nobody approved. Usually starts no process.
    pub(crate) async fn unapproved_filters(&self) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let sections = self.read(["status"]).sections().await?;
        Ok(sections.filters.difference(&self.approved_filters).cloned().collect())
    }

    /// The same settings for another working tree.
    pub(crate) fn beside(&self, path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..self.clone() }
    }

    pub(crate) fn fallback_identity(&self) -> Option<&crate::commit::Identity> {
        self.identity.as_ref()
    }

    pub(crate) fn read<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        self.call(Access::Read, args)
    }

    pub(crate) fn write<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        let mut call = self.call(Access::Write, args);
        call.timeout = Duration::from_secs(600);
        call
    }

    pub(crate) fn network<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        let mut call = self.call(Access::Network, args);
        call.timeout = Duration::from_secs(3600);
        call
    }

    fn call<A: Into<OsString>>(
        &self,
        access: Access,
        args: impl IntoIterator<Item = A>,
    ) -> Call<'_> {
        Call {
            git: self,
            access,
            args: args.into_iter().map(Into::into).collect(),
            set: Vec::new(),
            env: Vec::new(),
            input: Vec::new(),
            timeout: Duration::from_secs(120),
            stdout_limit: STDOUT_LIMIT,
            truncate: false,
            outside: false,
            once: false,
            cancel: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    Network,
}

/// A git process about to be started.
#[must_use]
pub(crate) struct Call<'a> {
    git: &'a Git,
    access: Access,
    args: Vec<OsString>,
    set: Vec<(OsString, OsString)>,
    env: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    timeout: Duration,
    stdout_limit: usize,
    truncate: bool,
    outside: bool,
    once: bool,
    cancel: Option<CancellationToken>,
}

/// What a successful git process printed.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: Vec<u8>,
    pub(crate) truncated: bool,
    /// The exit code, 0 or one of those the call accepts.
    pub(crate) code: i32,
}

impl Output {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

impl Call<'_> {
    pub(crate) fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn set(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.set.push((key.into(), value.into()));
        self
    }

    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn limit_time(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Stops after `limit` bytes of output and returns what there is.
    pub(crate) fn truncated_at(mut self, limit: usize) -> Self {
        self.stdout_limit = limit;
        self.truncate = true;
        self
    }

    /// Git is not asked again by itself: what it did before it gave up has to be undone first.
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    pub(crate) fn cancelled_by(mut self, cancel: CancellationToken) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// The path is a directory that is not (yet) a repository.
    pub(crate) fn outside(mut self) -> Self {
        self.outside = true;
        self
    }

    pub(crate) async fn run(self) -> Result<Output, GitError> {
        self.run_accepting(&[0]).await
    }

    pub(crate) async fn run_accepting(self, codes: &[i32]) -> Result<Output, GitError> {
        self.run_watched(codes, |_| {}).await
    }

    pub(crate) async fn run_watched(
        mut self,
        codes: &[i32],
        mut on_stderr: impl FnMut(&[u8]),
    ) -> Result<Output, GitError> {
        let sections = self.sections().await?;
        if self.access == Access::Network {
            self.honour_user_credentials().await?;
        }
        let args = shown(&self.args);
        self.timeout = self.git.timeout.unwrap_or(self.timeout);
        let begun = Instant::now();
        let ended = loop {
            let limits = Limits {
                timeout: self.timeout,
                stdout: self.stdout_limit,
                cancel: self.cancel.clone(),
            };
            let command = self.command(&sections)?;
            let ended = run(command, &self.input, limits, &mut on_stderr).await;
            let again = matches!(&ended, Ok(Ended::Exit { code, stderr, .. })
                if code.is_none_or(|code| !codes.contains(&code)) && met_half_a_worktree(stderr));
            if !again || self.once || begun.elapsed() > HALF_MADE {
                break ended;
            }
            tokio::time::sleep(LOOK).await;
        };
        match ended {
            Err(source) => Err(GitError::NoGit { source }),
            Ok(Ended::Timeout) => Err(GitError::Timeout { args, after: self.timeout }),
            Ok(Ended::Cancelled) => Err(GitError::Cancelled { args }),
            Ok(Ended::Exit { truncated: true, .. }) if !self.truncate => {
                Err(GitError::TooMuchOutput { args, limit: self.stdout_limit })
            }
            Ok(Ended::Exit { code: Some(code), stdout, truncated, .. })
                if codes.contains(&code) =>
            {
                Ok(Output { stdout, truncated, code })
            }
            Ok(Ended::Exit { code, stderr, .. }) => Err(GitError::Failed { args, code, stderr }),
        }
    }
}

/// How long a worktree may be half made before that is an error, and how often it is looked at.
pub(crate) const HALF_MADE: Duration = Duration::from_secs(5);
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// Whether git gave up on a worktree that another git is just adding or removing: it looks at all of
/// them before it does anything, and dies of one whose files are not there yet, or any more. (Seen
/// with git 2.47.)
pub(crate) fn met_half_a_worktree(stderr: &str) -> bool {
    let dies = |line: &str| line.contains("failed to read ") || line.contains("Invalid path ");
    stderr.lines().any(|line| dies(line) && line.contains("/worktrees/"))
}

fn shown(args: &[OsString]) -> String {
    let mut text = args.iter().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
    if text.len() > 400 {
        let cut = (0..=400).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    text
}
