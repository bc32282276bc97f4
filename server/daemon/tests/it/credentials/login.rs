//! `car login`, `car pair` and what belongs to them, by the real programs.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use car_client::find::contexts;

use super::keep::Keep;
use crate::{harness::TestHub, work};

/// `car` on another machine: another configuration, no hub around it.
struct Laptop<'a> {
    hub: &'a TestHub,
    dir: tempfile::TempDir,
}

impl<'a> Laptop<'a> {
    fn new(hub: &'a TestHub) -> Self {
        work::car(hub, &["token", "list"]);
        Self { hub, dir: tempfile::tempdir().unwrap() }
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    fn car(&self, words: &[&str]) -> Command {
        let mut command = car(words, self.dir.path(), &self.config());
        command.env("USER", "mara");
        command
    }

    /// Begins `car login`, and waits for the code it shows.
    fn login(&self, words: &[&str]) -> (Child, String) {
        let mut all = vec!["login", self.hub.url()];
        all.extend(words);
        let mut child =
            self.car(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let code = loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "no code was shown");
            if let Some(code) = line.trim().strip_prefix("car pair approve ") {
                break code.to_owned();
            }
        };
        // The rest is read for it, so that it can be written.
        std::thread::spawn(move || said.read_to_string(&mut String::new()));
        (child, code)
    }
}

fn car(words: &[&str], cwd: &Path, config: &Path) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_car-hub")).with_file_name("car");
    let mut command = Command::new(program);
    command.args(words).current_dir(cwd).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("CAR_CONFIG_DIR", config);
    command
}

/// `car` on the hub's machine, with this on its standard input.
fn owner(hub: &TestHub, words: &[&str], input: &str) -> Output {
    let mut command = car(words, &hub.root(), &hub.config_dir());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_laptop_logs_in_by_a_code_the_owner_approves_and_out_again() {
    let hub = TestHub::start();
    let laptop = Laptop::new(&hub);
    let (login, code) = laptop.login(&["--name", "box"]);
    assert_eq!(code.len(), 9, "{code}");
    let asked = text(&owner(&hub, &["pair", "list"], "").stdout);
    assert!(
        asked.contains(&code) && asked.contains("mara@") && asked.contains("waiting"),
        "{asked}"
    );
    let typed = code.to_lowercase().replace('-', "");
    let approved = owner(&hub, &["pair", "approve", &typed, "--days", "7"], "y\n");
    let said = text(&approved.stderr);
    assert!(approved.status.success(), "{said}");
    assert!(
        said.contains("Pair 'mara@") && said.contains("read,write,run,approve on all repos"),
        "{said}"
    );
    let output = login.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("logged in to box"), "{output:?}");
    assert!(!text(&output.stdout).contains("car_pat_"));

    // It is kept for its owner only, and used from now on.
    let file = laptop.config().join(contexts::FILE);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let all = contexts::load(Some(&laptop.config())).unwrap();
    assert_eq!(all.current.as_deref(), Some("box"));
    let token = all.contexts["box"].token.clone().unwrap();
    let show = laptop.car(&["token", "show"]).output().unwrap();
    assert!(text(&show.stdout).contains("read,write,run,approve"), "{show:?}");
    assert_eq!(laptop.car(&["hub", "repos"]).output().unwrap().status.code(), Some(0));
    assert_eq!(laptop.car(&["token", "list"]).output().unwrap().status.code(), Some(4));
    // The code is worth nothing any more.
    assert_eq!(owner(&hub, &["pair", "approve", &code, "--yes"], "").status.code(), Some(5));
    let listed = text(&owner(&hub, &["token", "list"], "").stdout);
    assert!(listed.contains("mara@") && listed.contains("this machine"), "{listed}");

    let out = laptop.car(&["logout"]).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    assert!(contexts::load(Some(&laptop.config())).unwrap().contexts.is_empty());
    let header = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(Keep::new(hub.authority()).ask("GET", "/api/v1/hub", &header, "").status, 401);
}

