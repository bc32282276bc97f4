//! `car terminal …`: shells on the hub's machine.

use car_api::{
    TerminalId,
    terminal::{Terminal as Entry, TerminalCreate, TerminalStatus},
};
use clap::{Args, Subcommand};

use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    pick::short,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

mod attach;

#[derive(Subcommand)]
pub(crate) enum Terminal {
    /// All of them, newest first
    List,
    /// One terminal
    Show {
        /// Its id or a piece of it
        terminal: String,
    },
    /// Open one, and look at it when this is a terminal too
    New(New),
    /// Look at one and type into it; Ctrl-] leaves, the shell goes on
    Attach {
        /// Its id or a piece of it
        terminal: String,
        /// Begin at this place in what its shell wrote, in bytes [default: somewhat before the end]
        #[arg(long, value_name = "PLACE")]
        from: Option<u64>,
    },
    /// End one, and whatever was started in it
    End {
        /// Its id or a piece of it
        terminal: String,
    },
}

#[derive(Args)]
pub(crate) struct New {
    #[command(flatten)]
    repo: RepoArg,
    /// Do not look at it
    #[arg(long, short)]
    detach: bool,
}

pub(crate) async fn run(args: Terminal, global: &Global, out: &Out) -> Result<(), Failure> {
    match args {
        Terminal::List => {
            let s = Session::open(global, out)?;
            let list = all(async |page| s.client.terminal_list(&page).await).await?;
            s.out.list(&list, |t| t.id.to_string(), "No terminals: car terminal new", table)
        }
        Terminal::Show { terminal } => {
            let s = Session::open(global, out)?;
            show(&s, &s.client.terminal_get(&s.terminal(&terminal).await?).await?)
        }
        Terminal::New(args) => new(args, global, out).await,
        Terminal::Attach { terminal, from } => {
            let s = Session::open(global, out)?;
            let id = s.terminal(&terminal).await?;
            attach::run(&s, &id, from).await
        }
        Terminal::End { terminal } => {
            let s = Session::open(global, out)?;
            show(&s, &s.client.terminal_end(&s.terminal(&terminal).await?).await?)
        }
    }
}

async fn new(args: New, global: &Global, out: &Out) -> Result<(), Failure> {
    let s = Session::open_for(global, out, &args.repo)?;
    let repo = s.repo_if_given(&args.repo).await?;
    let (cols, rows) = attach::size();
    let made = s.client.terminal_create(&TerminalCreate { repo, cols, rows }).await?;
    if args.detach || s.out.json || !s.out.is_tty() {
        return show(&s, &made);
    }
    attach::run(&s, &made.id, Some(0)).await
}

impl Session {
    /// The terminal that is meant: by id or a piece of it.
    async fn terminal(&self, text: &str) -> Result<TerminalId, Failure> {
        if crate::pick::is_whole(text, "term_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let found = all(async |page| self.client.terminal_list(&page).await).await?.items;
        crate::pick::one(text, "terminal", found, |terminal| terminal.id.as_str())
            .map(|terminal| terminal.id)
    }
}

fn show(s: &Session, terminal: &Entry) -> Result<(), Failure> {
    s.out.show(
        terminal,
        |t| t.id.to_string(),
        |t| {
            let how = match t.end {
                None => format!("until {}", time_text::short(t.expires_at)),
                Some(end) => match t.exit_code {
                    Some(code) => format!("{} with {code}", end.as_str().replace('_', " ")),
                    None => end.as_str().replace('_', " "),
                },
            };
            format!(
                "{}\nshell    {} in {}\nopened   {} by {}\nsize     {} columns, {} rows\nlooking  {}\nwritten  {} bytes\nstands   {}, {how}",
                t.id,
                t.command,
                t.dir,
                time_text::ago(t.created_at),
                t.opened_by,
                t.cols,
                t.rows,
                t.viewers,
                t.written,
                t.status,
            )
        },
    )
}

fn table(terminals: &[Entry]) -> Table {
    let mut table = Table::new(&["TERMINAL", "STATE", "WHERE", "OPENED", "BY", "LOOKING"]);
    for terminal in terminals {
        let tone = match terminal.status {
            TerminalStatus::Running => Tone::Busy,
            TerminalStatus::Ended => Tone::Dim,
        };
        let state = terminal.end.map_or(terminal.status.as_str(), |end| end.as_str());
        table.row([
            short(terminal.id.as_str()).into(),
            Cell::toned(state.replace('_', " "), tone),
            terminal.repo.as_ref().map_or("the hub's root", |repo| repo.as_str()).into(),
            time_text::ago(terminal.created_at).into(),
            terminal.opened_by.as_str().into(),
            terminal.viewers.to_string().into(),
        ]);
    }
    table
}
