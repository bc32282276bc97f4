//! `car pma …`: the project manager, the agent that runs the hub for its user.

mod chat;

use car_api::{
    ThreadKey,
    pma::{PmaDoc, PmaDocName, PmaDocUpdate, PmaSafety},
};
use clap::Subcommand;

use super::{edit, thread};
use crate::{event_text, failure::Failure, session::Session, table::Table, time_text};

#[derive(Subcommand)]
pub(crate) enum Pma {
    /// Talk to it; without a text, message by message until Ctrl-D
    Chat(chat::Chat),
    /// How it stands, and what keeps it from harm
    #[command(visible_alias = "active")]
    Status,
    /// Cut off its answer; what waits goes on
    Interrupt,
    /// Cut off its answer, and take back what waits
    Stop,
    /// Begin a new conversation; the messages stay
    #[command(visible_alias = "new")]
    Reset,
    /// Make its conversation shorter
    Compact,
    /// The circuit breaker that stops it when it fails time after time
    #[command(subcommand)]
    Breaker(Breaker),
    /// What it works from: its part, your guidance, its working set and log
    #[command(subcommand)]
    Docs(Docs),
    /// What it is shown of the hub
    Packet,
}

#[derive(Subcommand)]
pub(crate) enum Breaker {
    /// Close it: what is held goes on
    Reset,
}

#[derive(Subcommand)]
pub(crate) enum Docs {
    /// The documents and their sizes
    List,
    /// Show one
    Show {
        /// `prompt`, `agents`, `active_context`, `context_log` or `about_car`
        name: PmaDocName,
    },
    /// Change one in $EDITOR
    #[command(visible_alias = "set")]
    Edit {
        /// `prompt`, `agents`, `active_context`, `context_log` or `about_car`
        name: PmaDocName,
        #[command(flatten)]
        source: edit::Source,
    },
    /// Move its working set into its log
    Prune,
}

pub(crate) async fn run(args: Pma, s: &Session) -> Result<(), Failure> {
    match args {
        Pma::Chat(args) => chat::run(args, s).await,
        Pma::Status => status(s).await,
        Pma::Interrupt => thread::print(s, &s.client.thread_interrupt(&ThreadKey::pma()).await?),
        Pma::Stop => thread::print(s, &s.client.thread_stop(&ThreadKey::pma()).await?),
        Pma::Reset => thread::print(s, &s.client.thread_reset(&ThreadKey::pma()).await?),
        Pma::Compact => thread::print(s, &s.client.thread_compact(&ThreadKey::pma()).await?),
        Pma::Breaker(Breaker::Reset) => {
            let info = s.client.pma_breaker_reset().await?;
            s.out.details(&info, |info| info.thread.to_string(), |info| safety(&info.safety))
        }
        Pma::Docs(args) => docs(args, s).await,
        Pma::Packet => {
            let text = s.client.pma_packet().await?;
            s.out.show(&text, |_| String::new(), String::clone)
        }
    }
}

async fn status(s: &Session) -> Result<(), Failure> {
    let info = s.client.pma_get().await?;
    if s.out.json || s.out.quiet {
        return s.out.show(&info, |info| info.thread.to_string(), |_| String::new());
    }
    let thread = s.client.thread_get(&ThreadKey::pma()).await?;
    let mut text = format!(
        "{} with {}: {}\n{}",
        thread.status,
        thread.agent,
        event_text::safe(&thread.explain),
        safety(&info.safety)
    );
    if !info.enabled {
        text = format!("turned off (`pma.enabled`)\n{text}");
    }
    for lane in &info.lanes {
        let state = if lane.working { "working" } else { "waiting" };
        let held = lane.held.as_deref().unwrap_or(state);
        text += &format!(
            "\n{}: {} wait, {}",
            event_text::safe(&lane.name),
            lane.queued,
            event_text::safe(held)
        );
    }
    s.out.line(&text)
}

fn safety(safety: &PmaSafety) -> String {
    let breaker = match safety.breaker_until {
        Some(until) => format!("open until {}", time_text::short(until)),
        None => format!("closed ({} of {} failures)", safety.failures, safety.breaker_failures),
    };
    let stopped: Vec<_> =
        safety.blocked.iter().map(|one| format!("{} {}", one.count, one.rule)).collect();
    format!(
        "breaker  {breaker}\nturns    {} of {} a minute\nstopped  {} in a day",
        safety.turns_last_minute,
        safety.turns_per_minute,
        stopped.join(", ")
    )
}

async fn docs(args: Docs, s: &Session) -> Result<(), Failure> {
    let id = |doc: &PmaDoc| doc.name.to_string();
    match args {
        Docs::List => s.out.list(&s.client.pma_doc_list().await?, id, "No documents.", table),
        Docs::Show { name } => {
            s.out.show(&s.client.pma_doc_get(name).await?, id, |doc| doc.content.clone())
        }
        Docs::Edit { name, source } => {
            let old = s.client.pma_doc_get(name).await?;
            let Some(draft) = source.draft(&format!("{name}.md"), &old.content, &old.etag)? else {
                s.out.note("nothing was changed");
                return Ok(());
            };
            let body = PmaDocUpdate { content: draft.text.clone() };
            let answer = s.client.pma_doc_update(name, &body, Some(&draft.if_match)).await;
            let doc = draft.settle(answer)?;
            s.out.show(&doc, id, |doc| format!("{} is changed", doc.name))
        }
        Docs::Prune => {
            let doc = s.client.pma_doc_prune().await?;
            s.out.show(&doc, id, |doc| format!("{} has {} lines now", doc.name, doc.lines))
        }
    }
}

fn table(docs: &[PmaDoc]) -> Table {
    let mut table = Table::new(&["NAME", "FILE", "LINES", "BUDGET", ""]);
    for doc in docs {
        table.row([
            doc.name.as_str().into(),
            doc.path.as_str().into(),
            doc.lines.to_string().into(),
            doc.line_budget.map(|lines| lines.to_string()).unwrap_or_default().into(),
            if doc.is_default { "as it came" } else { "" }.into(),
        ]);
    }
    table
}
