//! A server and a laptop, each in a network of its own: everything is done from the laptop, over a
//! link that is cut and restored while the hub is restarted, and the laptop's `car watch` misses
//! nothing and repeats nothing.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use car_api::{Event, EventKind, run::RunStatus};

use crate::{
    harness::{DEADLINE, TestHub},
    work::{car_program, git},
};

/// The two ends of the link. Both networks are new and empty, so that nothing else has these.
const SERVER: &str = "10.213.7.1";
const LAPTOP: &str = "10.213.7.2";
const PORT: &str = "4173";

#[test]
fn a_laptop_works_over_a_link_that_comes_and_goes() {
    let Some(networks) = Networks::new() else { return };
    let mut hub = TestHub::unserved();
    let names = format!("server:\n  behind_proxy: true\n  allowed_hosts: [\"{SERVER}:{PORT}\"]\n");
    fs::write(hub.root().join("codex-autorunner.override.yml"), names).unwrap();
    hub.start_within(&["ip", "netns", "exec", &networks.server]);
    hub.serve(&["--host", SERVER, "--port", PORT]);
    let laptop = Laptop::new(&networks);
    laptop.log_in(&hub, &networks.server);

    laptop.car(&["hub", "create", "demo"]);
    let dir = hub.root().join(laptop.text(&["api", "GET", "repos/demo"], "path"));
    fs::write(dir.join("README.md"), "demo\n").unwrap();
    git(&dir, &["add", "README.md"]);
    git(&dir, &["commit", "--quiet", "-m", "first"]);
    let create =
        ["-q", "hub", "worktree", "create", "demo", "feature/one", "--start-point", "HEAD"];
    let tree = laptop.car(&create).trim().to_owned();
    assert_eq!(tree, "demo--feature-one");

    let mut watch = laptop.watch();
    watch.until_it_hears(&laptop, &tree);

    // Two turns, each until the test says so.
    let (one, two) = (laptop.dir.path().join("one"), laptop.dir.path().join("two"));
    let wait = |file: &Path| format!("until [ -e {} ]; do sleep 0.02; done", file.display());
    let script = format!(
        r#"{{"on": 1, "sh": "{}"}}, {{"on": 1, "write": ["a.txt", "a\n"]}}, {{"on": 1, "commit": "A"}},
           {{"from": 2, "sh": "{}"}}, {{"from": 2, "done": true}}, {{"from": 2, "commit": "B"}}"#,
        wait(&one),
        wait(&two)
    );
    laptop.ticket(&tree, &script);
    laptop.car(&["run", "start", "--repo", &tree]);
    watch.until("the first turn begins", |event| {
        matches!(event.event, EventKind::TurnStarted { number: 1, .. })
    });

    // The link is cut; the work goes on and the hub is killed and started again meanwhile.
    networks.link("down");
    fs::write(&one, "").unwrap();
    hub.kill();
    hub.serve(&["--host", SERVER, "--port", PORT]);
    let cut = laptop.run(&["hub", "info"]);
    assert_eq!(cut.status.code(), Some(6), "{}", String::from_utf8_lossy(&cut.stderr));
    let said = String::from_utf8_lossy(&cut.stderr);
    assert!(said.starts_with(&format!("error: the hub at http://{SERVER}:{PORT} ")), "{said}");
    networks.link("up");
    watch.until("the second turn begins", |event| {
        matches!(event.event, EventKind::TurnStarted { number: 2, .. })
    });

    // Once more, with the hub as it is.
    networks.link("down");
    fs::write(&two, "").unwrap();
    networks.link("up");
    watch.until("the run is completed", |event| {
        matches!(&event.event, EventKind::RunStateChanged { state, .. }
            if state.status() == RunStatus::Completed)
    });

    // What was seen is the hub's own log, from the first event seen on.
    let first = watch.seen[0].seq;
    let log = laptop.car(&["events", "--json", "--after", &(first - 1).to_string()]);
    let log: Vec<Event> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    watch.until("the end of the log", |event| event.seq == log.last().unwrap().seq);
    let numbers: Vec<_> = watch.seen.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (first..=log.last().unwrap().seq).collect::<Vec<_>>());
    assert_eq!(watch.seen, log);
}

/// Two networks with one link between them and nothing else. They end with the test.
struct Networks {
    server: String,
    laptop: String,
}

