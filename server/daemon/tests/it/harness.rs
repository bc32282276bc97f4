//! A real hub for one test.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use car_client::{Client, credentials};
use rustix::process::{Pid, Signal, kill_process};

/// How long a condition may take to come true before the test fails. Never waited for in full, so
/// it is as long as a machine with a slow disk may need for a whole run.
pub(crate) const DEADLINE: Duration = Duration::from_secs(240);

/// A hub in a temporary directory. Dropping it stops it and looks whether anything was left.
pub(crate) struct TestHub {
    dir: tempfile::TempDir,
    served: Option<Served>,
    /// Words put before the hub's program, such as those that choose its network.
    within: Vec<String>,
    /// Whether callers are limited as by default; most tests ask more in a second than a person.
    pub(crate) limited: bool,
    /// Where its programs are looked for, when not where the test's own are.
    pub(crate) path: Option<String>,
}

struct Served {
    child: Child,
    url: String,
    // Kept open: the hub may print more, and must not be hit by a closed pipe.
    _stdout: BufReader<ChildStdout>,
}

impl TestHub {
    /// A hub that serves on a free port.
    pub(crate) fn start() -> Self {
        let mut hub = Self::unserved();
        hub.serve(&[]);
        hub
    }

    /// A hub's root that nobody serves yet.
    pub(crate) fn unserved() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let hub = Self { dir, served: None, within: Vec::new(), limited: false, path: None };
        fs::create_dir(hub.root()).unwrap();
        let made = hub.run(&["init", hub.root().to_str().unwrap()]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        hub
    }

    /// From now on the hub's program is started by these words.
    pub(crate) fn start_within(&mut self, words: &[&str]) {
        self.within = words.iter().map(|word| (*word).to_owned()).collect();
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("hub")
    }

    pub(crate) fn config_dir(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("config")
    }

    /// Serves with these further arguments and waits until the hub says it is ready.
    pub(crate) fn serve(&mut self, args: &[&str]) {
        assert!(self.served.is_none(), "it is served already");
        let root = self.root();
        let port: &[&str] = if args.contains(&"--port") { &[] } else { &["--port", "0"] };
        let mut command = self.command(&["serve", "--root", root.to_str().unwrap()]);
        command.args(port).args(args);
        self.serve_by(command);
    }

    /// Serves by this command and waits until the hub says it is ready.
    pub(crate) fn serve_by(&mut self, mut command: Command) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("car-hub ready: ") else {
            let status = child.wait().unwrap();
            panic!("the hub did not start ({status}); it said {line:?}, see standard error");
        };
        self.served = Some(Served { child, url: url.to_owned(), _stdout: stdout });
    }

    /// `car-hub` with these arguments, in this hub's surroundings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_car-hub").to_owned();
        let mut words = self.within.iter().cloned().chain([program]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(args)
            .current_dir(self.root())
            .env("CAR_CONFIG_DIR", self.config_dir())
            .env("RUST_LOG", "warn")
            .env_remove("CAR_HUB_ROOT")
            .env_remove("CAR_HUB_URL")
            .env_remove("CAR_TOKEN")
            .env_remove("XDG_RUNTIME_DIR")
            .stdin(Stdio::null());
        if !self.limited {
            for limit in [
                "REQUESTS_PER_SECOND",
                "RUN_STARTS_PER_MINUTE",
                "SOCKETS_PER_MINUTE",
                "TERMINALS_PER_MINUTE",
                "TRANSCRIPTIONS_PER_MINUTE",
                "FAILURES_PER_MINUTE",
                "FAILURES_PER_CREDENTIAL_PER_MINUTE",
            ] {
                command.env(format!("CAR_SERVER_LIMITS_{limit}"), "0");
            }
            for limit in ["DUPLICATES_MAX", "TURNS_PER_MINUTE", "BREAKER_FAILURES"] {
                command.env(format!("CAR_PMA_{limit}"), "100000");
            }
        }
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        // Commits need somebody, whoever runs the tests.
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Test");
            command.env(format!("GIT_{role}_EMAIL"), "test@localhost");
        }
        command
    }

    /// Runs `car-hub` to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        &self.served.as_ref().unwrap().url
    }

    /// `127.0.0.1:<port>`
    pub(crate) fn authority(&self) -> &str {
        self.url().strip_prefix("http://").unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.served.as_ref().unwrap().child.id()
    }

    /// The token the hub wrote for its owner.
    pub(crate) fn token(&self) -> String {
        let all = credentials::load(&self.config_dir()).unwrap();
        all.newest().unwrap().1.token.clone()
    }

    /// The real client with that token.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.url(), Some(&self.token())).unwrap()
    }

    /// Sends bytes as they are and reads the answer to its end; for what no client would send.
    pub(crate) fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.authority()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(stream)
    }

    /// The same, as text: there may be several answers.
    pub(crate) fn raw_text(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.authority()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        // What is refused early may be cut off while it is still being sent.
        let _ = stream.write_all(request.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A connection for many requests, one after the other.
    pub(crate) fn connect(&self) -> Connection {
        Connection { authority: self.authority().to_owned(), stream: None }
    }

    /// A request with this method, target and further header lines, on a connection of its own.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &[&str], body: &str) -> Answer {
        let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|line| line.to_ascii_lowercase().starts_with("host:")) {
            text += &format!("Host: {}\r\n", self.authority());
        }
        for line in headers {
            text += &format!("{line}\r\n");
        }
        if !body.is_empty() || method == "POST" || method == "PUT" {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw(&format!("{text}\r\n{body}"))
    }

    /// Ends the hub as an operator does; its exit status.
    pub(crate) fn stop(&mut self) -> std::process::ExitStatus {
        let mut served = self.served.take().unwrap();
        let pid = Pid::from_child(&served.child);
        kill_process(pid, Signal::TERM).unwrap();
        wait_until("the hub ends", || served.child.try_wait().unwrap())
    }

    /// Kills the hub as a power cut does.
    pub(crate) fn kill(&mut self) {
        let mut served = self.served.take().unwrap();
        served.child.kill().unwrap();
        served.child.wait().unwrap();
    }
}

