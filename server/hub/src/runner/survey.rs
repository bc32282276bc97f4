//! A look at the queue: what is next?

use std::path::Path;

use car_api::{
    AgentId, TicketId,
    run::RunTicket,
    turn::TurnPurpose,
    verify::{Verdict, VerifyCommand},
};
use car_engine::{
    flow::{Brief, Candidate, Finding, Input},
    ticket::{Assignee, Frontmatter, effective_id},
};
use car_files::{
    run_dir::RunDir,
    tickets::{self, Listing, TicketFile},
};
use car_git::Git;
use car_store::{VerdictRow, Write};

use super::actor::Actor;
use crate::{Error, Result, clock, hub::blocking};

impl Actor {
    pub(super) async fn survey(&mut self) -> Result<()> {
        self.hold_tree().await?;
        self.config = self.hub.flow_of(&self.tree).await?;
        self.take_reply().await?;
        let finding = self.find_next().await?;
        if let Finding::Next(candidate) = &finding {
            let new = self.ticket().is_none_or(|ticket| ticket.id != candidate.ticket.id);
            if new {
                let ticket = candidate.ticket.clone();
                self.event(car_api::EventKind::TicketSelected { ticket });
                self.last_message = None;
            }
        }
        self.apply(Input::Surveyed(finding))
    }

    /// A reply somebody wrote as a file joins the history.
    async fn take_reply(&mut self) -> Result<()> {
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let taken = blocking(move || {
            let run = RunDir::create(&tree, run.as_str())?;
            if !car_files::replies::is_waiting(&run)? {
                return Ok(None);
            }
            let seq = car_files::replies::next_seq(&run)?;
            Ok(car_files::replies::archive(&run, seq)?.map(|entry| entry.seq))
        })
        .await?;
        if let Some(seq) = taken {
            self.event(car_api::EventKind::ReplyReceived { seq, via: "file".to_owned() });
        }
        Ok(())
    }

    async fn find_next(&mut self) -> Result<Finding> {
        let (tree, agents) = (self.tree.clone(), self.hub.known_agents.clone());
        let listing = blocking(move || Ok(tickets::list(&tree, &agents)?)).await?;
        if listing.files.is_empty() {
            return Ok(Finding::NoTickets);
        }
        if !listing.clashes.is_empty() {
            let lines: Vec<String> =
                listing.clashes.iter().map(|(_, issue)| issue.message.clone()).collect();
            return Ok(Finding::NeedsFix { details: lines.join("\n") });
        }
        let mut verdicts = self.hub.store.verdicts(&self.row.repo).await.map_err(Error::from)?;
        verdicts.retain(|row| matches!(row.verdict, Verdict::Passed | Verdict::PreExisting));
        let passed: Vec<TicketId> = verdicts.iter().map(|row| row.ticket.clone()).collect();
        let next = self.next_open(&listing, &passed)?;
        let (file, front, ticket) = match next {
            Next::Open { file, front, ticket } => (file, front, ticket),
            Next::Mend => return self.mend().await,
            Next::Invalid { details } => return Ok(Finding::NeedsFix { details }),
            Next::None => return self.outdated(&listing, verdicts).await,
        };
        if front.assignee == Assignee::User && !front.done {
            return Ok(Finding::ForUser { ticket });
        }
        if let Some(missing) = missing_context(&self.tree, front) {
            let details =
                format!("{} asks for files that are not there: {missing}", file.display_name());
            return Ok(Finding::MissingContext { details });
        }
        let brief = self.brief(front);
        let account = ticket.agent.as_str();
        if !front.done
            && let Some(until) = self.hub.accounts.held(account, clock::now())
        {
            return Ok(Finding::Held { account: account.to_owned(), until });
        }
        let done = front.done;
        let seen = self.look().await?;
        let same = self.row.flow.work.as_ref().filter(|work| work.ticket.id == ticket.id);
        let protect = same.map_or(brief.protect.clone(), |work| work.brief.protect.clone());
        let protected = if done { self.protected_changes(&protect).await? } else { Vec::new() };
        Ok(Finding::Next(Box::new(Candidate {
            ticket,
            brief,
            done,
            again: false,
            dirty: seen.dirty,
            protected,
            fingerprint: seen.fingerprint,
        })))
    }

