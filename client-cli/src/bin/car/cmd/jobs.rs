//! `car jobs`, and waiting for a job that a command began.

use std::time::Duration;

use car_api::{
    job::{Job, JobKind, JobLine, JobResult, JobStatus},
    verify::Verdict,
};
use car_client::{ClientError, JobFilter};
use clap::{Args, Subcommand};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::run_records;
use crate::{
    event_text,
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
    List {
        /// Only those that stand so: running, completed, failed, cancelled
        #[arg(long)]
        status: Option<JobStatus>,
        /// Only those of this kind, such as clone or worktree_create
        #[arg(long)]
        kind: Option<JobKind>,
    },
    /// One job
    Show {
        /// Its id or a piece of it
        job: String,
        /// Wait until it ends
        #[arg(long)]
        wait: bool,
    },
    /// What a job had to say
    Log {
        /// Its id or a piece of it
        job: String,
    },
    /// End a job; what it had begun is cleaned up
    Cancel {
        /// Its id or a piece of it
        job: String,
    },
}

pub(crate) async fn run(args: Jobs, s: &Session) -> Result<(), Failure> {
    match args.command.unwrap_or(Command::List { status: None, kind: None }) {
        Command::List { status, kind } => {
            let filter = JobFilter { status, kind, repo: None };
            let list = all(async |page| s.client.job_list_of(&filter, &page).await).await?;
            s.out.list(&list, |j| j.id.to_string(), "No jobs.", table)
        }
        Command::Show { job, wait } => {
            let job = s.client.job_get(&s.job(&job).await?).await?;
            finish(s, job, !wait).await
        }
        Command::Log { job } => {
            let job = s.job(&job).await?;
            let lines = all(async |page| s.client.job_log(&job, &page).await).await?;
            s.out.list(&lines, |line| line.line.clone(), "It has said nothing.", log)
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
        (JobStatus::Completed | JobStatus::Running, _) => {
            show(s, &job)?;
            match &job.result {
                Some(JobResult::Checked { verdict: Verdict::Failed, .. }) => Err(Failure::Outcome),
                Some(
                    JobResult::Checked { .. }
                    | JobResult::Repo { .. }
                    | JobResult::Templates { .. },
                )
                | None => Ok(()),
            }
        }
    }
}

async fn follow(s: &Session, mut job: Job) -> Result<Job, Failure> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let quiet = s.out.quiet || s.out.json;
    let (mut told, mut failures) = (String::new(), 0);
    let mut delay = Duration::from_millis(50);
    let mut asked = false;
    while job.status == JobStatus::Running {
        if !quiet && bar.is_hidden() && told != job.phase {
            s.out.note(&event_text::safe(&job.phase));
        }
        if !quiet {
            draw(&bar, &job);
        }
        told.clone_from(&job.phase);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            pressed = tokio::signal::ctrl_c() => {
                pressed?;
                if asked || job.cancelling {
                    bar.finish_and_clear();
                    return Err(left(s, &job));
                }
                asked = true;
                if !stay(s, &bar, &job).await? {
                    bar.finish_and_clear();
                    return Err(left(s, &job));
                }
                // It cleans up first; how it ended is worth the moment.
                s.client.job_cancel(&job.id).await?;
            }
        }
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

/// The hub works on, whoever watches. The first Ctrl-C only asks: whether a second one comes.
async fn stay(s: &Session, bar: &ProgressBar, job: &Job) -> Result<bool, Failure> {
    let question = "Ctrl-C again cancels it; else it goes on at the hub without you …";
    if bar.is_hidden() {
        s.out.note(question);
    } else {
        bar.println(format!("{}: {question}", job.kind));
    }
    tokio::select! {
        () = tokio::time::sleep(SECOND_THOUGHT) => Ok(false),
        pressed = tokio::signal::ctrl_c() => {
            pressed?;
            Ok(true)
        }
    }
}

/// How long a second Ctrl-C is waited for.
const SECOND_THOUGHT: Duration = Duration::from_secs(3);

fn left(s: &Session, job: &Job) -> Failure {
    let id = &job.id;
    s.out.note(&format!("It goes on at the hub: car jobs show {id} --wait, car jobs cancel {id}"));
    Failure::Outcome
}

fn draw(bar: &ProgressBar, job: &Job) {
    let known = job.percent.is_some();
    let template = if known { "{bar:24} {pos:>3}% {msg}" } else { "{spinner} {msg} ({elapsed})" };
    if bar.length().is_some() != known || bar.position() == 0 {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if known {
            bar.set_length(100);
        } else {
            bar.unset_length();
        }
    }
    match job.percent {
        Some(percent) => bar.set_position(u64::from(percent)),
        None => bar.tick(),
    }
    let bytes = job.bytes.map(|bytes| format!(", {}", HumanBytes(bytes)));
    let ending = if job.cancelling { ", ending" } else { "" };
    let phase = event_text::safe(&job.phase);
    bar.set_message(format!("{phase}{}{ending}", bytes.unwrap_or_default()));
}

fn log(lines: &[JobLine]) -> Table {
    let mut table = Table::new(&["AT", "LINE"]);
    for line in lines {
        table.row([time_text::short(line.at).into(), event_text::safe(&line.line).into()]);
    }
    table
}

fn show(s: &Session, job: &Job) -> Result<(), Failure> {
    s.out.show(job, id_or_repo, |job| {
        let of = job.repo.as_ref().map_or_else(|| job.id.to_string(), ToString::to_string);
        let kind = job.kind.as_str().replace('_', " ");
        if let Some(JobResult::Checked { commands, .. }) = &job.result {
            let lines: Vec<String> = commands.iter().flat_map(run_records::command_lines).collect();
            return lines.join("\n");
        }
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
