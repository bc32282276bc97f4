//! What is let through before anybody asks who it is: the table of hosts, origins and content
//! types, proxies, and what no request may do.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt,
    process::Stdio,
};

use crate::{
    contract::operations,
    harness::{TestHub, target},
    work::{car_command, car_program},
};

/// The name the hub of these tests is reached under besides the loopback ones.
const NAME: &str = "box.tail1.ts.net";

fn hub(config: &str) -> TestHub {
    let mut hub = TestHub::unserved();
    let text = format!("terminal:\n  enabled: true\nserver:\n  allowed_hosts: [{NAME}]\n{config}");
    fs::write(hub.root().join("codex-autorunner.override.yml"), text).unwrap();
    hub.serve(&[]);
    hub
}

/// One value of a header, `{port}` standing for the hub's, and whether it is let through.
type Case = (Option<&'static str>, bool);

const HOSTS: &[Case] = &[
    (Some("127.0.0.1:{port}"), true),
    (Some("localhost:{port}"), true),
    (Some("LocalHost:{port}"), true),
    (Some("[::1]:{port}"), true),
    (Some(NAME), true),
    (None, false),
    (Some(""), false),
    (Some("localhost"), false),
    (Some("127.0.0.1"), false),
    (Some("127.0.0.1:evil"), false),
    (Some("127.0.0.1:{port}0"), false),
    (Some("127.0.0.1:0{port}"), false),
    (Some("127.0.0.1.:{port}"), false),
    (Some("127.1:{port}"), false),
    (Some("2130706433:{port}"), false),
    (Some("0.0.0.0:{port}"), false),
    (Some("localhost.:{port}"), false),
    (Some("localhost:{port}."), false),
    (Some("localhost:{port}/"), false),
    (Some("user@localhost:{port}"), false),
    (Some("localhost:{port}@evil.test"), false),
    (Some("localhost:{port}, evil.test"), false),
    (Some("[::1]"), false),
    (Some("[::ffff:127.0.0.1]:{port}"), false),
    (Some("::1:{port}"), false),
    (Some("testserver"), false),
    (Some("evil.test"), false),
    (Some("evil.test:{port}"), false),
    (Some("localhost.evil.test:{port}"), false),
    (Some("box.tail1.ts.net:{port}"), false),
    (Some("box.tail1.ts.net."), false),
    (Some("xbox.tail1.ts.net"), false),
];

const ORIGINS: &[Case] = &[
    (None, true),
    (Some("http://127.0.0.1:{port}"), true),
    (Some("http://localhost:{port}"), true),
    (Some("https://box.tail1.ts.net"), true),
    (Some("null"), false),
    (Some("http://evil.test"), false),
    (Some("http://localhost:5173"), false),
    (Some("http://localhost"), false),
    (Some("http://localhost:{port}.evil.test"), false),
    (Some("https://box.tail1.ts.net.evil.test"), false),
    (Some("file://"), false),
    (Some("chrome-extension://abc"), false),
];

const SITES: &[Case] = &[
    (None, true),
    (Some("same-origin"), true),
    (Some("none"), true),
    (Some("same-site"), false),
    (Some("cross-site"), false),
];

const TYPES: &[Case] = &[
    (Some("application/json"), true),
    (Some("application/json; charset=utf-8"), true),
    (None, true),
    (Some("text/plain"), false),
    (Some("application/x-www-form-urlencoded"), false),
    (Some("multipart/form-data; boundary=x"), false),
];

/// The credential that comes with it; the body of every request is empty.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Token,
    Cookie,
    Nothing,
}

const SHOWN: [Shown; 3] = [Shown::Token, Shown::Cookie, Shown::Nothing];

