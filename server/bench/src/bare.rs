//! A server that does nothing but send the same bytes: what the machine allows.

use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
};

use axum::{Router, body::Bytes, http::header::CONTENT_TYPE};
use tokio::net::TcpListener;

use crate::{Outcome, http::Target};

/// The word this program is started with to be that server.
pub(crate) const WORD: &str = "bare-server";

/// Serves a file's bytes until it is killed; the first line it prints is where.
pub(crate) fn serve(file: &Path) -> Outcome<()> {
    let body = Bytes::from(std::fs::read(file)?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        let answer = move || {
            let body = body.clone();
            async move { ([(CONTENT_TYPE, "application/json")], body) }
        };
        axum::serve(listener, Router::new().fallback(answer)).await?;
        Ok(())
    })
}

/// That server as a process of its own.
pub(crate) struct Bare {
    child: Child,
    pub(crate) target: Target,
}

impl Bare {
    pub(crate) fn start(body: &[u8], dir: &Path) -> Outcome<Self> {
        let file = dir.join("bare-body");
        std::fs::write(&file, body)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(WORD)
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let target = Target { authority: line.trim().to_owned(), token: None };
        Ok(Self { child, target })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
