//! `car reply`, `car approve`, `car decline`

use std::path::PathBuf;

use car_api::{
    ApprovalId, RunId,
    dispatch::{DispatchCreate, DispatchMode, ReplyCreate},
    item::{Approval, ApprovalRequest, Decision},
    run::ApprovalDecide,
};
use clap::Args;

use super::edit;
use crate::{failure::Failure, pick, session::Session};

#[derive(Args)]
#[command(after_help = "Examples:
  car reply demo \"Take the second one.\"
  car reply 3f2a9c01 --file answer.md
  git diff | car reply demo -")]
pub(crate) struct Reply {
    /// Run, by id or a piece of it, or its repo
    run: String,
    /// The text; `-` reads standard input, none opens $EDITOR
    text: Option<String>,
    /// Take the text from this file
    #[arg(long, short, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// Title
    #[arg(long)]
    title: Option<String>,
}

#[derive(Args)]
pub(crate) struct Ask {
    /// What is to be said, as Markdown
    text: String,
    /// Run, by id, the id's last letters, or its repo [default: the latest of the repo you are in]
    #[arg(long)]
    run: Option<String>,
    /// Title
    #[arg(long)]
    title: Option<String>,
    /// Only tell; do not wait for an answer
    #[arg(long)]
    notify: bool,
}

#[derive(Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    which: Which,
    /// Yes for the rest of the session, not only this once
    #[arg(long)]
    session: bool,
}

#[derive(Args)]
pub(crate) struct Decline {
    #[command(flatten)]
    which: Which,
    /// Also end the turn
    #[arg(long)]
    cancel: bool,
}

#[derive(Args)]
struct Which {
    /// Run, by id or a piece of it, or its repo
    run: String,
    /// The question's id or a piece of it [default: the only one]
    approval: Option<String>,
}

pub(crate) async fn ask(args: Ask, s: &Session) -> Result<(), Failure> {
    let run = s.run(args.run.as_deref()).await?;
    let mode = if args.notify { DispatchMode::Notify } else { DispatchMode::Pause };
    let body = DispatchCreate { mode, title: args.title, body: args.text };
    s.client.dispatch_create(&run, &body).await?;
    s.out.note(&match mode {
        DispatchMode::Pause => format!("{run} asks when this turn ends, and waits"),
        DispatchMode::Notify | DispatchMode::TurnSummary => {
            format!("{run} says it when this turn ends")
        }
    });
    Ok(())
}

pub(crate) async fn reply(args: Reply, s: &Session) -> Result<(), Failure> {
    let run = s.run(Some(&args.run)).await?;
    send(s, &run, args.title, args.text, args.file).await
}

/// Sends a text, a file's text, or what the editor gives.
pub(crate) async fn send(
    s: &Session,
    run: &RunId,
    title: Option<String>,
    text: Option<String>,
    file: Option<PathBuf>,
) -> Result<(), Failure> {
    let mut kept = None;
    let body = match (text, file) {
        (Some(text), _) if text != "-" => text,
        (Some(_), _) => edit::read("-".as_ref())?,
        (None, Some(file)) => edit::read(&file)?,
        (None, None) => {
            let (text, path) = edit::in_editor("reply.md", "")?;
            kept = Some(path);
            text
        }
    };
    if body.trim().is_empty() {
        return Err(Failure::Usage("an empty reply was not sent".to_owned()));
    }
    let reply = s.client.run_reply(run, &ReplyCreate { title, body }).await;
    if let (Err(_), Some(path)) = (&reply, &kept) {
        eprintln!("Your text is kept: {}", path.display());
    }
    let reply = reply?;
    if let Some(path) = kept {
        let _ = std::fs::remove_file(path);
    }
    s.out.show(&reply, |r| r.seq.to_string(), |r| format!("reply {} is with {run}", r.seq))
}

pub(crate) async fn approve(args: Approve, s: &Session) -> Result<(), Failure> {
    let yes = if args.session { Decision::AcceptForSession } else { Decision::Accept };
    decide(args.which, yes, s).await
}

pub(crate) async fn decline(args: Decline, s: &Session) -> Result<(), Failure> {
    let no = if args.cancel { Decision::Cancel } else { Decision::Decline };
    decide(args.which, no, s).await
}

async fn decide(which: Which, decision: Decision, s: &Session) -> Result<(), Failure> {
    let run = s.run(Some(&which.run)).await?;
    let approval = choose(s, &run, which.approval.as_deref()).await?;
    let body = ApprovalDecide { decision };
    let answered = s.client.approval_decide(&run, &approval, &body).await?;
    s.out.show(&answered, |a| a.id.to_string(), |a| format!("{decision}: {}", question(a)))
}

/// The question that is meant, or the only one there is.
async fn choose(s: &Session, run: &RunId, text: Option<&str>) -> Result<ApprovalId, Failure> {
    if let Some(text) = text.filter(|text| pick::is_whole(text, "apr_"))
        && let Ok(id) = text.parse()
    {
        return Ok(id);
    }
    let open = s.client.run_get(run).await?.approvals;
    match (text, open.as_slice()) {
        (Some(text), _) => pick::one(text, "question", open, |a| a.id.as_str()).map(|a| a.id),
        (None, [one]) => Ok(one.id.clone()),
        (None, []) => Err(Failure::NotFound(format!("{run} asks nothing"))),
        (None, all) => {
            let list =
                all.iter().map(|a| format!("\n  {} {}", pick::short(a.id.as_str()), question(a)));
            Err(Failure::Usage(format!("say which question:{}", list.collect::<String>())))
        }
    }
}

/// What is asked, in one line.
pub(crate) fn question(approval: &Approval) -> String {
    let because = |reason: &Option<String>| {
        reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
    };
    let text = match &approval.request {
        ApprovalRequest::Command { command, cwd, reason } => {
            format!("may it run `{command}` in {cwd}?{}", because(reason))
        }
        ApprovalRequest::FileChange { changes, reason } => {
            let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
            format!("may it change {}?{}", paths.join(", "), because(reason))
        }
        ApprovalRequest::Other { detail } => detail.clone(),
    };
    crate::event_text::safe(&text)
}
