//! Trying the commands that prove a ticket, before an agent says that it is done.

use std::{ffi::OsStr, sync::Arc, time::Duration};

use car_api::{
    Code, RepoId,
    job::{Job, JobKind, JobResult},
    run::RunStatus,
    ticket::Severity,
};
use car_engine::ticket::parse;
use car_files::tickets;

use crate::{
    Error, Hub, Result,
    checks::{Checks, Step},
    hub::blocking,
    jobs::{self, Outcome},
    runs::{Way, active_error},
};

impl Hub {
    /// Runs the commands that prove a ticket on the tree as it is, as a job: those of the ticket,
    /// else those the hub or the repo has for all. What they give is no evidence.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_verify(&self, repo: &RepoId, ticket: &str) -> Result<Job> {
        self.inner.unconfirmed.refuse()?;
        let tree = self.inner.tree(repo)?;
        let file = self.inner.index.ticket(repo, ticket)?.file;
        let (place, name) = (tree.clone(), file.clone());
        let agents = self.inner.known_agents.clone();
        let parsed = blocking(move || {
            let content = tickets::read_bytes(&place, OsStr::new(&name))?;
            Ok(parse(&name, &content.bytes, &agents))
        })
        .await?;
        let Some(front) = parsed.frontmatter else {
            let error = parsed.issues.iter().find(|issue| issue.severity() == Severity::Error);
            let why = error.map_or_else(String::new, |issue| format!(": {}", issue.message));
            let detail = format!("{file} has errors{why}; mend them first (`car ticket lint`).");
            return Err(Error::new(Code::Unprocessable, detail));
        };
        let config = self.inner.flow_of(&tree).await?;
        let commands = front.verify.unwrap_or(config.verify);
        if commands.is_empty() {
            let detail = format!(
                "{file} names no command that proves it, and the hub has none for all; add `verify:` to its frontmatter."
            );
            return Err(Error::new(Code::Unprocessable, detail));
        }
        if let Some(run) = self.inner.active_run(repo).await?
            && !matches!(run.flow.state.status(), RunStatus::Paused | RunStatus::Parked)
        {
            return Err(active_error(&run, Way::Quiet));
        }
        let (inner, id) = (Arc::clone(&self.inner), repo.clone());
        let setup_timeout = Duration::from_secs(config.setup_timeout_s);
        let act = self.act("ticket_verify", format!("{repo}/{file}"));
        jobs::start(self, JobKind::Verify, Some(repo.clone()), act, move |reporter| async move {
            let all = commands.len();
            let checks = Checks::new(&inner, &id, tree, reporter.marker(), commands, setup_timeout);
            let told = reporter.clone();
            let follow = move |step: Step<'_>| match step {
                Step::Begins(number, command) => {
                    told.output_ended();
                    told.at(&format!("{} of {all}: {}", number + 1, command.run), None, None);
                }
                Step::Prints(_, text) => told.output(text),
            };
            let checked = tokio::select! {
                checked = checks.run(&follow) => checked?,
                () = reporter.cancel.cancelled() => return Err(jobs::cancelled()),
            };
            reporter.output_ended();
            inner.refresh(&id).await;
            let note = match checked.failure() {
                None => "passed".to_owned(),
                Some((failed, how)) => format!("failed: {} ({how})", failed.command.run),
            };
            let verdict = checked.verdict(false);
            let result = JobResult::Checked { verdict, commands: checked.commands };
            Ok(Outcome { result: Some(result), note: Some(note) })
        })
        .await
    }
}
