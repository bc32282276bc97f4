//! Starting, being found, stopping.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
};

use car_client::{Client, credentials, find};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::TestHub;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_client_on_this_machine_finds_the_hub_and_is_let_in() {
    let hub = TestHub::start();
    let wanted = find::Wanted {
        cwd: hub.root(),
        config_dir: Some(hub.config_dir()),
        ..find::Wanted::default()
    };
    let found = find::find(&wanted).unwrap();
    assert_eq!(found.url, hub.url());
    let info = Client::new(&found.url, found.token.as_deref()).unwrap().hub_get().await.unwrap();
    assert_eq!(info.root, hub.root().to_str().unwrap());
    assert_eq!(info.url, hub.url());
    assert_eq!(mode(&hub.root().join(".codex-autorunner/hub_endpoint.json")), 0o600);
    assert_eq!(mode(&hub.config_dir()), 0o700);
    assert_eq!(mode(&hub.config_dir().join(credentials::FILE)), 0o600);
}

#[tokio::test]
async fn the_hub_answers_on_both_loopbacks() {
    let hub = TestHub::start();
    let port = hub.authority().rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        if host == "[::1]" && std::net::TcpListener::bind("[::1]:0").is_err() {
            continue;
        }
        Client::new(&format!("http://{host}:{port}"), None).unwrap().health_live().await.unwrap();
    }
}

#[tokio::test]
async fn the_token_stays_as_long_as_it_is_good() {
    let mut hub = TestHub::start();
    let first = hub.token();
    hub.stop();
    hub.serve(&[]);
    assert_eq!(hub.token(), first);
    let client = hub.client();
    for token in client.token_list().await.unwrap().items {
        client.token_delete(&token.id).await.unwrap();
    }
    hub.kill();
    hub.serve(&[]);
    assert_ne!(hub.token(), first);
    hub.client().hub_get().await.unwrap();
}

#[test]
fn a_place_others_can_read_is_refused() {
    let hub = TestHub::unserved();
    fs::create_dir(hub.config_dir()).unwrap();
    fs::set_permissions(hub.config_dir(), fs::Permissions::from_mode(0o755)).unwrap();
    let output = hub.run(&["serve", "--port", "0"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("chmod 700"), "{said}");
}

#[test]
fn one_hub_is_served_once() {
    let hub = TestHub::start();
    let output = hub.run(&["serve", "--port", "0"]);
    assert!(!output.status.success(), "a second process took the same hub");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&hub.pid().to_string()), "{said}");
}

#[test]
fn an_open_address_needs_names() {
    let hub = TestHub::unserved();
    let output = hub.run(&["serve", "--port", "0", "--host", "0.0.0.0"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("server.allowed_hosts"), "{said}");
}

#[test]
fn stopping_does_not_wait_for_idle_connections() {
    let mut hub = TestHub::start();
    let mut idle = TcpStream::connect(hub.authority()).unwrap();
    let status = hub.stop();
    assert!(status.success(), "{status}");
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest);
    assert!(rest.is_empty());
}

#[test]
fn no_hub_no_service() {
    let hub = TestHub::unserved();
    let elsewhere = tempfile::tempdir().unwrap();
    let output = hub.command(&["serve"]).current_dir(elsewhere.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("car-hub init"));
}

/// The sample's second ticket is claimed done too early; the hub sees it and has it mended.
#[test]
fn the_sample_runs_to_its_end_from_nothing() {
    let hub = TestHub::unserved();
    let root = hub.root().join("new");
    let mut up = hub
        .command(&["up", "--sample", "--port", "0", "--root", root.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(up.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let ended = line.contains("That was the sample") || line.contains("paused");
        said.push(line);
        if ended {
            break;
        }
    }
    kill_process(Pid::from_child(&up), Signal::INT).unwrap();
    assert!(up.wait().unwrap().success());
    let said = said.join("\n");
    for part in [
        "001 Greet the world · finished and verified",
        "check failed: sh tests/name.sh (exit 1)",
        "002 Greet somebody by name · finished and verified",
        "003 Say how to use it · finished and verified",
        "done: every ticket is finished",
    ] {
        assert!(said.contains(part), "{part:?} in\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "colours without a terminal");
}
