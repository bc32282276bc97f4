//! `car ticket-flow …`, `car flow ticket_flow …`, and the single words beside them: one repo's run
//! by the words of old.

use car_api::{
    PageQuery, RepoId,
    run::{Run, RunResume, RunStatus},
    ticket::TicketCreate,
};
use clap::{Args, Subcommand};

use super::{events, lint, run as runs};
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
    Start(runs::Start),
    /// The same; an empty queue gets a first ticket, which asks the agent to plan the others
    Bootstrap(runs::Start),
    /// Look whether the queue is fit for a run
    Preflight(RepoArg),
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
    /// The run, by id or a piece of it [default: the repo's latest]
    #[arg(long)]
    run_id: Option<String>,
}

#[derive(Args)]
pub(crate) struct Log {
    #[command(flatten)]
    repo: RepoArg,
    /// The run, by id or a piece of it [default: the repo's latest]
    #[arg(long)]
    run: Option<String>,
    /// Only the last entries
    #[arg(long, value_name = "N")]
    tail: Option<usize>,
}

pub(crate) async fn run(args: TicketFlow, global: &Global, out: &Out) -> Result<(), Failure> {
    let arg = match &args {
        TicketFlow::Start(start) | TicketFlow::Bootstrap(start) => start.repo.clone(),
        TicketFlow::Preflight(repo) => repo.clone(),
        TicketFlow::Status(which) | TicketFlow::Resume(which) | TicketFlow::Stop(which) => {
            which.repo.clone()
        }
    };
    let session = Session::open_for(global, out, &arg)?;
    let s = &session;
    let id = async |which: Which| match which.run_id {
        Some(id) => s.run(Some(&id)).await,
        None => s.latest_run(&s.repo(&which.repo).await?).await,
    };
    let run = match args {
        TicketFlow::Start(start) => begin(s, &start).await?,
        TicketFlow::Bootstrap(start) => {
            seed(s, &s.repo(&start.repo).await?).await?;
            begin(s, &start).await?
        }
        TicketFlow::Preflight(repo) => return lint::run(s, &s.repo(&repo).await?, false).await,
        TicketFlow::Status(which) => s.client.run_get(&id(which).await?).await?,
        TicketFlow::Resume(which) => {
            s.client.run_resume(&id(which).await?, &RunResume::default()).await?
        }
        TicketFlow::Stop(which) => s.client.run_stop(&id(which).await?).await?,
    };
    runs::show(out, &run)
}

/// `car log`
pub(crate) async fn log(args: Log, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let run = match &args.run {
        Some(run) => session.run(Some(run)).await?,
        None => session.latest_run(&session.repo(&args.repo).await?).await?,
    };
    events::logs(&session, run, events::Logs { follow: false, tail: args.tail }).await
}

/// `car resume`
pub(crate) async fn resume(args: Which, global: &Global, out: &Out) -> Result<(), Failure> {
    run(TicketFlow::Resume(args), global, out).await
}

/// `car kill`: stops the run at work; none is nothing to do.
pub(crate) async fn kill(args: RepoArg, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args)?;
    let repo = session.repo(&args).await?;
    let page = PageQuery { after: None, limit: Some(1) };
    let latest = session.client.run_list(Some(&repo), None, &page).await?.items.into_iter().next();
    match latest.filter(|run| !run.state.status().is_end()) {
        Some(run) => runs::show(out, &session.client.run_stop(&run.id).await?),
        None => {
            out.note(&format!("nothing to do: no run of {repo} is under way"));
            Ok(())
        }
    }
}

/// Users of the word expect a paused run to go on unless they ask for a new one.
async fn begin(s: &Session, start: &runs::Start) -> Result<Run, Failure> {
    let repo = s.repo(&start.repo).await?;
    if !start.supersede {
        let page = PageQuery { after: None, limit: Some(1) };
        let paused = s.client.run_list(Some(&repo), Some(RunStatus::Paused), &page).await?;
        if let Some(run) = paused.items.into_iter().next() {
            let body = RunResume { max_total_turns: start.max_total_turns, ..RunResume::default() };
            return Ok(s.client.run_resume(&run.id, &body).await?);
        }
    }
    Ok(s.client.run_start(&repo, &start.body()).await?)
}

/// Gives an empty queue its first ticket.
async fn seed(s: &Session, repo: &RepoId) -> Result<(), Failure> {
    s.client.repo_init(repo).await?;
    let page = PageQuery { after: None, limit: Some(1) };
    if !s.client.ticket_list(repo, None, &page).await?.items.is_empty() {
        return Ok(());
    }
    let goal = "Read what is in .codex-autorunner/contextspace/ and the repository, and write the \
                tickets that lead from here to what the documents ask for, as further files of \
                this directory. Ask with a dispatch when it is not clear what is wanted.";
    let ticket = TicketCreate {
        title: "Plan the work as tickets".to_owned(),
        agent: None,
        goal: Some(goal.to_owned()),
        body: None,
        verify: Vec::new(),
        at: None,
    };
    let made = s.client.ticket_create(repo, &ticket).await?;
    s.out.note(&format!("{} is written", made.ticket.file));
    Ok(())
}
