//! `car hub worktree …`

use car_api::worktree::{RemovalReport, WorktreeCleanup, WorktreeCreate};
use clap::{Args, Subcommand};

use super::{hub, jobs, repos, salvage};
use crate::{
    args::RepoArg,
    failure::Failure,
    out::Out,
    session::{Session, all},
};

#[derive(Subcommand)]
pub(crate) enum Worktree {
    /// Make a worktree of a base repo
    #[command(after_help = "Example: car hub worktree create demo feature/one --start-point main")]
    Create {
        /// The base repo
        base: String,
        /// Branch to create or check out
        branch: String,
        /// Where a new branch starts [default: the remote's default branch]
        #[arg(long, value_name = "REF")]
        start_point: Option<String>,
        /// Do not run the base repo's set-up commands
        #[arg(long)]
        no_setup: bool,
        /// Do not wait for the end
        #[arg(long)]
        no_wait: bool,
    },
    /// List worktrees
    List {
        /// Only those of this base repo
        #[arg(long)]
        base: Option<String>,
    },
    /// Look for worktrees in the hub's directories: `car hub scan`
    #[command(hide = true)]
    Scan,
    /// Remove a worktree; never loses work
    #[command(visible_alias = "retire", alias = "delete")]
    Cleanup(Cleanup),
    /// Bring a removed worktree back: by its old id, or the salvage's
    Restore {
        /// The worktree's id, or a salvage's
        worktree: String,
    },
    /// Set the commands that prepare a new worktree: `car hub setup set`
    #[command(hide = true)]
    Setup {
        /// The base repo, by id or path
        repo: String,
        /// Shell commands, one argument each
        #[arg(required_unless_present = "clear")]
        commands: Vec<String>,
        /// None any more
        #[arg(long, conflicts_with = "commands")]
        clear: bool,
    },
}

#[derive(Args)]
pub(crate) struct Cleanup {
    /// The worktree, by id or path
    worktree: String,
    /// Also delete the branch
    #[arg(long)]
    delete_branch: bool,
    /// A kind of unsaved work that may be dropped (a copy is kept for 30 days)
    #[arg(long, value_name = "KIND")]
    drop: Vec<String>,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    // The records are always archived, as CAR does unless told otherwise.
    #[arg(long, hide = true)]
    archive: bool,
}

pub(crate) async fn run(args: Worktree, s: &Session) -> Result<(), Failure> {
    match args {
        Worktree::Create { base, branch, start_point, no_setup, no_wait } => {
            let base = s.repo(&RepoArg { repo: Some(base) }).await?;
            let body = WorktreeCreate { base, branch, start_point, skip_setup: no_setup };
            let job = s.client.worktree_create(&body).await?;
            jobs::finish(s, job, no_wait).await
        }
        Worktree::List { base } => {
            let base = s.repo_if_given(&RepoArg { repo: base }).await?;
            let list = all(async |page| s.client.worktree_list(base.as_ref(), &page).await).await?;
            let none = "No worktrees yet: car hub worktree create BASE BRANCH";
            s.out.list(&list, |r| r.id.to_string(), none, repos::table)
        }
        Worktree::Scan => hub::scan(s).await,
        Worktree::Cleanup(args) => cleanup(args, s).await,
        Worktree::Restore { worktree } => salvage::restore(&worktree, s).await,
        Worktree::Setup { repo, commands, clear: _ } => {
            hub::set_up(s, &s.repo(&RepoArg { repo: Some(repo) }).await?, commands).await
        }
    }
}

async fn cleanup(args: Cleanup, s: &Session) -> Result<(), Failure> {
    let Cleanup { worktree, delete_branch, drop, dry_run, yes, archive: _ } = args;
    let id = s.repo(&RepoArg { repo: Some(worktree) }).await?;
    if !drop.is_empty() && !dry_run {
        s.out.confirm(&format!("Remove {id} with its {}?", drop.join(", ")), yes)?;
    }
    let body = WorktreeCleanup { delete_branch, drop, dry_run };
    show_removal(&s.out, &s.client.worktree_cleanup(&id, &body).await?)
}

/// Says what a removal did, or would do.
pub(crate) fn show_removal(out: &Out, report: &RemovalReport) -> Result<(), Failure> {
    out.details(report, |r| r.repo.to_string(), removal)
}

fn removal(r: &RemovalReport) -> String {
    let mut lines = Vec::new();
    for unsaved in &r.unsaved {
        lines.push(format!("exists only here: {} ({})", unsaved.detail, unsaved.kind));
        lines.extend(unsaved.sample.iter().map(|sample| format!("  {sample}")));
    }
    lines.push(match (r.removed, r.unsaved.is_empty()) {
        (true, _) => format!("{} is removed", r.repo),
        (false, true) => format!("{} would be removed; nothing would be lost", r.repo),
        (false, false) => format!("{} would be kept: see above, and --drop KIND", r.repo),
    });
    lines.extend(
        r.salvage.as_ref().map(|kept| {
            format!("to bring it back: car salvage restore {} ({})", kept.id, kept.path)
        }),
    );
    lines.extend(r.archive.as_ref().map(|archive| format!("archived to {archive}")));
    lines.join("\n")
}
