//! What makes a git process safe to start in a repository nobody vouches for.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio::process::Command;

use super::{Access, Call};
use crate::error::GitError;
use crate::layout::{Layout, path_of};
use crate::process::{Ended, Limits, run};
use crate::sections::{Sections, included_paths, scan_file};

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
/// A configuration spread over more files than this is not followed.
const MOST_FILES: usize = 100;

impl Call<'_> {
    /// The names this repository's and the user's configuration give to things that execute.
    pub(super) async fn sections(&self) -> Result<Sections, GitError> {
        let mut files = self.global_files();
        if self.outside {
            if !self.git.path.is_dir() {
                return Err(GitError::NotFound { path: self.git.path.clone() });
            }
        } else if self.git.bare {
            files.push(self.git.path.join("config"));
            files.push(self.git.path.join("config.worktree"));
        } else {
            let Layout { root, git_dir, common_dir, .. } = self.git.layout()?;
            files.push(common_dir.join("config"));
            files.push(git_dir.join("config.worktree"));
            files.push(common_dir.join("config.worktree"));
            files.push(root.join(".gitmodules"));
        }
        let mut found = Sections::default();
        let mut seen = 0;
        while let Some(file) = files.pop() {
            seen += 1;
            if seen > MOST_FILES {
                return Err(self.unreadable_configuration("it includes too many files"));
            }
            let one = scan_file(&file).map_err(GitError::io(format!(
                "reading the git configuration {}",
                file.display()
            )))?;
            // Git takes no includes from `.gitmodules`.
            if one.includes && !file.ends_with(".gitmodules") {
                files.extend(self.included(&file).await?);
            }
            found.add_all(one);
        }
        Ok(found)
    }

    /// Files that `file` includes on any condition: what does not apply here may apply in a
    /// worktree that is about to be made.
    async fn included(&self, file: &Path) -> Result<Vec<PathBuf>, GitError> {
        let list = ["config", "--no-includes", "--list", "-z", "--file"];
        let call = Call { outside: true, ..self.git.call(Access::Read, list) }.arg(file);
        let limits = Limits { timeout: call.timeout, stdout: 16 << 20, cancel: None };
        let ended = run(call.command(&Sections::default())?, &[], limits, |_| {}).await;
        let stdout = match ended {
            Ok(Ended::Exit { code: Some(0), stdout, truncated: false, .. }) => stdout,
            Ok(Ended::Exit { stderr, .. }) => return Err(self.unreadable_configuration(&stderr)),
            Ok(Ended::Timeout | Ended::Cancelled) => {
                return Err(GitError::Timeout { args: list.join(" "), after: call.timeout });
            }
            Err(source) => return Err(GitError::NoGit { source }),
        };
        let mut files = Vec::new();
        for value in included_paths(&stdout) {
            let path = path_of(value);
            if let Some(below_home) = value.strip_prefix(b"~/") {
                files.extend(self.home().map(|home| home.join(path_of(below_home))));
            } else if value.starts_with(b"~") || value.starts_with(b"%(") {
                return Err(
                    self.unreadable_configuration(&format!("it includes {}", path.display()))
                );
            } else {
                files.push(file.parent().unwrap_or(Path::new("/")).join(path));
            }
        }
        Ok(files)
    }

    fn unreadable_configuration(&self, why: &str) -> GitError {
        GitError::refused(format!(
            "the git configuration of {} cannot be read completely, so nothing is run there: {why}",
            self.git.path.display()
        ))
    }

    fn home(&self) -> Option<PathBuf> {
        self.git.home.clone().or_else(|| std::env::var_os("HOME").map(PathBuf::from))
    }

    fn global_files(&self) -> Vec<PathBuf> {
        let home = self.home();
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
    pub(super) async fn honour_user_credentials(&mut self) -> Result<(), GitError> {
        let may_set = |file: &PathBuf| {
            let text = std::fs::read(file).unwrap_or_default().to_ascii_lowercase();
            let has = |word: &[u8]| text.windows(word.len()).any(|w| w == word);
            has(b"credential") || has(b"ssh") || has(b"include")
        };
        if !self.global_files().iter().any(may_set) {
            return Ok(());
        }
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

    pub(super) fn command(&self, sections: &Sections) -> Result<Command, GitError> {
        let mut command = Command::new(located(&self.git.program));
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
        if self.git.bare && !self.outside {
            // Named, or git would not take a repository without a working tree at all.
            let dir = std::fs::canonicalize(&self.git.path);
            command.env("GIT_DIR", dir.unwrap_or_else(|_| self.git.path.clone()));
        } else if !self.outside {
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

/// Where a program named without a directory is, looked up once. With a path and an environment of
/// its own a child is started by `vfork`; with a bare name this process, and all its memory
/// mappings, would be copied first.
fn located(program: &Path) -> &Path {
    static GIT: OnceLock<Option<PathBuf>> = OnceLock::new();
    if program != Path::new("git") {
        return program;
    }
    let find = || {
        let path = std::env::var_os("PATH")?;
        let places = std::env::split_paths(&path).filter(|dir| dir.is_absolute());
        places.map(|dir| dir.join(program)).find(|file| is_program(file))
    };
    GIT.get_or_init(find).as_deref().unwrap_or(program)
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
