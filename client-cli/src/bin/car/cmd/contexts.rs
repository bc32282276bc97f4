//! `car use`, `car contexts`: hubs by names of one's own.

use std::collections::BTreeMap;

use car_client::{
    Client,
    find::contexts::{self, Context, Contexts as All},
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    args::Global,
    failure::Failure,
    out::Out,
    session::wanted,
    table::{Cell, Table, Tone},
};

#[derive(Args)]
#[command(after_help = "Examples:
  car use box https://box.example.net --token-file token   name a hub and use it
  car use box                                              use it again
  car use --local                                          this machine's hub again")]
pub(crate) struct Use {
    /// The name of a hub
    #[arg(required_unless_present = "local")]
    name: Option<String>,
    /// Its URL, to give it this name (its token: --token-file or CAR_TOKEN)
    #[arg(conflicts_with = "local")]
    url: Option<String>,
    /// The hub of the directory you are in, again
    #[arg(long, conflicts_with = "name")]
    local: bool,
}

#[derive(Args)]
pub(crate) struct Contexts {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// All of them
    List,
    /// One of them, and whether its hub answers
    Show {
        /// Its name [default: the one in use]
        name: Option<String>,
    },
    /// Give one another name
    Rename {
        /// Its name
        from: String,
        /// Its new name
        to: String,
    },
    /// Forget one and its token
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        name: String,
    },
}

pub(crate) async fn choose(args: Use, global: &Global, out: &Out) -> Result<(), Failure> {
    let wanted = wanted(global)?;
    let dir = wanted.config_dir.as_deref().ok_or_else(no_home)?;
    let mut all = contexts::load(Some(dir))?;
    if let (Some(name), Some(url)) = (&args.name, args.url) {
        may_be_a_name(name)?;
        let kept = all.contexts.get(name).filter(|old| old.url == url.trim_end_matches('/'));
        let token = wanted.token.or_else(|| kept.and_then(|old| old.token.clone()));
        // Says at once what is wrong with an address.
        let client = Client::new(&url, token.as_deref())?;
        let url = client.url().to_owned();
        // Another hub at this address is noticed later on; one that cannot be asked now is not.
        let instance = match client.hub_get().await {
            Ok(hub) => Some(hub.instance),
            Err(error) => {
                out.note(&format!("{name} is kept, but cannot be used yet: {error}"));
                None
            }
        };
        all.contexts.insert(name.clone(), Context { url, token, instance });
    }
    if let Some(name) = &args.name
        && !all.contexts.contains_key(name)
    {
        return Err(Failure::NotFound(format!(
            "there is no context `{name}`; make it with `car use {name} URL`"
        )));
    }
    all.current = args.name;
    contexts::save(dir, &all)?;
    out.note(&match &all.current {
        Some(name) => format!("using {name}"),
        None => "using the hub of the directory you are in".to_owned(),
    });
    Ok(())
}

pub(crate) async fn run(args: Contexts, global: &Global, out: &Out) -> Result<(), Failure> {
    let wanted = wanted(global)?;
    let dir = wanted.config_dir.as_deref().ok_or_else(no_home)?;
    let mut all = contexts::load(Some(dir))?;
    match args.command.unwrap_or(Command::List) {
        Command::List => list(&all, out),
        Command::Show { name } => show(&all, name, out).await,
        Command::Rename { from, to } => {
            may_be_a_name(&to)?;
            if all.contexts.contains_key(&to) {
                return Err(Failure::Usage(format!("there is a context `{to}` already")));
            }
            let context = all.contexts.remove(&from).ok_or_else(|| unknown(&from))?;
            if all.current.as_deref() == Some(&from) {
                all.current = Some(to.clone());
            }
            all.contexts.insert(to.clone(), context);
            contexts::save(dir, &all)?;
            out.note(&format!("{from} is now {to}"));
            Ok(())
        }
        Command::Remove { name } => {
            all.contexts.remove(&name).ok_or_else(|| unknown(&name))?;
            all.current = all.current.filter(|current| *current != name);
            contexts::save(dir, &all)?;
            out.note(&format!("{name} is forgotten; its token works until the hub deletes it"));
            Ok(())
        }
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    current: Option<&'a str>,
    contexts: BTreeMap<&'a str, Shown<'a>>,
}

/// A context without its secret.
#[derive(Serialize)]
struct Shown<'a> {
    url: &'a str,
    instance: Option<&'a str>,
    has_token: bool,
}

impl<'a> From<&'a Context> for Shown<'a> {
    fn from(context: &'a Context) -> Self {
        Self {
            url: &context.url,
            instance: context.instance.as_deref(),
            has_token: context.token.is_some(),
        }
    }
}

fn list(all: &All, out: &Out) -> Result<(), Failure> {
    let listed = Listed {
        current: all.current.as_deref(),
        contexts: all.contexts.iter().map(|(name, c)| (name.as_str(), c.into())).collect(),
    };
    let names = |_: &_| all.contexts.keys().cloned().collect::<Vec<_>>().join("\n");
    out.show(&listed, names, |_| match all.contexts.len() {
        0 => "No hub has a name yet: car use NAME URL".to_owned(),
        _ => table(all).render(out.width, out.colour),
    })
}

async fn show(all: &All, name: Option<String>, out: &Out) -> Result<(), Failure> {
    let none = || Failure::NotFound("no context is in use; say which".to_owned());
    let name = name.or_else(|| all.current.clone()).ok_or_else(none)?;
    let context = all.contexts.get(&name).ok_or_else(|| unknown(&name))?;
    let client =
        Client::new(&context.url, context.token.as_deref())?.expecting(context.instance.clone());
    let answer = match client.hub_get().await {
        Ok(hub) => format!("yes: version {}, root {}", hub.version, hub.root),
        Err(error) => format!("no: {error}"),
    };
    let shown = Shown::from(context);
    out.show(
        &shown,
        |_| name.clone(),
        |shown| {
            format!(
                "{name}\nurl        {}\ninstance   {}\ntoken      {}\nanswers    {answer}",
                shown.url,
                shown.instance.unwrap_or("not known yet"),
                if shown.has_token { "kept" } else { "none" },
            )
        },
    )
}

/// A name must not look like the other things `--hub` takes.
fn may_be_a_name(name: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.is_empty() && !name.starts_with('.') && name.chars().all(plain) {
        return Ok(());
    }
    Err(Failure::Usage(format!("`{name}`: a name has letters, digits, `.`, `_` and `-` only")))
}

fn unknown(name: &str) -> Failure {
    Failure::NotFound(format!("there is no context `{name}`"))
}

fn table(all: &All) -> Table {
    let mut table = Table::new(&["", "NAME", "URL", "TOKEN"]);
    for (name, context) in &all.contexts {
        let current = all.current.as_ref() == Some(name);
        table.row([
            Cell::toned(if current { "*" } else { "" }, Tone::Good),
            name.as_str().into(),
            context.url.as_str().into(),
            if context.token.is_some() { "kept" } else { "none" }.into(),
        ]);
    }
    table
}

pub(crate) fn no_home() -> Failure {
    Failure::Usage("no place for settings: set HOME or CAR_CONFIG_DIR".to_owned())
}
