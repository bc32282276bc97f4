//! Verification: the hub runs the commands itself and keeps what came of them as evidence.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use car_api::{
    EventKind, TurnId,
    event::LiveStream,
    verify::{CommandResult, Evidence, Verdict, VerifyCommand, VerifyTree},
};
use car_engine::flow::{Input, VerifyOutcome};
use car_files::run_dir::RunDir;
use car_git::{Git, Oid};
use car_store::{Errand, VerdictRow, Write};
use tokio_util::task::AbortOnDropHandle;

use super::actor::Actor;
use crate::{
    Error, Result, clock, environment,
    hub::Inner,
    hub::blocking,
    shell::{self, Shell},
};

/// How much of a command's output the evidence keeps, from its end, in bytes.
const MAX_TAIL: usize = 8 << 10;

/// A verification under way. Dropping it ends its processes.
pub(super) struct Verification {
    work: AbortOnDropHandle<Result<Checked>>,
    attempt: u32,
    started: car_api::Timestamp,
}

/// What the commands gave.
pub(super) struct Checked {
    commands: Vec<CommandResult>,
    commit: Option<Oid>,
    tree: Option<Oid>,
}

impl Verification {
    /// Waits for the one that is under way; for ever when there is none.
    pub(super) async fn outcome(
        slot: &mut Option<Self>,
    ) -> (Result<Checked>, u32, car_api::Timestamp) {
        let Some(verification) = slot else { return std::future::pending().await };
        let checked = (&mut verification.work).await;
        let checked = checked.unwrap_or_else(|error| Err(Error::internal(error)));
        (checked, verification.attempt, verification.started)
    }
}

/// What a verification needs to know, apart from the run's task.
struct Job {
    hub: Arc<Inner>,
    tree: PathBuf,
    run: car_api::RunId,
    turn: Option<TurnId>,
    base: Option<Oid>,
    commands: Vec<VerifyCommand>,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    setup: Vec<String>,
    setup_timeout: Duration,
}

impl Actor {
    pub(super) async fn verify(&mut self, attempt: u32) -> Result<()> {
        let Some(work) = self.row.flow.work.clone() else {
            return Err(Error::internal("a verification without a ticket"));
        };
        let marker = marker(&self.row.id);
        // An earlier process of the hub may have left one at work in this tree.
        blocking(move || {
            car_shim::sweep(&marker, Duration::from_millis(200));
            Ok(())
        })
        .await?;
        let commands: Vec<String> = work.brief.verify.iter().map(|c| c.run.clone()).collect();
        let ticket = work.ticket.id.clone();
        let again = work.again;
        self.event(EventKind::VerifyStarted { ticket, attempt, commands, again });
        let turn = self.hub.store.last_turn(&self.row.id).await.map_err(Error::from)?;
        let mut environment = environment::for_command(&self.hub.config, &self.row.repo);
        environment.push((car_shim::MARKER.into(), format!("verify-{}", self.row.id).into()));
        let job = Job {
            hub: Arc::clone(&self.hub),
            tree: self.tree.clone(),
            run: self.row.id.clone(),
            turn: turn.map(|turn| turn.id),
            base: self.row.base_commit.as_deref().and_then(Oid::parse),
            commands: work.brief.verify,
            environment,
            setup: self.hub.index.setup_commands(&self.row.repo),
            setup_timeout: Duration::from_secs(self.config.setup_timeout_s),
        };
        self.verification = Some(Verification {
            work: AbortOnDropHandle::new(tokio::spawn(check(job))),
            attempt,
            started: clock::now(),
        });
        Ok(())
    }

    pub(super) async fn verified(
        &mut self,
        (checked, attempt, started): (Result<Checked>, u32, car_api::Timestamp),
    ) {
        self.verification = None;
        if let Ok(Some(turn)) = self.hub.store.last_turn(&self.row.id).await {
            self.hub.live.over(&turn.id);
        }
        // The commands may have written into the tree.
        self.seen = None;
        let outcome = match checked {
            Ok(checked) => match self.keep_evidence(checked, started).await {
                Ok(outcome) => outcome,
                Err(error) => VerifyOutcome::Broken { details: error.detail },
            },
            Err(error) => VerifyOutcome::Broken {
                details: format!("Verification, try {attempt}, could not be run: {}", error.detail),
            },
        };
        if let Err(error) = self.apply(Input::Verified(outcome)) {
            tracing::warn!(run = %self.row.id, %error, "a verdict came too late");
        }
    }

    async fn keep_evidence(
        &mut self,
        checked: Checked,
        started_at: car_api::Timestamp,
    ) -> Result<VerifyOutcome> {
        let Some(work) = self.row.flow.work.clone() else {
            return Err(Error::internal("a verdict without a ticket"));
        };
        let allow = self.config.allow_preexisting;
        let verdict = verdict(&checked.commands, allow);
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let path = format!(
            "{}/{}/{}",
            car_files::CAR_DIR,
            car_files::tickets::TICKETS_DIR,
            work.ticket.file
        );
        let mut evidence = Evidence {
            seq: 0,
            ticket: work.ticket.id.clone(),
            ticket_path: path,
            verdict,
            commit: checked.commit.map(|oid| oid.to_string()),
            tree: checked.tree.map(|oid| oid.to_string()),
            commands: checked.commands,
            protected: Vec::new(),
            started_at,
            ended_at: clock::now(),
        };
        let evidence = blocking(move || {
            let run = RunDir::create(&tree, run.as_str())?;
            evidence.seq = run.next_evidence()?;
            run.write_evidence(evidence.seq, &evidence)?;
            Ok(evidence)
        })
        .await?;
        self.desk.writes.push(Write::Verdict(VerdictRow {
            repo: self.row.repo.clone(),
            ticket: work.ticket.id,
            verdict,
            run: self.row.id.clone(),
            tree: evidence.tree.clone(),
            at: evidence.ended_at,
        }));
        let outcome = match verdict {
            Verdict::Passed | Verdict::PreExisting => {
                if let Some(tree) = &evidence.tree {
                    // Older trees do not come back, or are checked once more if they do.
                    self.proven.retain(|(known, _)| known == tree);
                    self.proven.push((tree.clone(), work.brief.verify.clone()));
                }
                if work.verify_retries > 0 {
                    self.remove_note(&work.ticket.file).await;
                }
                VerifyOutcome::Passed
            }
            Verdict::Failed | Verdict::Protected | Verdict::NotVerified => {
                VerifyOutcome::Failed { report: report(&evidence.commands) }
            }
        };
        self.event(EventKind::VerifyEnded { evidence });
        Ok(outcome)
    }
}