impl Drop for TestHub {
    fn drop(&mut self) {
        if self.served.is_some() {
            if std::thread::panicking() {
                self.kill();
            } else {
                let status = self.stop();
                assert!(status.success(), "the hub ended with {status}");
                let endpoint = self.root().join(".codex-autorunner/hub_endpoint.json");
                assert!(!endpoint.exists(), "hub_endpoint.json was left behind");
            }
        }
        // A shim that was let go ends by itself, a moment after its hub.
        let begun = Instant::now();
        let mut left = processes_of(&self.root());
        while !left.is_empty() && begun.elapsed() < DEADLINE && !std::thread::panicking() {
            std::thread::sleep(Duration::from_millis(10));
            left = processes_of(&self.root());
        }
        for (pid, _) in &left {
            if let Some(pid) = Pid::from_raw(*pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        if !std::thread::panicking() {
            assert!(left.is_empty(), "processes were left behind: {left:?}");
        }
    }
}

/// Processes whose command line names a path below `root`.
fn processes_of(root: &Path) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let bytes = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
        if line.contains(root.to_str().unwrap()) {
            found.push((pid, line));
        }
    }
    found
}

/// A target for an operation's path: parameters get values that can be parsed.
pub(crate) fn target(path: &str) -> String {
    let filled = [
        ("{repo}", "nothing"),
        ("{ticket}", "1"),
        ("{name}", "spec"),
        ("{box}", "inbox"),
        ("{run}", "run_1"),
        ("{turn}", "trn_1"),
        ("{approval}", "apr_1"),
        ("{agent}", "nobody"),
        ("{job}", "job_1"),
        ("{item}", "inb_1"),
        ("{link}", "none"),
        ("{channel}", "chn_1"),
        ("{notification}", "ntf_1"),
        ("{salvage}", "slv_1"),
        ("{token}", "tok_1"),
        ("{device}", "dev_1"),
        ("{delivery}", "msg_1"),
        ("{webhook}", "whk_1"),
        ("{pairing}", "pair_1"),
        ("{thread}", "thr_1"),
        ("{message}", "mes_1"),
        ("{terminal}", "term_1"),
        ("{source}", "team"),
    ];
    let target =
        filled.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    assert!(!target.contains('{'), "harness.rs needs a value for the parameters of {path}");
    target
}

/// Numbers that look random (SplitMix64), the same for the same seed.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Waits for a condition, a moment at a time.
pub(crate) fn wait_until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begun.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A connection that is kept while the hub keeps it.
pub(crate) struct Connection {
    authority: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// Sends a request, which must ask for an answer with a length, and reads that answer.
    pub(crate) fn send(&mut self, request: &str) -> Answer {
        let kept = self.stream.is_some();
        let answer = self.try_send(request);
        // A kept connection may have been closed meanwhile; a new one may not.
        let answer = if kept { answer.or_else(|| self.try_send(request)) } else { answer };
        answer.unwrap_or_else(|| panic!("no answer to {request:?}"))
    }

    /// Like `send`, on the kept connection or a new one; nothing when that was closed.
    pub(crate) fn try_send(&mut self, request: &str) -> Option<Answer> {
        let stream = self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(&self.authority).unwrap();
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            stream.set_nodelay(true).unwrap();
            BufReader::new(stream)
        });
        let sent = stream.get_mut().write_all(request.as_bytes());
        let answer = sent.ok().and_then(|()| Answer::read_one(stream));
        if answer.as_ref().is_none_or(|a| a.header("connection") == Some("close")) {
            self.stream = None;
        }
        answer
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A server that refuses a body may reset the connection after its answer.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status: status.unwrap_or(0), headers, body: body.to_owned() }
    }

    /// One answer of several, by its length.
    fn read_one(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap_or(0))];
        stream.read_exact(&mut body).ok()?;
        Some(Self { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The `code` of the problem in the body.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: car_api::Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.instance.as_deref(), self.header("x-request-id"));
        assert!(!problem.detail.is_empty());
        problem.code.as_str().to_owned()
    }
}
