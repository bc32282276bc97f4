//! `car login`, `car logout`: a token of one's own on another machine, without copying secrets.

use std::{env, fs, process::Command, time::Duration};

use car_api::{
    Code, Scope, Timestamp,
    pairing::{PairFinish, PairOutcome, PairRequest, PairRequested},
    token::TokenCreated,
};
use car_client::{
    Client, ClientError,
    find::contexts::{self, Context},
};
use clap::Args;

use super::token::{reach, words};
use crate::{args::Global, failure::Failure, out::Out, session::wanted, time_text};

/// How long one question to the hub waits for the owner, in seconds.
const WAIT: u32 = 25;

/// How long a hub that cannot be reached is left alone before it is asked again.
const REST: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(crate) struct Login {
    /// The hub's address
    url: String,
    /// What to call this hub here [default: the first part of its address]
    #[arg(long)]
    name: Option<String>,
    /// What to ask for, of read, write, run, approve, admin [default: all of these but admin]
    #[arg(long, value_delimiter = ',', value_name = "SCOPE,…")]
    scopes: Option<Vec<Scope>>,
}

#[derive(Args)]
pub(crate) struct Logout {
    /// The name of the hub [default: the one in use]
    name: Option<String>,
}

pub(crate) async fn login(args: Login, global: &Global, out: &Out) -> Result<(), Failure> {
    let wanted = wanted(global)?;
    let dir = wanted.config_dir.as_deref().ok_or_else(super::contexts::no_home)?;
    // Before anything is asked: what cannot be kept must not be fetched.
    let mut all = contexts::load(Some(dir))?;
    let client = Client::new(&args.url, None)?;
    let url = client.url().to_owned();
    let name = args.name.unwrap_or_else(|| first_part(&url));
    if let Some(known) = all.contexts.get(&name)
        && known.url != url
    {
        let known = &known.url;
        return Err(Failure::Usage(format!("`{name}` is {known}; choose another --name")));
    }
    let body = PairRequest::Token { name: this_machine(), scopes: args.scopes };
    let requested = client.pair_request(&body).await?;
    say(&requested, out);
    let created = granted(&client, &requested).await?;
    let TokenCreated { token, secret } = created;
    // Another hub at this address is noticed later on.
    let instance = match Client::new(&url, Some(&secret))?.hub_get().await {
        Ok(hub) => Some(hub.instance),
        Err(error) => {
            out.note(&format!("{name} is kept, but does not answer now: {error}"));
            None
        }
    };
    all.contexts.insert(name.clone(), Context { url: url.clone(), token: Some(secret), instance });
    all.current = Some(name.clone());
    contexts::save(dir, &all)?;
    let shown = serde_json::json!({ "name": name, "url": url, "token": token });
    out.show(
        &shown,
        |_| name.clone(),
        |_| {
            let (scopes, reach) = (words(&token.scopes), reach(&token.repos, token.run.as_ref()));
            let until = time_text::or_dash(token.expires_at);
            format!("logged in to {name} ({url}): {scopes} on {reach}, until {until}")
        },
    )
}

fn say(requested: &PairRequested, out: &Out) {
    let code = requested.code.as_deref().unwrap_or_default();
    let until = time_text::short(requested.expires_at);
    // Always said: without the code there is no way on.
    eprintln!("On the hub's machine, or wherever you have `admin` on it, run\n");
    eprintln!("    car pair approve {code}\n");
    out.note(&format!("Waiting for that until {until} …"));
}

