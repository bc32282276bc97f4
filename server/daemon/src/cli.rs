//! The command line.

use std::{ffi::OsString, net::IpAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::{
    audit, backup,
    config::{self, Flags, Loaded},
    doctor, init, migrate, program, reindex, restore, root, serve, up,
};

/// A hub that runs coding agents over queues of tickets and verifies what they claim.
#[derive(Parser)]
#[command(name = "car-hub", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the hub until SIGTERM or Ctrl-C; agents live on meanwhile
    Serve(Serving),
    /// Make a directory a hub's root
    Init {
        /// The directory; made if it is missing
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Make a hub if there is none, serve it, and show in this terminal what happens
    Up(Up),
    /// Print the version
    Version,
    /// Print the effective configuration and where each value came from, or change it
    Config {
        #[command(flatten)]
        serving: Serving,
        #[command(subcommand)]
        change: Option<Change>,
    },
    /// Look for what could keep the hub from working
    Doctor {
        #[command(flatten)]
        serving: Serving,
        #[command(flatten)]
        doctor: doctor::DoctorArgs,
    },
    /// Write the whole hub into one archive, while it works
    Backup {
        #[command(flatten)]
        serving: Serving,
        #[command(flatten)]
        backup: backup::BackupArgs,
    },
    /// Look at the database's schema, or bring it up to date
    Migrate {
        #[command(flatten)]
        serving: Serving,
        #[command(flatten)]
        migrate: migrate::MigrateArgs,
    },
    /// Make the database anew from the files of runs; an old one is put aside
    Reindex(Serving),
    /// Make a hub from a backup
    Restore(restore::RestoreArgs),
    /// The audit chain, also while the hub is not served
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Args, Default)]
struct Serving {
    /// The hub's root; the nearest one at or above the working directory when absent
    #[arg(long, env = "CAR_HUB_ROOT")]
    root: Option<PathBuf>,
    /// Port to listen on; 0 takes any free one
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on
    #[arg(long)]
    host: Option<IpAddr>,
    /// A proxy that speaks TLS stands before this address
    #[arg(long)]
    behind_proxy: bool,
}

#[derive(Subcommand)]
enum Change {
    /// Set one key in the hub's own file; it holds from the next start on
    Set {
        /// The key, as `car-hub config` shows it
        key: String,
        /// The value, as YAML has it
        value: String,
    },
}

#[derive(Subcommand)]
enum Audit {
    /// Walk the chain: was a line edited, moved or removed?
    Verify {
        /// The hub's root; the nearest one at or above the working directory when absent
        #[arg(long, env = "CAR_HUB_ROOT")]
        root: Option<PathBuf>,
        /// A head that was kept, as `car audit head` prints it
        #[arg(long, value_name = "SEQ:HASH")]
        since_head: Option<String>,
    },
}

#[derive(Args)]
struct Up {
    #[command(flatten)]
    serving: Serving,
    /// Add the sample repo without asking and run it
    #[arg(long, conflicts_with = "no_sample")]
    sample: bool,
    /// Do not offer the sample repo
    #[arg(long)]
    no_sample: bool,
}

/// Does what the arguments say.
pub(crate) fn run(args: Vec<OsString>) -> ExitCode {
    let done = match Cli::parse_from(args).command {
        Command::Serve(serving) => loaded(&serving).and_then(|loaded| serve::run(&loaded)),
        Command::Init { dir } => init::run(&dir),
        Command::Up(wanted) => up(&wanted),
        Command::Version => {
            println!("{}", program::VERSION_LINE);
            Ok(ExitCode::SUCCESS)
        }
        Command::Config { serving, change: None } => loaded(&serving).map(|loaded| {
            print!("{}", loaded.shown());
            ExitCode::SUCCESS
        }),
        Command::Config { serving, change: Some(Change::Set { key, value }) } => {
            configure(&serving, &key, &value)
        }
        Command::Backup { serving, backup } => {
            loaded(&serving).and_then(|loaded| backup::run(backup, &loaded))
        }
        Command::Migrate { serving, migrate } => {
            loaded(&serving).and_then(|loaded| migrate::run(&migrate, &loaded))
        }
        Command::Reindex(serving) => loaded(&serving).and_then(|loaded| reindex::run(&loaded)),
        Command::Restore(wanted) => restore::run(wanted),
        Command::Audit(Audit::Verify { root, since_head }) => {
            root::find(root.as_deref()).and_then(|root| audit::verify(&root, since_head.as_deref()))
        }
        Command::Doctor { serving, doctor } => {
            loaded(&serving).and_then(|loaded| doctor::run(&doctor, &loaded))
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn up(wanted: &Up) -> Result<ExitCode, program::Error> {
    let root = up::root(wanted.serving.root.as_deref())?;
    let loaded = config::load(&root, std::env::vars_os(), flags(&wanted.serving))?;
    let sample = match (wanted.sample, wanted.no_sample) {
        (true, _) => up::Sample::Add,
        (false, true) => up::Sample::Skip,
        (false, false) => up::Sample::Ask,
    };
    up::run(&loaded, sample)
}

fn configure(serving: &Serving, key: &str, value: &str) -> Result<ExitCode, program::Error> {
    let root = root::find(serving.root.as_deref())?;
    config::set(&root, key, value)?;
    println!("{key}: {value}  # {}; it holds when the hub starts the next time", config::FILE);
    Ok(ExitCode::SUCCESS)
}

fn loaded(serving: &Serving) -> Result<Loaded, program::Error> {
    let root = root::find(serving.root.as_deref())?;
    Ok(config::load(&root, std::env::vars_os(), flags(serving))?)
}

fn flags(serving: &Serving) -> Flags {
    let port = serving.port.map(|port| ("server.port", json!(port)));
    let host = serving.host.map(|host| ("server.host", json!(host)));
    let behind_proxy = serving.behind_proxy.then_some(("server.behind_proxy", json!(true)));
    port.into_iter().chain(host).chain(behind_proxy).collect()
}
