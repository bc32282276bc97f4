//! `car token …`, `car keys …`

use car_api::{
    RepoId, RunId, Scope,
    key::SigningKey,
    token::{Token as Entry, TokenCreate, TokenExchange},
};
use clap::{Args, Subcommand};

use crate::{
    failure::Failure,
    pick::short,
    session::Session,
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Token {
    /// All of them, without their secrets
    List,
    /// What the token in use is and allows
    Show,
    /// Make a token; its secret is shown only now
    Create(Create),
    /// Get a token of ten minutes in exchange for the one in use
    Exchange {
        /// What it shall allow [default: all the one in use allows]
        #[arg(long, value_delimiter = ',', value_name = "SCOPE,…")]
        scopes: Option<Vec<Scope>>,
    },
    /// Make a token stop working, at once
    Delete {
        /// Its id or a piece of it
        #[arg(required_unless_present = "all_others")]
        token: Option<String>,
        /// Log out everywhere: all tokens and browsers but the one in use
        #[arg(long, conflicts_with = "token")]
        all_others: bool,
    },
}

#[derive(Args)]
pub(crate) struct Create {
    /// What it is for
    name: String,
    /// What it shall allow, of read, write, run, approve, terminal, admin
    /// [default: read, write, run, approve]
    #[arg(long, value_delimiter = ',', value_name = "SCOPE,…")]
    scopes: Option<Vec<Scope>>,
    /// Only this repo and its worktrees; may be said several times
    #[arg(long, short, value_name = "ID")]
    repo: Vec<RepoId>,
    /// Only this run
    #[arg(long, value_name = "ID", conflicts_with = "repo")]
    run: Option<RunId>,
    /// Days until it stops working, 1 to 366 [default: 90]
    #[arg(long)]
    days: Option<u32>,
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// The keys that sign short-lived tokens
    List,
    /// Sign with a new key from now on
    Rotate,
}

pub(crate) async fn run(args: Token, s: &Session) -> Result<(), Failure> {
    match args {
        Token::List => {
            let list = s.client.token_list().await?;
            s.out.list(&list, |t| t.id.to_string(), "No tokens.", table)
        }
        Token::Show => {
            let own = s.client.credential_get().await?;
            s.out.show(
                &own,
                |own| own.actor.id.clone(),
                |own| {
                    let reach = reach(&own.repos, own.run.as_ref());
                    let until = time_text::or_dash(own.expires_at);
                    let (kind, id, name) = (own.actor.kind, &own.actor.id, &own.actor.name);
                    let scopes = words(&own.scopes);
                    format!("{kind}    {id} ({name})\nallows   {scopes}\nreaches  {reach}\nuntil    {until}")
                },
            )
        }
        Token::Create(args) => create(args, s).await,
        Token::Exchange { scopes } => {
            let made = s.client.token_exchange(&TokenExchange { scopes }).await?;
            if !s.out.json {
                let until = time_text::short(made.expires_at);
                s.out.note(&format!("{} until {until}:", words(&made.scopes)));
            }
            s.out.show(&made, |t| t.secret.clone(), |t| t.secret.clone())
        }
        Token::Delete { token: Some(token), .. } => {
            let token = s.token(&token).await?;
            s.client.token_delete(&token).await?;
            s.out.note(&format!("{token} no longer works"));
            Ok(())
        }
        Token::Delete { token: None, .. } => {
            let done = s.client.token_delete_others().await?;
            s.out.show(
                &done,
                |_| String::new(),
                |done| {
                    format!(
                        "logged out everywhere else: {} tokens and {} browsers",
                        done.tokens, done.devices
                    )
                },
            )
        }
    }
}

async fn create(args: Create, s: &Session) -> Result<(), Failure> {
    let Create { name, scopes, repo: repos, run, days } = args;
    let body = TokenCreate { name, scopes, repos, run, days };
    let made = s.client.token_create(&body).await?;
    // The secret alone on standard output, so that `$(car token create ci)` is just it.
    if !s.out.json {
        let token = &made.token;
        let until = time_text::or_dash(token.expires_at);
        let (scopes, reach) = (words(&token.scopes), reach(&token.repos, token.run.as_ref()));
        s.out.note(&format!("{}: {scopes} on {reach} until {until}; shown only now:", token.id));
    }
    s.out.show(&made, |t| t.secret.clone(), |t| t.secret.clone())
}

pub(crate) async fn keys(args: Keys, s: &Session) -> Result<(), Failure> {
    let list = match args {
        Keys::List => s.client.key_list().await?,
        Keys::Rotate => s.client.key_rotate().await?,
    };
    s.out.list(&list, |key| key.id.to_string(), "No keys.", key_table)
}

/// Scopes as one word.
pub(crate) fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
}

/// What a credential reaches, in few words.
pub(crate) fn reach(repos: &[RepoId], run: Option<&RunId>) -> String {
    match (run, repos) {
        (Some(run), _) => format!("run {}", short(run.as_str())),
        (None, []) => "all repos".to_owned(),
        (None, repos) => repos.iter().map(RepoId::as_str).collect::<Vec<_>>().join(","),
    }
}

fn table(tokens: &[Entry]) -> Table {
    let mut table = Table::new(&["TOKEN", "FOR", "ALLOWS", "REACHES", "UNTIL", "LAST USED"]);
    for token in tokens {
        table.row([
            short(token.id.as_str()).into(),
            token.name.as_str().into(),
            words(&token.scopes).into(),
            reach(&token.repos, token.run.as_ref()).into(),
            time_text::or_dash(token.expires_at).into(),
            time_text::ago_or_dash(token.last_used_at).into(),
        ]);
    }
    table
}

fn key_table(keys: &[SigningKey]) -> Table {
    let mut table = Table::new(&["KEY", "STATE", "MADE", "UNTIL"]);
    for key in keys {
        let state = if key.signs {
            Cell::toned("signs", Tone::Good)
        } else {
            Cell::toned("is believed", Tone::Dim)
        };
        table.row([
            key.id.as_str().into(),
            state,
            time_text::short(key.created_at).into(),
            time_text::or_dash(key.rotates_at.or(key.verifies_until)).into(),
        ]);
    }
    table
}
