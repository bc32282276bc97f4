//! `car backup`: archives of the hub, made by the hub.

use car_api::backup::{Backup as Kept, BackupCreate, BackupPart, RestoreReport};
use clap::Subcommand;
use indicatif::HumanBytes;

use crate::{
    failure::Failure,
    session::Session,
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Backup {
    /// Make one; the hub works on meanwhile
    Create {
        /// Leave something out: journals, salvage or archive
        #[arg(long, value_name = "PART")]
        leave_out: Vec<BackupPart>,
        /// Do not wait until it is made
        #[arg(long)]
        no_wait: bool,
    },
    /// Those in the hub's backup directory, newest first
    List,
    /// What a restore gave, while nobody has confirmed it
    Report,
    /// Confirm that report: the hub starts, goes on and cleans up again
    Confirm,
}

pub(crate) async fn run(args: Backup, s: &Session) -> Result<(), Failure> {
    match args {
        Backup::Create { leave_out, no_wait } => {
            let job = s.client.backup_create(&BackupCreate { leave_out }).await?;
            super::jobs::finish(s, job, no_wait).await
        }
        Backup::List => {
            let list = s.client.backup_list().await?;
            s.out.list(&list, |kept| kept.name.clone(), "No backups yet.", table)
        }
        Backup::Report => {
            let report = s.client.hub_get().await?.restore;
            s.out.show(
                &report,
                |_| String::new(),
                |report| match report {
                    Some(report) => text(report),
                    None => "No restore waits to be confirmed.".to_owned(),
                },
            )
        }
        Backup::Confirm => {
            s.client.restore_confirm().await?;
            s.out.note("Confirmed: the hub works again.");
            Ok(())
        }
    }
}

fn table(backups: &[Kept]) -> Table {
    let mut table = Table::new(&["BACKUP", "MADE", "SIZE", "BY"]);
    for kept in backups {
        let by = if kept.scheduled { Cell::toned("the hub", Tone::Dim) } else { "a person".into() };
        table.row([
            kept.name.as_str().into(),
            time_text::short(kept.created_at).into(),
            HumanBytes(kept.size).to_string().into(),
            by,
        ]);
    }
    table
}

fn text(report: &RestoreReport) -> String {
    let mut lines = vec![
        format!("Restored from {}, made {}.", report.archive, report.created_at),
        format!("Runs that were active and are paused now: {}", report.runs_paused),
    ];
    let newer = report.trees_kept.iter().filter(|tree| tree.newer);
    lines.extend(newer.map(|tree| format!("Newer on disk than the backup: {}", tree.repo)));
    lines.extend(report.trees_missing.iter().map(|tree| match &tree.command {
        Some(command) => {
            format!("Without its history: {}; bring it back with: {command}", tree.repo)
        }
        None => format!("Without its history: {}", tree.repo),
    }));
    lines.extend(report.notes.iter().map(|note| format!("Not in the backup: {note}")));
    lines.push("`car backup confirm` lets the hub work.".to_owned());
    lines.join("\n")
}
