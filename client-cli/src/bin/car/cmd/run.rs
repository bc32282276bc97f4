//! `car run …`: starting, steering and explaining runs. What they left behind is `run_records`.

use car_api::{
    agent::ApprovalPolicy,
    money::Amount,
    run::{Explain, Owner, Run as Entry, RunResume, RunStart, RunStatus},
};
use clap::{Args, Subcommand};

use super::{diff, events, run_records as records};
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    money,
    out::Out,
    pick::short,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

/// Which run; the latest of the repo one is in when absent.
#[derive(Args)]
pub(crate) struct RunArg {
    /// Run, by id or a piece of it, or its repo [default: the latest of the repo you are in]
    pub(crate) run: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Run {
    /// Start a run over a queue
    Start(Start),
    /// Runs, newest first
    List {
        #[command(flatten)]
        repo: RepoArg,
        /// Only those in this status
        #[arg(long)]
        status: Option<RunStatus>,
    },
    /// One run
    Show(RunArg),
    /// Why it stands as it does, who acts next, and when
    Explain(RunArg),
    /// Let a paused run go on
    Resume(Resume),
    /// Pause after the present turn
    Pause(RunArg),
    /// Stop the run and its agent, for good
    Stop(RunArg),
    /// Its turns
    Turns(RunArg),
    /// One turn with everything the agent did in it
    Turn {
        /// Turn, by its number in the run, or its id or a piece of it
        turn: String,
        /// Run, by id or a piece of it, or its repo [default: the latest of the repo you are in]
        #[arg(long)]
        run: Option<String>,
    },
    /// What happened in it
    Logs {
        #[command(flatten)]
        run: RunArg,
        /// Go on until the run ends
        #[arg(long, short)]
        follow: bool,
        /// Only the last entries
        #[arg(long, value_name = "N")]
        tail: Option<usize>,
    },
    /// The hub's verdicts on its tickets
    Evidence(RunArg),
    /// The files it changed, or the lines of one
    Diff {
        #[command(flatten)]
        run: RunArg,
        /// Show the lines of this file
        file: Option<String>,
        /// Only what this turn changed: its number in the run, or its id or a piece of it
        #[arg(long)]
        turn: Option<String>,
    },
    /// What its agents had to say
    Dispatches(RunArg),
    /// What people answered
    Replies(RunArg),
}

#[derive(Args)]
#[command(after_help = "Examples:
  car run start                          the queue of the repo you are in
  car run start -r demo --max-total-turns 20
  car run start --approvals untrusted    the agent asks before it acts")]
pub(crate) struct Start {
    #[command(flatten)]
    pub(crate) repo: RepoArg,
    /// Turns it may spend before it pauses
    #[arg(long, value_name = "N")]
    pub(crate) max_total_turns: Option<u32>,
    /// Tokens it may use before it pauses
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<i64>,
    /// What it may cost before it pauses, in the hub's currency
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) max_cost: Option<Amount>,
    /// Seconds of work it may take before it pauses
    #[arg(long, value_name = "N")]
    pub(crate) max_seconds: Option<i64>,
    /// Commit a checkpoint after every turn: true or false
    #[arg(long, value_name = "BOOL")]
    pub(crate) auto_commit: Option<bool>,
    /// A finished ticket must leave the tree clean: true or false
    #[arg(long, value_name = "BOOL")]
    pub(crate) require_commit: Option<bool>,
    /// How much the agent may do without asking: never, on_request, untrusted
    #[arg(long, value_name = "POLICY")]
    pub(crate) approvals: Option<ApprovalPolicy>,
    /// Take the place of a paused run
    #[arg(long, visible_alias = "force-new")]
    pub(crate) supersede: bool,
}

impl Start {
    pub(crate) fn body(&self) -> RunStart {
        RunStart {
            max_total_turns: self.max_total_turns,
            max_tokens: self.max_tokens,
            max_cost: self.max_cost,
            max_seconds: self.max_seconds,
            auto_commit: self.auto_commit,
            require_commit: self.require_commit,
            approvals: self.approvals,
            supersede: self.supersede,
        }
    }
}

#[derive(Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    run: RunArg,
    /// Allow this many more turns
    #[arg(long, value_name = "N")]
    max_total_turns: Option<u32>,
    /// Let the whole run use this many tokens
    #[arg(long, value_name = "N")]
    max_tokens: Option<i64>,
    /// Let the whole run cost this much, in the hub's currency
    #[arg(long, value_name = "AMOUNT")]
    max_cost: Option<Amount>,
    /// Let the whole run take this many seconds of work
    #[arg(long, value_name = "N")]
    max_seconds: Option<i64>,
    /// Accept the changes to protected files, or to what checks the ticket, that paused it
    #[arg(long)]
    accept_protected: bool,
}

impl Resume {
    fn body(&self) -> RunResume {
        RunResume {
            max_total_turns: self.max_total_turns,
            max_tokens: self.max_tokens,
            max_cost: self.max_cost,
            max_seconds: self.max_seconds,
            accept_protected: self.accept_protected,
        }
    }
}

