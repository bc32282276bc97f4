//! The hardened door: every git process of this crate is started here.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::error::GitError;
use crate::layout::Layout;
use crate::process::{Ended, Limits, run};
use crate::sections::{Sections, scan_files, scan_keys};

/// Set on every call. Sources: git-config(1), git(1) and the code paths that start programs.
const OVERRIDES: [&str; 31] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=:",
    "sequence.editor=:",
    "core.askPass=",
    "core.attributesFile=/dev/null",
    // Executed while negotiating a fetch in a repository with alternates; `true` lists nothing.
    "core.alternateRefsCommand=true",
    "diff.external=",
    "diff.ignoreSubmodules=dirty",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "protocol.ext.allow=never",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "gpg.program=false",
    "gpg.ssh.program=false",
    "gpg.ssh.defaultKeyCommand=",
    "gpg.x509.program=false",
    "log.showSignature=false",
    "merge.verifySignatures=false",
    "user.useConfigOnly=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "transfer.bundleURI=false",
    "safe.bareRepository=explicit",
    "color.ui=false",
    "column.ui=never",
    "advice.detachedHead=false",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=120",
];

/// Environment passed on to every git process; everything else is cleared.
const PASSED: [&str; 5] = ["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER"];
/// Passed on only where the network and the user's credentials are needed.
const PASSED_TO_NETWORK: [&str; 10] = [
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// The variable `--config-env` reads the empty string from.
const EMPTY: &str = "CAR_GIT_EMPTY";
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
        }
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
        on_stderr: impl FnMut(&[u8]),
    ) -> Result<Output, GitError> {
        let sections = self.sections().await?;
        if self.access == Access::Network {
            self.honour_user_credentials().await?;
        }
        let command = self.command(&sections)?;
        let args = shown(&self.args);
        self.timeout = self.git.timeout.unwrap_or(self.timeout);
        let limits = Limits {
            timeout: self.timeout,
            stdout: self.stdout_limit,
            cancel: self.cancel.clone(),
        };
        match run(command, &self.input, limits, on_stderr).await {
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

    /// The names this repository's and the user's configuration give to things that execute.
    async fn sections(&self) -> Result<Sections, GitError> {
        let mut files = self.global_files();
        if self.outside {
            if !self.git.path.is_dir() {
                return Err(GitError::NotFound { path: self.git.path.clone() });
            }
        } else {
            let Layout { root, git_dir, common_dir, .. } = self.git.layout()?;
            files.push(common_dir.join("config"));
            files.push(git_dir.join("config.worktree"));
            files.push(common_dir.join("config.worktree"));
            files.push(root.join(".gitmodules"));
        }
        let mut found =
            scan_files(&files).map_err(GitError::io("reading the git configuration"))?;
        if found.includes {
            let list = ["config", "--list", "--includes", "--name-only", "-z"];
            let plain = Call { outside: self.outside, ..self.git.call(Access::Read, list) };
            let limits = Limits { timeout: plain.timeout, stdout: 16 << 20, cancel: None };
            match run(plain.command(&found)?, &[], limits, |_| {}).await {
                Ok(Ended::Exit { code: Some(0), stdout, truncated: false, .. }) => {
                    scan_keys(&stdout, &mut found);
                }
                Ok(Ended::Exit { stderr, .. }) => {
                    return Err(GitError::refused(format!(
                        "the git configuration of {} cannot be read completely, so nothing is run there: {stderr}",
                        self.git.path.display()
                    )));
                }
                Ok(Ended::Timeout | Ended::Cancelled) => {
                    return Err(GitError::Timeout { args: list.join(" "), after: plain.timeout });
                }
                Err(source) => return Err(GitError::NoGit { source }),
            }
        }
        Ok(found)
    }

    fn global_files(&self) -> Vec<PathBuf> {
        let home = self.git.home.clone().or_else(|| std::env::var_os("HOME").map(PathBuf::from));
        let xdg = match self.git.home {
            Some(_) => None,
            None => {
                std::env::var_os("XDG_CONFIG_HOME").filter(|v| !v.is_empty()).map(PathBuf::from)
            }
        };
        let xdg = xdg.or_else(|| home.as_ref().map(|h| h.join(".config")));
        let mut files = Vec::new();
        files.extend(home.map(|h| h.join(".gitconfig")));
        files.extend(xdg.map(|x| x.join("git/config")));
        files
    }

    /// The repository's credential helpers and ssh command are switched off; the user's own, from
    /// the global configuration, are put back in their order.
    async fn honour_user_credentials(&mut self) -> Result<(), GitError> {
        let list = ["config", "--global", "--includes", "--list", "-z"];
        let call = Call { outside: true, ..self.git.call(Access::Read, list) };
        let limits = Limits { timeout: call.timeout, stdout: 16 << 20, cancel: None };
        let mut command = call.command(&Sections::default())?;
        command.current_dir("/");
        let ended = run(command, &[], limits, |_| {}).await;
        let Ok(Ended::Exit { code: Some(0), stdout, .. }) = ended else {
            // No global configuration at all: git answers with an error.
            return Ok(());
        };
        for entry in stdout.split(|b| *b == 0) {
            let mut parts = entry.splitn(2, |b| *b == b'\n');
            let (Some(key), value) = (parts.next(), parts.next()) else { continue };
            let helper = key.starts_with(b"credential.") && key.ends_with(b".helper");
            if helper || matches!(key, b"core.sshcommand" | b"ssh.variant") {
                self.set.push((
                    OsString::from_vec(key.to_vec()),
                    OsString::from_vec(value.unwrap_or_default().to_vec()),
                ));
            }
        }
        Ok(())
    }

    fn command(&self, sections: &Sections) -> Result<Command, GitError> {
        let mut command = Command::new(&self.git.program);
        command.current_dir(&self.git.path).env_clear();
        let network: &[&str] =
            if self.access == Access::Network { &PASSED_TO_NETWORK } else { &[] };
        for name in PASSED.iter().chain(network) {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(home) = &self.git.home {
            command.env("HOME", home).env_remove("XDG_CONFIG_HOME");
        }
        command
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("SSH_ASKPASS", "")
            .env("GIT_EDITOR", ":")
            .env("GIT_SEQUENCE_EDITOR", ":")
            .env("GIT_PAGER", "cat")
            .env("GIT_PROXY_COMMAND", "")
            .env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
            .env(EMPTY, "");
        if let Some(parent) = self.git.path.parent() {
            // Keeps git from taking an enclosing repository when this one is broken.
            let parent = std::fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
            command.env("GIT_CEILING_DIRECTORIES", parent);
        }
        if !self.outside {
            // `core.worktree` in the repository's configuration would lead git elsewhere.
            let root = std::fs::canonicalize(&self.git.path);
            command.env("GIT_WORK_TREE", root.unwrap_or_else(|_| self.git.path.clone()));
        }
        match self.access {
            Access::Read => {
                command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
            }
            Access::Write => {
                command.env("GIT_NO_LAZY_FETCH", "1");
            }
            Access::Network => {}
        }
        command.arg("--no-pager").arg("--literal-pathspecs");
        for pair in OVERRIDES {
            command.arg("-c").arg(pair);
        }
        command.arg("-c").arg("credential.helper=");
        command
            .arg("-c")
            .arg("core.sshCommand=ssh -o BatchMode=yes")
            .arg("-c")
            .arg("ssh.variant=ssh");
        self.switch_off(&mut command, sections)?;
        for (n, (key, value)) in self.set.iter().enumerate() {
            let variable = format!("CAR_GIT_SET_{n}");
            command.arg(config_env(key, &variable)).env(variable, value);
        }
        for (name, value) in &self.env {
            command.env(name, value);
        }
        command.args(&self.args);
        Ok(command)
    }

    /// Settings with free names. `--config-env` is used because `-c` ends the key at the first `=`.
    fn switch_off(&self, command: &mut Command, sections: &Sections) -> Result<(), GitError> {
        let mut set = |section: &str, name: &[u8], key: &str, value: &str| {
            if name.contains(&0) || name.contains(&b'\n') {
                return Err(GitError::refused(format!(
                    "{} configures a {section} whose name holds a line break or NUL; remove it from .git/config",
                    self.git.path.display()
                )));
            }
            let mut full = format!("{section}.").into_bytes();
            full.extend_from_slice(name);
            full.extend_from_slice(format!(".{key}").as_bytes());
            let variable = if value.is_empty() {
                EMPTY.to_owned()
            } else {
                format!("CAR_GIT_{}", key.to_uppercase())
            };
            command.arg(config_env(&OsString::from_vec(full), &variable));
            command.env(variable, value);
            Ok(())
        };
        for name in sections.filters.difference(&self.git.approved_filters) {
            for key in ["clean", "smudge", "process"] {
                set("filter", name, key, "")?;
            }
            set("filter", name, "required", "false")?;
        }
        for name in &sections.remotes {
            set("remote", name, "uploadpack", "git-upload-pack")?;
        }
        for name in &sections.submodules {
            // Otherwise git runs `git status` inside submodules, with their configuration.
            set("submodule", name, "ignore", "dirty")?;
        }
        for name in &sections.hooks {
            set("hook", name, "enabled", "false")?;
        }
        Ok(())
    }
}

fn config_env(key: &OsStr, variable: &str) -> OsString {
    let mut arg = OsString::from("--config-env=");
    arg.push(key);
    arg.push("=");
    arg.push(variable);
    arg
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
