//! The client against a hub of a few lines: what it sends, and how it takes the answers.

use std::sync::{Arc, Mutex};

use car_api::{Code, PageQuery, Problem, ticket::TicketUpdate};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

type Seen = Arc<Mutex<Vec<String>>>;

/// A hub that gives every request the same answer and keeps what it was sent.
async fn stub(status: &'static str, body: String) -> (Client, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prefix/", listener.local_addr().unwrap());
    let seen = Seen::default();
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = read_request(&mut stream).await;
            requests.lock().unwrap().push(request);
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (Client::new(&url, Some("secret")).unwrap(), seen)
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let n = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |n| n.parse().unwrap());
        if n == 0 || body.len() >= length {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}

#[tokio::test]
async fn a_request_has_method_path_query_credential_and_body() {
    let (client, seen) = stub("404 Not Found", String::new()).await;
    let repo: car_api::RepoId = "demo--x".parse().unwrap();
    let page = PageQuery { after: Some("a b".to_owned()), limit: Some(5) };
    let _ = client.repo_list(Some(car_api::repo::RepoKind::Base), &page).await;
    let body = TicketUpdate { content: "new".to_owned(), allow_invalid: false };
    let _ = client.ticket_update(&repo, "../1", &body, Some("\"v1\"")).await;
    let _ = client.health_live().await;

    let seen = seen.lock().unwrap();
    let list = seen[0].to_ascii_lowercase();
    assert!(list.starts_with("get /prefix/api/v1/repos?kind=base&after=a+b&limit=5 http/1.1\r\n"));
    assert!(list.contains("authorization: bearer secret\r\n"));
    let update = &seen[1];
    assert!(update.starts_with("PUT /prefix/api/v1/repos/demo--x/tickets/..%2F1 HTTP/1.1\r\n"));
    assert!(update.contains("if-match: \"v1\"\r\n"));
    assert!(update.contains("content-type: application/json\r\n"));
    assert!(update.ends_with(r#"{"content":"new","allow_invalid":false}"#));
    assert!(seen[2].starts_with("GET /prefix/health/live HTTP/1.1\r\n"));
}

#[tokio::test]
async fn answers_become_values_problems_or_protocol_errors() {
    let (client, _) = stub("200 OK", r#"{"commands":["make"],"etag":"v1"}"#.to_owned()).await;
    let repo = "demo".parse().unwrap();
    assert_eq!(client.repo_setup_get(&repo).await.unwrap().commands, ["make"]);

    let (client, _) = stub("204 No Content", String::new()).await;
    client.token_delete(&"tok_1".parse().unwrap()).await.unwrap();

    let problem = Problem::new(Code::RunActive, "a run is active");
    let (client, _) = stub("409 Conflict", serde_json::to_string(&problem).unwrap()).await;
    match client.run_pause(&"run_1".parse().unwrap()).await {
        Err(ClientError::Problem(got)) => assert_eq!(*got, problem),
        other => panic!("{other:?}"),
    }

    for (status, body) in [("200 OK", "<html>"), ("502 Bad Gateway", "<html>"), ("302 Found", "")] {
        let (client, _) = stub(status, body.to_owned()).await;
        let error = client.hub_get().await.unwrap_err();
        assert!(matches!(error, ClientError::Protocol { .. }), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_hub_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&url, None).unwrap().hub_get().await.unwrap_err();
    assert!(matches!(&error, ClientError::Unreachable { url: at, .. } if *at == url), "{error:?}");
}

#[test]
fn only_web_addresses_are_taken_and_the_token_is_never_printed() {
    for bad in ["", "hub", "127.0.0.1:4173", "ftp://host", "unix:/x"] {
        assert!(matches!(Client::new(bad, None), Err(ClientError::Protocol { .. })), "{bad}");
    }
    assert!(Client::new("http://h", Some("a\nb")).is_err());
    let client = Client::new("https://host/", Some("car_pat_secret")).unwrap();
    assert_eq!(client.url(), "https://host");
    assert!(!format!("{client:?}").contains("secret"));
}
