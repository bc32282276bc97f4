//! Looking at a terminal of the hub from the one this program runs in.

use std::io::{self, Write};

use car_api::{TerminalId, terminal::TerminalMessage};
use car_client::{ClientError, TerminalSaid, TerminalSocket, watch::Backoff};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::sleep,
};

use crate::{failure::Failure, session::Session, tty};

/// What leaves: Ctrl-].
const LEAVE: u8 = 0x1d;

/// Columns and rows where this program runs, or what terminals have had for ever.
pub(super) fn size() -> (u16, u16) {
    tty::size().unwrap_or((80, 24))
}

/// How one line to the hub ended.
enum Cut {
    /// The terminal has ended.
    Ended(Option<i32>),
    /// Whoever looked has left, or was told to.
    Left,
    /// The line was lost; why.
    Lost(String),
}

/// What comes from this side.
struct Here {
    typed: mpsc::Receiver<Vec<u8>>,
    /// Whether nothing more is typed.
    closed: bool,
    resized: Signal,
    told: [Signal; 2],
}

impl Here {
    /// Comes back when whoever looks leaves, or is told to. What else is typed goes nowhere.
    async fn leaves(&mut self) {
        let [terminate, hang_up] = &mut self.told;
        loop {
            tokio::select! {
                typed = self.typed.recv(), if !self.closed => match typed {
                    Some(typed) if typed.contains(&LEAVE) => return,
                    Some(_) => {}
                    None => self.closed = true,
                },
                _ = terminate.recv() => return,
                _ = hang_up.recv() => return,
            }
        }
    }
}

/// Looks until the shell ends or somebody leaves; a lost line is taken up where it was.
pub(super) async fn run(s: &Session, id: &TerminalId, from: Option<u64>) -> Result<(), Failure> {
    // From the first moment on: whoever closes the window while it begins is heard then.
    let resized = signal(SignalKind::window_change())?;
    let told = [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    let mut socket = s.client.terminal_attach(id, from).await?;
    let raw = tty::Raw::set();
    if raw.is_some() {
        s.out.note("Ctrl-] leaves, the shell goes on\r");
    }
    let mut here = Here { typed: tty::typed(), closed: false, resized, told };
    let mut backoff = Backoff::default();
    let cut = loop {
        let reason = match line(&mut socket, &mut here).await? {
            Cut::Lost(reason) => reason,
            cut @ (Cut::Ended(_) | Cut::Left) => break cut,
        };
        s.out.note(&format!("\r\n{reason}; trying again\r"));
        let again = async {
            loop {
                sleep(backoff.next_delay()).await;
                match s.client.terminal_attach(id, Some(socket.at())).await {
                    Err(error) if error.may_pass() => {}
                    done => break done,
                }
            }
        };
        socket = tokio::select! {
            again = again => again?,
            () = here.leaves() => break Cut::Left,
        };
        backoff = Backoff::default();
    };
    drop(raw);
    match cut {
        Cut::Ended(Some(0) | None) => s.out.note("\nthe terminal has ended"),
        Cut::Ended(Some(code)) => s.out.note(&format!("\nthe shell ended with {code}")),
        Cut::Left | Cut::Lost(_) => s.out.note(&format!("\nback: car terminal attach {id}")),
    }
    Ok(())
}

/// Carries both ways until the line ends.
async fn line(socket: &mut TerminalSocket, here: &mut Here) -> Result<Cut, Failure> {
    let told = tty::size();
    if let Some((cols, rows)) = told
        && let Err(error) = socket.resize(cols, rows).await
    {
        return Ok(Cut::Lost(error.to_string()));
    }
    let mut ended = None;
    loop {
        let [terminate, hang_up] = &mut here.told;
        let sent = tokio::select! {
            said = socket.next() => {
                match said {
                    Ok(TerminalSaid::Output(bytes)) => {
                        let mut out = io::stdout().lock();
                        out.write_all(&bytes)?;
                        out.flush()?;
                    }
                    Ok(TerminalSaid::Message(TerminalMessage::Ended { terminal })) => {
                        ended = Some(Cut::Ended(terminal.exit_code));
                    }
                    Ok(TerminalSaid::Message(
                        TerminalMessage::Attached { .. }
                        | TerminalMessage::CaughtUp { .. }
                        | TerminalMessage::Resized { .. },
                    )) => {}
                    Ok(TerminalSaid::Closed { reason, .. }) => {
                        return Ok(ended.unwrap_or(Cut::Lost(reason)));
                    }
                    Err(error) => return lost(error),
                }
                continue;
            }
            typed = here.typed.recv(), if !here.closed => match typed {
                // Standard input has ended; what it brought about is still shown.
                None => {
                    here.closed = true;
                    continue;
                }
                Some(typed) => match typed.iter().position(|byte| *byte == LEAVE) {
                    Some(place) => {
                        let _ = socket.send(typed[..place].to_vec()).await;
                        return Ok(Cut::Left);
                    }
                    None => socket.send(typed).await,
                },
            },
            _ = here.resized.recv() => match tty::size() {
                Some((cols, rows)) => socket.resize(cols, rows).await,
                None => Ok(()),
            },
            _ = terminate.recv() => return Ok(Cut::Left),
            _ = hang_up.recv() => return Ok(Cut::Left),
        };
        if let Err(error) = sent {
            return lost(error);
        }
    }
}

/// A line that may be there again in a moment, or an error that stays.
fn lost(error: ClientError) -> Result<Cut, Failure> {
    if error.may_pass() { Ok(Cut::Lost(error.to_string())) } else { Err(error.into()) }
}
