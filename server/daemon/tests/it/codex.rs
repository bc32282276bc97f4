//! The real Codex through the real hub, against a model that does what the ticket's script says.
//! Skipped, with a word about it, where there is no Codex: `CAR_TEST_CODEX`, or what
//! `deploy/dev/test-tools.sh` puts into `.tools`.

mod crash;
mod flow;
mod limits;
mod pma;
mod talk;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use car_api::{AgentId, agent::Availability};
use car_client::Client;
use car_model_endpoint::{Endpoint, codex};
use serde_json::{Value, json};

use crate::{harness::TestHub, work};

/// A hub whose Codex has a home of its own and knows only its endpoint.
pub(crate) struct World {
    pub(crate) hub: TestHub,
    endpoint: Endpoint,
    home: tempfile::TempDir,
}

impl World {
    /// None where there is no Codex.
    pub(crate) fn new() -> Option<Self> {
        Self::configured(json!({}))
    }

    /// The same, with this further configuration.
    fn configured(more: Value) -> Option<Self> {
        let Some(binary) = binary() else {
            eprintln!("skipped: no Codex (run deploy/dev/test-tools.sh, or set CAR_TEST_CODEX)");
            return None;
        };
        let mut hub = TestHub::unserved();
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let endpoint = Endpoint::start("127.0.0.1:0").unwrap();
        codex::codex_home(home.path(), endpoint.url(), &binary).unwrap();
        let mut env = json!({ codex::KEY_VARIABLE: "key", "HOME": home.path() });
        for role in ["AUTHOR", "COMMITTER"] {
            env[format!("GIT_{role}_NAME")] = json!("Codex");
            env[format!("GIT_{role}_EMAIL")] = json!("codex@localhost");
        }
        let agent = json!({ "command": [binary], "home": home.path(), "env": env });
        // JSON is YAML.
        let mut config = json!({ "agents": { "codex": agent }, "hub": { "max_parallel_runs": 4 } });
        if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
            config.extend(more);
        }
        fs::write(hub.root().join("codex-autorunner.yml"), config.to_string()).unwrap();
        hub.serve(&[]);
        Some(Self { hub, endpoint, home })
    }

    fn client(&self) -> Client {
        self.hub.client()
    }

    /// What the model was asked, in order: what it said and ran each time.
    fn log(&self) -> Vec<Value> {
        let authority = self.endpoint.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(authority).unwrap();
        write!(stream, "GET /_ctl/log HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

fn binary() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CAR_TEST_CODEX") {
        return Some(PathBuf::from(path));
    }
    let tool = work::tools().join("codex/node_modules/.bin/codex");
    let found = Command::new(&tool).arg("--version").output().is_ok_and(|o| o.status.success());
    found.then_some(tool)
}

fn ticket<'a>(title: &'a str, script: &'a str, verify: &'a str) -> work::Scripted<'a> {
    work::Scripted { agent: "codex", title, script, verify }
}

/// A command of a script that waits for a file; Codex waits for it longer than it usually would.
fn gate(command: &str, file: &Path) -> String {
    let cmd = format!("{command}; while [ ! -e {} ]; do sleep 0.02; done", file.display());
    patient(&cmd)
}

/// A step that runs a command for which Codex waits half a minute before it lets it go on alone.
fn patient(cmd: &str) -> String {
    json!({ "tool": ["exec_command", { "cmd": cmd, "yield_time_ms": 30_000 }] }).to_string()
}

#[tokio::test]
async fn codex_is_found_with_its_version_and_models() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let codex: AgentId = "codex".parse().unwrap();
    let agents = client.agent_list().await.unwrap().items;
    let agent = agents.into_iter().find(|agent| agent.id == codex).unwrap();
    assert_eq!(agent.availability, Availability::Ready, "{agent:?}");
    let version = agent.version.unwrap();
    assert!(version.starts_with("0."), "{version}");
    assert_eq!(agent.hint, None);
    let models = client.agent_models(&codex).await.unwrap().items;
    let names: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(names, [codex::MODEL]);
    assert!(models[0].default && !models[0].efforts.is_empty(), "{models:?}");
}
