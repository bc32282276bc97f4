//! `car inbox`: what waits for a person, and what is done about it.

use car_api::{
    InboxItemId,
    inbox::{InboxAct, InboxAction, InboxItem, InboxKind, InboxSeen, InboxStatus, InboxView},
};
use car_client::InboxFilter;
use clap::{Args, Subcommand};

use crate::{
    args::{Global, RepoArg},
    event_text::safe,
    failure::Failure,
    out::Out,
    pick::{self, short},
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Inbox {
    #[command(flatten)]
    repo: RepoArg,
    /// What was resolved or put away too
    #[arg(long)]
    all: bool,
    /// Only of this kind, such as `question`
    #[arg(long)]
    kind: Option<InboxKind>,
    /// Only how many wait, and how many of them nobody has seen
    #[arg(long, conflicts_with_all = ["all", "kind"])]
    count: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// One of them in full; it counts as seen then
    Show {
        /// Its id or a piece of it
        item: String,
    },
    /// Do something about one: answer it, let its run go on, put it away …
    Act {
        /// Its id or a piece of it
        item: String,
        /// One of its actions: reply, approve, decline, resume, retry, done, stop, escalate, dismiss
        action: InboxAction,
        /// The text, for `reply`
        text: Option<String>,
    },
}

pub(crate) async fn run(args: Inbox, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let s = &session;
    match args.verb {
        Some(Verb::Show { item }) => show(s, &item).await,
        Some(Verb::Act { item, action, text }) => act(s, &item, action, text).await,
        None if args.count => {
            let counts = s.client.inbox_counts().await?;
            s.out.show(
                &counts,
                |c| c.open.to_string(),
                |c| format!("{} wait, {} of them unseen", c.open, c.unseen),
            )
        }
        None => {
            let filter = InboxFilter {
                status: if args.all { InboxView::All } else { InboxView::Open },
                repo: s.repo_if_given(&args.repo).await?,
                run: None,
                kind: args.kind,
            };
            let list = all(async |page| s.client.inbox_list(&filter, &page).await).await?;
            s.out.list(&list, |item| item.id.to_string(), "Nothing waits for you.", table)
        }
    }
}

async fn show(s: &Session, text: &str) -> Result<(), Failure> {
    let id = one(s, text).await?;
    let item = s.client.inbox_get(&id).await?;
    // An agent may look; that nobody has seen it stays true then.
    let seen = s.client.inbox_seen(&InboxSeen { items: vec![id] }).await;
    if let Err(error) = seen
        && error.code() != Some(car_api::Code::Forbidden)
    {
        return Err(error.into());
    }
    s.out.details(&item, |item| item.id.to_string(), in_full)
}

async fn act(
    s: &Session,
    text: &str,
    action: InboxAction,
    body: Option<String>,
) -> Result<(), Failure> {
    if action == InboxAction::Reply && body.is_none() {
        return Err(Failure::Usage("say what to answer: car inbox act ID reply \"…\"".to_owned()));
    }
    let id = one(s, text).await?;
    let item = s.client.inbox_act(&id, &InboxAct { action, body }).await?;
    let how = |item: &InboxItem| {
        let how = item.resolution.clone().unwrap_or_else(|| item.status.to_string());
        format!("{}: {}", safe(&item.title), safe(&how))
    };
    s.out.show(&item, |item| item.id.to_string(), how)
}

/// The item that is meant by its id or a piece of it; among those that wait first.
async fn one(s: &Session, text: &str) -> Result<InboxItemId, Failure> {
    if pick::is_whole(text, "inb_")
        && let Ok(id) = text.parse()
    {
        return Ok(id);
    }
    let filter = InboxFilter::default();
    let open = all(async |page| s.client.inbox_list(&filter, &page).await).await?.items;
    match pick::one(text, "inbox item", open, |item| item.id.as_str()) {
        Ok(item) => Ok(item.id),
        Err(Failure::NotFound(_)) => {
            let filter = InboxFilter { status: InboxView::All, ..InboxFilter::default() };
            let every = all(async |page| s.client.inbox_list(&filter, &page).await).await?.items;
            pick::one(text, "inbox item", every, |item| item.id.as_str()).map(|item| item.id)
        }
        Err(error) => Err(error),
    }
}

fn table(items: &[InboxItem]) -> Table {
    let mut table = Table::new(&["ITEM", "KIND", "REPO", "AGE", "WHAT", "DO"]);
    for item in items {
        let (word, tone) = match item.status {
            InboxStatus::Open => (actions(item), tone(item.kind)),
            InboxStatus::Resolved | InboxStatus::Dismissed => {
                (item.resolution.clone().unwrap_or_default(), Tone::Dim)
            }
        };
        table.row([
            short(item.id.as_str()).into(),
            Cell::toned(item.kind.as_str(), tone),
            item.repo.as_ref().map_or("-", |repo| repo.as_str()).into(),
            time_text::ago(item.created_at).into(),
            item.title.as_str().into(),
            word.into(),
        ]);
    }
    table
}

fn actions(item: &InboxItem) -> String {
    let words: Vec<_> = item.actions.iter().map(|action| action.as_str()).collect();
    words.join("|")
}

fn tone(kind: InboxKind) -> Tone {
    match kind {
        InboxKind::Approval
        | InboxKind::Question
        | InboxKind::Fix
        | InboxKind::Budget
        | InboxKind::UserTicket
        | InboxKind::ThreadHeld => Tone::Waits,
        InboxKind::RunFailed
        | InboxKind::MessageFailed
        | InboxKind::JobFailed
        | InboxKind::Repo
        | InboxKind::DeliveryFailed => Tone::Bad,
        InboxKind::Note => Tone::Plain,
    }
}

fn in_full(item: &InboxItem) -> String {
    let mut lines = vec![safe(&item.title), safe(&item.line), String::new()];
    if let Some(body) = &item.body {
        lines.extend([safe(body), String::new()]);
    }
    let mut word = |what: &str, text: String| lines.push(format!("{what:<9}{text}"));
    word("item", item.id.to_string());
    word("since", time_text::full(item.created_at));
    if let Some(run) = &item.run {
        word("run", run.to_string());
    }
    if let Some(thread) = &item.thread {
        word("thread", thread.to_string());
    }
    if let Some(until) = item.held_until {
        word("held", format!("until {}, for the project manager", time_text::short(until)));
    }
    match item.status {
        InboxStatus::Open => {
            word("do", format!("car inbox act {} {}", short(item.id.as_str()), actions(item)));
        }
        InboxStatus::Resolved | InboxStatus::Dismissed => {
            let how = item.resolution.as_deref().unwrap_or_default();
            word(
                item.status.as_str(),
                format!("{} {}", time_text::or_dash(item.resolved_at), safe(how)),
            );
        }
    }
    lines.join("\n")
}