/// Rows in which every pair of values of two columns is in some row.
fn pairwise(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut open = Vec::new();
    for a in 0..sizes.len() {
        for b in a + 1..sizes.len() {
            for x in 0..sizes[a] {
                open.extend((0..sizes[b]).map(|y| (a, x, b, y)));
            }
        }
    }
    let mut rows = Vec::new();
    while let Some(&(a, x, b, y)) = open.first() {
        let mut row: Vec<Option<usize>> = vec![None; sizes.len()];
        (row[a], row[b]) = (Some(x), Some(y));
        for column in 0..sizes.len() {
            if row[column].is_none() {
                // The value that meets most pairs not met yet.
                let met = |value: usize| {
                    let meets = |&&(a, x, b, y): &&(usize, usize, usize, usize)| {
                        (a == column && x == value && row[b] == Some(y))
                            || (b == column && y == value && row[a] == Some(x))
                    };
                    open.iter().filter(meets).count()
                };
                let best =
                    (0..sizes[column]).max_by_key(|value| (met(*value), sizes[column] - value));
                row[column] = best;
            }
        }
        let row: Vec<usize> = row.into_iter().map(Option::unwrap).collect();
        open.retain(|&(a, x, b, y)| row[a] != x || row[b] != y);
        rows.push(row);
    }
    rows
}

/// Every operation that may change something meets every pair of host, origin, site, content type
/// and credential; what is answered is what the tables above say and nothing else.
#[test]
fn hosts_origins_sites_and_types() {
    let hub = hub("");
    let port = hub.authority().rsplit_once(':').unwrap().1.to_owned();
    let token = hub.token();
    let rows = pairwise(&[HOSTS.len(), ORIGINS.len(), SITES.len(), TYPES.len(), SHOWN.len()]);
    // Whoever calls `credential_delete` has no token afterwards.
    let wanted = |(_, method, operation): &(String, String, serde_json::Value)| {
        method != "get" && operation["operationId"] != "credential_delete"
    };
    let operations: Vec<_> = operations().into_iter().filter(wanted).collect();
    assert!(operations.len() > 20);
    let mut connection = hub.connect();
    let mut checks = 0;
    for (path, method, _) in &operations {
        for row in &rows {
            let (host, origin) = (HOSTS[row[0]], ORIGINS[row[1]]);
            let (site, kind, shown) = (SITES[row[2]], TYPES[row[3]], SHOWN[row[4]]);
            let mut head = format!("{} {} HTTP/1.1\r\n", method.to_uppercase(), target(path));
            let lines = [
                ("Host", host.0),
                ("Origin", origin.0),
                ("Sec-Fetch-Site", site.0),
                ("Content-Type", kind.0),
            ];
            for (name, value) in lines {
                if let Some(value) = value {
                    head += &format!("{name}: {}\r\n", value.replace("{port}", &port));
                }
            }
            match shown {
                Shown::Token => head += &format!("Authorization: Bearer {token}\r\n"),
                Shown::Cookie => head += "Cookie: __Host-car=x; car_local=x\r\n",
                Shown::Nothing => {}
            }
            let answer = connection.send(&format!("{head}Content-Length: 0\r\n\r\n"));
            let unexplained = shown == Shown::Cookie && origin.0.is_none() && site.0.is_none();
            let expected: &[u16] = if host.0.is_none() {
                &[400, 421]
            } else if !host.1 {
                &[421]
            } else if !origin.1 || !site.1 || unexplained {
                &[403]
            } else if !kind.1 {
                &[415]
            } else if shown != Shown::Token && !car_http::PUBLIC.contains(&path.as_str()) {
                &[401]
            } else {
                // Let through: what the operation itself says of an empty body and made-up ids.
                &[200, 202, 204, 400, 404, 409, 412, 415, 422, 428]
            };
            // Let through as well: what only a paired browser has.
            let for_browsers = answer.status == 403 && path.starts_with("/api/v1/push/");
            let let_through = for_browsers && shown == Shown::Token;
            assert!(let_through || expected.contains(&answer.status), "{head}\n{answer:?}");
            assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")));
            checks += 1;
        }
    }
    println!("{checks} checks of {} rows on {} operations", rows.len(), operations.len());
    assert!(checks > 5000);
}

#[test]
fn methods_are_what_they_are() {
    let hub = hub("");
    let token = format!("Authorization: Bearer {}", hub.token());
    for method in ["TRACE", "CONNECT"] {
        let at = if method == "CONNECT" { hub.authority() } else { "/api/v1/hub" };
        let answer = hub.send(method, at, &[&token], "");
        assert_eq!(answer.status, 405, "{answer:?}");
        assert!(answer.header("allow").is_some());
    }
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let line = format!("{name}: DELETE");
        let answer = hub.send("GET", "/api/v1/tokens", &[&token, &line], "");
        assert_eq!(answer.status, 200, "{name} means nothing");
    }
    // No preflight passes, so no page of another origin sends a token.
    let preflight = ["Origin: http://evil.test", "Access-Control-Request-Method: POST"];
    assert_eq!(hub.send("OPTIONS", "/api/v1/repos", &preflight, "").status, 403);
    let foreign = [token.as_str(), "Origin: http://evil.test"];
    assert_eq!(hub.send("GET", "/api/v1/hub", &foreign, "").code(), "forbidden");
}

