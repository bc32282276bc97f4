//! The web UI: its modules, its types, and stories in a real browser against the real hub. Skipped,
//! with a word about it, where there is no Node, no Chromium, or not what
//! `deploy/dev/test-tools.sh` puts into `.tools/web`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{codex::World, harness::TestHub, work::tools};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Node, and what the tests of the UI need beside it; `None`, and a word, where it is not there.
fn node() -> Option<Command> {
    let modules = tools().join("web");
    let there = ["playwright-core", "axe-core", "typescript"]
        .iter()
        .all(|name| modules.join("node_modules").join(name).is_dir());
    let works = Command::new("node").arg("--version").output().is_ok_and(|o| o.status.success());
    if !there || !works {
        eprintln!("skipped: no {} or no node; run `make tools`", modules.display());
        return None;
    }
    let mut command = Command::new("node");
    command.current_dir(root()).env("CAR_WEB_TOOLS", modules).env_remove("UPDATE");
    Some(command)
}

fn browser() -> bool {
    let named = std::env::var_os("CAR_TEST_CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let there = named.is_some() || usual.iter().any(|path| Path::new(path).exists());
    if !there {
        eprintln!("skipped: no Chromium (apt-get install chromium, or set CAR_TEST_CHROMIUM)");
    }
    there
}

/// Runs to its end; what it printed is shown when it fails.
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn modules_do_what_they_say() {
    let Some(mut node) = node() else { return };
    succeeds(node.args(["--test", "web/test/unit/"]));
}

#[test]
fn types_are_those_of_the_document() {
    let Some(mut node) = node() else { return };
    if std::env::var_os("UPDATE").is_some() {
        node.env("UPDATE", "1");
    }
    succeeds(node.arg("web/test/types.js"));
}

#[test]
fn every_module_fits_the_types() {
    let Some(mut node) = node() else { return };
    let compiler = tools().join("web/node_modules/typescript/bin/tsc");
    succeeds(node.arg(compiler).args(["--project", "web/test/tsconfig.json"]));
}

/// Runs the stories of a file against a hub, and does to the hub what they ask for.
fn tell(hub: &mut TestHub, file: &str, environment: &[(&str, &str)]) {
    let Some(mut node) = node() else { return };
    if !browser() {
        return;
    }
    let mut child = node
        .arg(format!("web/test/{file}"))
        .env("CAR_HUB_URL", hub.url())
        .env("CAR_HUB_TOKEN", hub.token())
        .env("CAR_HUB_ROOT", hub.root())
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let port = hub.authority().rsplit_once(':').unwrap().1.to_owned();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        match line.strip_prefix('!') {
            Some("stop") => assert!(hub.stop().success()),
            Some("kill") => hub.kill(),
            Some("serve") => hub.serve(&["--port", &port]),
            Some(other) => panic!("a story asks for {other:?}"),
            None => {
                println!("{line}");
                continue;
            }
        }
        writeln!(stdin, "done").unwrap();
    }
    let status = child.wait().unwrap();
    assert!(status.success(), "{file}: {status}");
}

#[test]
fn a_browser_is_let_in_and_nothing_is_shown_before() {
    tell(&mut TestHub::start(), "story/pairing.js", &[]);
}

#[test]
fn a_days_work_is_done_by_hand() {
    tell(&mut TestHub::start(), "story/work.js", &[]);
}

#[test]
fn the_page_is_complete_again_after_the_network_and_the_hub_were_gone() {
    tell(&mut TestHub::start(), "story/away.js", &[]);
}

#[test]
fn templates_are_read_before_they_are_used() {
    tell(&mut TestHub::start(), "story/templates.js", &[]);
}

#[test]
fn a_terminal_is_used_in_one_hand() {
    tell(&mut TestHub::with_terminals(), "story/terminal.js", &[]);
}

#[test]
fn whoever_may_have_terminals_is_told_how_they_are_turned_on() {
    tell(&mut TestHub::start(), "story/terminal_off.js", &[]);
}

#[test]
fn a_conversation_is_held_in_one_hand() {
    tell(&mut TestHub::start(), "story/chat.js", &[]);
}

#[test]
fn what_is_spoken_becomes_words_or_a_recording() {
    tell(&mut TestHub::start(), "story/voice.js", &[]);
}

#[test]
fn what_agents_cost_is_seen_and_limited() {
    let mut hub = TestHub::unserved();
    fs::write(hub.root().join("codex-autorunner.yml"), PRICES).unwrap();
    hub.serve(&[]);
    tell(&mut hub, "story/money.js", &[]);
}

#[test]
fn what_is_pushed_is_answered_and_the_page_opens_without_the_hub() {
    tell(&mut TestHub::start(), "story/worker.js", &[]);
}

#[test]
fn codex_is_followed_and_answered_in_the_page() {
    let Some(mut world) = World::new() else { return };
    tell(&mut world.hub, "story/codex.js", &[]);
}

/// Each of them, by eye, by thumb and by keyboard.
#[test]
fn every_screen_can_be_used_by_everybody() {
    tell(&mut scripted(), "story/every.js", &[]);
}

/// `make run` on a new hub.
#[test]
fn the_printed_link_opens_the_sample_at_work() {
    let Some(mut node) = node() else { return };
    if !browser() {
        return;
    }
    let hub = TestHub::unserved();
    let root = hub.root();
    let args = ["up", "--sample", "--port", "0", "--root", root.to_str().unwrap()];
    let mut up = hub.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines().map(Result::unwrap);
    let link = lines.find(|line| line.contains("/pair#")).unwrap().trim().to_owned();
    // It goes on to tell what happens, and must be able to.
    let rest = std::thread::spawn(move || lines.count());
    let (url, _) = link.split_once("/pair#").unwrap();
    node.arg("web/test/story/first.js")
        .env("CAR_HUB_URL", url)
        .env("CAR_HUB_TOKEN", hub.token())
        .env("CAR_HUB_ROOT", &root)
        .env("CAR_LINK", &link);
    let told = node.output();
    kill_process(Pid::from_child(&up), Signal::TERM).unwrap();
    assert!(up.wait().unwrap().success());
    rest.join().unwrap();
    let told = told.unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

/// What the demo agent's tokens cost.
const PRICES: &str = "prices:
  currency: EUR
  table:
    - {agent: demo, input: 1, cached_input: 0.5, output: 10}
";

/// A hub whose project manager is the demo agent, with terminals, prices and a budget.
fn scripted() -> TestHub {
    let mut hub = TestHub::unserved();
    hub.turn_terminals_on();
    let config = format!("threads:\n  agent: demo\nbudget:\n  day_cost: 5\n{PRICES}");
    fs::write(hub.root().join("codex-autorunner.yml"), config).unwrap();
    hub.serve(&[]);
    hub
}

/// `make screenshots DIR=…`
#[test]
#[ignore = "pictures are looked at, not compared"]
fn pictures() {
    tell(&mut scripted(), "pictures.js", &[]);
}
