//! `car thread …`

use std::path::PathBuf;

use car_api::{
    AgentId, ApprovalId, ThreadKey,
    agent::ApprovalPolicy,
    item::{Decision, Usage},
    money::Cost,
    run::ApprovalDecide,
    thread::{
        BusyPolicy, Message, MessageDetail, MessageHit, MessagePost, MessageStatus,
        Thread as Entry, ThreadCreate, ThreadFork, ThreadKind, ThreadStatus, ThreadUpdate,
    },
};
use car_client::{EventFilter, MessagePage, ThreadFilter};
use clap::{Args, Subcommand};

use super::{answer, edit, talk};
use crate::{
    args::RepoArg,
    event_text,
    failure::Failure,
    money::{self, thousands},
    pick,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Thread {
    /// Conversations, the one that was active last first
    List(List),
    /// Begin one
    New(New),
    /// One of them, with its last messages
    Show {
        #[command(flatten)]
        which: Which,
        /// How many messages at most
        #[arg(long, default_value_t = 10)]
        limit: u32,
    },
    /// Its messages and their answers, the last page first
    Messages {
        #[command(flatten)]
        which: Which,
        /// How many messages at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Only messages before this number, the last of them
        #[arg(long, value_name = "NUMBER")]
        before: Option<u32>,
        /// Only messages after this number, the first of them
        #[arg(long, value_name = "NUMBER", conflicts_with = "before")]
        after: Option<u32>,
    },
    /// One message with everything the agent did
    Message {
        #[command(flatten)]
        which: Which,
        /// Its number, its id or a piece of it
        message: String,
    },
    /// Post a message
    Post(Post),
    /// Follow what is being said
    Tail {
        #[command(flatten)]
        which: Which,
    },
    /// Take a message back that waits
    Cancel {
        #[command(flatten)]
        which: Which,
        /// Its number, its id or a piece of it
        message: String,
    },
    /// Have the agent go on with an answer that was cut off or failed
    Continue {
        #[command(flatten)]
        which: Which,
        /// Its number, its id or a piece of it [default: the last one]
        message: Option<String>,
        /// Print the answer as it comes
        #[arg(long, short)]
        follow: bool,
    },
    /// Cut off the answer that is under way; the queue goes on
    Interrupt(Which),
    /// Cut off the answer that is under way, and take back what waits
    Stop(Which),
    /// Let a held thread go on: close its circuit breaker, look at what waits
    Resume(Which),
    /// Begin a new conversation of the agent; the messages stay
    Reset(Which),
    /// Make the agent's conversation shorter
    Compact(Which),
    /// Begin another thread from what was said in this one
    Fork {
        #[command(flatten)]
        which: Which,
        /// The new one's name
        #[arg(long)]
        name: Option<String>,
    },
    /// Change its name or settings
    Update(Update),
    /// Put it away, or take it out again
    Archive {
        #[command(flatten)]
        which: Which,
        /// Take it out again
        #[arg(long)]
        undo: bool,
    },
    /// Say yes to a question of its agent
    Approve {
        #[command(flatten)]
        which: Which,
        /// The question's id or a piece of it [default: the only one]
        approval: Option<String>,
        /// Yes for the rest of the session, not only this once
        #[arg(long)]
        session: bool,
    },
    /// Say no to a question of its agent
    Decline {
        #[command(flatten)]
        which: Which,
        /// The question's id or a piece of it [default: the only one]
        approval: Option<String>,
        /// Also end the turn
        #[arg(long)]
        cancel: bool,
    },
    /// Search all messages and answers
    Search {
        /// Words that all have to be there
        words: Vec<String>,
        /// Only in this thread
        #[arg(long, value_name = "THREAD")]
        thread: Option<String>,
        /// How many at most, the newest first
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
}

#[derive(Args)]
pub(crate) struct Which {
    /// Its id or a piece of it; `pma` is the project manager's
    thread: String,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    repo: RepoArg,
    /// Only `chat` or `pma`
    #[arg(long)]
    kind: Option<ThreadKind>,
    /// Only those that are idle, working, asking or held
    #[arg(long)]
    status: Option<ThreadStatus>,
    /// Also those that were put away
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  car thread new --repo demo --name review
  car thread new --agent codex --model gpt-5.5 --effort high")]
pub(crate) struct New {
    #[command(flatten)]
    repo: RepoArg,
    /// Its name [default: made from the first message]
    #[arg(long)]
    name: Option<String>,
    /// Who answers [default: `threads.agent`]
    #[arg(long)]
    agent: Option<AgentId>,
    /// Model, in the agent's words
    #[arg(long)]
    model: Option<String>,
    /// Reasoning effort, in the agent's words
    #[arg(long)]
    effort: Option<String>,
    /// How much the agent may do without asking: never (it never asks), on_request, untrusted
    #[arg(long)]
    approvals: Option<ApprovalPolicy>,
}

#[derive(Args)]
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// Model for the turns to come
    #[arg(long)]
    model: Option<String>,
    /// Reasoning effort for the turns to come
    #[arg(long)]
    effort: Option<String>,
    /// How much the agent may do without asking, for the turns to come
    #[arg(long)]
    approvals: Option<ApprovalPolicy>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  car thread post pma \"What needs me?\" -f
  git diff | car thread post 3f2a9c01 - --busy interrupt")]
pub(crate) struct Post {
    #[command(flatten)]
    which: Which,
    /// The text; `-` reads standard input, none opens $EDITOR
    text: Option<String>,
    /// Take the text from this file
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// A file of the inbox box that goes with it; may be repeated
    #[arg(long, value_name = "NAME")]
    attach: Vec<String>,
    /// While the agent is busy: queue, interrupt or reject
    #[arg(long, default_value = "queue")]
    busy: BusyPolicy,
    /// Your own id of the message: posted again with it, it is the same message
    #[arg(long, value_name = "ID")]
    client_turn_id: Option<String>,
    /// Print the answer as it comes, and wait for its end
    #[arg(long, short)]
    follow: bool,
}

pub(crate) async fn run(args: Thread, s: &Session) -> Result<(), Failure> {
    match args {
        Thread::List(args) => list(args, s).await,
        Thread::New(args) => new(args, s).await,
        Thread::Show { which, limit } => show(s, &which, limit).await,
        Thread::Messages { which, limit, before, after } => {
            let thread = s.thread(&which.thread).await?;
            let page = MessagePage { before, after, limit: Some(limit.clamp(1, 500)) };
            let messages = s.client.message_list(&thread, page).await?;
            let ids = |page: &car_api::Page<Message>| -> String {
                page.items.iter().map(|m| m.id.to_string()).collect::<Vec<_>>().join("\n")
            };
            s.out.show(&messages, ids, |page| spoken(&page.items))
        }
        Thread::Message { which, message } => {
            let thread = s.thread(&which.thread).await?;
            let message = s.message(&thread, &message).await?;
            let detail = s.client.message_get(&thread, &message).await?;
            s.out.details(&detail, |d| d.message.id.to_string(), detail_text)
        }
        Thread::Post(args) => post(args, s).await,
        Thread::Tail { which } => tail(s, &which).await,
        Thread::Cancel { which, message } => {
            let thread = s.thread(&which.thread).await?;
            let message = s.message(&thread, &message).await?;
            let message = s.client.message_cancel(&thread, &message).await?;
            s.out.show(&message, |m| m.id.to_string(), |m| line(m).join("\n"))
        }
        Thread::Continue { which, message, follow } => {
            let thread = s.thread(&which.thread).await?;
            let message = match message {
                Some(text) => s.message(&thread, &text).await?,
                None => last(s, &thread).await?.id,
            };
            let next = s.client.message_continue(&thread, &message).await?;
            if !follow {
                return s.out.show(&next, |m| m.id.to_string(), |m| line(m).join("\n"));
            }
            let watch = watch(s, &next).await?;
            talk::follow(s, watch, next).await.map(|_| ())
        }
        Thread::Interrupt(which) => {
            let thread = s.thread(&which.thread).await?;
            print(s, &s.client.thread_interrupt(&thread).await?)
        }
        Thread::Stop(which) => {
            let thread = s.thread(&which.thread).await?;
            print(s, &s.client.thread_stop(&thread).await?)
        }
        Thread::Resume(which) => {
            let thread = s.thread(&which.thread).await?;
            print(s, &s.client.thread_resume(&thread).await?)
        }
        Thread::Reset(which) => {
            let thread = s.thread(&which.thread).await?;
            print(s, &s.client.thread_reset(&thread).await?)
        }
        Thread::Compact(which) => {
            let thread = s.thread(&which.thread).await?;
            print(s, &s.client.thread_compact(&thread).await?)
        }
        Thread::Fork { which, name } => {
            let thread = s.thread(&which.thread).await?;
            print(s, &s.client.thread_fork(&thread, &ThreadFork { name }).await?)
        }
        Thread::Update(args) => {
            let Update { which, name, model, effort, approvals } = args;
            let thread = s.thread(&which.thread).await?;
            let body = ThreadUpdate { name, model, effort, approvals, archived: None };
            print(s, &s.client.thread_update(&thread, &body).await?)
        }
        Thread::Archive { which, undo } => {
            let thread = s.thread(&which.thread).await?;
            let body = ThreadUpdate { archived: Some(!undo), ..ThreadUpdate::default() };
            print(s, &s.client.thread_update(&thread, &body).await?)
        }
        Thread::Approve { which, approval, session } => {
            let yes = if session { Decision::AcceptForSession } else { Decision::Accept };
            decide(s, &which, approval, yes).await
        }
        Thread::Decline { which, approval, cancel } => {
            let no = if cancel { Decision::Cancel } else { Decision::Decline };
            decide(s, &which, approval, no).await
        }
        Thread::Search { words, thread, limit } => {
            let thread = match thread {
                Some(text) => Some(s.thread(&text).await?),
                None => None,
            };
            let page = car_api::PageQuery { after: None, limit: Some(limit) };
            let words = words.join(" ");
            let found = s.client.message_search(&words, thread.as_ref(), &page).await?;
            s.out.list(&found, |hit| hit.message.to_string(), "Nothing found.", hits)
        }
    }
}

async fn list(args: List, s: &Session) -> Result<(), Failure> {
    let filter = ThreadFilter {
        kind: args.kind,
        repo: s.repo_if_given(&args.repo).await?,
        status: args.status,
        archived: (!args.all).then_some(false),
    };
    let threads = all(async |page| s.client.thread_list(&filter, &page).await).await?;
    s.out.list(&threads, |t| t.id.to_string(), "No threads.", table)
}

async fn new(args: New, s: &Session) -> Result<(), Failure> {
    let body = ThreadCreate {
        repo: s.repo_if_given(&args.repo).await?,
        name: args.name,
        agent: args.agent,
        model: args.model,
        effort: args.effort,
        approvals: args.approvals,
    };
    print(s, &s.client.thread_create(&body).await?)
}

async fn show(s: &Session, which: &Which, limit: u32) -> Result<(), Failure> {
    let key = s.thread(&which.thread).await?;
    let thread = s.client.thread_get(&key).await?;
    if s.out.json || s.out.quiet {
        return print(s, &thread);
    }
    let page = MessagePage { limit: Some(limit.clamp(1, 500)), ..MessagePage::default() };
    let messages = s.client.message_list(&key, page).await?;
    s.out.line(&text(&thread))?;
    s.out.line(&format!("\n{}", spoken(&messages.items)))?;
    if let Some(next) = messages.next {
        s.out.note(&format!("earlier ones: car thread messages {key} --before {next}"));
    }
    Ok(())
}

async fn post(args: Post, s: &Session) -> Result<(), Failure> {
    let thread = s.thread(&args.which.thread).await?;
    let body = match (args.text, args.file) {
        (Some(text), _) if text != "-" => text,
        (Some(_), _) => edit::read("-".as_ref())?,
        (None, Some(file)) => edit::read(&file)?,
        (None, None) if !args.attach.is_empty() => String::new(),
        (None, None) => edit::in_editor("message.md", "")?.0,
    };
    let body = MessagePost {
        body,
        attachments: args.attach,
        client_turn_id: args.client_turn_id,
        busy: args.busy,
    };
    if args.follow {
        return talk::post_and_follow(s, &thread, &body).await.map(|_| ());
    }
    let message = s.client.message_post(&thread, &body).await?;
    s.out.show(&message, |m| m.id.to_string(), |m| line(m).join("\n"))
}

async fn tail(s: &Session, which: &Which) -> Result<(), Failure> {
    let key = s.thread(&which.thread).await?;
    let thread = s.client.thread_get(&key).await?;
    let filter = EventFilter { thread: Some(thread.id), ..EventFilter::default() };
    super::events::follow_newest(s, filter).await
}

/// A reading of the thread of a message from where its events may begin.
async fn watch(s: &Session, message: &Message) -> Result<car_client::watch::Watch, Failure> {
    let info = s.client.hub_get().await?;
    let seq = (info.last_seq - 500).max(info.oldest_seq - 1);
    let from = car_api::event::EventCursor { epoch: Some(info.epoch), seq };
    let filter = EventFilter { thread: Some(message.thread.clone()), ..EventFilter::default() };
    Ok(s.client.watch_from(from, filter))
}

async fn last(s: &Session, thread: &ThreadKey) -> Result<Message, Failure> {
    let page = MessagePage { limit: Some(1), ..MessagePage::default() };
    let last = s.client.message_list(thread, page).await?.items.pop();
    last.ok_or_else(|| Failure::NotFound("the thread has no messages".to_owned()))
}

async fn decide(
    s: &Session,
    which: &Which,
    approval: Option<String>,
    decision: Decision,
) -> Result<(), Failure> {
    let key = s.thread(&which.thread).await?;
    let approval: ApprovalId = match approval {
        Some(text) if pick::is_whole(&text, "apr_") => {
            text.parse().map_err(|e| Failure::Usage(format!("{e}")))?
        }
        text => {
            let open = s.client.thread_get(&key).await?.approvals_open;
            let open = open.into_iter().filter(|approval| approval.decision.is_none());
            let text = text.unwrap_or_default();
            pick::one(&text, "question", open, |approval| approval.id.as_str())?.id
        }
    };
    let body = ApprovalDecide { decision };
    let answered = s.client.thread_approval_decide(&key, &approval, &body).await?;
    s.out.show(&answered, |a| a.id.to_string(), |a| format!("{decision}: {}", answer::question(a)))
}

pub(crate) fn print(s: &Session, thread: &Entry) -> Result<(), Failure> {
    s.out.show(thread, |t| t.id.to_string(), text)
}

fn name(thread: &Entry) -> &str {
    if thread.name.is_empty() { "(no name yet)" } else { &thread.name }
}

fn text(thread: &Entry) -> String {
    let place = thread.repo.as_ref().map_or("the hub", |repo| repo.as_str());
    let model = thread.model.as_deref().map(|model| format!(" ({model})")).unwrap_or_default();
    let mut lines = vec![
        format!("{} {}", thread.id, event_text::safe(name(thread))),
        format!("  {}{model} on {place}, {}", thread.agent, thread.kind),
        format!("  {}: {}", thread.status, event_text::safe(&thread.explain)),
        format!("  {} messages, {} tokens", thread.messages, thread.usage.total()),
    ];
    for approval in thread.approvals_open.iter().filter(|approval| approval.decision.is_none()) {
        lines.push(format!("  asks: {} ({})", answer::question(approval), approval.id));
    }
    lines.join("\n")
}

fn table(threads: &[Entry]) -> Table {
    let mut table = Table::new(&["THREAD", "STATE", "AGENT", "WHERE", "ACTIVE", "NAME"]);
    for thread in threads {
        table.row([
            pick::short(thread.id.as_str()).into(),
            Cell::toned(thread.status.as_str(), tone(thread.status)),
            thread.agent.as_str().into(),
            thread.repo.as_ref().map_or("hub", |repo| repo.as_str()).into(),
            time_text::ago(thread.updated_at).into(),
            event_text::safe(name(thread)).into(),
        ]);
    }
    table
}

fn tone(status: ThreadStatus) -> Tone {
    match status {
        ThreadStatus::Idle => Tone::Plain,
        ThreadStatus::Working => Tone::Good,
        ThreadStatus::Asking | ThreadStatus::Held => Tone::Waits,
    }
}

fn hits(hits: &[MessageHit]) -> Table {
    let mut table = Table::new(&["THREAD", "NO", "WHEN", "TEXT"]);
    for hit in hits {
        let excerpt = hit.excerpt.split_whitespace().collect::<Vec<_>>().join(" ");
        table.row([
            event_text::safe(&hit.thread_name).into(),
            hit.number.to_string().into(),
            time_text::ago(hit.at).into(),
            event_text::safe(&excerpt).into(),
        ]);
    }
    table
}

/// Messages and their answers, one after the other.
fn spoken(messages: &[Message]) -> String {
    let all = messages.iter().map(|message| event_text::safe(&line(message).join("\n")));
    all.collect::<Vec<_>>().join("\n\n")
}

/// A message and its answer.
fn line(message: &Message) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} {} {}{}",
            message.number,
            message.author,
            time_text::short(message.created_at),
            match message.status {
                MessageStatus::Completed => String::new(),
                MessageStatus::Queued
                | MessageStatus::Working
                | MessageStatus::Interrupted
                | MessageStatus::Failed
                | MessageStatus::Cancelled
                | MessageStatus::Blocked => format!("  [{}]", message.status),
            }
        ),
        message.body.trim_end().to_owned(),
    ];
    lines.extend(message.attachments.iter().map(|name| format!("+ {name}")));
    lines.extend(message.answer.iter().map(|answer| format!("→ {}", answer.trim_end())));
    lines.extend(message.detail.iter().map(|detail| format!("({detail})")));
    lines.extend(message.error.iter().map(|error| format!("({}: {})", error.class, error.message)));
    lines
}

/// What a message cost. An agent that reports no tokens is no agent that used none.
fn spent(usage: &Usage, cost: &Cost) -> String {
    if usage.total() == 0 {
        return "(tokens not reported)".to_owned();
    }
    let [read, cached, written] =
        [usage.input_tokens, usage.cached_input_tokens, usage.output_tokens].map(thousands);
    let cost = money::cost(cost, None);
    format!("({read} tokens read, {cached} of them cached, {written} written; cost {cost})")
}

fn detail_text(detail: &MessageDetail) -> String {
    let mut text = line(&detail.message).join("\n");
    for item in &detail.items {
        text += &format!("\n· {}", event_text::item(item));
    }
    for piece in &detail.writing {
        text += &format!("\n… {}", piece.text);
    }
    if let Some(cost) = &detail.message.cost {
        text += &format!("\n{}", spent(&detail.message.usage, cost));
    }
    event_text::safe(&text)
}
