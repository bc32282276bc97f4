//! `car pair …`, `car devices …`: who is let in.

use std::io::{self, BufRead, Write};

use car_api::{
    RepoId, Scope,
    device::Device,
    pairing::{Pairing, PairingCreate, PairingDecide, PairingKind, PairingState},
};
use clap::{Args, Subcommand};

use super::token::{reach, words};
use crate::{
    failure::Failure,
    pick::short,
    qr,
    session::Session,
    table::{Cell, Table, Tone},
    time_text,
};

/// How long one question to the hub waits for news, in seconds.
const WAIT: u32 = 25;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Pair {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    given: Given,
    /// The address the browser shall use [default: the hub's first allowed name, by https]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Let it in without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Who asks to be let in, and who did a moment ago
    List,
    /// Let in the machine that shows this code (`car login`)
    Approve {
        /// The code it shows, or the id of the pairing
        code: String,
        #[command(flatten)]
        given: Given,
        /// Days its token works, 1 to 366 [default: 90]
        #[arg(long)]
        days: Option<u32>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Turn it away
    Deny {
        /// The code it shows, or the id of the pairing
        code: String,
    },
}

/// What is given.
#[derive(Args)]
struct Given {
    /// What it may do, of read, write, run, approve, terminal, admin [default: what it asks for]
    #[arg(long, value_delimiter = ',', value_name = "SCOPE,…")]
    scopes: Option<Vec<Scope>>,
    /// Only this repo and its worktrees; may be said several times
    #[arg(long, short, value_name = "ID")]
    repo: Vec<RepoId>,
}

#[derive(Subcommand)]
pub(crate) enum Devices {
    /// The paired browsers
    List,
    /// Have a browser pair again, at once
    #[command(visible_alias = "delete")]
    Revoke {
        /// Its id or a piece of it
        device: String,
    },
}

pub(crate) async fn run(args: Pair, s: &Session) -> Result<(), Failure> {
    match args.verb {
        None => browser(args, s).await,
        Some(Verb::List) => {
            let list = s.client.pairing_list().await?;
            s.out.list(&list, |p| p.id.to_string(), "Nobody asks to be let in.", pairings)
        }
        Some(Verb::Approve { code, given, days, yes }) => {
            let asks = find(&code, s).await?;
            let scopes = given.scopes.unwrap_or_else(|| asks.scopes.clone());
            let repos = if given.repo.is_empty() { asks.repos.clone() } else { given.repo };
            if !yes && !agreed(&asks, &scopes, &repos)? {
                decide(&asks, no(), s).await?;
                return Err(Failure::Refused("turned away".to_owned()));
            }
            let body =
                PairingDecide { approve: true, scopes: Some(scopes), repos: Some(repos), days };
            let decided = decide(&asks, body, s).await?;
            s.out.show(&decided, |p| p.id.to_string(), |p| format!("let in: {}", who(p)))
        }
        Some(Verb::Deny { code }) => {
            let asks = find(&code, s).await?;
            let decided = decide(&asks, no(), s).await?;
            s.out.show(&decided, |p| p.id.to_string(), |p| format!("turned away: {}", who(p)))
        }
    }
}

pub(crate) async fn devices(args: Devices, s: &Session) -> Result<(), Failure> {
    match args {
        Devices::List => {
            let list = s.client.device_list().await?;
            s.out.list(&list, |d| d.id.to_string(), "No browser is paired: car pair", device_table)
        }
        Devices::Revoke { device } => {
            let device = s.device(&device).await?;
            s.client.device_delete(&device).await?;
            s.out.note(&format!("{device} has to pair again"));
            Ok(())
        }
    }
}

/// Opens a code, shows it, and lets the browser in that claims it.
async fn browser(args: Pair, s: &Session) -> Result<(), Failure> {
    let body = PairingCreate { scopes: args.given.scopes, repos: args.given.repo };
    let made = s.client.pairing_create(&body).await?;
    let base = match (&args.url, made.hosts.first()) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(host)) => format!("https://{host}{}", made.base_path),
        (None, None) => {
            let own = s.client.url();
            format!("{}{}", own.strip_suffix(&made.base_path).unwrap_or(own), made.base_path)
        }
    };
    let link = format!("{base}/pair#{}", made.code);
    if !s.out.quiet && !s.out.json {
        s.out.line(&qr::drawn(&link, s.out.colour)?)?;
    }
    if !s.out.json {
        s.out.line(&link)?;
    }
    let until = time_text::short(made.pairing.expires_at);
    s.out.note(&format!("open it with the browser that shall be let in, until {until}"));
    if args.url.is_none() && made.hosts.is_empty() {
        s.out.note("it works on this machine only: the hub has no name in server.allowed_hosts");
    }
    let mut pairing = made.pairing;
    loop {
        match pairing.state {
            PairingState::Open | PairingState::Approved => {
                let seen = Some(pairing.state);
                pairing = s.client.pairing_get(&pairing.id, seen, Some(WAIT)).await?;
            }
            PairingState::Waiting => {
                if !args.yes && !agreed(&pairing, &pairing.scopes, &pairing.repos)? {
                    decide(&pairing, no(), s).await?;
                    return Err(Failure::Refused("turned away".to_owned()));
                }
                let body = PairingDecide { approve: true, scopes: None, repos: None, days: None };
                pairing = decide(&pairing, body, s).await?;
            }
            PairingState::Done => {
                return s.out.show(
                    &pairing,
                    |p| p.id.to_string(),
                    |p| format!("paired: {}", who(p)),
                );
            }
            PairingState::Denied => return Err(Failure::Refused("it was turned away".to_owned())),
            PairingState::Expired => {
                let why = "the code has run out, or wrong codes were tried too often; \
                           `car pair` makes another";
                return Err(Failure::Refused(why.to_owned()));
            }
        }
    }
}

