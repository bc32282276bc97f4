//! `car jobs`, and waiting for a job that a command began.

use std::time::Duration;

use car_api::job::{Job, JobStatus};
use car_client::ClientError;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    failure::Failure,
    pick::short,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

/// How many times in a row a hub may not answer while a job is waited for, about ten seconds in
/// all: it may be being restarted.
const PATIENCE: u32 = 20;

#[derive(Args)]
pub(crate) struct Jobs {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// All of them, newest first
    List,
    /// One job
    Show {
        /// Its id or a piece of it
        job: String,
        /// Wait until it ends
        #[arg(long)]
        wait: bool,
    },
    /// End a job
    Cancel {
        /// Its id or a piece of it
        job: String,
    },
}

pub(crate) async fn run(args: Jobs, s: &Session) -> Result<(), Failure> {
    match args.command.unwrap_or(Command::List) {
        Command::List => {
            let list = all(async |page| s.client.job_list(&page).await).await?;
            s.out.list(&list, |j| j.id.to_string(), "No jobs.", table)
        }
        Command::Show { job, wait } => {
            let job = s.client.job_get(&s.job(&job).await?).await?;
            finish(s, job, !wait).await
        }
        Command::Cancel { job } => show(s, &s.client.job_cancel(&s.job(&job).await?).await?),
    }
}

/// Waits for a job's end, unless nobody wants that, and says how it went.
pub(crate) async fn finish(s: &Session, job: Job, no_wait: bool) -> Result<(), Failure> {
    if no_wait {
        return show(s, &job);
    }
    let job = follow(s, job).await?;
    match (&job.status, &job.problem) {
        (JobStatus::Failed, Some(problem)) => Err(ClientError::from(problem.clone()).into()),
        (JobStatus::Failed | JobStatus::Cancelled, _) => {
            show(s, &job)?;
            Err(Failure::Outcome)
        }
        (JobStatus::Completed | JobStatus::Running, _) => show(s, &job),
    }
}

async fn follow(s: &Session, mut job: Job) -> Result<Job, Failure> {
    let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos:>3}% {msg}") {
        bar.set_style(style);
    }
    let quiet = s.out.quiet || s.out.json;
    let (mut told, mut failures) = (String::new(), 0);
    let mut delay = Duration::from_millis(50);
    while job.status == JobStatus::Running {
        if !quiet && bar.is_hidden() && told != job.phase {
            s.out.note(&job.phase);
        }
        if !quiet {
            bar.set_position(u64::from(job.percent.unwrap_or(0)));
            bar.set_message(job.phase.clone());
        }
        told.clone_from(&job.phase);
        tokio::time::sleep(delay).await;
        delay = (delay * 3 / 2).min(Duration::from_millis(500));
        match s.client.job_get(&job.id).await {
            Ok(now) => (job, failures) = (now, 0),
            Err(error) if error.may_pass() && failures < PATIENCE => failures += 1,
            Err(error) => return Err(error.into()),
        }
    }
    bar.finish_and_clear();
    Ok(job)
}

fn show(s: &Session, job: &Job) -> Result<(), Failure> {
    s.out.show(job, id_or_repo, |job| {
        let of = job.repo.as_ref().map_or_else(|| job.id.to_string(), ToString::to_string);
        let kind = job.kind.as_str().replace('_', " ");
        match job.status {
            JobStatus::Running => format!("{kind} {of}: {} ({})", job.phase, job.id),
            JobStatus::Completed if job.phase == "done" => format!("{kind} {of}: done"),
            JobStatus::Completed => format!("{kind} {of}: done; {}", job.phase),
            JobStatus::Failed => format!("{kind} {of}: failed"),
            JobStatus::Cancelled => format!("{kind} {of}: cancelled"),
        }
    })
}

/// For `-q`: what the job made once it is there, else the job to ask about.
fn id_or_repo(job: &Job) -> String {
    match (&job.repo, job.status) {
        (Some(repo), JobStatus::Completed) => repo.to_string(),
        (_, JobStatus::Running | JobStatus::Failed | JobStatus::Cancelled) | (None, _) => {
            job.id.to_string()
        }
    }
}

fn table(jobs: &[Job]) -> Table {
    let mut table = Table::new(&["JOB", "KIND", "REPO", "STATUS", "BEGAN", "PHASE"]);
    for job in jobs {
        let tone = match job.status {
            JobStatus::Running => Tone::Busy,
            JobStatus::Completed => Tone::Good,
            JobStatus::Failed => Tone::Bad,
            JobStatus::Cancelled => Tone::Dim,
        };
        let phase = job.problem.as_ref().map_or(&job.phase, |problem| &problem.detail);
        table.row([
            short(job.id.as_str()).into(),
            job.kind.as_str().into(),
            job.repo.as_ref().map_or("-", |r| r.as_str()).into(),
            Cell::toned(job.status.as_str(), tone),
            time_text::ago(job.created_at).into(),
            phase.as_str().into(),
        ]);
    }
    table
}
