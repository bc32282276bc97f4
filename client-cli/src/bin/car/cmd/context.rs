//! `car context …`: the documents every prompt can carry.

use car_api::context::{ContextDoc, ContextName, ContextUpdate};
use clap::{Args, Subcommand};

use super::edit;
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::Session,
    table::Table,
};

#[derive(Subcommand)]
pub(crate) enum Context {
    /// The documents and their sizes
    List(RepoArg),
    /// Show one, or all
    Show {
        /// `active_context`, `decisions` or `spec`
        name: Option<ContextName>,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Change one in $EDITOR
    #[command(visible_alias = "set")]
    Edit(Edit),
}

#[derive(Args)]
pub(crate) struct Edit {
    /// `active_context`, `decisions` or `spec`
    name: ContextName,
    #[command(flatten)]
    repo: RepoArg,
    #[command(flatten)]
    source: edit::Source,
}

pub(crate) async fn run(args: Context, global: &Global, out: &Out) -> Result<(), Failure> {
    let arg = match &args {
        Context::List(repo) | Context::Show { repo, .. } | Context::Edit(Edit { repo, .. }) => {
            repo.clone()
        }
    };
    let session = Session::open_for(global, out, &arg)?;
    let (s, repo) = (&session, session.repo(&arg).await?);
    match args {
        Context::List(_) => {
            let list = s.client.context_list(&repo).await?;
            out.list(&list, |d| d.name.to_string(), "No documents.", table)
        }
        Context::Show { name: Some(name), .. } => {
            let doc = s.client.context_get(&repo, name).await?;
            out.show(&doc, |d| d.name.to_string(), |d| d.content.clone())
        }
        Context::Show { name: None, .. } => {
            let list = s.client.context_list(&repo).await?;
            let ids = |_: &_| String::new();
            out.show(&list, ids, |list| {
                let whole = |d: &ContextDoc| format!("== {} ==\n{}", d.name, d.content.trim_end());
                list.items.iter().map(whole).collect::<Vec<_>>().join("\n\n")
            })
        }
        Context::Edit(Edit { name, source, .. }) => {
            let old = s.client.context_get(&repo, name).await?;
            let Some(draft) = source.draft(&format!("{name}.md"), &old.content, &old.etag)? else {
                out.note("nothing was changed");
                return Ok(());
            };
            let body = ContextUpdate { content: draft.text.clone() };
            let etag = draft.if_match.clone();
            let answer = s.client.context_update(&repo, name, &body, Some(&etag)).await;
            let doc = draft.settle(answer)?;
            out.show(&doc, |d| d.name.to_string(), |d| format!("{} is saved", d.name))
        }
    }
}

fn table(docs: &[ContextDoc]) -> Table {
    let mut table = Table::new(&["DOCUMENT", "LINES", "BEGINS"]);
    for doc in docs {
        let first = doc.content.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        table.row([
            doc.name.as_str().into(),
            doc.content.lines().count().to_string().into(),
            first.into(),
        ]);
    }
    table
}
