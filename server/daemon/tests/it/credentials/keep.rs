//! A connection that is kept, for thousands of small questions.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use crate::harness::DEADLINE;

/// A connection to one hub; opened again when the hub closed it.
pub(crate) struct Keep {
    authority: String,
    stream: Option<BufReader<TcpStream>>,
}

/// An answer with its body.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Said {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Keep {
    pub(crate) fn new(authority: &str) -> Self {
        Self { authority: authority.to_owned(), stream: None }
    }

    pub(crate) fn ask(&mut self, method: &str, target: &str, headers: &str, body: &str) -> Said {
        let host = if headers.lines().any(|line| line.to_ascii_lowercase().starts_with("host:")) {
            String::new()
        } else {
            format!("Host: {}\r\n", self.authority)
        };
        let text = format!(
            "{method} {target} HTTP/1.1\r\n{host}Content-Type: application/json\r\n\
             Content-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        // The hub may have closed a kept connection; once more on a fresh one.
        match self.stream.take().and_then(|stream| self.exchange(stream, method, &text)) {
            Some(said) => said,
            None => {
                let stream = open(&self.authority);
                self.exchange(stream, method, &text)
                    .unwrap_or_else(|| panic!("no answer to {method} {target}"))
            }
        }
    }

    fn exchange(
        &mut self,
        mut stream: BufReader<TcpStream>,
        method: &str,
        text: &str,
    ) -> Option<Said> {
        // A head that is too large is answered before it was read to its end.
        let _ = stream.get_mut().write_all(text.as_bytes());
        let mut said = head(&mut stream)?;
        let length = said.header("content-length").map(|length| length.parse().unwrap());
        if method != "HEAD" && said.status != 204 {
            let mut body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut body).ok()?;
            said.body = String::from_utf8_lossy(&body).into_owned();
        }
        let closes = said.header("connection").is_some_and(|value| value == "close");
        if !closes && (length.is_some() || said.status == 204) {
            self.stream = Some(stream);
        }
        Some(said)
    }
}

pub(crate) fn open(authority: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::new(stream)
}

/// The head of the answer to a request on a connection of its own, and the connection.
pub(crate) fn stream(authority: &str, target: &str, headers: &str) -> (Said, BufReader<TcpStream>) {
    let mut stream = open(authority);
    let text = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n");
    let _ = stream.get_mut().write_all(text.as_bytes());
    let said = head(&mut stream).unwrap();
    (said, stream)
}

/// What a WebSocket's opening needs besides a credential.
pub(crate) const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn head(stream: &mut BufReader<TcpStream>) -> Option<Said> {
    let mut line = String::new();
    if stream.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Some(Said { status, headers, body: String::new() });
        }
        let (name, value) = line.split_once(": ")?;
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
}
