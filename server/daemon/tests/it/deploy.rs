//! The files of `deploy/`: each is read by the program it is for, where that is installed.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use car_api::repo::RepoCreate;
use car_client::{Client, EventFilter};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{DEADLINE, TestHub, wait_until};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").canonicalize().unwrap()
}

/// Whether a program is there; says so when it is not.
fn has(program: &str) -> bool {
    let there =
        Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_err() {
        println!("skipped: {program} is not installed");
    }
    there.is_ok()
}

/// `make dist` with the programs of this test, then what a person does with the archive.
#[test]
fn an_archive_holds_what_its_sums_say_and_installs() {
    let dir = tempfile::tempdir().unwrap();
    let built = Path::new(env!("CARGO_BIN_EXE_car-hub")).parent().unwrap();
    let mut pack = Command::new("sh");
    pack.arg(deploy().join("dist.sh")).arg(built).arg(dir.path()).env("GZIP_LEVEL", "1");
    let packed = PathBuf::from(said(pack).lines().last().unwrap());
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(&packed).arg("-C").arg(dir.path());
    said(unpack);
    let name = packed.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap();
    let top = dir.path().join(name);
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&top);
    said(sums);
    let mut whole = Command::new("sha256sum");
    whole.args(["--check", "--quiet"]).arg(format!("{name}.tar.gz.sha256")).current_dir(dir.path());
    said(whole);

    let prefix = dir.path().join("prefix");
    let mut install = Command::new("sh");
    install.arg(top.join("install.sh")).env("PREFIX", &prefix);
    assert!(said(install).contains("car-hub init"));
    let mut version = Command::new(prefix.join("bin/car-hub"));
    version.arg("version");
    assert!(said(version).starts_with("car-hub "));
    for file in [
        "bin/car",
        "share/man/man1/car.1",
        "share/man/man1/car-run-start.1",
        "share/bash-completion/completions/car",
        "share/zsh/site-functions/_car",
        "share/fish/vendor_completions.d/car.fish",
    ] {
        assert!(fs::metadata(prefix.join(file)).unwrap().len() > 0, "{file}");
    }
}

