//! The web UI: its modules, its types, and stories in a real browser against the real hub. Skipped,
//! with a word about it, where there is no Node, no Chromium, or not what
//! `deploy/dev/test-tools.sh` puts into `.tools/web`.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{harness::TestHub, work::tools};

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
#[ignore = "some screens are ahead of the hub's operations"]
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

/// `make screenshots DIR=…`
#[test]
#[ignore = "pictures are looked at, not compared"]
fn pictures() {
    tell(&mut TestHub::start(), "pictures.js", &[]);
}
