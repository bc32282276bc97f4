//! `car ticket …`

use std::path::PathBuf;

use car_api::{
    RepoId,
    ticket::{
        Ticket as Entry, TicketCreate, TicketDone, TicketMove, TicketPatch, TicketState,
        TicketText, TicketUpdate,
    },
};
use clap::{Args, Subcommand};

use super::{edit, jobs, lint};
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::{Session, all},
    table::{Cell, Table, Tone},
};

#[derive(Subcommand)]
pub(crate) enum Ticket {
    /// The queue
    List {
        #[command(flatten)]
        repo: RepoArg,
        /// Only `open`, `done` or `invalid` ones
        #[arg(long)]
        state: Option<TicketState>,
        /// Of every repo
        #[arg(long)]
        all: bool,
    },
    /// Check the queue
    #[command(visible_alias = "doctor", alias = "fmt")]
    Lint {
        #[command(flatten)]
        repo: RepoArg,
        /// Mend what can be mended safely
        #[arg(long, alias = "fix-ticket-ids")]
        fix: bool,
    },
    /// Write a new ticket at the end of the queue
    New(New),
    /// Write a new ticket in front of another
    Insert {
        /// The number it shall have; the rest makes room
        at: u64,
        #[command(flatten)]
        new: New,
    },
    /// Give a ticket another number; the rest makes room
    Move {
        /// Ticket, by number, id or a piece of it
        ticket: String,
        /// Its new number
        to: u64,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Close the gaps in the numbers
    Renumber(RepoArg),
    /// Show a ticket's text
    Show {
        /// Ticket, by number, id or a piece of it
        ticket: String,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Change a ticket's text in $EDITOR
    Edit {
        /// Ticket, by number, id or a piece of it
        ticket: String,
        #[command(flatten)]
        repo: RepoArg,
        #[command(flatten)]
        source: edit::Source,
        /// Keep the text although the linter finds errors
        #[arg(long)]
        allow_invalid: bool,
    },
    /// Change fields of a ticket; the rest of the file stays as it is
    Set {
        /// Ticket, by number or id
        ticket: String,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Run the commands that prove a ticket, on the tree as it is
    #[command(after_help = "A try for you: what it gives is no evidence, a run checks for itself.")]
    Verify {
        /// Ticket, by number, id or a piece of it
        ticket: String,
        #[command(flatten)]
        repo: RepoArg,
        /// Do not wait for the end
        #[arg(long)]
        no_wait: bool,
    },
    /// Mark a ticket done
    Done {
        /// Ticket, by number, id or a piece of it
        ticket: String,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Mark a ticket not done
    Undone {
        /// Ticket, by number, id or a piece of it
        ticket: String,
        #[command(flatten)]
        repo: RepoArg,
    },
}

/// What can be set of a ticket by its name. An empty text takes a field out.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Fields {
    /// Title
    #[arg(long)]
    title: Option<String>,
    /// Who works it: an agent's id, or `user`
    #[arg(long)]
    agent: Option<String>,
    /// Model asked for
    #[arg(long)]
    model: Option<String>,
    /// Reasoning effort asked for
    #[arg(long)]
    reasoning: Option<String>,
    /// Whether it is done
    #[arg(long)]
    done: Option<bool>,
}

impl From<Fields> for TicketPatch {
    fn from(fields: Fields) -> Self {
        let Fields { title, agent, model, reasoning, done } = fields;
        let text = |text: Option<String>| text.map(|text| Some(text).filter(|t| !t.is_empty()));
        Self { title: text(title), agent, done, model: text(model), reasoning: text(reasoning) }
    }
}

#[derive(Args)]
#[command(after_help = "Examples:
  car ticket new \"Add a greeting\" --agent codex --verify \"make test\"
  car ticket new \"Port the parser\" --body plan.md -r demo--parser")]
pub(crate) struct New {
    /// Title
    title: String,
    /// Who works it: an agent's id, or `user`
    #[arg(long)]
    agent: Option<String>,
    /// Its goal, in a line or a paragraph
    #[arg(long)]
    goal: Option<String>,
    /// A command that must pass before it counts as done; may be repeated
    #[arg(long, value_name = "COMMAND")]
    verify: Vec<String>,
    /// Take the body from this file, `-` for standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    #[command(flatten)]
    repo: RepoArg,
}

impl Ticket {
    fn repo(&self) -> RepoArg {
        match self {
            Self::New(new) | Self::Insert { new, .. } => new.repo.clone(),
            Self::Renumber(repo)
            | Self::List { repo, .. }
            | Self::Lint { repo, .. }
            | Self::Move { repo, .. }
            | Self::Show { repo, .. }
            | Self::Edit { repo, .. }
            | Self::Set { repo, .. }
            | Self::Verify { repo, .. }
            | Self::Done { repo, .. }
            | Self::Undone { repo, .. } => repo.clone(),
        }
    }
}

pub(crate) async fn run(args: Ticket, global: &Global, out: &Out) -> Result<(), Failure> {
    let arg = args.repo();
    let session = Session::open_for(global, out, &arg)?;
    let s = &session;
    if let Ticket::List { all: true, state, .. } = args {
        let list = all(async |page| s.client.ticket_list_all(state, &page).await).await?;
        return out.list(&list, |t| t.id.to_string(), "No tickets.", of_all);
    }
    let repo = s.repo(&arg).await?;
    match args {
        Ticket::List { state, .. } => {
            let list = all(async |page| s.client.ticket_list(&repo, state, &page).await).await?;
            let none = format!("No such tickets: car ticket new TITLE --repo {repo}");
            out.list(&list, |t| t.id.to_string(), &none, of_one)
        }
        Ticket::Lint { fix, .. } => lint::run(s, &repo, fix).await,
        Ticket::New(new) => create(s, &repo, new, None).await,
        Ticket::Insert { at, new } => create(s, &repo, new, Some(at)).await,
        Ticket::Move { ticket, to, .. } => {
            let ticket = s.ticket(&repo, &ticket).await?;
            let queue = s.client.ticket_move(&repo, &ticket, &TicketMove { to }).await?;
            out.list(&queue, |t| t.id.to_string(), "", of_one)
        }
        Ticket::Renumber(_) => {
            let queue = s.client.ticket_renumber(&repo).await?;
            out.list(&queue, |t| t.id.to_string(), "No tickets.", of_one)
        }
        Ticket::Show { ticket, .. } => {
            let text = s.client.ticket_get(&repo, &s.ticket(&repo, &ticket).await?).await?;
            out.show(&text, |t| t.ticket.id.to_string(), |t| t.content.clone())
        }
        Ticket::Edit { ticket, source, allow_invalid, .. } => {
            let ticket = s.ticket(&repo, &ticket).await?;
            let old = s.client.ticket_get(&repo, &ticket).await?;
            let Some(draft) = source.draft(&old.ticket.file, &old.content, &old.ticket.etag)?
            else {
                out.note("nothing was changed");
                return Ok(());
            };
            let body = TicketUpdate { content: draft.text.clone(), allow_invalid };
            let etag = draft.if_match.clone();
            let answer = s.client.ticket_update(&repo, &ticket, &body, Some(&etag)).await;
            show(out, &draft.settle(answer)?, "saved")
        }
        Ticket::Set { ticket, fields, .. } => {
            let text = s.client.ticket_patch(&repo, &ticket, &fields.into(), None).await?;
            show(out, &text, "changed")
        }
        Ticket::Verify { ticket, no_wait, .. } => {
            let ticket = s.ticket(&repo, &ticket).await?;
            jobs::finish(s, s.client.ticket_verify(&repo, &ticket).await?, no_wait).await
        }
        Ticket::Done { ticket, .. } => mark(s, &repo, &ticket, true).await,
        Ticket::Undone { ticket, .. } => mark(s, &repo, &ticket, false).await,
    }
}

async fn create(s: &Session, repo: &RepoId, new: New, at: Option<u64>) -> Result<(), Failure> {
    let New { title, agent, goal, verify, body, repo: _ } = new;
    let body = body.map(|path| edit::read(&path)).transpose()?;
    let body = TicketCreate { title, agent, goal, body, verify, at };
    show(&s.out, &s.client.ticket_create(repo, &body).await?, "written")
}

async fn mark(s: &Session, repo: &RepoId, ticket: &str, done: bool) -> Result<(), Failure> {
    let ticket = s.ticket(repo, ticket).await?;
    let text = s.client.ticket_done(repo, &ticket, &TicketDone { done }, None).await?;
    show(&s.out, &text, if done { "done" } else { "open again" })
}

fn show(out: &Out, text: &TicketText, what: &str) -> Result<(), Failure> {
    out.show(
        text,
        |t| t.ticket.id.to_string(),
        |t| {
            let mut lines = vec![format!("{} is {what}", t.ticket.file)];
            lines.extend(t.ticket.issues.iter().map(|issue| format!("  {}", issue.message)));
            lines.join("\n")
        },
    )
}

fn of_one(tickets: &[Entry]) -> Table {
    let mut table = Table::new(&["NO", "STATE", "TITLE", "AGENT", "FINDINGS"]);
    for t in tickets {
        table.row([number(t), state(t), t.title.as_str().into(), agent(t), issues(t)]);
    }
    table
}

fn of_all(tickets: &[Entry]) -> Table {
    let mut table = Table::new(&["REPO", "NO", "STATE", "TITLE", "AGENT"]);
    for t in tickets {
        let repo = t.repo.as_str().into();
        table.row([repo, number(t), state(t), t.title.as_str().into(), agent(t)]);
    }
    table
}

fn number(t: &Entry) -> Cell {
    t.number.map_or_else(|| "-".to_owned(), |n| format!("{n:03}")).into()
}

fn state(t: &Entry) -> Cell {
    let tone = match t.state {
        TicketState::Open => Tone::Plain,
        TicketState::Done => Tone::Good,
        TicketState::Invalid => Tone::Bad,
    };
    Cell::toned(t.state.as_str(), tone)
}

fn agent(t: &Entry) -> Cell {
    match (&t.agent, &t.model) {
        (Some(agent), Some(model)) => format!("{agent} {model}").into(),
        (Some(agent), None) => agent.as_str().into(),
        (None, _) => "-".into(),
    }
}

fn issues(t: &Entry) -> Cell {
    t.issues.first().map_or("", |issue| &issue.message).into()
}

#[cfg(test)]
mod tests {
    use car_api::ticket::{Severity, TicketIssue};