#[test]
fn the_api_is_not_a_page() {
    let hub = hub("");
    let token = format!("Authorization: Bearer {}", hub.token());
    for destination in ["document", "iframe", "embed"] {
        let line = format!("Sec-Fetch-Dest: {destination}");
        let answer = hub.send("GET", "/api/v1/hub", &[&token, &line], "");
        assert_eq!(answer.code(), "not_acceptable", "{destination}");
        assert_eq!(hub.send("GET", "/", &[&line], "").status, 200);
    }
    assert_eq!(hub.send("GET", "/api/v1/hub", &[&token, "Sec-Fetch-Dest: empty"], "").status, 200);
}

/// The link `car pair` shows.
pub(crate) fn pair_link(hub: &TestHub) -> String {
    let mut pair = car_command(hub, &["pair", "--quiet"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut link = String::new();
    BufReader::new(pair.stdout.take().unwrap()).read_line(&mut link).unwrap();
    pair.kill().unwrap();
    pair.wait().unwrap();
    link
}

#[test]
fn a_path_of_a_proxy() {
    let hub = hub("  base_path: /apps/car/\n");
    let token = format!("Authorization: Bearer {}", hub.token());
    let name = format!("Host: {NAME}");
    let get = |path: &str| hub.send("GET", path, &[&token, &name], "");
    for path in ["/apps/car/api/v1/hub", "/api/v1/hub", "/apps/car/health/live", "/apps/car"] {
        assert_eq!(get(path).status, 200, "{path}");
    }
    for path in ["/apps/carapi/v1/hub", "/apps/api/v1/hub", "/apps/car/apps/car/api/v1/hub"] {
        assert_eq!(get(path).status, 404, "{path}");
    }
    let document: serde_json::Value =
        serde_json::from_str(&get("/apps/car/api/v1/openapi.json").body).unwrap();
    assert_eq!(document["servers"][0]["url"], "/apps/car");
    let link = pair_link(&hub);
    assert!(link.starts_with(&format!("https://{NAME}/apps/car/pair#")), "{link}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("{}/apps/car", hub.url());
    let client = car_client::Client::new(&url, Some(&hub.token())).unwrap();
    runtime.block_on(async { client.hub_get().await.unwrap() });
    let stray = TestHub::unserved();
    let text = "server:\n  base_path: ../x\n";
    fs::write(stray.root().join("codex-autorunner.override.yml"), text).unwrap();
    let said = stray.run(&["serve", "--port", "0"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("server.base_path"));
}

#[test]
fn a_login_of_tailscale_is_a_second_lock() {
    let hub = hub("tailscale:\n  allowed_logins: [me@example.com]\n");
    let token = format!("Authorization: Bearer {}", hub.token());
    let me = "Tailscale-User-Login: me@example.com";
    let get = |headers: &[&str]| hub.send("GET", "/api/v1/hub", headers, "").status;
    assert_eq!(get(&[&token]), 200, "from this machine");
    assert_eq!(get(&[&token, me, "X-Forwarded-For: 100.64.0.7"]), 200);
    assert_eq!(get(&[me]), 401, "never the key");
    assert_eq!(get(&[&token, "X-Forwarded-For: 100.64.0.7"]), 403);
    assert_eq!(get(&[&token, "Tailscale-User-Login: you@example.com"]), 403);
    assert_eq!(get(&[&token, me, "Tailscale-Funnel-Request: ?1"]), 403);
    // What was claimed is in the chain, as a claim.
    let headers = [&token, me, "X-Forwarded-For: 100.64.0.7, 10.0.0.1"];
    assert_eq!(hub.send("POST", "/api/v1/hub/scan", &headers, "").status, 200);
    let lines = hub.send("GET", "/api/v1/audit?verb=hub_scan", &[&token], "").body;
    assert!(lines.contains("\"ip_claimed\":\"100.64.0.7 me@example.com\""), "{lines}");
}

/// A stub stands in for the real program: it says what `tailscale serve status --json` says.
#[test]
fn a_funnel_is_refused_unless_it_is_meant() {
    let mut hub = TestHub::unserved();
    let bin = hub.root().join("bin");
    fs::create_dir(&bin).unwrap();
    let program = bin.join("tailscale");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let status = serde_json::json!({
        "Web": {"box.ts.net:443": {"Handlers": {"/": {"Proxy": format!("http://127.0.0.1:{port}")}}}},
        "AllowFunnel": {"box.ts.net:443": true},
    });
    let mut file = fs::File::create(&program).unwrap();
    write!(file, "#!/bin/sh\n[ \"$*\" = 'serve status --json' ] && echo '{status}'\n").unwrap();
    drop(file);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    hub.path = Some(format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    let port = port.to_string();
    let refused = hub.run(&["serve", "--port", &port]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("server.public"), "{said}");
    let doctor = hub.run(&["doctor", "--port", &port]);
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(!doctor.status.success() && said.contains("tailscale funnel"), "{said}");
    assert!(said.contains("add box.ts.net to `server.allowed_hosts`"), "{said}");
    let text = "server:\n  public: true\n  allowed_hosts: [box.ts.net]\n";
    fs::write(hub.root().join("codex-autorunner.override.yml"), text).unwrap();
    hub.serve(&["--port", &port]);
    let token = format!("Authorization: Bearer {}", hub.token());
    let funnelled = [&token, "Tailscale-Funnel-Request: ?1", "Host: box.ts.net"];
    assert_eq!(hub.send("GET", "/api/v1/hub", &funnelled, "").status, 200);
    assert!(hub.run(&["doctor", "--port", &port]).status.success());
}

#[test]
fn an_open_address_needs_a_proxy_and_names() {
    let hub = TestHub::unserved();
    let config = hub.root().join("codex-autorunner.override.yml");
    fs::write(&config, format!("server:\n  allowed_hosts: [{NAME}]\n")).unwrap();
    let output = hub.run(&["serve", "--port", "0", "--host", "0.0.0.0"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--behind-proxy"));
    let mut hub = hub;
    hub.serve(&["--host", "0.0.0.0", "--behind-proxy"]);
    let name = format!("Host: {NAME}");
    assert_eq!(hub.send("GET", "/health/live", &[&name], "").status, 200);
}

#[test]
fn the_socket_in_the_file_system() {
    use std::{io::Read, os::unix::net::UnixStream};
    let mut hub = hub("");
    let path = hub.root().join(".codex-autorunner/socket/hub.sock");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let ask = |authorization: &str| {
        let mut stream = UnixStream::connect(&path).unwrap();
        let head = "GET /api/v1/hub HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        write!(stream, "{head}{authorization}\r\n").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    };
    assert!(ask("").starts_with("HTTP/1.1 401"));
    let token = format!("Authorization: Bearer {}\r\n", hub.token());
    assert!(ask(&token).starts_with("HTTP/1.1 200"));
    assert_eq!(hub.send("GET", "/health/live", &["Host: localhost"], "").status, 421);
    hub.kill();
    hub.serve(&[]);
    assert!(ask(&token).starts_with("HTTP/1.1 200"), "what a kill left is replaced");
    hub.stop();
    assert!(!path.exists());
}

/// `car` on the hub's machine comes by the socket, for requests and for the stream: it needs no port.
#[test]
fn car_on_the_machine_takes_the_socket() {
    let hub = hub("");
    let file = hub.root().join(".codex-autorunner/hub_endpoint.json");
    let text = fs::read_to_string(&file).unwrap();
    // Nobody listens there.
    let away = text.replace(hub.url(), "http://localhost:1");
    assert_ne!(away, text);
    let car = |words: &[&str]| {
        let mut command = std::process::Command::new(car_program());
        command.args(words).current_dir(hub.root()).env("CAR_CONFIG_DIR", hub.config_dir());
        command.env_remove("CAR_HUB_URL").env_remove("CAR_TOKEN");
        command
    };
    let said = |words: &[&str]| car(words).output().unwrap();
    fs::write(&file, away.replace("http://localhost:1", "http://localhost")).unwrap();
    let repos = said(&["hub", "scan", "--json"]);
    assert!(repos.status.success(), "{repos:?}");
    let mut follow =
        car(&["events", "-f", "--json", "--after", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(follow.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"seq\":1,"), "{line}");
    follow.kill().unwrap();
    follow.wait().unwrap();
    // Without one there is only the port.
    fs::remove_file(hub.root().join(".codex-autorunner/socket/hub.sock")).unwrap();
    fs::write(&file, away).unwrap();
    assert_eq!(said(&["hub", "scan"]).status.code(), Some(6));
    fs::write(&file, text).unwrap();
    assert!(said(&["hub", "scan"]).status.success());
}

/// Paths, heads and framing that no client sends: never a failure of the hub, never a second
/// request where one was sent.
#[test]
fn odd_paths_heads_and_framing() {
    let hub = hub("");
    let token = format!("Authorization: Bearer {}", hub.token());
    let mut connection = hub.connect();
    let mut random = Random(0x5eed);
    let pieces = [
        "/",
        "//",
        "..",
        ".",
        "%2e%2e",
        "%2f",
        "%5c",
        "\\",
        "%00",
        "%c0%af",
        "%ff",
        "%",
        "%zz",
        ";",
        "api",
        "v1",
        "repos",
        "runs",
        "events",
        "tickets",
        "audit",
        "hub",
        "?",
        "#",
        "&a=b",
        "a",
        "%0d%0a",
        "%250a",
        "\u{7f}",
        "*",
        "~",
        "'",
        "\"",
        "<script>",
        "{repo}",
        "$(id)",
        "health",
        "live",
        "car_pat_",
        "x=1",
        "=",
        ":",
        "@",
        "!",
        "%E2%82%AC",
        "etc/passwd",
        "C:",
    ];
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    for round in 0..1500 {
        let mut path = "/".to_owned();
        if round % 2 == 0 {
            path += "api/v1/";
        }
        for _ in 0..random.below(9) {
            path += pieces[random.below(pieces.len())];
            if random.below(2) == 0 {
                path.push('/');
            }
        }
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{token}\r\n\r\n", hub.authority());
        let answer = connection.send(&head);
        assert!((200..500).contains(&answer.status), "{path:?}: {answer:?}");
        assert!(!answer.body.contains("root:"), "{path:?}");
        *statuses.entry(answer.status).or_default() += 1;
    }
    println!("paths: {statuses:?}");

    let host = hub.authority();
    let second = format!("GET /api/v1/hub HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n");
    let framings = framings();
    for framing in &framings {
        let text = format!(
            "POST /api/v1/hub/scan HTTP/1.1\r\nHost: {host}\r\n{token}\r\nConnection: close\r\n\
             Content-Type: application/json\r\n{framing}\r\n\r\n0\r\n\r\n{second}"
        );
        let answers = hub.raw_text(&text);
        let heads = answers.matches("HTTP/1.1 ").count();
        assert!(heads <= 1, "{framing:?} gave {heads} answers:\n{answers}");
        assert!(!answers.starts_with("HTTP/1.1 5"), "{framing:?}: {answers}");
    }
    println!("{} framings", framings.len());
    for head in [
        "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\nConnection: close\n\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET http://evil.test/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ] {
        let answer = hub.raw(&head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        assert!(answer.status == 0 || (400..500).contains(&answer.status), "{head:?}: {answer:?}");
    }
}

/// Two opinions on where a body ends (CL against TE), and ways to hide one of them.
fn framings() -> Vec<String> {
    let lengths = ["Content-Length: 5", "Content-Length: 0", "Content-Length: 4"];
    let codings = [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "transfer-encoding: CHUNKED",
        " Transfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
    ];
    let mut all = Vec::new();
    for length in lengths {
        for coding in codings {
            all.push(format!("{length}\r\n{coding}"));
            all.push(format!("{coding}\r\n{length}"));
        }
    }
    for odd in
        ["+5", "-5", "5, 5", "5, 6", "0x5", "5 5", "99999999999999999999", "5\r\nContent-Length: 6"]
    {
        all.push(format!("Content-Length: {odd}"));
    }
    all
}

/// A small generator, so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}
