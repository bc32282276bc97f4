//! A small HTTP client that measures: one request, one answer, one connection kept.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::{Outcome, stats};

/// How long an answer may take before it counts as a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where requests go and what they carry.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `127.0.0.1:<port>`
    pub(crate) authority: String,
    pub(crate) token: Option<String>,
}

/// What a burst of requests gave.
pub(crate) struct Load {
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) per_second: f64,
    pub(crate) failures: usize,
}

impl Target {
    /// One request on a connection of its own.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Outcome<(u16, Vec<u8>)> {
        let mut stream = connect(&self.authority)?;
        stream.write_all(self.request(method, path, body).as_bytes())?;
        let mut buffer = Vec::new();
        let (status, range) = answer(&mut stream, &mut buffer)?;
        Ok((status, buffer.get(range).unwrap_or_default().to_vec()))
    }

    /// A `GET` that must succeed.
    pub(crate) fn get(&self, path: &str) -> Outcome<Vec<u8>> {
        match self.send("GET", path, "")? {
            (200, body) => Ok(body),
            (status, body) => {
                Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into())
            }
        }
    }

    fn request(&self, method: &str, path: &str, body: &str) -> String {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.authority);
        if let Some(token) = &self.token {
            text += &format!("Authorization: Bearer {token}\r\n");
        }
        if method != "GET" {
            text +=
                &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        text + "\r\n" + body
    }

    /// The same `GET` over and over on so many connections, for so long; once at least.
    pub(crate) fn load(&self, path: &str, connections: usize, time: Duration) -> Outcome<Load> {
        let request = self.request("GET", path, "");
        // What is started by the first requests is not measured.
        let warm = (time / 5).min(Duration::from_millis(300));
        repeat(&self.authority, &request, warm)?;
        let begun = Instant::now();
        let results: Vec<(Vec<f64>, usize)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..connections)
                .map(|_| scope.spawn(|| repeat(&self.authority, &request, time)))
                .collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined.map(|done| done.ok().and_then(Result::ok).unwrap_or((Vec::new(), 1))).collect()
        });
        let seconds = begun.elapsed().as_secs_f64();
        let failures = results.iter().map(|(_, failures)| failures).sum();
        let times: Vec<f64> = results.into_iter().flat_map(|(times, _)| times).collect();
        Ok(Load {
            p50: stats::median(&times),
            p99: stats::percentile(&times, 99.0),
            per_second: times.len() as f64 / seconds,
            failures,
        })
    }
}

fn repeat(authority: &str, request: &str, time: Duration) -> io::Result<(Vec<f64>, usize)> {
    let mut stream = connect(authority)?;
    let (mut times, mut failures) = (Vec::new(), 0);
    let mut buffer = Vec::with_capacity(1 << 20);
    let begun = Instant::now();
    loop {
        let sent = Instant::now();
        stream.write_all(request.as_bytes())?;
        let (status, _) = answer(&mut stream, &mut buffer)?;
        times.push(sent.elapsed().as_secs_f64() * 1e3);
        failures += usize::from(status != 200);
        if begun.elapsed() >= time {
            return Ok((times, failures));
        }
    }
}

fn connect(authority: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(authority)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads one answer with a stated length; gives its status and where the body is.
fn answer(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<(u16, std::ops::Range<usize>)> {
    buffer.clear();
    let mut chunk = [0_u8; 64 << 10];
    let mut wanted: Option<(u16, usize, usize)> = None;
    loop {
        if wanted.is_none()
            && let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default());
            let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
            let length = head.lines().filter_map(|line| line.split_once(':')).find_map(|(n, v)| {
                n.eq_ignore_ascii_case("content-length").then(|| v.trim().parse().ok())?
            });
            wanted = Some((status, end + 4, end + 4 + length.unwrap_or(0)));
        }
        if let Some((status, start, end)) = wanted
            && buffer.len() >= end
        {
            return Ok((status, start..end));
        }
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
}
