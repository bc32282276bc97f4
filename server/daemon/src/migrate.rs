//! `car-hub migrate`: the database's schema, looked at or brought up to date.

use std::process::ExitCode;

use clap::Args;

use crate::{config::Loaded, program::Error, serve};

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct MigrateArgs {
    /// Say what the next start would do, and do nothing
    #[arg(long)]
    check: bool,
    /// Do it now; the hub must not be served
    #[arg(long)]
    run: bool,
}

pub(crate) fn run(args: &MigrateArgs, loaded: &Loaded) -> Result<ExitCode, Error> {
    let runtime = serve::runtime()?;
    let plan = if args.run {
        runtime.block_on(car_hub::migrate::run(&loaded.root))?
    } else {
        runtime.block_on(car_hub::migrate::check(&loaded.root))?
    };
    println!("The database has schema {}, this car-hub knows {}.", plan.present, plan.known);
    let done = if args.run { "applied" } else { "pending" };
    for name in &plan.pending {
        println!("{done}: {name}");
    }
    if !plan.pending.is_empty() && plan.present > 0 {
        println!("copy from before: {}", plan.copy.display());
    }
    Ok(ExitCode::SUCCESS)
}
