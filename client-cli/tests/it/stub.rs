//! A hub of canned answers: it gives each path its answer and keeps what it was asked.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Method and target.
    pub(crate) line: String,
    /// Header fields, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// Body.
    pub(crate) body: String,
}

/// The hub.
pub(crate) struct Stub {
    /// Where it answers.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

/// Answers by method and target (`GET /api/v1/hub`): status and body.
pub(crate) type Answers = Vec<(&'static str, u16, String)>;

impl Stub {
    /// Serves until the test ends. Of several answers to one request the first is given once, and
    /// so on; the last stays.
    pub(crate) fn new(answers: Answers) -> Self {
        Self::with_headers(answers, "")
    }

    /// The same, with further header lines on every answer.
    pub(crate) fn with_headers(answers: Answers, headers: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Request>>>::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut answers = answers;
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                let (status, body) = take(&mut answers, &request.line);
                log.lock().unwrap().push(request);
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\n{headers}content-type: application/json\r\n\
                     content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
        });
        Self { url, asked }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn take(answers: &mut Answers, line: &str) -> (u16, String) {
    let mut fitting = answers.iter().enumerate().filter(|(_, (of, ..))| *of == line);
    let Some((at, (_, status, body))) = fitting.next() else {
        return (
            404,
            r#"{"code":"not_found","title":"t","status":404,"detail":"None."}"#.to_owned(),
        );
    };
    let answer = (*status, body.clone());
    if fitting.next().is_some() {
        answers.remove(at);
    }
    answer
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let line = next().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let field = next();
        let Some((name, value)) = field.split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Request { line, headers, body: String::from_utf8(body).unwrap() }
}