pub(crate) async fn run(args: Run, global: &Global, out: &Out) -> Result<(), Failure> {
    if let Run::Start(start) = args {
        let session = Session::open_for(global, out, &start.repo)?;
        let repo = session.repo(&start.repo).await?;
        return show(out, &session.client.run_start(&repo, &start.body()).await?);
    }
    if let Run::List { repo, status } = args {
        let session = Session::open_for(global, out, &repo)?;
        let (s, repo) = (&session, session.repo_if_given(&repo).await?);
        let list = all(async |page| s.client.run_list(repo.as_ref(), status, &page).await).await?;
        return out.list(&list, |r| r.id.to_string(), "No runs.", table);
    }
    let session = Session::open(global, out)?;
    let s = &session;
    let id = async |arg: RunArg| s.run(arg.run.as_deref()).await;
    match args {
        Run::Start(_) | Run::List { .. } => Ok(()),
        Run::Show(arg) => show(out, &s.client.run_get(&id(arg).await?).await?),
        Run::Explain(arg) => {
            let explain = s.client.run_explain(&id(arg).await?).await?;
            out.details(&explain, |e| e.owner.to_string(), explained)
        }
        Run::Resume(resume) => {
            let body = resume.body();
            show(out, &s.client.run_resume(&id(resume.run).await?, &body).await?)
        }
        Run::Pause(arg) => show(out, &s.client.run_pause(&id(arg).await?).await?),
        Run::Stop(arg) => show(out, &s.client.run_stop(&id(arg).await?).await?),
        Run::Turns(arg) => records::turns(s, &id(arg).await?).await,
        Run::Turn { turn, run } => records::turn(s, &s.turn(&turn, run.as_deref()).await?).await,
        Run::Logs { run, follow, tail } => {
            events::logs(s, id(run).await?, events::Logs { follow, tail }).await
        }
        Run::Evidence(arg) => records::evidence(s, &id(arg).await?).await,
        Run::Diff { run, file, turn } => {
            let run = id(run).await?;
            let turn = match turn {
                Some(turn) => Some(s.turn(&turn, Some(run.as_str())).await?),
                None => None,
            };
            diff::run(s, &run, turn.as_ref(), file.as_deref()).await
        }
        Run::Dispatches(arg) => records::dispatches(s, &id(arg).await?).await,
        Run::Replies(arg) => records::replies(s, &id(arg).await?).await,
    }
}

pub(crate) fn show(out: &Out, run: &Entry) -> Result<(), Failure> {
    out.details(run, |r| r.id.to_string(), one)
}

pub(crate) fn one(run: &Entry) -> String {
    let mut lines = vec![
        format!("{} of {}: {}", run.id, run.repo, run.state.status()),
        explained(&run.explain),
    ];
    lines.extend(
        run.ticket
            .as_ref()
            .map(|t| format!("ticket     {:03} {} ({})", t.number, t.title, t.agent)),
    );
    lines.push(format!(
        "finished   {} tickets, {} verified; queue {}/{}",
        run.finished.tickets, run.finished.verified, run.tickets.done, run.tickets.total
    ));
    lines.push(format!("turns      {} of {}", run.turns, run.options.max_total_turns));
    lines.push(format!(
        "tokens     {} in ({} cached), {} out",
        run.usage.input_tokens, run.usage.cached_input_tokens, run.usage.output_tokens
    ));
    lines.push(format!("cost       {}", money::cost(&run.cost, None)));
    lines.extend(run.started_at.map(|at| format!("began      {}", time_text::full(at))));
    lines.extend(run.ended_at.map(|at| format!("ended      {}", time_text::full(at))));
    for approval in &run.approvals {
        lines.push(format!("asks       {}", super::answer::question(approval)));
        let short = short(run.id.as_str());
        lines.push(format!("           car approve {short} | car decline {short}"));
    }
    lines.join("\n")
}

fn explained(explain: &Explain) -> String {
    if explain.owner == Owner::Nobody {
        return explain.line.clone();
    }
    let at = explain.next_at.map(|at| format!(" at {}", time_text::full(at))).unwrap_or_default();
    format!("{}\nnext       {} ({}){at}", explain.line, explain.next_action, explain.owner)
}

/// What a run's status looks like.
pub(crate) fn tone(status: RunStatus) -> Tone {
    match status {
        RunStatus::Running | RunStatus::Pending | RunStatus::Stopping => Tone::Busy,
        RunStatus::Paused | RunStatus::Parked => Tone::Waits,
        RunStatus::Completed => Tone::Good,
        RunStatus::Failed => Tone::Bad,
        RunStatus::Stopped | RunStatus::Superseded => Tone::Dim,
    }
}

fn table(runs: &[Entry]) -> Table {
    let mut table = Table::new(&["RUN", "REPO", "STATUS", "TICKETS", "TURNS", "MADE", "WHY"]);
    for run in runs {
        let status = run.state.status();
        table.row([
            short(run.id.as_str()).into(),
            run.repo.as_str().into(),
            Cell::toned(status.as_str(), tone(status)),
            format!("{}/{}", run.tickets.done, run.tickets.total).into(),
            run.turns.to_string().into(),
            time_text::ago(run.created_at).into(),
            run.explain.line.as_str().into(),
        ]);
    }
    table
}
