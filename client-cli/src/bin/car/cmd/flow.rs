//! `car ticket-flow …` and `car flow ticket_flow …`: one repo's run by the words of old.

use car_api::{
    RunId,
    run::{RunResume, RunStatus},
};
use clap::{Args, Subcommand};

use super::run as runs;
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::Session,
};

#[derive(Subcommand)]
pub(crate) enum Flow {
    /// One repo's run
    #[command(subcommand, name = "ticket_flow")]
    TicketFlow(TicketFlow),
}

#[derive(Subcommand)]
pub(crate) enum TicketFlow {
    /// Start a run, or let the paused one go on
    #[command(visible_alias = "bootstrap")]
    Start(runs::Start),
    /// How the run stands
    Status(Which),
    /// Let the paused run go on
    Resume(Which),
    /// Stop the run
    Stop(Which),
}

#[derive(Args)]
pub(crate) struct Which {
    #[command(flatten)]
    repo: RepoArg,
    /// The run [default: the repo's latest]
    #[arg(long)]
    run_id: Option<RunId>,
}

pub(crate) async fn run(args: TicketFlow, global: &Global, out: &Out) -> Result<(), Failure> {
    let arg = match &args {
        TicketFlow::Start(start) => start.repo.clone(),
        TicketFlow::Status(which) | TicketFlow::Resume(which) | TicketFlow::Stop(which) => {
            which.repo.clone()
        }
    };
    let session = Session::open_for(global, out, &arg)?;
    let s = &session;
    let id = async |which: Which| match which.run_id {
        Some(id) => Ok(id),
        None => s.latest_run(&s.repo(&which.repo).await?).await,
    };
    let run = match args {
        TicketFlow::Start(start) => begin(s, &start).await?,
        TicketFlow::Status(which) => s.client.run_get(&id(which).await?).await?,
        TicketFlow::Resume(which) => {
            s.client.run_resume(&id(which).await?, &RunResume::default()).await?
        }
        TicketFlow::Stop(which) => s.client.run_stop(&id(which).await?).await?,
    };
    runs::show(out, &run)
}

/// Users of the word expect a paused run to go on unless they ask for a new one.
async fn begin(s: &Session, start: &runs::Start) -> Result<car_api::run::Run, Failure> {
    let repo = s.repo(&start.repo).await?;
    if !start.supersede {
        let page = car_api::PageQuery { after: None, limit: Some(1) };
        let paused = s.client.run_list(Some(&repo), Some(RunStatus::Paused), &page).await?;
        if let Some(run) = paused.items.into_iter().next() {
            let body = RunResume { max_total_turns: start.max_total_turns, ..RunResume::default() };
            return Ok(s.client.run_resume(&run.id, &body).await?);
        }
    }
    Ok(s.client.run_start(&repo, &start.body()).await?)
}
