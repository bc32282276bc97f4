//! `car salvage …`

use car_api::worktree::Salvage as Kept;
use clap::Subcommand;

use crate::{
    failure::Failure,
    pick,
    session::{Session, all},
    table::Table,
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Salvage {
    /// What is kept
    List,
    /// Bring a removed worktree or repo back
    Restore {
        /// A salvage's id or a piece of it, or the id of what was removed (then the newest)
        salvage: String,
    },
}

pub(crate) async fn run(args: Salvage, s: &Session) -> Result<(), Failure> {
    match args {
        Salvage::List => {
            let list = all(async |page| s.client.salvage_list(&page).await).await?;
            s.out.list(&list, |k| k.id.to_string(), "Nothing is kept.", table)
        }
        Salvage::Restore { salvage } => restore(&salvage, s).await,
    }
}

pub(crate) async fn restore(text: &str, s: &Session) -> Result<(), Failure> {
    let id = if pick::is_whole(text, "slv_")
        && let Ok(id) = text.parse()
    {
        id
    } else {
        let list = all(async |page| s.client.salvage_list(&page).await).await?.items;
        let of_repo = list.iter().filter(|kept| kept.repo.as_str() == text);
        match of_repo.max_by_key(|kept| kept.created_at) {
            Some(newest) => newest.id.clone(),
            None => pick::one(text, "salvage", list, |kept| kept.id.as_str())?.id,
        }
    };
    let repo = s.client.salvage_restore(&id).await?;
    s.out.show(&repo, |r| r.id.to_string(), |r| format!("{} is back at {}", r.id, r.path))
}

fn table(kept: &[Kept]) -> Table {
    let mut table = Table::new(&["SALVAGE", "WAS", "BRANCH", "MADE", "KEPT UNTIL"]);
    for k in kept {
        table.row([
            pick::short(k.id.as_str()).into(),
            k.repo.as_str().into(),
            k.branch.clone().unwrap_or_default().into(),
            time_text::ago(k.created_at).into(),
            time_text::ago(k.keep_until).into(),
        ]);
    }
    table
}
