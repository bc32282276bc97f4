//! `car inbox`: what waits for a person.

use car_api::{
    Page,
    run::{Owner, Run, RunStatus},
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
    out.show(&waiting, |l| ids(l).join("\n"), |l| match l.items.as_slice() {
        [] => "Nothing waits for you.".to_owned(),
        runs => runs.iter().map(|run| entry(run, out)).collect::<Vec<_>>().join("\n\n"),
    })
}

/// Whether a person acts next.
fn waits(run: &Run) -> bool {
    run.explain.owner == Owner::User || !run.approvals.is_empty()
}

/// What is wanted, and the words that give it.
fn entry(run: &Run, out: &Out) -> String {
    let id = short(run.id.as_str());
    let status = run.state.status();
    let since = match &run.state {
        car_api::run::RunState::Paused { since, .. } => time_text::ago(*since),
        car_api::run::RunState::Pending
        | car_api::run::RunState::Running { .. }
        | car_api::run::RunState::Parked { .. }
        | car_api::run::RunState::Stopping
        | car_api::run::RunState::Completed
        | car_api::run::RunState::Failed { .. }
        | car_api::run::RunState::Stopped
        | car_api::run::RunState::Superseded { .. } => String::new(),
    };
    let word = out.toned(status.as_str(), tone(status));
    let mut lines = vec![format!("{id}  {}  {word}  {since}", run.repo).trim_end().to_owned()];
    if let Some(ticket) = &run.ticket {
        lines.push(format!("  {:03} {}", ticket.number, ticket.title));
    }
    for approval in &run.approvals {
        lines.push(format!("  {}", answer::question(approval)));
        lines.push(format!("  car approve {id} | car decline {id}"));
    }
    if run.explain.owner == Owner::User && run.approvals.is_empty() {
        lines.push(format!("  {}", run.explain.line));
        lines.push(format!("  {}", run.explain.next_action));
        lines.push(format!("  car reply {id} \"…\" | car run resume {id} | car run dispatches {id}"));
    }
    lines.join("\n")
}
