//! `car use`, `car contexts`

use std::collections::BTreeMap;

use car_client::{
    Client,
    find::contexts::{self, Context, Contexts},
};
use clap::Args;

use crate::{
    args::Global,
    failure::Failure,
    out::Out,
    session::wanted,
    table::{Cell, Table, Tone},
};

#[derive(Args)]
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
pub(crate) struct List {
    /// Forget this name
    #[arg(long, value_name = "NAME")]
    remove: Option<String>,
}

pub(crate) fn choose(args: Use, global: &Global, out: &Out) -> Result<(), Failure> {
    let wanted = wanted(global)?;
    let dir = wanted.config_dir.as_deref().ok_or_else(no_home)?;
    let mut all = contexts::load(Some(dir))?;
    if let (Some(name), Some(url)) = (&args.name, args.url) {
        // Says at once what is wrong with an address.
        let url = Client::new(&url, wanted.token.as_deref())?.url().to_owned();
        let kept = all.contexts.get(name).filter(|old| old.url == url);
        let token = wanted.token.or_else(|| kept.and_then(|old| old.token.clone()));
        all.contexts.insert(name.clone(), Context { url, token });
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

pub(crate) fn list(args: List, global: &Global, out: &Out) -> Result<(), Failure> {
    let wanted = wanted(global)?;
    let dir = wanted.config_dir.as_deref().ok_or_else(no_home)?;
    let mut all = contexts::load(Some(dir))?;
    if let Some(name) = args.remove {
        if all.contexts.remove(&name).is_none() {
            return Err(Failure::NotFound(format!("there is no context `{name}`")));
        }
        all.current = all.current.filter(|current| *current != name);
        contexts::save(dir, &all)?;
    }
    let urls: BTreeMap<_, _> = all.contexts.iter().map(|(name, c)| (name, &c.url)).collect();
    let shown = serde_json::json!({ "current": all.current, "contexts": urls });
    let names = |_: &_| all.contexts.keys().cloned().collect::<Vec<_>>().join("\n");
    out.show(&shown, names, |_| match all.contexts.len() {
        0 => "No hub has a name yet: car use NAME URL".to_owned(),
        _ => table(&all).render(out.width, out.colour),
    })
}

fn table(all: &Contexts) -> Table {
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
