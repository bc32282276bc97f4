//! `car-hub restore`: a hub from a backup, and the word that lets it work.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use car_api::backup::{RestoreReport, RestoredTree};
use car_hub::backup::{self, confirm};
use clap::{Args, Subcommand};

use crate::{program::Error, root, serve};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct RestoreArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// The archive
    #[arg(required = true)]
    archive: Option<PathBuf>,
    /// The new root: a directory that is empty or not there yet
    #[arg(long, value_name = "DIR", required = true)]
    root: Option<PathBuf>,
    /// Check the archive and say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Let in no token of the backup
    #[arg(long)]
    revoke_all: bool,
    /// The root may have repos and worktrees, though no hub; their files stay as they are
    #[arg(long)]
    keep_trees: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Let a restored hub work: start, go on and clean up
    Confirm {
        /// The restored hub's root
        #[arg(long, value_name = "DIR", env = "CAR_HUB_ROOT")]
        root: Option<PathBuf>,
    },
}

pub(crate) fn run(args: RestoreArgs) -> Result<ExitCode, Error> {
    if let Some(Command::Confirm { root }) = args.command {
        let root = root::find(root.as_deref())?;
        serve::runtime()?.block_on(confirm(&root))?;
        println!(
            "Confirmed. The hub works again when it is served: car-hub serve --root '{}'",
            root.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| Error::file(path.display().to_string(), error))
    };
    let wanted = backup::Restore {
        archive: absolute(&args.archive.unwrap_or_default())?,
        root: absolute(&args.root.unwrap_or_default())?,
        dry_run: args.dry_run,
        revoke_all: args.revoke_all,
        keep_trees: args.keep_trees,
    };
    let root = wanted.root.clone();
    let report = serve::runtime()?.block_on(backup::restore(wanted))?;
    for line in lines(&report) {
        println!("{line}");
    }
    if args.dry_run {
        println!("The archive is whole. Nothing was written.");
    } else {
        println!("Confirm it with: car-hub restore confirm --root '{}'", root.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The report, for people.
pub(crate) fn lines(report: &RestoreReport) -> Vec<String> {
    let mut lines = vec![
        format!("Restored from {}, made {}.", report.archive, report.created_at),
        "Nothing is started, gone on with or removed until you confirm this.".to_owned(),
        match report.runs_paused {
            0 => "No run was active.".to_owned(),
            1 => "1 run was active and is paused: `car run resume` lets it go on.".to_owned(),
            n => format!("{n} runs were active and are paused: `car run resume` lets each go on."),
        },
    ];
    if !report.with_secrets {
        lines.push("No token came back: every client has to be let in anew.".to_owned());
    }
    let newer = report.trees_kept.iter().filter(|tree| tree.newer).count();
    if newer > 0 {
        let what =
            if newer == 1 { "1 tree on disk is" } else { &format!("{newer} trees on disk are") };
        lines.push(format!("{what} newer than this backup; the files there stay as they are:"));
        lines.extend(report.trees_kept.iter().filter(|tree| tree.newer).map(place));
    }
    if !report.trees_missing.is_empty() {
        lines.push("Git's history is not in a backup. Bring it back, repos first:".to_owned());
        lines.extend(report.trees_missing.iter().map(|tree| match &tree.command {
            Some(command) => format!("  {command}"),
            None => format!("{}: it had no remote that is known", place(tree)),
        }));
    }
    lines.extend(report.notes.iter().map(|note| format!("Not in the backup: {note}")));
    lines
}

fn place(tree: &RestoredTree) -> String {
    format!("  {} ({})", tree.repo, tree.path)
}
