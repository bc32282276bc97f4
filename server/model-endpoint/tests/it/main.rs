//! The endpoint over HTTP, without an agent.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic; clippy exempts only `#[test]` functions"
)]

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use car_model_endpoint::Endpoint;
use serde_json::{Value, json};

#[test]
fn answers_come_whole_or_in_events() {
    let endpoint = Endpoint::start("127.0.0.1:0").unwrap();
    let script = r#"x @@FAKE[{"say": "hi", "usage": {"in": 3, "out": 2}}]@@"#;
    let mut request = json!({
        "model": "m", "stream": false,
        "input": [{ "type": "message", "role": "user", "content": script }],
    });
    let (status, body) = send(&endpoint, "POST /v1/responses", &request.to_string());
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(answer["output"][0]["content"][0]["text"], "hi");
    assert_eq!(answer["usage"]["total_tokens"], 5);

    request["stream"] = json!(true);
    let (_, body) = send(&endpoint, "POST /v1/responses", &request.to_string());
    let events: Vec<&str> = body.lines().filter_map(|l| l.strip_prefix("event: ")).collect();
    let expected = [
        "response.created",
        "response.output_item.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(events, expected);
}

#[test]
fn failures_are_counted_until_they_are_reset() {
    let endpoint = Endpoint::start("127.0.0.1:0").unwrap();
    let script = r#"@@FAKE[{"fail": {"status": 503, "times": 2}, "say": "well"}]@@"#;
    let input = json!([{ "role": "user", "content": [{ "type": "input_text", "text": script }] }]);
    let request = json!({ "stream": false, "input": input }).to_string();
    let status = || send(&endpoint, "POST /v1/responses", &request).0;
    assert_eq!([status(), status(), status()], [503, 503, 200]);
    let log: Value = serde_json::from_str(&send(&endpoint, "GET /_ctl/log", "").1).unwrap();
    assert_eq!(log.as_array().unwrap().len(), 3);
    assert_eq!(log[0]["move"], json!({ "say": ["well"], "sh": [], "fails": true }));
    send(&endpoint, "POST /_ctl/reset", "");
    assert_eq!(send(&endpoint, "GET /_ctl/log", "").1, "[]");
    assert_eq!(status(), 503);
}

#[test]
fn the_model_is_listed_and_nonsense_is_answered() {
    let endpoint = Endpoint::start("127.0.0.1:0").unwrap();
    assert!(send(&endpoint, "GET /v1/models", "").1.contains(car_model_endpoint::codex::MODEL));
    assert_eq!(send(&endpoint, "POST /v1/responses", "not json").0, 200);
}

/// Status and body; the connection is closed after the answer.
fn send(endpoint: &Endpoint, line: &str, body: &str) -> (u16, String) {
    let address = endpoint.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.0\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
