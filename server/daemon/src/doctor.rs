//! `car-hub doctor`: what could keep the hub from working.

use std::{
    fs,
    process::{Command, ExitCode, Stdio},
};

use car_files::hub_root;

use crate::{config::Loaded, program::VERSION_LINE, serve};

/// One finding.
struct Finding {
    good: bool,
    line: String,
}

/// Prints what was found; fails when something stands in the way.
pub(crate) fn run(loaded: &Loaded) -> ExitCode {
    println!("{VERSION_LINE}, hub at {}", loaded.root.display());
    let mut findings = vec![git(), root(loaded), holder(loaded)];
    findings.extend(agents(loaded));
    findings.extend(loaded.warnings.iter().map(|line| Finding { good: true, line: line.clone() }));
    for Finding { good, line } in &findings {
        println!("{} {line}", if *good { "ok  " } else { "FAIL" });
    }
    if findings.iter().all(|finding| finding.good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn git() -> Finding {
    match first_line("git", &["--version"]) {
        Some(line) => Finding { good: true, line },
        None => Finding { good: false, line: "git was not found: install it".to_owned() },
    }
}

fn root(loaded: &Loaded) -> Finding {
    let probe =
        loaded.root.join(".codex-autorunner").join(format!(".doctor-{}", std::process::id()));
    let tried = fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe));
    match tried {
        Ok(()) => Finding { good: true, line: "the root can be written".to_owned() },
        Err(error) => Finding { good: false, line: format!("the root cannot be written: {error}") },
    }
}

fn holder(loaded: &Loaded) -> Finding {
    let line = match hub_root::read_endpoint(&loaded.root) {
        Ok(Some(endpoint)) => format!("served at {} by process {}", endpoint.url, endpoint.pid),
        Ok(None) => "not served at the moment".to_owned(),
        Err(error) => return Finding { good: false, line: error.to_string() },
    };
    Finding { good: true, line }
}

/// An agent that is missing is no failure: another one may do.
fn agents(loaded: &Loaded) -> Vec<Finding> {
    let Ok(config) = serve::agents(loaded) else { return Vec::new() };
    let registry = car_agents::registry(&config);
    registry
        .iter()
        .map(|agent| {
            let command = agent.version_command();
            let found = command.split_first().and_then(|(program, args)| {
                first_line(program, &args.iter().map(String::as_str).collect::<Vec<_>>())
            });
            let line = match found {
                Some(version) => format!("{}: {version}", agent.id()),
                None => format!("{}: not found. {}", agent.id(), agent.install_hint()),
            };
            Finding { good: true, line }
        })
        .collect()
}

/// The first line a program prints, if it ends well.
fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}
