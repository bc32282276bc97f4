//! `car-hub doctor`: what could keep the hub from working, at the machine.

use std::{
    net::TcpListener,
    process::{Command, ExitCode, Stdio},
};

use car_api::{
    AgentId,
    agent::Availability,
    doctor::{DoctorReport, Finding, Level},
};
use car_files::hub_root;
use car_hub::doctor::{Place, look, mend, served};
use clap::Args;

use crate::{
    config::Loaded,
    program::{Error, VERSION_LINE},
    serve, tailscale,
};

#[derive(Args)]
pub(crate) struct DoctorArgs {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    /// Mend what can be mended without losing anything, then look again
    #[arg(long)]
    fix: bool,
}

/// Prints what was found; fails when something stands in the way.
pub(crate) fn run(args: &DoctorArgs, loaded: &Loaded) -> Result<ExitCode, Error> {
    let agents = car_agents::registry(&serve::agents(loaded)?);
    let ids: Vec<AgentId> = agents.iter().map(|agent| agent.id()).collect();
    let place = Place {
        root: loaded.root.clone(),
        backup: loaded.config.backup.for_hub(&loaded.root),
        agents: car_hub::known_agents(&ids),
    };
    let runtime = serve::runtime()?;
    if args.fix {
        for line in runtime.block_on(mend(&place)) {
            eprintln!("mended: {line}");
        }
    }
    let mut findings = vec![served(&loaded.root), address(loaded)];
    findings.extend(reach(loaded));
    findings.extend(runtime.block_on(look(&place)));
    findings.extend(agents.iter().map(|agent| {
        let command = agent.version_command();
        let check = format!("agent {}", agent.id());
        match first_line(&command) {
            Some(version) => Finding::ok(check, version),
            // Another one may do.
            None => Finding::warning(
                check,
                Availability::NotInstalled.as_str(),
                "No ticket can name it.",
            )
            .fix(agent.install_hint()),
        }
    }));
    let warnings = loaded.warnings.iter();
    findings.extend(warnings.map(|line| {
        Finding::warning("configuration", line.as_str(), "What it says has no effect.")
    }));
    let report = DoctorReport::of(findings);
    if args.json {
        let text = serde_json::to_string_pretty(&report)
            .map_err(|error| Error::file("the report", error.into()))?;
        println!("{text}");
    } else {
        println!("{VERSION_LINE}, hub at {}", loaded.root.display());
        for finding in &report.findings {
            show(finding);
        }
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(finding: &Finding) {
    let word = match finding.level {
        Level::Ok => "ok  ",
        Level::Warning => "warn",
        Level::Error => "FAIL",
    };
    println!("{word} {}: {}", finding.check, finding.detail);
    if let Some(why) = &finding.why {
        println!("       {why}");
    }
    if let Some(fix) = &finding.fix {
        println!("     → {fix}");
    }
}

/// Whether the hub could listen, and whether it would be let.
fn address(loaded: &Loaded) -> Finding {
    let server = &loaded.config.server;
    let at = format!("{}:{}", server.host, server.port);
    if !server.host.is_loopback() && (server.allowed_hosts.is_empty() || !server.behind_proxy) {
        let why = "An address others can reach needs a proxy that speaks TLS before it.";
        let fix = Error::OpenHost { host: server.host }.to_string();
        return Finding::error("address", at, why).fix(fix);
    }
    match TcpListener::bind((server.host, server.port)) {
        Ok(_) => Finding::ok("address", format!("{at} is free")),
        Err(_) if !car_hub::doctor::is_idle(&loaded.root) => {
            Finding::ok("address", format!("{at} is in use, and this hub is served"))
        }
        Err(error) => {
            let why = "The hub cannot start there.";
            Finding::error("address", format!("{at}: {error}"), why).fix(format!(
                "choose another port (server.port), or see who has it: ss -ltnp 'sport = {}'",
                server.port
            ))
        }
    }
}

/// How the hub is reached from elsewhere.
fn reach(loaded: &Loaded) -> Vec<Finding> {
    let server = &loaded.config.server;
    let mut findings = Vec::new();
    if !server.base_path.is_empty() {
        let line = format!("a proxy serves it under {}", server.base_path);
        findings.push(Finding::ok("base path", line));
    }
    let port = hub_root::read_endpoint(&loaded.root)
        .ok()
        .flatten()
        .and_then(|endpoint| endpoint.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()));
    let Some(served) = tailscale::served(port.unwrap_or(server.port)) else { return findings };
    if !served.funnelled.is_empty() {
        let names = served.funnelled.join(", ");
        findings.push(if server.public {
            Finding::ok("funnel", format!("open to the internet as {names}, as declared"))
        } else {
            let why = "Everybody on the internet can knock at this hub.";
            Finding::error("funnel", format!("open to the internet as {names}"), why)
                .fix("tailscale funnel off, or set `server.public: true`")
        });
    }
    for name in served.names {
        let known = server.allowed_hosts.iter().any(|host| host.eq_ignore_ascii_case(&name));
        findings.push(if known {
            Finding::ok("tailscale", format!("`tailscale serve` shows it as {name}"))
        } else {
            let why = "The hub answers only to names it knows.";
            Finding::warning("tailscale", format!("`tailscale serve` shows it as {name}"), why)
                .fix(format!("add {name} to `server.allowed_hosts`"))
        });
    }
    findings
}

/// The first line a program prints, if it ends well.
fn first_line(command: &[String]) -> Option<String> {
    let (program, args) = command.split_first()?;
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}
