//! Measures the hub beside the original and beside what the machine allows at all.
//!
//! `cargo run --release -p car-bench -- [P1 P2 …] [--only-hub] [--as-built]`: times and memory are ratios of one
//! run on one machine; no test judges by them. It starts what it measures in a directory of its
//! own, ends it by process id, and ends itself.

mod bare;
mod fixture;
mod http;
mod install;
mod machine;
mod parts;
mod process;
mod report;
mod socket;
mod stats;
mod subject;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use report::Report;
use subject::Subject;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// After this no further part is begun.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// What every part is given.
pub(crate) struct Bench {
    pub(crate) subjects: Vec<Subject>,
    /// Where `car-hub` and `car` are.
    pub(crate) programs: PathBuf,
    /// Everything measured happens below it.
    pub(crate) dir: PathBuf,
    pub(crate) report: Report,
}

impl Bench {
    pub(crate) fn hub(&self) -> Subject {
        Subject::Hub { programs: self.programs.clone() }
    }

    /// A root of a subject with so many repos of so many tickets.
    pub(crate) fn root(
        &self,
        subject: &Subject,
        name: &str,
        size: (usize, usize),
    ) -> Outcome<PathBuf> {
        fixture::root(subject, &self.programs, &self.dir, name, size)
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.as_slice() {
        [word, file] if word == bare::WORD => bare::serve(Path::new(file)),
        args => measure(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &[String]) -> Outcome<()> {
    let mut wanted: Vec<&str> = Vec::new();
    let (mut only_hub, mut as_built) = (false, false);
    for arg in args {
        match arg.as_str() {
            "--only-hub" => only_hub = true,
            "--as-built" => as_built = true,
            word if parts::ALL.iter().any(|(name, _)| *name == word) => wanted.push(word),
            word => {
                let known: Vec<&str> = parts::ALL.iter().map(|(name, _)| *name).collect();
                let known = known.join(" ");
                return Err(format!(
                    "`{word}` is no part; there are {known}, and --only-hub, --as-built"
                )
                .into());
            }
        }
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    if !as_built {
        build(&workspace)?;
    }
    let programs = programs()?;
    let mut subjects = install::subjects(&workspace, &programs);
    if only_hub {
        subjects.retain(Subject::is_hub);
    }
    let scratch = tempfile::Builder::new().prefix("car-bench-").tempdir()?;
    let dir = scratch.path().canonicalize()?;
    let mut machine = machine::describe(&programs);
    let mut bench = Bench { subjects, programs, dir, report: Report::default() };
    let begun = Instant::now();
    for (name, part) in parts::ALL {
        if !wanted.is_empty() && !wanted.contains(name) {
            continue;
        }
        if begun.elapsed() > LIMIT {
            bench.report.note(format!("{name} was left out: the others took too long."));
            continue;
        }
        println!("{name} … (load {})", machine::load());
        if let Err(error) = part(&mut bench) {
            bench.report.note(format!("{name} was given up: {error}"));
        }
        for (pid, line) in process::of_dir(&bench.dir) {
            bench.report.note(format!("{name} left process {pid} behind: {line}"));
        }
    }
    if let Some(machine) = machine.as_object_mut() {
        machine.insert("load after".to_owned(), machine::load().into());
    }
    bench.report.write(&workspace.join("bench-results"), &machine)?;
    println!("\n{}", bench.report.table(&machine));
    Ok(())
}

/// Builds `car-hub` and `car` as released, beside this program.
fn build(workspace: &Path) -> Outcome<()> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "-p", "car-daemon", "-p", "car-client", "--bins"])
        .current_dir(workspace)
        .status()?;
    if !built.success() {
        return Err("car-hub and car could not be built".into());
    }
    Ok(())
}

/// Where they are.
fn programs() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let profile = own.parent().ok_or("this program is in no directory")?;
    let beside = [profile.to_owned(), profile.with_file_name("release")];
    let found = beside.into_iter().find(|dir| dir.join("car-hub").is_file());
    found.ok_or_else(|| "car-hub was built, but is not beside this program".into())
}
