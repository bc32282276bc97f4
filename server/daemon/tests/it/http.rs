//! What every answer looks like.

use crate::harness::TestHub;

#[test]
fn every_answer_carries_the_security_headers() {
    let hub = TestHub::start();
    let token = format!("Authorization: Bearer {}", hub.token());
    let answers = [
        hub.send("GET", "/", &[], ""),
        hub.send("GET", "/health/live", &[], ""),
        hub.send("GET", "/nothing", &[], ""),
        hub.send("GET", "/nothing", &["Host: evil.test"], ""),
        hub.send("GET", "/api/v1/hub", &[&token], ""),
        hub.send("GET", "/api/v1/repos", &[&token], ""),
        hub.send("POST", "/api/v1/repos", &[&token], ""),
        hub.send("HEAD", "/api/v1/hub", &[&token], ""),
    ];
    for answer in answers {
        let csp = answer.header("content-security-policy").unwrap_or_default();
        assert!(csp.contains("default-src 'none'") && csp.contains("frame-ancestors 'none'"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        assert!(answer.header("x-request-id").unwrap().starts_with("req_"));
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")));
        assert_eq!(answer.header("server"), None);
    }
}

#[test]
fn a_repo_has_a_name() {
    let hub = TestHub::start();
    let token = format!("Authorization: Bearer {}", hub.token());
    let headers = [&*token, "Content-Type: application/json"];
    for (target, body) in [
        ("/api/v1/repos", r#"{"id": ""}"#),
        ("/api/v1/repos", r#"{"id": " ", "path": "one"}"#),
        ("/api/v1/repos/clone", r#"{"url": "/nowhere", "id": ""}"#),
    ] {
        assert_eq!(hub.send("POST", target, &headers, body).code(), "bad_request", "{body}");
    }
    let list = hub.send("GET", "/api/v1/repos", &[&token], "");
    assert!(list.body.starts_with(r#"{"items":[]"#), "{}", list.body);
}

#[test]
fn the_document_is_served_as_it_is_checked_in() {
    let hub = TestHub::start();
    let token = format!("Authorization: Bearer {}", hub.token());
    let served = hub.send("GET", "/api/v1/openapi.json", &[&token], "");
    assert!(
        served.body == car_http::openapi().unwrap(),
        "what is served is not what is checked in"
    );
}

/// Who is refused while still sending hears why, and may ask again on the same connection.
#[test]
fn a_refusal_reaches_who_is_still_sending() {
    let hub = TestHub::start();
    let authority = hub.authority();
    let body = "x".repeat(8 << 20);
    let put = format!(
        "PUT /api/v1/files/inbox/large.bin HTTP/1.1\r\nHost: {authority}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = hub.connect();
    for _ in 0..10 {
        let answer = connection.try_send(&put).expect("an answer on the connection that was kept");
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
        assert_eq!(answer.header("connection"), None);
    }
}

/// Who waits to be asked for a body is refused without it.
#[test]
fn a_body_is_not_asked_for_in_vain() {
    let hub = TestHub::start();
    let text = hub.raw_text(&format!(
        "PUT /api/v1/files/inbox/large.bin HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\n",
        hub.authority()
    ));
    assert!(text.starts_with("HTTP/1.1 401 "), "{text}");
}