impl Networks {
    /// None where they cannot be made; says why.
    fn new() -> Option<Self> {
        let id = std::process::id();
        let networks = Self { server: format!("car-{id}-hub"), laptop: format!("car-{id}-laptop") };
        for name in [&networks.server, &networks.laptop] {
            match Command::new("ip").args(["netns", "add", name]).output() {
                Ok(made) if made.status.success() => {}
                Ok(made) => {
                    let why = String::from_utf8_lossy(&made.stderr).trim().to_owned();
                    eprintln!("skipped: network namespaces need root on Linux: {why}");
                    return None;
                }
                Err(error) => {
                    eprintln!("skipped: network namespaces need `ip` of iproute2: {error}");
                    return None;
                }
            }
        }
        let (server, laptop) = (networks.server.as_str(), networks.laptop.as_str());
        ip(&["-n", server, "link", "add", "car0", "type", "veth", "peer", "car0", "netns", laptop]);
        for (name, address) in [(server, SERVER), (laptop, LAPTOP)] {
            ip(&["-n", name, "addr", "add", &format!("{address}/30"), "dev", "car0"]);
            ip(&["-n", name, "link", "set", "lo", "up"]);
            ip(&["-n", name, "link", "set", "car0", "up"]);
        }
        Some(networks)
    }

    /// Pulls the server's cable, or plugs it in.
    fn link(&self, state: &str) {
        ip(&["-n", &self.server, "link", "set", "car0", state]);
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for name in [&self.server, &self.laptop] {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

fn ip(args: &[&str]) {
    let output = Command::new("ip").args(args).output().unwrap();
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Another machine: another network, and a configuration of its own.
struct Laptop {
    network: String,
    program: PathBuf,
    dir: tempfile::TempDir,
}

impl Laptop {
    fn new(networks: &Networks) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { network: networks.laptop.clone(), program: car_program(), dir }
    }

    /// Gives the hub a name here; from then on no command says which hub is meant.
    fn log_in(&self, hub: &TestHub, server: &str) {
        let mut login = self.command(&["login", hub.url(), "--name", "server"]);
        let mut login = login.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(login.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        let code =
            lines.find_map(|line| line.trim().strip_prefix("car pair approve ").map(str::to_owned));
        // On the server, by its owner.
        let mut approve = Command::new("ip");
        approve
            .args(["netns", "exec", server])
            .arg(&self.program)
            .args(["--hub", hub.url(), "pair", "approve", &code.unwrap(), "--yes"])
            .env("CAR_CONFIG_DIR", hub.config_dir())
            .env_remove("CAR_TOKEN");
        let output = approve.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let more: Vec<_> = lines.collect();
        assert!(login.wait().unwrap().success(), "{more:?}");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.network])
            .arg(&self.program)
            .args(args)
            .current_dir(self.dir.path())
            .env("CAR_CONFIG_DIR", self.dir.path().join("config"))
            .env_remove("CAR_HUB_URL")
            .env_remove("CAR_TOKEN")
            .env_remove("CAR_REPO")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn car(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "car {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// One field of what a command answers.
    fn text(&self, args: &[&str], field: &str) -> String {
        let answer: serde_json::Value = serde_json::from_str(&self.car(args)).unwrap();
        answer[field].as_str().unwrap().to_owned()
    }

    /// A ticket for the demo agent.
    fn ticket(&self, repo: &str, script: &str) {
        let body = self.dir.path().join("body.md");
        fs::write(&body, format!("## Goal\n\nWork.\n\n@@FAKE[{script}]@@\n")).unwrap();
        let body = body.to_str().unwrap();
        let new = ["ticket", "new", "Work", "--repo", repo, "--agent", "demo", "--body", body];
        self.car(&[&new[..], &["--verify", "true"]].concat());
    }

    fn watch(&self) -> Watch {
        let mut command = self.command(&["watch", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (sender, events) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event: Event = serde_json::from_str(&line).unwrap();
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Watch { child, events, seen: Vec::new() }
    }
}

/// `car watch --json` on the laptop.
struct Watch {
    child: Child,
    events: Receiver<Event>,
    seen: Vec<Event>,
}

impl Watch {
    /// Changes a document until the watch, which begins with what is new, tells of it.
    fn until_it_hears(&mut self, laptop: &Laptop, repo: &str) {
        let file = laptop.dir.path().join("spec.md");
        for round in 0.. {
            fs::write(&file, format!("Round {round}.\n")).unwrap();
            let edit = ["context", "edit", "spec", "--repo", repo, "--file"];
            laptop.car(&[&edit[..], &[file.to_str().unwrap()]].concat());
            match self.events.recv_timeout(Duration::from_millis(200)) {
                Ok(event) => return self.seen.push(event),
                Err(RecvTimeoutError::Timeout) if round < 100 => {}
                Err(error) => panic!("`car watch` tells of nothing: {error}"),
            }
        }
    }

    /// Takes events until one is as wanted; one that was taken already counts.
    fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) {
        while !self.seen.iter().any(&wanted) {
            match self.events.recv_timeout(DEADLINE) {
                Ok(event) => self.seen.push(event),
                Err(error) => panic!("{what}: {error}; the last seen: {:?}", self.seen.last()),
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
