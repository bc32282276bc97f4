//! `car inbox`: what waits for a person.

use car_api::{
    Page,
    run::{Owner, ResumeRule, Run, RunState, RunStatus},
};
use clap::Args;

use super::{answer, run::tone};
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    pick::short,
    session::{Session, all},
    time_text,
};

#[derive(Args)]
#[command(after_help = "With --json: the runs, as `car run list --json` gives them")]
pub(crate) struct Inbox {
    #[command(flatten)]
    repo: RepoArg,
}

pub(crate) async fn run(args: Inbox, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let s = &session;
    let repo = s.repo_if_given(&args.repo).await?;
    let mut waiting = Vec::new();
    for status in [RunStatus::Paused, RunStatus::Running] {
        let list = all(async |page| s.client.run_list(repo.as_ref(), Some(status), &page).await);
        waiting.extend(list.await?.items.into_iter().filter(waits));
    }
    let waiting = Page { items: waiting, next: None };
    let ids = |l: &Page<Run>| l.items.iter().map(|r| r.id.to_string()).collect::<Vec<_>>();
    out.details(
        &waiting,
        |l| ids(l).join("\n"),
        |l| match l.items.as_slice() {
            [] => "Nothing waits for you.".to_owned(),
            runs => runs.iter().map(|run| entry(run, out)).collect::<Vec<_>>().join("\n\n"),
        },
    )
}

/// Whether a person acts next.
fn waits(run: &Run) -> bool {
    run.explain.owner == Owner::User || !run.approvals.is_empty()
}

/// What is wanted, and the words that give it.
fn entry(run: &Run, out: &Out) -> String {
    let id = short(run.id.as_str());
    let status = run.state.status();
    let paused = match &run.state {
        RunState::Paused { since, resume, .. } => Some((*since, *resume)),
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => None,
    };
    let word = out.toned(status.as_str(), tone(status));
    let since = paused.map(|(since, _)| time_text::ago(since)).unwrap_or_default();
    let mut lines = vec![format!("{id}  {}  {word}  {since}", run.repo).trim_end().to_owned()];
    if let Some(ticket) = &run.ticket {
        lines.push(format!("  {:03} {}", ticket.number, ticket.title));
    }
    for approval in &run.approvals {
        lines.push(format!("  {}", answer::question(approval)));
        lines.push(format!("  car approve {id} | car decline {id}"));
    }
    if let Some((_, resume)) = paused {
        lines.push(format!("  {}", run.explain.line));
        lines.push(match resume {
            ResumeRule::Reply => format!("  car reply {id} \"…\" | car run dispatches {id}"),
            ResumeRule::Fix => format!("  car run explain {id} | car run resume {id}"),
            ResumeRule::UserTicket => match &run.ticket {
                Some(t) => format!("  car ticket done {} -r {}", t.number, run.repo),
                None => format!("  car run resume {id}"),
            },
        });
    }
    lines.join("\n")
}