fn no() -> PairingDecide {
    PairingDecide { approve: false, scopes: None, repos: None, days: None }
}

async fn decide(asks: &Pairing, body: PairingDecide, s: &Session) -> Result<Pairing, Failure> {
    Ok(s.client.pairing_decide(&asks.id, &body).await?)
}

/// The pairing that is meant by a code as it was read off another screen, or by its id or the end
/// of that, as the list shows it.
async fn find(code: &str, s: &Session) -> Result<Pairing, Failure> {
    let plain = |text: &str| text.replace(['-', ' '], "").to_ascii_uppercase();
    let all = s.client.pairing_list().await?.items;
    let found = all.into_iter().find(|pairing| {
        let coded = pairing.code.as_deref().is_some_and(|known| plain(known) == plain(code));
        let id = pairing.id.as_str();
        coded || id == code || short(id) == code
    });
    found.ok_or_else(|| {
        Failure::NotFound(format!(
            "nobody asks with the code `{code}`: it has run out, or was mistyped (`car pair list`)"
        ))
    })
}

/// Asks whoever sits at the terminal; anything but a yes is a no.
fn agreed(asks: &Pairing, scopes: &[Scope], repos: &[RepoId]) -> Result<bool, Failure> {
    eprint!(
        "It will be allowed {} on {}.\nPair {}? [y/N] ",
        words(scopes),
        reach(repos, None),
        who(asks)
    );
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The other side in few words; the name is its own and may be anything.
fn who(pairing: &Pairing) -> String {
    let name = pairing.name.as_deref().unwrap_or("somebody");
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let from = pairing.address.as_deref().unwrap_or("nowhere");
    format!("'{name}' from {from}")
}

fn pairings(all: &[Pairing]) -> Table {
    let mut table = Table::new(&["CODE", "WHO", "FROM", "STATE", "ASKS FOR", "UNTIL"]);
    for pairing in all {
        let tone = match pairing.state {
            PairingState::Waiting => Tone::Waits,
            PairingState::Open | PairingState::Approved => Tone::Busy,
            PairingState::Done => Tone::Good,
            PairingState::Denied | PairingState::Expired => Tone::Dim,
        };
        let what = match pairing.kind {
            PairingKind::Device => "(a browser)",
            PairingKind::Token => "(a machine)",
        };
        table.row([
            pairing.code.as_deref().unwrap_or(short(pairing.id.as_str())).into(),
            pairing.name.as_deref().unwrap_or(what).into(),
            pairing.address.as_deref().unwrap_or("-").into(),
            Cell::toned(pairing.state.as_str(), tone),
            words(&pairing.scopes).into(),
            time_text::short(pairing.expires_at).into(),
        ]);
    }
    table
}

fn device_table(devices: &[Device]) -> Table {
    let mut table =
        Table::new(&["DEVICE", "NAME", "ALLOWS", "REACHES", "PAIRED", "LAST USED", "UNTIL"]);
    for device in devices {
        table.row([
            short(device.id.as_str()).into(),
            device.name.as_str().into(),
            words(&device.scopes).into(),
            reach(&device.repos, None).into(),
            time_text::ago(device.created_at).into(),
            time_text::ago(device.last_used_at).into(),
            time_text::short(device.expires_at).into(),
        ]);
    }
    table
}
