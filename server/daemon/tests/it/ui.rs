//! The page and its files, and the link that lets the first browser in.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    credentials::keep::Keep,
    harness::{Answer, TestHub, wait_until},
};

fn get(hub: &TestHub, path: &str, headers: &[&str]) -> Answer {
    hub.send("GET", path, headers, "")
}

/// Every address of this hub the page names.
fn named(page: &str) -> Vec<String> {
    let values = page.split("=\"").skip(1).filter_map(|rest| rest.split('"').next());
    values.filter(|value| value.contains("/assets/")).map(str::to_owned).collect()
}

#[test]
fn the_page_may_do_nothing_but_what_the_hub_serves() {
    let hub = TestHub::start();
    for path in ["/", "/pair"] {
        let page = get(&hub, path, &["Sec-Fetch-Dest: document"]);
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "script-src 'self';", "style-src 'self';", "'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        for bad in ["unsafe", "nonce", "sha256-", "*"] {
            assert!(!policy.contains(bad), "{policy}");
        }
        assert!(!page.body.contains(env!("CARGO_PKG_VERSION")), "it says nothing of the hub");
        assert!(named(&page.body).len() >= 5, "{}", page.body);
    }
}

/// A slow phone reads the head of the answer long before the page in it.
#[test]
fn what_the_page_asks_for_is_said_in_its_head() {
    let hub = TestHub::start();
    let page = get(&hub, "/", &[]);
    let said = page.header("link").unwrap();
    let mut early = 0;
    for path in named(&page.body) {
        let rel = match path.rsplit_once('.') {
            Some((_, "css")) => "preload; as=style",
            Some((rest, "js")) if rest.ends_with("/early") => "preload; as=script",
            Some((_, "js")) => "modulepreload",
            _ => continue,
        };
        let link = format!("<{path}>; rel={rel}");
        assert!(said.split(", ").any(|one| one == link), "{link} is not in {said}");
        early += 1;
    }
    assert_eq!(said.split(", ").count(), early, "{said}");
}

#[test]
fn files_are_kept_for_good_below_their_hash() {
    let hub = TestHub::start();
    let page = get(&hub, "/", &[]).body;
    for path in named(&page) {
        let plain = get(&hub, &path, &[]);
        assert_eq!(plain.status, 200, "{path}");
        assert_eq!(
            plain.header("cache-control"),
            Some("public, max-age=31536000, immutable"),
            "{path}"
        );
        assert_eq!(plain.header("x-content-type-options"), Some("nosniff"));
        assert!(!plain.header("content-type").unwrap().contains("octet"), "{path}");
        let tag = format!("If-None-Match: {}", plain.header("etag").unwrap());
        assert_eq!(get(&hub, &path, &[&tag]).status, 304, "{path}");
        let bare = path.splitn(4, '/').last().unwrap();
        let bare = get(&hub, &format!("/assets/{bare}"), &[]);
        assert_eq!((bare.status, bare.header("cache-control")), (200, Some("no-cache")), "{path}");
    }
    let main = named(&page).into_iter().find(|path| path.ends_with("/main.js")).unwrap();
    let packed = get(&hub, &main, &["Accept-Encoding: gzip"]);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("accept-encoding"));
    assert!(packed.header("content-length").unwrap().parse::<usize>().unwrap() < 60_000);
}

#[test]
fn nothing_but_the_files_is_there() {
    let hub = TestHub::start();
    let version = named(&get(&hub, "/", &[]).body)[0].split('/').nth(2).unwrap().to_owned();
    for path in [
        "/assets/",
        "/assets/nothing.js",
        "/assets/0123456789abcdef0123/main.js",
        "/assets/index.html",
        "/assets/vendor/README.md",
        "/assets/api/types.d.ts",
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        &format!("/assets/{version}"),
        &format!("/assets/{version}/../main.js"),
        &format!("/assets/{version}//main.js"),
    ] {
        let answer = get(&hub, path, &[]);
        assert!([401, 404].contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.body.contains("[workspace"), "{path}");
    }
    assert_eq!(hub.send("POST", "/assets/main.js", &[], "{}").status, 415);
}

#[test]
fn below_a_path_of_a_proxy() {
    let mut hub = TestHub::unserved();
    let text = "server:\n  base_path: /apps/car\n";
    fs::write(hub.root().join("codex-autorunner.override.yml"), text).unwrap();
    hub.serve(&[]);
    for at in ["/apps/car", "/apps/car/", "/apps/car/pair", "/"] {
        let page = get(&hub, at, &[]);
        assert_eq!(page.status, 200, "{at}");
        let paths = named(&page.body);
        assert!(paths.iter().all(|path| path.starts_with("/apps/car/assets/")), "{paths:?}");
        assert_eq!(get(&hub, &paths[0], &[]).status, 200);
    }
    let link = crate::gate::pair_link(&hub);
    assert!(link.starts_with(&format!("{}/apps/car/pair#", hub.url())), "{link}");
}

/// `make run` in one step: whoever opens the printed link is let in, with all a person at the
/// machine may do, and nobody after them.
#[test]
fn the_printed_link_lets_one_browser_in() {
    let hub = TestHub::unserved();
    let root = hub.root();
    let args = ["up", "--root", root.to_str().unwrap(), "--port", "0", "--no-sample"];
    let mut child = hub.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let link = lines.find(|line| line.contains("/pair#")).unwrap().trim().to_owned();
    let (url, code) = link.split_once("/pair#").unwrap();
    let authority = url.strip_prefix("http://").unwrap();
    let mut connection = Keep::new(authority);
    let mut ask = |path: &str, body: Value| {
        let said =
            connection.ask("POST", path, "Sec-Fetch-Site: same-origin\r\n", &body.to_string());
        (said.status, said.json())
    };
    let claim = json!({"type": "device", "code": code, "name": "first"});
    let (status, asked) = ask("/api/v1/pair", claim.clone());
    assert_eq!(status, 202, "{asked}");
    let secret = asked["secret"].as_str().unwrap();
    let told = wait_until("the browser is let in", || {
        let (_, told) = ask("/api/v1/pair/finish", json!({"secret": secret, "wait": 1}));
        (told["type"] != "waiting").then_some(told)
    });
    assert_eq!(told["type"], "device", "{told}");
    let scopes = told["device"]["scopes"].as_array().unwrap();
    assert!(scopes.contains(&json!("admin")) && !scopes.contains(&json!("terminal")), "{scopes:?}");
    assert_eq!(ask("/api/v1/pair", claim).0, 404, "the link works once");
    assert!(lines.any(|line| line.contains("first is paired")));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(wait_until("it ends", || child.try_wait().unwrap()).success());
}
