//! `car pma chat`: one message and its answer, or one after the other.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use car_api::{
    ThreadKey,
    filebox::FileBox,
    thread::{BusyPolicy, MessagePost},
};
use clap::Args;
use tokio::sync::mpsc;

use super::super::{edit, files, talk};
use crate::{failure::Failure, session::Session};

#[derive(Args)]
#[command(after_help = "Examples:
  car pma chat                               message by message
  car pma chat \"What needs me?\"
  car pma chat \"Split this into tickets\" --file spec.md
Ctrl-C cuts the answer off; a second one leaves it to itself.")]
pub(crate) struct Chat {
    /// The text; `-` reads standard input
    text: Option<String>,
    /// A file that goes with it, by way of the inbox box; may be repeated
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// While it is busy: queue, interrupt or reject
    #[arg(long, default_value = "queue")]
    busy: BusyPolicy,
    /// Your own id of the message: posted again with it, it is the same message
    #[arg(long, value_name = "ID")]
    client_turn_id: Option<String>,
    /// Answers are always printed as they come
    #[arg(long, hide = true)]
    stream: bool,
}

pub(crate) async fn run(args: Chat, s: &Session) -> Result<(), Failure> {
    let mut attachments = Vec::new();
    for file in &args.file {
        let put = files::put(s, None, FileBox::Inbox, file, None).await?;
        attachments.push(put.name.to_string());
    }
    let text = match args.text {
        Some(text) if text == "-" => Some(edit::read("-".as_ref())?),
        None if !attachments.is_empty() => Some(String::new()),
        text => text,
    };
    let Some(body) = text else { return talk_on(s, args.busy).await };
    let client_turn_id = args.client_turn_id.or_else(|| Some(car_api::request_key()));
    say(s, MessagePost { body, attachments, client_turn_id, busy: args.busy }).await
}

/// Messages from standard input, a line each, until its end. A line that ends with a backslash goes
/// on in the next one.
async fn talk_on(s: &Session, busy: BusyPolicy) -> Result<(), Failure> {
    let asks = io::stdin().is_terminal() && !s.out.json;
    let mut lines = lines();
    let mut body = String::new();
    loop {
        if asks {
            eprint!("{}", if body.is_empty() { "> " } else { ". " });
            let _ = io::stderr().flush();
        }
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(line) = line else { break };
        if let Some(part) = line.strip_suffix('\\') {
            body += part;
            body.push('\n');
            continue;
        }
        body += &line;
        if body.trim().is_empty() {
            body.clear();
            continue;
        }
        let post = MessagePost {
            body: std::mem::take(&mut body),
            attachments: Vec::new(),
            client_turn_id: Some(car_api::request_key()),
            busy,
        };
        match say(s, post).await {
            // It said so; there may be a next message.
            Ok(()) | Err(Failure::Outcome) => {}
            Err(error) => return Err(error),
        }
    }
    if asks {
        eprintln!();
    }
    Ok(())
}

/// Lines as they are typed, read beside everything else.
fn lines() -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if to.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Posts a message and prints the answer. Ctrl-C has the answer cut off, and its end is waited for.
async fn say(s: &Session, post: MessagePost) -> Result<(), Failure> {
    let pma = ThreadKey::pma();
    let answer = talk::post_and_follow(s, &pma, &post);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        ended = &mut answer => return ended.map(drop),
        _ = tokio::signal::ctrl_c() => {}
    }
    s.out.note("cutting the answer off …");
    s.client.thread_interrupt(&pma).await?;
    tokio::select! {
        ended = &mut answer => ended.map(drop),
        _ = tokio::signal::ctrl_c() => Err(Failure::Outcome),
    }
}
