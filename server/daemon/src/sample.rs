//! A small repo with three tickets for a first look. It promises nothing to anybody.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use car_api::{RepoId, RunId, repo::RepoCreate, run::RunStart, ticket::TicketCreate};
use car_hub::Hub;

use crate::program::Error;

/// What is printed when the sample's run is done, by a hub that listens on `port`.
pub(crate) fn closing(port: u16) -> String {
    format!(
        "
That was the sample: look at it with `car ticket list --repo sample`,
`car run list`, and `git log` in its directory. The hub goes on serving.
What is next:
  Codex      npm install -g @openai/codex && codex login
             then `agent: codex` in a ticket
  your repo  car hub clone URL, then car ticket new … and car run start
  watching   car watch, car events -f
  from afar  tailscale serve --bg {port}, that name in server.allowed_hosts,
             then there: car login https://that-name
             or car pair, and open its link on the phone
"
    )
}

const REPO: &str = "sample";

/// Files of the repo before any ticket.
const FILES: &[(&str, &str)] = &[
    ("README.md", "# Sample\n\nA program that greets. The tickets say what is missing.\n"),
    (
        "tests/world.sh",
        "got=$(sh greet.sh)\n\
         [ \"$got\" = 'Hello, world!' ] || { echo \"expected 'Hello, world!', got '$got'\"; exit 1; }\n",
    ),
    (
        "tests/name.sh",
        "sh tests/world.sh || exit 1\n\
         got=$(sh greet.sh Ada)\n\
         [ \"$got\" = 'Hello, Ada!' ] || { echo \"expected 'Hello, Ada!', got '$got'\"; exit 1; }\n",
    ),
];

/// A ticket: title, goal, what checks it, and what the demo agent does.
struct Scripted {
    title: &'static str,
    goal: &'static str,
    verify: &'static str,
    script: &'static str,
}

const TICKETS: &[Scripted] = &[
    Scripted {
        title: "Greet the world",
        goal: "`sh greet.sh` prints `Hello, world!`.",
        verify: "sh tests/world.sh",
        script: r##"
  {"latency": 0.5, "say": "I write the program and try it.", "plan": [["Write greet.sh", "in_progress"], ["Try it", "pending"]]},
  {"latency": 0.5, "write": ["greet.sh", "echo \"Hello, world!\"\n"]},
  {"latency": 0.5, "sh": "sh greet.sh"},
  {"done": true},
  {"commit": "Greet the world"}
"##,
    },
    Scripted {
        title: "Greet somebody by name",
        goal: "`sh greet.sh Ada` prints `Hello, Ada!`; without a name it greets the world as before.",
        verify: "sh tests/name.sh",
        script: r##"
  {"on": 1, "latency": 0.5, "say": "That is quickly done."},
  {"on": 1, "latency": 0.5, "write": ["greet.sh", "echo \"Hello, $1\"\n"]},
  {"from": 2, "latency": 0.5, "say": "The hub's check failed: I forgot the mark and the default."},
  {"from": 2, "latency": 0.5, "write": ["greet.sh", "echo \"Hello, ${1:-world}!\"\n"]},
  {"done": true},
  {"commit": "Greet somebody by name"}
"##,
    },
    Scripted {
        title: "Say how to use it",
        goal: "The README shows both ways to call the program.",
        verify: "grep -q 'sh greet.sh Ada' README.md",
        script: r##"
  {"latency": 0.5, "write": ["README.md", "# Sample\n\nA program that greets.\n\n    sh greet.sh\n    sh greet.sh Ada\n"]},
  {"dispatch": {"mode": "notify", "title": "The README is written", "body": "All three tickets of the sample are worked."}},
  {"done": true},
  {"commit": "Say how to use it"}
"##,
    },
];

/// Makes the repo with its tickets and starts a run over them.
pub(crate) async fn start(hub: &Hub, root: &Path) -> Result<RunId, Error> {
    let body = RepoCreate { id: REPO.to_owned(), path: None, force: false };
    let repo = hub.repo_create(body).await?;
    let dir = root.join(&repo.path);
    tokio::task::spawn_blocking(move || fill(&dir))
        .await
        .map_err(|error| Error::Sample(error.to_string()))??;
    hub.repo_init(&repo.id).await?;
    for ticket in TICKETS {
        create(hub, &repo.id, ticket).await?;
    }
    Ok(hub.run_start(&repo.id, RunStart::default()).await?.id)
}

async fn create(hub: &Hub, repo: &RepoId, ticket: &Scripted) -> Result<(), Error> {
    let Scripted { title, goal, verify, script } = ticket;
    let body = TicketCreate {
        title: (*title).to_owned(),
        agent: Some("demo".to_owned()),
        goal: Some((*goal).to_owned()),
        body: Some(format!(
            "## Script\n\nWhat the demo agent does; a real agent needs none.\n\n@@FAKE[{script}]@@\n"
        )),
        verify: vec![(*verify).to_owned()],
        at: None,
    };
    hub.ticket_create(repo, body).await?;
    Ok(())
}

fn fill(dir: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::file("the sample cannot be written", error);
    for (name, text) in FILES {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(path, text).map_err(failed)?;
    }
    if git(dir, &["config", "user.email"]).is_err() {
        git(dir, &["config", "user.name", "CAR sample"])?;
        git(dir, &["config", "user.email", "sample@localhost"])?;
    }
    git(dir, &["add", "--", "README.md", "tests"])?;
    git(dir, &["commit", "--quiet", "--message", "A program that is to greet"])
}

fn git(dir: &Path, args: &[&str]) -> Result<(), Error> {
    let output = Command::new("git")
        .current_dir(dir)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::file("git", error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Sample(format!("git {} failed in the sample: {said}", args.join(" "))))
}
