//! `car-hub doctor`: what could keep the hub from working.

use std::{
    fs,
    process::{Command, ExitCode, Stdio},
};

use car_files::hub_root;

use crate::{
    config::Loaded,
    program::{self, VERSION_LINE},
    serve, tailscale,
};

/// One finding.
struct Finding {
    good: bool,
    line: String,
}

/// Prints what was found; fails when something stands in the way.
pub(crate) fn run(loaded: &Loaded) -> ExitCode {
    println!("{VERSION_LINE}, hub at {}", loaded.root.display());
    let mut findings = vec![git(), root(loaded), holder(loaded)];
    findings.extend(reach(loaded));
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

/// How the hub is reached from elsewhere.
fn reach(loaded: &Loaded) -> Vec<Finding> {
    let server = &loaded.config.server;
    let mut findings = Vec::new();
    if !server.host.is_loopback() {
        let good = server.behind_proxy && !server.allowed_hosts.is_empty();
        let line = if good {
            format!("listens on {}, behind a proxy that speaks TLS", server.host)
        } else {
            program::Error::OpenHost { host: server.host }.to_string()
        };
        findings.push(Finding { good, line });
    }
    if !server.base_path.is_empty() {
        let line = format!("a proxy serves it under {}", server.base_path);
        findings.push(Finding { good: true, line });
    }
    let port = hub_root::read_endpoint(&loaded.root)
        .ok()
        .flatten()
        .and_then(|endpoint| endpoint.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()));
    let Some(served) = tailscale::served(port.unwrap_or(server.port)) else { return findings };
    if !served.funnelled.is_empty() {
        let names = served.funnelled.clone();
        findings.push(if server.public {
            let line = format!("open to the internet as {}, as declared", names.join(", "));
            Finding { good: true, line }
        } else {
            Finding { good: false, line: program::Error::Funnel { names }.to_string() }
        });
    }
    for name in served.names {
        let good = server.allowed_hosts.iter().any(|host| host.eq_ignore_ascii_case(&name));
        let line = if good {
            format!("`tailscale serve` shows it as {name}")
        } else {
            format!("`tailscale serve` shows it as {name}: add that to `server.allowed_hosts`")
        };
        findings.push(Finding { good, line });
    }
    findings
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