#[test]
fn a_laptop_is_told_no_and_that_the_hub_forgot_it() {
    let mut hub = TestHub::start();
    {
        let laptop = Laptop::new(&hub);
        let (login, code) = laptop.login(&[]);
        // Anything but a yes is a no.
        let turned = owner(&hub, &["pair", "approve", &code], "\n");
        assert_eq!(turned.status.code(), Some(4), "{turned:?}");
        let output = login.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let (login, code) = laptop.login(&["--scopes", "read"]);
        assert!(owner(&hub, &["pair", "deny", &code], "").status.success());
        assert_eq!(login.wait_with_output().unwrap().status.code(), Some(4));
        assert_eq!(owner(&hub, &["pair", "approve", "BCDF-2345"], "").status.code(), Some(3));
        let refused = laptop.car(&["login", hub.url(), "--scopes", "terminal"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(4), "{refused:?}");
        assert!(contexts::load(Some(&laptop.config())).unwrap().contexts.is_empty());
    }
    let port = hub.authority().rsplit_once(':').unwrap().1.to_owned();
    let laptop_dir = tempfile::tempdir().unwrap();
    let (login, _) = {
        let laptop = Laptop { hub: &hub, dir: laptop_dir };
        laptop.login(&[])
    };
    assert!(hub.stop().success());
    hub.serve(&["--port", &port]);
    let output = login.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn a_browser_is_paired_by_the_code_in_the_terminal() {
    let hub = TestHub::start();
    work::car(&hub, &["token", "list"]);
    let words = ["pair", "--scopes", "read", "--url", "https://box.example.net"];
    let mut command = car(&words, &hub.root(), &hub.config_dir());
    let mut pairing = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(pairing.stdout.take().unwrap());
    let mut drawn = Vec::new();
    let code = loop {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "no link was shown");
        if let Some(code) = line.trim().strip_prefix("https://box.example.net/pair#") {
            break code.to_owned();
        }
        drawn.push(line.trim_end_matches('\n').chars().count());
    };
    assert!(drawn.len() > 12 && drawn.iter().all(|width| *width <= 80), "{drawn:?}");
    let mut page = Keep::new(hub.authority());
    let body = serde_json::json!({"type": "device", "code": code, "name": "Safari on iPhone"});
    let asked = page.ask("POST", "/api/v1/pair", "", &body.to_string());
    assert_eq!(asked.status, 202, "{asked:?}");
    pairing.stdin.take().unwrap().write_all(b"yes\n").unwrap();
    let body = serde_json::json!({"secret": asked.json()["secret"], "wait": 25});
    let granted = page.ask("POST", "/api/v1/pair/finish", "", &body.to_string());
    assert_eq!(granted.json()["type"], "device", "{granted:?}");
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let output = pairing.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(rest.contains("paired: 'Safari on iPhone' from 127.0.0.1"), "{rest}");
    assert!(text(&output.stderr).contains("Pair 'Safari on iPhone' from 127.0.0.1? [y/N]"));

    let device = granted.json()["device"]["id"].as_str().unwrap().to_owned();
    let listed = text(&owner(&hub, &["devices", "list"], "").stdout);
    // As much of the id as tells it from others, which is taken as an argument too.
    let short = &device[device.len() - 8..];
    assert!(listed.contains(short) && listed.contains("Safari on iPhone"), "{listed}");
    assert!(owner(&hub, &["devices", "revoke", &device], "").status.success());
    assert_eq!(owner(&hub, &["devices", "revoke", &device], "").status.code(), Some(3));
}

#[test]
fn tokens_and_keys_by_hand() {
    let hub = TestHub::start();
    work::car(&hub, &["hub", "create", "demo"]);
    let words = ["token", "create", "ci", "--scopes", "read,run", "--repo", "demo", "--days", "3"];
    let made = owner(&hub, &words, "");
    let secret = text(&made.stdout).trim().to_owned();
    assert!(secret.starts_with("car_pat_") && made.status.success(), "{made:?}");
    let listed = text(&owner(&hub, &["token", "list"], "").stdout);
    assert!(listed.contains("read,run") && listed.contains("demo") && listed.contains("ALLOWS"));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut ci = car(&["ticket", "list", "--repo", "demo"], elsewhere.path(), elsewhere.path());
    ci.env("CAR_TOKEN", &secret).env("CAR_HUB_URL", hub.url());
    assert!(ci.output().unwrap().status.success());
    let exchanged = owner(&hub, &["token", "exchange", "--scopes", "read"], "");
    assert!(text(&exchanged.stdout).starts_with("car_at_"), "{exchanged:?}");
    let rotated = text(&owner(&hub, &["keys", "rotate"], "").stdout);
    assert!(rotated.contains("signs") && rotated.contains("is believed"), "{rotated}");
    let words = ["token", "create", "x", "--scopes", "everything"];
    assert_eq!(owner(&hub, &words, "").status.code(), Some(2));
    let out = owner(&hub, &["token", "delete", "--all-others"], "");
    assert!(text(&out.stdout).contains("1 tokens"), "{out:?}");
    let header = format!("Authorization: Bearer {secret}\r\n");
    let mut keep = Keep::new(hub.authority());
    assert_eq!(keep.ask("GET", "/api/v1/hub", &header, "").status, 401);
    // Whoever loses the owner's token is in again: the hub writes another at once.
    let own = owner(&hub, &["token", "list", "--quiet"], "");
    assert!(owner(&hub, &["token", "delete", text(&own.stdout).trim()], "").status.success());
    crate::harness::wait_until("the owner is in again", || {
        owner(&hub, &["hub", "repos"], "").status.success().then_some(())
    });
}
