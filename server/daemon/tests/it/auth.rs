//! Who is let in, on every operation there is.

use crate::{
    contract::operations,
    harness::{Answer, TestHub, target},
};

fn call(hub: &TestHub, method: &str, path: &str, credential: Option<&str>) -> Answer {
    let authorization = credential.map(|text| format!("Authorization: {text}"));
    let mut headers: Vec<&str> = authorization.as_deref().into_iter().collect();
    headers.push("Content-Type: application/json");
    hub.send(&method.to_uppercase(), &target(path), &headers, "")
}

#[test]
fn every_operation_asks_for_a_credential() {
    let hub = TestHub::start();
    let wrong = format!("Bearer car_pat_{}", "A".repeat(49));
    let bare = hub.token();
    let basic = format!("Basic {}", hub.token());
    let operations = operations();
    assert!(operations.len() > 50);
    for (path, method, operation) in &operations {
        let public = car_http::PUBLIC.contains(&path.as_str());
        for credential in [None, Some("Bearer"), Some(&wrong), Some(&bare), Some(&basic)] {
            let answer = call(&hub, method, path, credential);
            if public {
                assert!(![401, 403].contains(&answer.status), "{method} {path}: {answer:?}");
            } else {
                assert_eq!(answer.status, 401, "{method} {path} with {credential:?}");
                assert_eq!(answer.code(), "unauthenticated");
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            }
        }
        if operation["operationId"] == "credential_delete" {
            continue;
        }
        let right = format!("Bearer {}", hub.token());
        let answer = call(&hub, method, path, Some(&right));
        assert_ne!(answer.status, 401, "{method} {path} with the right token");
        assert!(answer.status < 500, "{method} {path}: {answer:?}");
    }
}

#[test]
fn paths_that_do_not_exist_ask_too() {
    let hub = TestHub::start();
    for path in
        ["/nothing", "/api/v1", "/api/v1/repos/", "/health", "/health/live/x", "/api/v2/hub"]
    {
        assert_eq!(hub.send("GET", path, &[], "").code(), "unauthenticated", "{path}");
    }
    let token = format!("Authorization: Bearer {}", hub.token());
    assert_eq!(hub.send("GET", "/nothing", &[&token], "").code(), "not_found");
    let answer = hub.send("PATCH", "/api/v1/repos", &[&token], "");
    assert_eq!(answer.code(), "method_not_allowed");
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[test]
fn the_public_list_says_nothing() {
    let hub = TestHub::start();
    // The page, pairing with its end, its files, being alive, acting on a push, a link to a file
    // (for whoever asked for it): nothing else.
    assert_eq!(car_http::PUBLIC.len(), 8);
    assert_eq!(hub.send("GET", "/health/live", &[], "").body, "{}");
    let front = hub.send("GET", "/", &[], "");
    assert!(front.body.contains("CAR hub") && !front.body.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_token_in_the_query_is_no_credential() {
    let hub = TestHub::start();
    let query = format!("/api/v1/hub?token={}", hub.token());
    assert_eq!(hub.send("GET", &query, &[], "").code(), "bad_request");
    let header = format!("Authorization: Bearer {}", hub.token());
    let events = format!("/api/v1/events?token={}", hub.token());
    assert_eq!(hub.send("GET", &events, &[&header], "").code(), "bad_request");
}

#[test]
fn a_deleted_token_is_worth_nothing() {
    let hub = TestHub::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let secret = runtime.block_on(async {
        let client = hub.client();
        let body = car_api::token::TokenCreate {
            name: "short".to_owned(),
            days: Some(1),
            ..Default::default()
        };
        let made = client.token_create(&body).await.unwrap();
        let other = car_client::Client::new(hub.url(), Some(&made.secret)).unwrap();
        other.hub_get().await.unwrap();
        client.token_delete(&made.token.id).await.unwrap();
        made.secret
    });
    let header = format!("Authorization: Bearer {secret}");
    assert_eq!(hub.send("GET", "/api/v1/hub", &[&header], "").code(), "unauthenticated");
}

#[test]
fn only_the_hubs_own_names_are_served() {
    let mut hub = TestHub::unserved();
    let config = hub.root().join("codex-autorunner.override.yml");
    std::fs::write(config, "server:\n  allowed_hosts: [box.tail1.ts.net]\n").unwrap();
    hub.serve(&[]);
    let port = hub.authority().rsplit_once(':').unwrap().1.to_owned();
    let paths = ["/", "/health/live", "/api/v1/hub", "/nothing"];
    for name in [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        "box.tail1.ts.net".to_owned(),
    ] {
        let answer = hub.send("GET", "/health/live", &[&format!("Host: {name}")], "");
        assert_eq!(answer.status, 200, "{name}");
        let tls = answer.header("strict-transport-security").is_some();
        assert_eq!(tls, name.starts_with("box"), "{name}");
    }
    for name in [
        "localhost".to_owned(),
        "evil.test".to_owned(),
        format!("evil.test:{port}"),
        format!("localhost.:{port}"),
        "127.0.0.1:evil".to_owned(),
        format!("user@localhost:{port}"),
        format!("localhost:{port}.evil.test"),
        format!("localhost:{port}, evil.test"),
        "testserver".to_owned(),
        String::new(),
    ] {
        for path in paths {
            let answer = hub.send("GET", path, &[&format!("Host: {name}")], "");
            assert!([400, 421].contains(&answer.status), "{name} {path}: {}", answer.status);
            assert_eq!(answer.body, "", "{name} {path}");
        }
    }
    let twice = [format!("Host: localhost:{port}"), "Host: evil.test".to_owned()];
    let twice: Vec<&str> = twice.iter().map(String::as_str).collect();
    assert!([400, 421].contains(&hub.send("GET", "/", &twice, "").status));
    let none = hub.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!([400, 421].contains(&none.status), "{none:?}");
    let other = format!(
        "GET http://evil.test/ HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    );
    assert!([400, 421].contains(&hub.raw(&other).status));
}

#[test]
fn pages_of_other_origins_are_refused() {
    let hub = TestHub::start();
    let token = format!("Authorization: Bearer {}", hub.token());
    for foreign in [
        "Origin: http://evil.test",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Origin: http://localhost:5173",
    ] {
        let answer = hub.send("POST", "/api/v1/hub/scan", &[&token, foreign], "");
        assert_eq!(answer.code(), "forbidden", "{foreign}");
        let upgrade = [
            &token as &str,
            foreign,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ];
        assert_eq!(
            hub.send("GET", "/api/v1/events", &upgrade, "").code(),
            "forbidden",
            "{foreign}"
        );
    }
    let preflight = ["Origin: http://evil.test", "Access-Control-Request-Method: POST"];
    let answer = hub.send("OPTIONS", "/api/v1/repos", &preflight, "");
    assert_eq!(answer.status, 403);
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")));
    let own = format!("Origin: {}", hub.url());
    assert_eq!(hub.send("POST", "/api/v1/hub/scan", &[&token, &own], "").status, 200);
}