/// Waits for the owner.
async fn granted(client: &Client, requested: &PairRequested) -> Result<TokenCreated, Failure> {
    let body = PairFinish { secret: requested.secret.clone(), wait: Some(WAIT) };
    loop {
        match client.pair_finish(&body).await {
            Ok(PairOutcome::Token { created, .. }) => return Ok(created),
            Ok(PairOutcome::Waiting) => {}
            Ok(PairOutcome::Denied) => {
                return Err(Failure::Refused("the hub's owner said no".to_owned()));
            }
            Ok(PairOutcome::Expired) => {
                let why = "nobody approved it in time; run `car login` again";
                return Err(Failure::Refused(why.to_owned()));
            }
            Ok(PairOutcome::Device { .. }) => {
                return Err(Failure::Refused("the hub took this machine for a browser".to_owned()));
            }
            // Whoever waits through a cut link is told in the end whether it was in time.
            Err(error) if is_away(&error) && before(requested.expires_at) => {
                tokio::time::sleep(REST).await;
            }
            Err(ClientError::Problem(problem)) if problem.code == Code::NotFound => {
                let why =
                    "the hub was restarted and has forgotten the request; run `car login` again";
                return Err(Failure::Refused(why.to_owned()));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the hub may be back in a moment.
fn is_away(error: &ClientError) -> bool {
    let closing = error.code() == Some(Code::Unavailable);
    closing || matches!(error, ClientError::Unreachable { .. })
}

fn before(end: Timestamp) -> bool {
    jiff::Timestamp::now().as_microsecond() < end.micros()
}

pub(crate) async fn logout(args: Logout, global: &Global, out: &Out) -> Result<(), Failure> {
    let wanted = wanted(global)?;
    let dir = wanted.config_dir.as_deref().ok_or_else(super::contexts::no_home)?;
    let mut all = contexts::load(Some(dir))?;
    let name = args.name.or(wanted.hub).or_else(|| all.current.clone()).ok_or_else(|| {
        let detail = "no hub with a name is in use; say which (`car contexts`). The hub of this \
                      machine needs no login";
        Failure::Usage(detail.to_owned())
    })?;
    let Some(known) = all.contexts.get_mut(&name) else {
        return Err(Failure::NotFound(format!("there is no context `{name}`")));
    };
    let token = known.token.take();
    let url = known.url.clone();
    let ended = match &token {
        Some(token) => Client::new(&url, Some(token))?.credential_delete().await,
        None => Ok(()),
    };
    let is_gone = |error: &ClientError| error.code() == Some(Code::Unauthenticated);
    all.contexts.remove(&name);
    all.current = all.current.filter(|current| *current != name);
    contexts::save(dir, &all)?;
    match ended {
        Err(error) if !is_gone(&error) => {
            out.note(&format!("{name} is forgotten here, but its token could not be ended:"));
            Err(error.into())
        }
        Ok(()) | Err(_) => {
            out.note(&format!("logged out of {name}"));
            Ok(())
        }
    }
}

/// What people call a host: its first label, or all of an address.
fn first_part(url: &str) -> String {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or(host);
    let address = host.starts_with('[') || host.split(':').next().is_some_and(is_ipv4);
    let label = if address { host } else { host.split(['.', ':']).next().unwrap_or(host) };
    label.to_owned()
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Who and where this is, for the owner to recognise.
fn this_machine() -> String {
    let user = env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_default();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| {
        let output = Command::new("hostname").output().ok()?;
        String::from_utf8(output.stdout).ok()
    });
    let host = host.as_deref().map(str::trim).filter(|host| !host.is_empty());
    let text = match (user.as_str(), host) {
        ("", None) => "another machine".to_owned(),
        ("", Some(host)) => host.to_owned(),
        (user, None) => user.to_owned(),
        (user, Some(host)) => format!("{user}@{host}"),
    };
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_called_by_its_first_label() {
        for (url, name) in [
            ("https://box.tail1.ts.net", "box"),
            ("https://box.tail1.ts.net:8443/car", "box"),
            ("http://localhost:4173", "localhost"),
            ("http://127.0.0.1:4173", "127.0.0.1:4173"),
            ("http://[::1]:4173", "[::1]:4173"),
        ] {
            assert_eq!(first_part(url), name);
        }
    }
}
