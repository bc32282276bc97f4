//! Every route × every kind of credential, by HTTP, as a stream of events and as a WebSocket.

use std::collections::BTreeSet;

use car_api::{
    Scope,
    token::{TokenCreate, TokenExchange},
};
use serde_json::{Value, json};

use super::{
    Key, b64,
    keep::{self, Keep, UPGRADE},
    pairing::paired,
    run_token::{agent_at_work, ended, token_of},
    seconds, signed, target, token,
};
use crate::{contract::operations, harness::TestHub, work};

struct Kind {
    name: &'static str,
    headers: String,
    rights: Option<Rights>,
}

/// What a good credential may.
#[derive(Default)]
struct Rights {
    scopes: Vec<Scope>,
    limited: bool,
    agent: bool,
    personal: bool,
}

fn nobody(name: &'static str, headers: impl Into<String>) -> Kind {
    Kind { name, headers: headers.into(), rights: None }
}

fn bearer(secret: &str) -> String {
    format!("Authorization: Bearer {secret}\r\n")
}

/// Ends the caller or everybody; tried elsewhere.
const FATAL: [&str; 2] = ["token_delete_others", "credential_delete"];

/// What only a paired browser has.
const FOR_BROWSERS: [&str; 3] = ["push_get", "push_test", "push_unsubscribe"];

async fn kinds(hub: &TestHub) -> Vec<Kind> {
    let client = hub.client();
    let (repo, dir) = work::repo(hub, &client, "own").await;
    let run = agent_at_work(&client, &repo).await;
    let agent = token_of(&dir, &run);
    let gone = token(&client, Scope::USUAL).await;
    client.token_delete(&gone.token.id).await.unwrap();
    let access = client.token_exchange(&TokenExchange::default()).await.unwrap().secret;
    let key = Key::of(hub);
    let head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.id}).to_string();
    let claims: Value = {
        use base64::Engine;
        let part = access.split('.').nth(1).unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let with = |changes: Value| {
        let mut all = claims.clone();
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        format!("car_at_{}", key.sign(&head, &all.to_string()))
    };
    let now = seconds();
    let none = json!({"alg": "none", "typ": "at+jwt", "kid": key.id}).to_string();
    let hs = json!({"alg": "HS256", "typ": "at+jwt", "kid": key.id}).to_string();
    let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.public());
    let owner = hub.token();
    let device = paired(hub, None).await;
    let mut all = vec![
        nobody("none", ""),
        nobody("empty", "Authorization: \r\n"),
        nobody("scheme only", "Authorization: Bearer\r\n"),
        nobody("garbage", bearer("xyz")),
        nobody("no scheme", format!("Authorization: {owner}\r\n")),
        nobody("basic", format!("Authorization: Basic {owner}\r\n")),
        nobody("non-ASCII", bearer("car_pat_äöü")),
        nobody("twice", bearer(&owner).repeat(2)),
        nobody("a comma", bearer(&format!("{owner}, {owner}"))),
        nobody("wrong", bearer(&format!("car_pat_{}", "A".repeat(49)))),
        nobody("truncated", bearer(&owner[..owner.len() - 1])),
        nobody("another kind", bearer(&owner.replacen("pat", "run", 1))),
        nobody("revoked", bearer(&gone.secret)),
        nobody(
            "expired",
            bearer(&with(json!({"iat": now - 700, "nbf": now - 700, "exp": now - 100}))),
        ),
        nobody("not yet", bearer(&with(json!({"nbf": now + 3600})))),
        nobody("wrong aud", bearer(&with(json!({"aud": "elsewhere"})))),
        nobody("earlier epoch", bearer(&with(json!({"epoch": 0})))),
        nobody("alg none", bearer(&format!("car_at_{}.{}.", b64(&none), b64(claims.to_string())))),
        nobody(
            "HS256 by public key",
            bearer(&format!(
                "car_at_{}",
                signed(&hs, &claims.to_string(), |m| aws_lc_rs::hmac::sign(&mac, m)
                    .as_ref()
                    .to_vec())
            )),
        ),
        nobody(
            "cookie alone",
            format!("Sec-Fetch-Site: same-origin\r\nCookie: car_local={}\r\n", device.cookie),
        ),
        nobody(
            "proof alone",
            format!("Sec-Fetch-Site: same-origin\r\nX-Car-Proof: {}\r\n", device.proof),
        ),
        nobody(
            "wrong proof",
            format!(
                "Sec-Fetch-Site: same-origin\r\nCookie: car_local={}\r\nX-Car-Proof: {}\r\n",
                device.cookie,
                device.proof.replacen("car_prf_", "car_prf_X", 1)
            ),
        ),
        nobody(
            "the other cookie's name",
            format!(
                "Sec-Fetch-Site: same-origin\r\nCookie: __Host-car={}\r\nX-Car-Proof: {}\r\n",
                device.cookie, device.proof
            ),
        ),
    ];
    let mut good =
        |name, headers: String, rights| all.push(Kind { name, headers, rights: Some(rights) });
    for scope in Scope::ALL.iter().copied() {
        let made = token(&client, &[scope]).await;
        let rights = Rights { scopes: vec![scope], personal: true, ..Rights::default() };
        good(scope.as_str(), bearer(&made.secret), rights);
    }
    let every = || Scope::ALL.to_vec();
    good("owner", bearer(&owner), Rights { scopes: every(), personal: true, ..Rights::default() });
    good("access", bearer(&access), Rights { scopes: every(), ..Rights::default() });
    good("device", device.headers(), Rights { scopes: Scope::USUAL.to_vec(), ..Rights::default() });
    let mut body = TokenCreate {
        name: "limited".to_owned(),
        scopes: Some(vec![Scope::Read, Scope::Write, Scope::Run, Scope::Approve, Scope::Admin]),
        repos: vec![repo.clone()],
        ..TokenCreate::default()
    };
    let most = || Scope::ALL.iter().copied().filter(|s| *s != Scope::Terminal).collect();
    let rights = || Rights { scopes: most(), limited: true, personal: true, agent: false };
    good("of a repo", bearer(&client.token_create(&body).await.unwrap().secret), rights());
    (body.repos, body.run) = (Vec::new(), Some(run));
    good("of a run", bearer(&client.token_create(&body).await.unwrap().secret), rights());
    let scopes = vec![Scope::Read, Scope::Write];
    good("agent", bearer(&agent), Rights { scopes, limited: true, agent: true, personal: false });
    all
}

