//! `car pma …`: the project manager, the agent that runs the hub for its user.

use car_api::pma::{PmaDoc, PmaDocName, PmaDocUpdate};
use clap::Subcommand;

use super::edit;
use crate::{failure::Failure, session::Session, table::Table};

#[derive(Subcommand)]
pub(crate) enum Pma {
    /// What it works from: its part, your guidance, its working set and log
    #[command(subcommand)]
    Docs(Docs),
    /// What it is shown of the hub
    Packet,
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
        Pma::Docs(args) => docs(args, s).await,
        Pma::Packet => {
            let text = s.client.pma_packet().await?;
            s.out.show(&text, |_| String::new(), String::clone)
        }
    }
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