    use super::*;

    #[test]
    fn a_queue_fits_eighty_columns() {
        let ticket = |number, state, title: &str, issues| Entry {
            id: "tkt_000001".parse().unwrap(),
            repo: "demo".parse().unwrap(),
            number,
            file: "TICKET-001.md".to_owned(),
            state,
            title: title.to_owned(),
            agent: Some("codex".to_owned()),
            model: None,
            reasoning: None,
            has_verify: false,
            issues,
            etag: "1".to_owned(),
        };
        let long = "Make the list of repos quick enough that nobody waits for it";
        let issue = TicketIssue {
            code: "done_not_bool".to_owned(),
            severity: Severity::Error,
            line: 1,
            column: 1,
            message: "`done` must be true or false".to_owned(),
            fixable: false,
        };
        let tickets = [
            ticket(Some(1), TicketState::Done, "Add a greeting", Vec::new()),
            ticket(Some(20), TicketState::Open, long, Vec::new()),
            ticket(None, TicketState::Invalid, "x", vec![issue]),
        ];
        let expected = "\
NO   STATE    TITLE                          AGENT  FINDINGS
001  done     Add a greeting                 codex
020  open     Make the list of repos quick…  codex
-    invalid  x                              codex  `done` must be true or false";
        assert_eq!(of_one(&tickets).render(Some(80), false), expected);
    }
}