/// What has to come of one call; none when all is well.
fn fault(operation: &Value, path: &str, kind: &Kind, said: &keep::Said) -> Option<String> {
    let id = operation["operationId"].as_str().unwrap();
    let detail = said.json()["detail"].as_str().unwrap_or_default().to_owned();
    let expect =
        |good: bool, what: &str| (!good).then(|| format!("{what}, not {} {detail}", said.status));
    if said.status >= 500 {
        return expect(false, "no failure");
    }
    if car_http::PUBLIC.contains(&path) {
        return expect(said.status != 401 && said.status != 403, "open to all");
    }
    let Some(rights) = &kind.rights else { return expect(said.status == 401, "401") };
    let scope: Scope = operation["x-scope"].as_str().unwrap().parse().unwrap();
    if !rights.scopes.contains(&scope) {
        let named = said.status == 403 && detail.contains(&format!("`{scope}`"));
        return expect(named, "403 that names the scope");
    }
    if rights.agent && operation["x-agents"] != true {
        return expect(said.status == 403 && detail.contains("agent"), "403 for agents");
    }
    if rights.limited {
        let by_path =
            ["{repo}", "{run}", "{turn}", "{thread}"].iter().any(|name| path.contains(name));
        match (operation["x-limited"].as_str(), by_path) {
            (Some("any" | "filtered"), _) => {}
            (None, true) => {
                let refused = said.status == 403 && detail.contains("does not reach");
                return expect(refused, "403 out of reach");
            }
            (_, _) => {
                return expect(said.status == 403 && detail.contains("whole hub"), "403 whole hub");
            }
        }
    }
    if FOR_BROWSERS.contains(&id) && !kind.headers.contains("Cookie") {
        return expect(said.status == 403 && detail.contains("browser"), "403 for browsers only");
    }
    if FOR_BROWSERS.contains(&id) {
        // It has not subscribed; its story is `push`.
        return expect(said.status == 404, "404");
    }
    if id == "token_exchange" && !rights.personal {
        // An empty body is refused before that is looked at.
        return expect(said.status == 400, "400");
    }
    expect(said.status != 401 && said.status != 403, "let in")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_by_every_credential() {
    let hub = TestHub::with_terminals();
    let kinds = kinds(&hub).await;
    let operations = operations();
    let authority = hub.authority().to_owned();
    let paths: BTreeSet<&str> = operations.iter().map(|(path, _, _)| path.as_str()).collect();
    let mut keep = Keep::new(&authority);
    let (mut checks, mut faults) = (0, Vec::new());
    let mut note = |what: String, fault: Option<String>| {
        checks += 1;
        if let Some(fault) = fault {
            faults.push(format!("{what}: {fault}"));
        }
    };
    for kind in &kinds {
        for (path, method, operation) in &operations {
            let id = operation["operationId"].as_str().unwrap();
            let allowed = kind.rights.as_ref().is_some_and(|rights| {
                rights.scopes.iter().any(|scope| operation["x-scope"] == scope.as_str())
            });
            if FATAL.contains(&id) && allowed {
                continue;
            }
            // The log as a page: streams have their own turn below.
            let said = keep.ask(&method.to_uppercase(), &target(path), &kind.headers, "");
            note(format!("{id} by {}", kind.name), fault(operation, path, kind, &said));
        }
        // A method no operation has, and paths that are not there.
        for path in &paths {
            let said = keep.ask("REPORT", &target(path), &kind.headers, "");
            let known = kind.rights.is_some() || car_http::PUBLIC.contains(path);
            let expected = if known { 405 } else { 401 };
            let good = said.status == expected && (!known || said.header("allow").is_some());
            note(format!("REPORT {path} by {}", kind.name), (!good).then(|| format!("{said:?}")));
        }
        for path in ["/nothing", "/api/v1", "/api/v1/hub/", "/api/v2/hub", "/api/v1/repos/a/b/c/d"]
        {
            let said = keep.ask("GET", path, &kind.headers, "");
            let expected = if kind.rights.is_some() { 404 } else { 401 };
            note(
                format!("{path} by {}", kind.name),
                (said.status != expected).then(|| format!("{said:?}")),
            );
        }
        for (how, more) in [("SSE", "Accept: text/event-stream\r\n"), ("WebSocket", UPGRADE)] {
            let (said, _) =
                keep::stream(&authority, "/api/v1/events", &format!("{}{more}", kind.headers));
            let reads = kind.rights.as_ref().map(|rights| rights.scopes.contains(&Scope::Read));
            let cookie = kind.headers.contains("Cookie");
            let expected = match (reads, how) {
                (None, _) => 401,
                (Some(false), _) => 403,
                // A cookie opens no socket, with or without its proof.
                (Some(true), "WebSocket") if cookie => 401,
                (Some(true), "WebSocket") => 101,
                (Some(true), _) => 200,
            };
            note(
                format!("{how} by {}", kind.name),
                (said.status != expected).then(|| format!("{said:?}")),
            );
        }
    }
    let long = format!("Authorization: Bearer car_pat_{}\r\n", "A".repeat(64 * 1024));
    for (path, method, _) in &operations {
        let said = Keep::new(&authority).ask(&method.to_uppercase(), &target(path), &long, "");
        let good = [400, 401, 431].contains(&said.status);
        note(format!("64 KiB at {path}"), (!good).then(|| format!("{}", said.status)));
    }
    println!("{checks} checks: {} operations, {} credentials", operations.len(), kinds.len() + 1);
    assert!(faults.is_empty(), "{} of {checks}:\n{}", faults.len(), faults.join("\n"));
    assert!(checks >= 3000, "only {checks} checks");
    let client = hub.client();
    ended(&client).await;
}

#[test]
fn every_operation_names_its_scope_for_people_and_programs() {
    for (path, method, operation) in operations() {
        if car_http::PUBLIC.contains(&path.as_str()) {
            assert!(operation["x-scope"].is_null(), "{path} is public");
            continue;
        }
        let scope = operation["x-scope"].as_str().unwrap_or_default();
        assert!(scope.parse::<Scope>().is_ok(), "{method} {path} names no scope: `{scope}`");
        assert_eq!(operation["security"][0]["token"][0], scope, "{method} {path}");
        let text = operation["description"].as_str().unwrap();
        assert!(text.contains(&format!("Needs the scope `{scope}`")), "{method} {path}");
    }
}
