//! `car-hub reindex`: the database anew, from the files.

use std::process::ExitCode;

use crate::{config::Loaded, program::Error, serve};

pub(crate) fn run(loaded: &Loaded) -> Result<ExitCode, Error> {
    let found = serve::runtime()?.block_on(car_hub::reindex::reindex(&loaded.root))?;
    println!("{} runs, {} turns, {} verdicts.", found.runs, found.turns, found.verdicts);
    println!("{} threads, {} messages.", found.threads, found.messages);
    if found.cut_off > 0 {
        println!(
            "{} answers were under way and are interrupted; `car thread continue` goes on.",
            found.cut_off
        );
    }
    if found.unfinished > 0 {
        println!("{} runs were at work and have ended; start new ones.", found.unfinished);
    }
    for problem in &found.problems {
        println!("not read: {problem}");
    }
    if let Some(aside) = &found.aside {
        println!("The old database is {}.", aside.display());
    }
    println!("Tokens and the log did not come back: every client has to be let in anew.");
    Ok(ExitCode::SUCCESS)
}
