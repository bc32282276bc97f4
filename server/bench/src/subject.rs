//! Who is measured, and how each is started, asked and ended.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{Outcome, http::Target, process};

/// How long a program may take to do what it was asked before the measurement is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// The versions of the original that are measured beside the hub.
pub(crate) const ORIGINALS: &[(&str, &str)] = &[("1.2.1", "CAR 1.2.1"), ("2.2.3", "CAR 2.2.3")];

/// One of those measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// This hub.
    Hub {
        /// Where its two programs are.
        programs: PathBuf,
    },
    /// The original.
    Original {
        /// Its column.
        name: &'static str,
        /// Its program.
        car: PathBuf,
    },
}

/// A subject that serves. Dropping it ends it and all it started.
pub(crate) struct Served {
    child: Child,
    root: PathBuf,
    pub(crate) target: Target,
    /// From the start of the process until it said it was ready.
    pub(crate) took: Duration,
}

impl Subject {
    pub(crate) fn column(&self) -> &'static str {
        match self {
            Self::Hub { .. } => "CAR Hub",
            Self::Original { name, .. } => name,
        }
    }

    pub(crate) fn is_hub(&self) -> bool {
        matches!(self, Self::Hub { .. })
    }

    /// What a ticket for the demo agent says of its agent.
    pub(crate) fn agent(&self) -> &'static str {
        if self.is_hub() { "demo" } else { "codex" }
    }

    /// The command line program with these arguments, in a root's surroundings.
    pub(crate) fn car(&self, root: &Path, args: &[&str]) -> Command {
        let program = match self {
            Self::Hub { programs } => programs.join("car"),
            Self::Original { car, .. } => car.clone(),
        };
        let mut command = Command::new(program);
        surroundings(&mut command, root);
        command.args(args);
        command
    }

    /// Makes a directory a root.
    pub(crate) fn init(&self, root: &Path) -> Outcome<()> {
        match self {
            Self::Hub { programs } => {
                let mut command = Command::new(programs.join("car-hub"));
                surroundings(&mut command, root);
                quiet(command.arg("init").arg(root))
            }
            Self::Original { .. } => quiet(self.car(root, &["init", "--mode", "hub"]).arg(root)),
        }
    }

    /// Makes the repos of a root known.
    pub(crate) fn scan(&self, root: &Path) -> Outcome<()> {
        match self {
            Self::Hub { .. } => {
                let served = self.serve(root)?;
                let (status, body) = served.target.send("POST", "/api/v1/hub/scan", "{}")?;
                if status != 200 {
                    return Err(format!("scan: {status} {}", String::from_utf8_lossy(&body)).into());
                }
                Ok(())
            }
            Self::Original { .. } => quiet(self.car(root, &["hub", "scan", "--path"]).arg(root)),
        }
    }

    /// Serves a root on a free port.
    pub(crate) fn serve(&self, root: &Path) -> Outcome<Served> {
        self.serve_under(root, &[])
    }

    /// The same with the program under another one, such as a tracer.
    pub(crate) fn serve_under(&self, root: &Path, tracer: &[&str]) -> Outcome<Served> {
        let port = free_port()?;
        let (program, args) = match self {
            Self::Hub { programs } => (programs.join("car-hub"), ["serve", "--root"].as_slice()),
            Self::Original { car, .. } => (car.clone(), ["hub", "serve", "--path"].as_slice()),
        };
        let mut command = match tracer {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        surroundings(&mut command, root);
        command.args(args).arg(root).arg("--port").arg(port.to_string());
        let log = fs::File::create(root.join("server.log"))?;
        command.stdout(log.try_clone()?).stderr(log);
        let begun = Instant::now();
        let child = command.spawn()?;
        let target = Target { authority: format!("127.0.0.1:{port}"), token: None };
        let mut served = Served { child, root: root.to_owned(), target, took: Duration::default() };
        let path = if self.is_hub() { "/health/ready" } else { "/health" };
        loop {
            if served.target.token.is_none() && self.is_hub() {
                served.target.token = token(root);
            }
            if matches!(served.target.send("GET", path, ""), Ok((200, _))) {
                served.took = begun.elapsed();
                return Ok(served);
            }
            if begun.elapsed() > PATIENCE || served.child.try_wait()?.is_some() {
                let said = fs::read_to_string(root.join("server.log")).unwrap_or_default();
                return Err(format!("{} did not start: {said}", self.column()).into());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The list of repos.
    pub(crate) fn repos_path(&self) -> &'static str {
        if self.is_hub() { "/api/v1/repos?limit=500" } else { "/hub/repos" }
    }

    /// The list of a repo's tickets.
    pub(crate) fn tickets_path(&self, repo: &str) -> String {
        if self.is_hub() {
            format!("/api/v1/repos/{repo}/tickets?limit=500")
        } else {
            format!("/repos/{repo}/api/flows/ticket_flow/tickets")
        }
    }

    /// Starts the work on a repo's tickets.
    pub(crate) fn start_flow(&self, target: &Target, repo: &str) -> Outcome<()> {
        let (path, body) = if self.is_hub() {
            (format!("/api/v1/repos/{repo}/runs"), "{}")
        } else {
            let body = r#"{"input_data": {}, "metadata": {}}"#;
            (format!("/repos/{repo}/api/flows/ticket_flow/start"), body)
        };
        let (status, answer) = target.send("POST", &path, body)?;
        if !(200..300).contains(&status) {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(())
    }
}

impl Served {
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        process::end(&mut self.child, &self.root);
    }
}

/// Where the demo agent notes when its turns begin and end.
pub(crate) fn agent_log(root: &Path) -> PathBuf {
    beside(root).join("agent.log")
}

/// A directory for what belongs to a root but must not be in it.
pub(crate) fn beside(root: &Path) -> PathBuf {
    let mut name = root.as_os_str().to_owned();
    name.push(".beside");
    name.into()
}

/// Writes the program `codex` that the original finds, and an empty home.
pub(crate) fn prepare(root: &Path, programs: &Path) -> Outcome<()> {
    let beside = beside(root);
    fs::create_dir_all(beside.join("bin"))?;
    fs::create_dir_all(beside.join("home"))?;
    fs::create_dir_all(root)?;
    let codex = beside.join("bin/codex");
    let hub = programs.join("car-hub");
    fs::write(&codex, format!("#!/bin/sh\nexec '{}' demo-agent \"$@\"\n", hub.display()))?;
    fs::set_permissions(&codex, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn surroundings(command: &mut Command, root: &Path) {
    let beside = beside(root);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .current_dir(root)
        .env("PATH", format!("{}:{path}", beside.join("bin").display()))
        .env("HOME", beside.join("home"))
        .env("CAR_CONFIG_DIR", beside.join("config"))
        .env("CAR_GLOBAL_STATE_ROOT", beside.join("home/global"))
        .env("CODEX_HOME", beside.join("home/codex"))
        .env("CODEX_AUTORUNNER_SKIP_UPDATE_CHECKS", "1")
        .env("DEMO_AGENT_LOG", agent_log(root))
        .env("DEMO_AGENT_HOME", beside.join("agent"))
        .env("RUST_LOG", "warn")
        // What is measured is the hub, not how much one caller may ask.
        .env("CAR_SERVER_LIMITS_REQUESTS_PER_SECOND", "0")
        .env("CAR_SERVER_LIMITS_RUN_STARTS_PER_MINUTE", "0")
        .env("CAR_SERVER_LIMITS_SOCKETS_PER_MINUTE", "0")
        .env_remove("CAR_HUB_ROOT")
        .env_remove("CAR_HUB_URL")
        .env_remove("CAR_TOKEN")
        .stdin(Stdio::null());
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Bench");
        command.env(format!("GIT_{role}_EMAIL"), "bench@localhost");
    }
}

/// Runs a command whose output only matters when it fails.
pub(crate) fn quiet(command: &mut Command) -> Outcome<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&said)).into())
}

/// The token the hub wrote for its owner.
fn token(root: &Path) -> Option<String> {
    let all = car_client::credentials::load(&beside(root).join("config")).ok()?;
    Some(all.newest()?.1.token.clone())
}

fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
