//! What is too large, too strange or too slow.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::harness::TestHub;

fn signed(hub: &TestHub) -> String {
    format!("Authorization: Bearer {}", hub.token())
}

#[test]
fn bodies_are_json_and_bounded() {
    let hub = TestHub::start();
    let token = signed(&hub);
    let json = "Content-Type: application/json";
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        let kind = format!("Content-Type: {kind}");
        let answer = hub.send("POST", "/api/v1/repos", &[&token, &kind], "{\"id\":\"x\"}");
        assert_eq!(answer.code(), "unsupported_media_type");
    }
    let answer = hub.send("POST", "/api/v1/repos", &[&token], "{\"id\":\"x\"}");
    assert_eq!(answer.code(), "unsupported_media_type");
    let huge = format!("{{\"id\":\"{}\"}}", "x".repeat(1024 * 1024));
    let answer = hub.send("POST", "/api/v1/repos", &[&token, json], &huge);
    assert_eq!(answer.code(), "too_large");
    for (body, pointer) in [("{\"id\":1}", "/id"), ("{\"idd\":\"x\"}", "/idd"), ("[", "")] {
        let answer = hub.send("POST", "/api/v1/repos", &[&token, json], body);
        assert_eq!(answer.code(), "bad_request", "{body}");
        let problem: car_api::Problem = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem.errors.first().map(|e| e.pointer.as_str()), Some(pointer), "{body}");
    }
}

#[test]
fn queries_paths_and_heads_are_bounded() {
    let hub = TestHub::start();
    let token = signed(&hub);
    for target in [
        "/api/v1/repos?limit=0".to_owned(),
        "/api/v1/repos?limit=501".to_owned(),
        "/api/v1/repos?limit=x".to_owned(),
        "/api/v1/repos?kind=other".to_owned(),
        "/api/v1/repos?unknown=1".to_owned(),
        "/api/v1/events?after=-1".to_owned(),
        "/api/v1/runs/nonsense".to_owned(),
        "/api/v1/repos/%2e%2e".to_owned(),
        "/api/v1/repos/%ff".to_owned(),
        format!("/api/v1/repos?after={}", "x".repeat(9000)),
    ] {
        assert_eq!(hub.send("GET", &target, &[&token], "").code(), "bad_request", "{target}");
    }
    let many = format!("X-Filler: {}", "x".repeat(100_000));
    assert_eq!(hub.send("GET", "/health/live", &[&many], "").status, 431);
}

#[test]
fn a_changed_text_needs_its_version() {
    let hub = TestHub::start();
    let headers = [&signed(&hub) as &str, "Content-Type: application/json"];
    let body = "{\"content\":\"x\"}";
    let target = "/api/v1/repos/nothing/contextspace/spec";
    assert_eq!(hub.send("PUT", target, &headers, body).code(), "precondition_required");
    let weak = [headers[0], headers[1], "If-Match: W/\"a\""];
    assert_eq!(hub.send("PUT", target, &weak, body).code(), "bad_request");
    let any = [headers[0], headers[1], "If-Match: *"];
    assert_eq!(hub.send("PUT", target, &any, body).code(), "not_found");
}

/// The hub closes a connection that says nothing; the test waits for that and for no fixed time.
#[test]
fn a_silent_connection_is_closed() {
    let hub = TestHub::start();
    let mut silent = TcpStream::connect(hub.authority()).unwrap();
    let mut half = TcpStream::connect(hub.authority()).unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    for stream in [&mut silent, &mut half] {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut said = Vec::new();
        // An end or a reset; only a time-out would be an open connection.
        if let Err(error) = stream.read_to_end(&mut said) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
    }
}