fn marker(run: &car_api::RunId) -> String {
    format!("verify-{run}")
}

fn verdict(commands: &[CommandResult], allow_preexisting: bool) -> Verdict {
    let failed: Vec<&CommandResult> = commands.iter().filter(|c| c.exit_code != Some(0)).collect();
    if failed.is_empty() {
        return Verdict::Passed;
    }
    let all_before = failed.iter().all(|command| command.fails_on_base == Some(true));
    if all_before && allow_preexisting { Verdict::PreExisting } else { Verdict::Failed }
}

/// The failing command, how it ended, and the end of its output.
fn report(commands: &[CommandResult]) -> String {
    let Some(failed) = commands.iter().find(|command| command.exit_code != Some(0)) else {
        return String::new();
    };
    let how = match (failed.timed_out, failed.exit_code) {
        (true, _) => format!("timed out after {} s", failed.command.timeout_s),
        (false, Some(code)) => format!("exit code {code}"),
        (false, None) => "ended by a signal".to_owned(),
    };
    let before = match failed.fails_on_base {
        Some(true) => ", as on the run's base commit",
        Some(false) | None => "",
    };
    format!("{}\n{how}{before}\n{}", failed.command.run, failed.tail.trim_end())
}

async fn check(job: Job) -> Result<Checked> {
    let git = Git::at(&job.tree);
    let commit = git.head().await.map_err(Error::from)?;
    let tree = git.tree_hash().await.map_err(Error::from)?;
    let mut results = Vec::new();
    for command in &job.commands {
        let mut result = match command.tree {
            VerifyTree::Worktree => run_one(&job, command, &job.tree, true).await?,
            VerifyTree::Clean => match &commit {
                Some(commit) => on_checkout(&job, command, commit, true).await?,
                None => run_one(&job, command, &job.tree, true).await?,
            },
        };
        let failed = result.exit_code != Some(0);
        if failed
            && let Some(base) = &job.base
            && commit.as_ref() != Some(base)
        {
            let before = on_checkout(&job, command, base, false).await;
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
    job: &Job,
    command: &VerifyCommand,
    commit: &Oid,
    shown: bool,
) -> Result<CommandResult> {
    let parent = job.hub.config.root.join(car_files::CAR_DIR).join("tmp");
    tokio::fs::create_dir_all(&parent).await.map_err(Error::internal)?;
    let place = parent.join(format!("verify-{}-{}", job.run, clock::now().micros()));
    let git = Git::at(&job.tree);
    git.checkout_detached(commit, &place).await.map_err(Error::from)?;
    let result = async {
        for setup in &job.setup {
            let timeout = job.setup_timeout;
            let done = shell_at(job, setup, &place, timeout, None).await?;
            if done.exit_code != Some(0) {
                let tail = job.hub.config.redactor.redact(&done.tail);
                let detail = format!("the set-up command `{setup}` failed:\n{tail}");
                return Err(Error::bad_request(detail));
            }
        }
        run_one(job, command, &place, shown).await
    }
    .await;
    if let Err(error) = git.checkout_remove(&place).await {
        tracing::warn!(%error, "a verification checkout could not be removed");
    }
    result
}

async fn run_one(
    job: &Job,
    command: &VerifyCommand,
    tree: &Path,
    shown: bool,
) -> Result<CommandResult> {
    let dir = command.dir.as_deref().map_or_else(|| tree.to_owned(), |dir| tree.join(dir));
    let began = Instant::now();
    let timeout = Duration::from_secs(command.timeout_s.max(1));
    let done = shell_at(job, &command.run, &dir, timeout, shown.then_some(&command.run)).await?;
    Ok(CommandResult {
        command: command.clone(),
        exit_code: done.exit_code,
        timed_out: done.timed_out,
        duration_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        tail: job.hub.config.redactor.redact(&done.tail).into_owned(),
        fails_on_base: None,
    })
}

async fn shell_at(
    job: &Job,
    script: &str,
    dir: &Path,
    timeout: Duration,
    shown: Option<&String>,
) -> Result<shell::Done> {
    let live = |text: &str| {
        if let (Some(command), Some(turn)) = (shown, &job.turn) {
            let (item, text) = (format!("verify: {command}"), text.to_owned());
            let errand = Errand::Run(job.run.clone());
            job.hub.live.write(&errand, turn, item, LiveStream::Verify, text);
        }
    };
    let shell = Shell { script, dir, environment: &job.environment, timeout, max_tail: MAX_TAIL };
    shell::run(&shell, &marker(&job.run), live)
        .await
        .map_err(|error| Error::bad_request(format!("`{script}` could not be started: {error}")))
}