    /// All tickets are done. Those this run had checked on a tree that later tickets changed are
    /// checked again, so that what holds at the end holds for the tree there is at the end.
    async fn outdated(&mut self, listing: &Listing, verdicts: Vec<VerdictRow>) -> Result<Finding> {
        let own = |row: &VerdictRow| row.run == self.row.id && row.tree.is_some();
        let mut own: Vec<VerdictRow> = verdicts.into_iter().filter(own).collect();
        if own.is_empty() {
            return Ok(Finding::AllDone);
        }
        let tree = Git::at(&self.tree).tree_hash().await.map_err(Error::from)?;
        let Some(tree) = tree.map(|tree| tree.to_string()) else { return Ok(Finding::AllDone) };
        own.retain(|row| row.tree.as_ref() != Some(&tree));
        for file in &listing.files {
            let Ok(loaded) = &file.content else { continue };
            let Some(front) = &loaded.parsed.frontmatter else { continue };
            let ticket = run_ticket(file, front)?;
            let Some(row) = own.iter().find(|row| row.ticket == ticket.id) else { continue };
            let brief = self.brief(front);
            if brief.verify.is_empty() {
                continue;
            }
            if self.proven.iter().any(|(on, held)| *on == tree && *held == brief.verify) {
                // The same commands passed on this very tree, for another ticket.
                let row = VerdictRow { tree: Some(tree.clone()), at: clock::now(), ..row.clone() };
                self.desk.writes.push(Write::Verdict(row));
                continue;
            }
            let fingerprint = self.look().await?.fingerprint;
            return Ok(Finding::Next(Box::new(Candidate {
                ticket,
                brief,
                done: true,
                again: true,
                dirty: None,
                protected: Vec::new(),
                fingerprint,
            })));
        }
        Ok(Finding::AllDone)
    }

    fn next_open<'a>(&self, listing: &'a Listing, passed: &[TicketId]) -> Result<Next<'a>> {
        for file in &listing.files {
            let Ok(loaded) = &file.content else { return Ok(invalid(file)) };
            let Some(front) = &loaded.parsed.frontmatter else {
                // The agent was asked to mend it and could not get to it.
                return Ok(if self.mends(file) { Next::Mend } else { invalid(file) });
            };
            let ticket = run_ticket(file, front)?;
            if front.done && front.assignee == Assignee::User {
                continue;
            }
            let verify = self.commands(front);
            if front.done && (verify.is_empty() || passed.contains(&ticket.id)) {
                // What this run is at stays its own until it was committed and checked.
                let at_it = self.ticket().is_some_and(|at| at.id == ticket.id);
                if !at_it {
                    continue;
                }
            }
            return Ok(Next::Open { file, front, ticket });
        }
        Ok(Next::None)
    }

    fn mends(&self, file: &TicketFile) -> bool {
        let work = self.row.flow.work.as_ref();
        work.is_some_and(|work| {
            work.next == TurnPurpose::LintRepair && work.ticket.file == file.display_name()
        })
    }

    async fn mend(&mut self) -> Result<Finding> {
        let Some(work) = self.row.flow.work.clone() else {
            return Err(Error::internal("a repair without a ticket"));
        };
        let fingerprint = self.look().await?.fingerprint;
        Ok(Finding::Next(Box::new(Candidate {
            ticket: work.ticket,
            brief: work.brief,
            done: false,
            again: false,
            dirty: None,
            protected: Vec::new(),
            fingerprint,
        })))
    }

    /// The commands that check a claim of being done: the ticket's, else the hub's.
    fn commands(&self, front: &Frontmatter) -> Vec<VerifyCommand> {
        front.verify.clone().unwrap_or_else(|| self.row.flow.verify.clone())
    }

    pub(super) fn brief(&self, front: &Frontmatter) -> Brief {
        Brief {
            model: front.model.clone(),
            reasoning: front.reasoning.clone(),
            require_commit: front.require_commit.unwrap_or(self.row.flow.options.require_commit),
            verify: self.commands(front),
            protect: front.protect.clone(),
        }
    }
}

enum Next<'a> {
    Open {
        file: &'a TicketFile,
        front: &'a Frontmatter,
        ticket: RunTicket,
    },
    Invalid {
        details: String,
    },
    /// The ticket at work, whose frontmatter the agent is mending.
    Mend,
    None,
}

fn invalid(file: &TicketFile) -> Next<'_> {
    let name = file.display_name();
    let issues: Vec<String> = file
        .issues()
        .iter()
        .filter(|issue| issue.severity() == car_api::ticket::Severity::Error)
        .map(|issue| format!("{name}:{}: {}", issue.line, issue.message))
        .collect();
    let lines =
        if issues.is_empty() { format!("{name} cannot be read.") } else { issues.join("\n") };
    let details = format!(
        "{name} has errors. Mend it (`car tickets lint --fix` mends some), then resume.\n{lines}"
    );
    Next::Invalid { details }
}

fn run_ticket(file: &TicketFile, front: &Frontmatter) -> Result<RunTicket> {
    let name = file.display_name();
    let path = format!("{}/{}/{name}", car_files::CAR_DIR, tickets::TICKETS_DIR);
    let id = effective_id(front.ticket_id.as_deref(), &path);
    let agent: AgentId = front.assignee.as_str().parse().map_err(Error::internal)?;
    Ok(RunTicket {
        id: id.parse().map_err(Error::internal)?,
        number: file.number.unwrap_or_default(),
        title: front.title.clone().unwrap_or_else(|| name.clone()),
        file: name,
        agent,
    })
}

fn missing_context(tree: &Path, front: &Frontmatter) -> Option<String> {
    let missing: Vec<&str> = front
        .context
        .iter()
        .filter(|entry| entry.required && !tree.join(&entry.path).is_file())
        .map(|entry| entry.path.as_str())
        .collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}
