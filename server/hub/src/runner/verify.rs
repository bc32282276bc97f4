//! Verification: the hub runs the commands itself and keeps what came of them as evidence.

use std::{sync::Arc, time::Duration};

use car_api::{
    EventKind,
    event::LiveStream,
    verify::{Evidence, Verdict},
};
use car_engine::flow::{Input, VerifyOutcome};
use car_files::run_dir::RunDir;
use car_git::Oid;
use car_store::{Errand, VerdictRow, Write};
use tokio_util::task::AbortOnDropHandle;

use super::actor::Actor;
use crate::{
    Error, Result,
    checks::{Checked, Checks, Step},
    clock,
    hub::blocking,
};

/// A verification under way. Dropping it ends its processes.
pub(super) struct Verification {
    work: AbortOnDropHandle<Result<Checked>>,
    attempt: u32,
    started: car_api::Timestamp,
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

impl Actor {
    pub(super) async fn verify(&mut self, attempt: u32) -> Result<()> {
        let Some(work) = self.row.flow.work.clone() else {
            return Err(Error::internal("a verification without a ticket"));
        };
        let marker = marker(&self.row.id);
        let left = marker.clone();
        // An earlier process of the hub may have left one at work in this tree.
        blocking(move || {
            car_shim::sweep(&left, Duration::from_millis(200));
            Ok(())
        })
        .await?;
        let commands: Vec<String> = work.brief.verify.iter().map(|c| c.run.clone()).collect();
        let ticket = work.ticket.id.clone();
        let again = work.again;
        self.event(EventKind::VerifyStarted { ticket, attempt, commands, again });
        let turn = self.hub.store.last_turn(&self.row.id).await.map_err(Error::from)?;
        let tree = self.tree.clone();
        let setup_timeout = Duration::from_secs(self.config.setup_timeout_s);
        let repo = &self.row.repo;
        let checks = Checks::new(&self.hub, repo, tree, marker, work.brief.verify, setup_timeout);
        let base = self.row.base_commit.as_deref().and_then(Oid::parse);
        let checks = checks.compared_with(base);
        let (hub, run) = (Arc::clone(&self.hub), self.row.id.clone());
        let work = async move {
            let follow = |step: Step<'_>| {
                let (Step::Prints(command, text), Some(turn)) = (step, &turn) else { return };
                let (item, text) = (format!("verify: {}", command.run), text.to_owned());
                let errand = Errand::Run(run.clone());
                hub.live.write(&errand, &turn.id, item, LiveStream::Verify, text);
            };
            checks.run(&follow).await
        };
        self.verification = Some(Verification {
            work: AbortOnDropHandle::new(tokio::spawn(work)),
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
        let (verdict, report) = (checked.verdict(allow), checked.report());
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
                VerifyOutcome::Failed { report }
            }
        };
        self.event(EventKind::VerifyEnded { evidence });
        Ok(outcome)
    }
}

fn marker(run: &car_api::RunId) -> String {
    format!("verify-{run}")
}
