//! Verification commands: run by the hub itself, on a working tree or on a fresh checkout of it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use car_api::{
    RepoId,
    verify::{CommandResult, Verdict, VerifyCommand, VerifyTree},
};
use car_git::{Git, Oid};

use crate::{
    Error, Result, clock, environment,
    hub::Inner,
    shell::{self, Shell},
};

/// How much of a command's output is kept, from its end, in bytes.
const MAX_TAIL: usize = 8 << 10;

/// Commands to be run on a tree, in their order, until one fails.
pub(crate) struct Checks {
    hub: Arc<Inner>,
    tree: PathBuf,
    /// What everything they start is found by.
    marker: String,
    commands: Vec<VerifyCommand>,
    environment: Vec<(OsString, OsString)>,
    setup: Vec<String>,
    setup_timeout: Duration,
    base: Option<Oid>,
}

/// What the commands gave.
pub(crate) struct Checked {
    pub(crate) commands: Vec<CommandResult>,
    /// The commit that was checked.
    pub(crate) commit: Option<Oid>,
    /// The hash of its tree.
    pub(crate) tree: Option<Oid>,
}

/// What commands at work tell.
pub(crate) enum Step<'a> {
    /// The command of this number, from 0, begins.
    Begins(usize, &'a VerifyCommand),
    /// It has printed something.
    Prints(&'a VerifyCommand, &'a str),
}

/// Who follows them.
type Follow<'a> = &'a (dyn Fn(Step<'_>) + Send + Sync);

impl Checks {
    /// Commands for the tree of a repo or worktree. Fresh checkouts are set up as worktrees of it
    /// are, each command within `setup_timeout`.
    pub(crate) fn new(
        hub: &Arc<Inner>,
        repo: &RepoId,
        tree: PathBuf,
        marker: String,
        commands: Vec<VerifyCommand>,
        setup_timeout: Duration,
    ) -> Self {
        let mut environment = environment::for_command(&hub.config, repo);
        environment.push((car_shim::MARKER.into(), marker.clone().into()));
        let (hub, setup) = (Arc::clone(hub), hub.index.setup_commands(repo));
        Self { hub, tree, marker, commands, environment, setup, setup_timeout, base: None }
    }

    /// What fails is run on this commit too, to tell what failed before.
    pub(crate) fn compared_with(mut self, base: Option<Oid>) -> Self {
        self.base = base;
        self
    }

    /// Runs them. Dropping the future ends what they started.
    pub(crate) async fn run(&self, follow: Follow<'_>) -> Result<Checked> {
        let git = Git::at(&self.tree);
        let commit = git.head().await.map_err(Error::from)?;
        let tree = git.tree_hash().await.map_err(Error::from)?;
        let mut results = Vec::new();
        for (number, command) in self.commands.iter().enumerate() {
            follow(Step::Begins(number, command));
            let shown = |text: &str| follow(Step::Prints(command, text));
            let mut result = match (command.tree, &commit) {
                (VerifyTree::Clean, Some(commit)) => {
                    self.on_checkout(command, commit, &shown).await?
                }
                (VerifyTree::Clean, None) | (VerifyTree::Worktree, _) => {
                    self.run_one(command, &self.tree, &shown).await?
                }
            };
            let failed = result.exit_code != Some(0);
            if failed
                && let Some(base) = &self.base
                && commit.as_ref() != Some(base)
            {
                let before = self.on_checkout(command, base, &|_| {}).await;
                result.fails_on_base = before.ok().map(|before| before.exit_code != Some(0));
            }
            results.push(result);
            if failed {
                break;
            }
        }
        Ok(Checked { commands: results, commit, tree })
    }

    /// Runs a command on a fresh checkout of a commit.
    async fn on_checkout(
        &self,
        command: &VerifyCommand,
        commit: &Oid,
        shown: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<CommandResult> {
        let parent = self.hub.config.root.join(car_files::CAR_DIR).join("tmp");
        tokio::fs::create_dir_all(&parent).await.map_err(Error::internal)?;
        let place = parent.join(format!("{}-{}", self.marker, clock::now().micros()));
        let git = Git::at(&self.tree);
        git.checkout_detached(commit, &place).await.map_err(Error::from)?;
        let result = async {
            for setup in &self.setup {
                let done = self.shell(setup, &place, self.setup_timeout, &|_| {}).await?;
                if done.exit_code != Some(0) {
                    let tail = self.hub.config.redactor.redact(&done.tail);
                    let detail = format!("the set-up command `{setup}` failed:\n{tail}");
                    return Err(Error::bad_request(detail));
                }
            }
            self.run_one(command, &place, shown).await
        }
        .await;
        if let Err(error) = git.checkout_remove(&place).await {
            tracing::warn!(%error, "a verification checkout could not be removed");
        }
        result
    }

    async fn run_one(
        &self,
        command: &VerifyCommand,
        tree: &Path,
        shown: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<CommandResult> {
        let dir = command.dir.as_deref().map_or_else(|| tree.to_owned(), |dir| tree.join(dir));
        let began = Instant::now();
        let timeout = Duration::from_secs(command.timeout_s.max(1));
        let done = self.shell(&command.run, &dir, timeout, shown).await?;
        Ok(CommandResult {
            command: command.clone(),
            exit_code: done.exit_code,
            timed_out: done.timed_out,
            duration_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
            tail: self.hub.config.redactor.redact(&done.tail).into_owned(),
            fails_on_base: None,
        })
    }

    async fn shell(
        &self,
        script: &str,
        dir: &Path,
        timeout: Duration,
        shown: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<shell::Done> {
        let environment = &self.environment;
        let shell = Shell { script, dir, environment, timeout, max_tail: MAX_TAIL };
        shell::run(&shell, &self.marker, shown).await.map_err(|error| {
            Error::bad_request(format!("`{script}` could not be started: {error}"))
        })
    }
}

impl Checked {
    /// Whether they prove the claim. What failed on the base commit too counts as passed where
    /// that is allowed.
    pub(crate) fn verdict(&self, allow_preexisting: bool) -> Verdict {
        let mut failed = self.commands.iter().filter(|c| c.exit_code != Some(0)).peekable();
        if failed.peek().is_none() {
            return Verdict::Passed;
        }
        let all_before = failed.all(|command| command.fails_on_base == Some(true));
        if all_before && allow_preexisting { Verdict::PreExisting } else { Verdict::Failed }
    }

    /// The command that failed, and how it ended, in a line.
    pub(crate) fn failure(&self) -> Option<(&CommandResult, String)> {
        let failed = self.commands.iter().find(|command| command.exit_code != Some(0))?;
        let how = match (failed.timed_out, failed.exit_code) {
            (true, _) => format!("timed out after {} s", failed.command.timeout_s),
            (false, Some(code)) => format!("exit code {code}"),
            (false, None) => "ended by a signal".to_owned(),
        };
        Some((failed, how))
    }

    /// The command that failed, how it ended, and the end of its output.
    pub(crate) fn report(&self) -> String {
        let Some((failed, how)) = self.failure() else { return String::new() };
        let before = match failed.fails_on_base {
            Some(true) => ", as on the run's base commit",
            Some(false) | None => "",
        };
        format!("{}\n{how}{before}\n{}", failed.command.run, failed.tail.trim_end())
    }
}