/// What a command that must succeed prints.
fn said(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn systemd_accepts_the_units() {
    if !has("systemd-analyze") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_car-hub");
    // Verified as they are, but for where the program is on this machine.
    for (file, name) in [
        ("car-hub.service", "car-hub.service"),
        ("car-hub.socket", "car-hub.socket"),
        ("car-hub@.service", "car-hub@root.service"),
    ] {
        let text = fs::read_to_string(deploy().join("systemd").join(file)).unwrap();
        let text = text
            .replace("%h/.local/bin/car-hub", program)
            .replace("/usr/local/bin/car-hub", program);
        fs::write(dir.path().join(name), text).unwrap();
    }
    for name in ["car-hub.service", "car-hub.socket", "car-hub@root.service"] {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(dir.path().join(name))
            .env("SYSTEMD_UNIT_PATH", format!("{}:", dir.path().display()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let ours: Vec<_> = said.lines().filter(|line| line.contains("car-hub")).collect();
        assert!(output.status.success() && ours.is_empty(), "{name}: {said}");
    }
}

/// What the hub promises of its agents depends on these lines.
#[test]
fn units_leave_agents_alone() {
    for file in ["car-hub.service", "car-hub@.service"] {
        let text = fs::read_to_string(deploy().join("systemd").join(file)).unwrap();
        for line in
            ["Type=notify", "KillMode=process", "OOMPolicy=continue", "Delegate=yes", "UMask=0077"]
        {
            assert!(text.lines().any(|known| known == line), "{file} has not {line}");
        }
    }
    let plist = fs::read_to_string(deploy().join("launchd/dev.car-hub.plist")).unwrap();
    assert!(plist.contains("AbandonProcessGroup"));
}

#[test]
fn the_plist_is_a_property_list_and_compose_is_yaml() {
    if !has("python3") {
        return;
    }
    let script = "import plistlib, sys; p = plistlib.load(open(sys.argv[1], 'rb')); \
                  assert p['Label'] == 'dev.car-hub' and p['ProgramArguments'][1] == 'serve' and p['Umask'] == 0o77";
    let read = Command::new("python3")
        .args(["-c", script])
        .arg(deploy().join("launchd/dev.car-hub.plist"))
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let text = fs::read_to_string(deploy().join("container/compose.yml")).unwrap();
    let compose: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let hub = &compose["services"]["hub"];
    let dockerfile = hub["build"]["dockerfile"].as_str().unwrap();
    assert!(deploy().join("..").join(dockerfile).exists());
    let ports = hub["ports"].as_array().unwrap();
    assert!(ports.iter().all(|port| port.as_str().unwrap().starts_with("127.0.0.1:")), "{ports:?}");
}

#[test]
fn the_container_file_is_linted() {
    let installed = deploy().join("../.tools/hadolint/bin/hadolint");
    let hadolint = if installed.exists() { installed } else { PathBuf::from("hadolint") };
    if !has(hadolint.to_str().unwrap()) {
        return;
    }
    let file = deploy().join("container/Dockerfile");
    let output = Command::new(hadolint).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn caddy_accepts_its_file() {
    if !has("caddy") {
        return;
    }
    let output = Command::new("caddy")
        .args(["validate", "--adapter", "caddyfile", "--config"])
        .arg(deploy().join("proxy/Caddyfile"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A proxy that ends with the test.
struct Nginx {
    child: Child,
    _dir: tempfile::TempDir,
    port: u16,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// nginx with `deploy/proxy/nginx.conf` before the hub; `at` is the location it is served under.
fn nginx(hub: &TestHub, at: &str) -> Option<Nginx> {
    if !has("nginx") {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = fs::read_to_string(deploy().join("proxy/nginx.conf")).unwrap();
    assert!(text.contains("location / {") && text.contains("http://127.0.0.1:4173;"));
    let text = text
        .replace("location / {", &format!("location {at} {{"))
        .replace("http://127.0.0.1:4173;", &format!("{};", hub.url()));
    let here = dir.path().display();
    let config = format!(
        "daemon off; worker_processes 1; pid {here}/pid; error_log {here}/log;\n\
         events {{}}\nhttp {{ access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p;\n\
         fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n\
         server {{ listen 127.0.0.1:{port};\n{text}\n}} }}"
    );
    let file = dir.path().join("nginx.conf");
    fs::write(&file, config).unwrap();
    let command = || {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(dir.path()).arg("-c").arg(&file);
        command
    };
    let tested = command().arg("-t").output().unwrap();
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
    let child = command().stderr(Stdio::null()).spawn().unwrap();
    wait_until("nginx listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    Some(Nginx { child, _dir: dir, port })
}

/// Everything goes through the proxy: requests, server-sent events, a WebSocket, and its own end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_works_behind_nginx() {
    behind_nginx("").await;
}

/// The same below a path.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_works_behind_nginx_below_a_path() {
    behind_nginx("/car").await;
}

async fn behind_nginx(base: &str) {
    let mut hub = TestHub::unserved();
    let path = if base.is_empty() { String::new() } else { format!("  base_path: {base}\n") };
    let config = format!("server:\n  allowed_hosts: [hub.test]\n{path}");
    fs::write(hub.root().join("codex-autorunner.yml"), config).unwrap();
    hub.serve(&[]);
    let Some(proxy) = nginx(&hub, &format!("{base}/")) else { return };
    let open = |head: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let token = hub.token();
        let text = format!(
            "GET {base}{head} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: Bearer {token}\r\n"
        );
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let mut plain = open("/api/v1/hub");
    plain.write_all(b"Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"instance\""), "{answer}");

    let mut sse = open("/api/v1/events?kind=repo_added");
    sse.write_all(b"Accept: text/event-stream\r\n\r\n").unwrap();
    let mut sse = BufReader::new(sse).lines().map(Result::unwrap);
    assert!(
        sse.by_ref().any(|line| line.contains("caught_up")),
        "the stream is not passed on at once"
    );
    let mut socket = open("/api/v1/events?kind=repo_added");
    socket
        .write_all(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        .unwrap();
    let mut first = [0; 12];
    socket.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 101", "{}", String::from_utf8_lossy(&first));

    let client: Client = hub.client();
    client
        .repo_create(&RepoCreate { id: "one".to_owned(), path: None, force: false })
        .await
        .unwrap();
    // Each at the moment it happens, while nothing else is sent.
    assert!(sse.any(|line| line.contains("repo_added")));
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("repo_added") {
        let mut some = [0; 1024];
        let length = socket.read(&mut some).unwrap();
        assert!(length > 0, "the socket was closed");
        seen.extend_from_slice(&some[..length]);
    }
    assert!(!client.event_list(0, None, &EventFilter::default()).await.unwrap().items.is_empty());

    // A name the hub was not told is refused behind a proxy too.
    let mut other = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
    let text =
        format!("GET {base}/health/live HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
    other.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
}
