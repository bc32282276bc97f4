//! Who is connected, and what is done for them.

use std::io;

use rustix::event::PollFlags;

use super::{Phase, Shim};
use crate::command::{Command, Hello, Note};
use crate::controller::Connection;
use crate::journal::Durable;
use crate::record::Record;
use crate::state::VERSION;

/// How many connections may be open without having attached.
const MAX_GUESTS: usize = 8;

impl Shim {
    pub(super) fn welcome(&mut self) {
        // A connection that fails on the way in has nobody to tell.
        while let Ok((stream, _)) = self.listener.accept() {
            if let Ok(guest) = Connection::new(stream) {
                if self.guests.len() == MAX_GUESTS {
                    self.guests.remove(0);
                }
                self.guests.push(guest);
            }
        }
    }

    pub(super) fn hear_guest(&mut self, index: usize, flags: PollFlags) -> io::Result<()> {
        // Guests come and go within one round; what a wrong index misses is ready again.
        let Some(guest) = self.guests.get_mut(index) else { return Ok(()) };
        if !is_readable(flags) {
            return Ok(());
        }
        let Ok(commands) = guest.receive() else {
            self.guests.remove(index);
            return Ok(());
        };
        let mut commands = commands.into_iter();
        while let Some(command) = commands.next() {
            match command {
                Command::Attach { from, version } if version == VERSION => {
                    let guest = self.guests.remove(index);
                    self.attach(guest, from)?;
                    return commands.try_for_each(|command| self.obey(command));
                }
                Command::Attach { .. } => {
                    let text = format!("this shim speaks version {VERSION}: attach with that");
                    self.guests[index].note(&Note::Error(text));
                }
                Command::Stop { grace } => self.end(grace.unwrap_or(self.options.grace))?,
                Command::Send(_) | Command::Ack(_) | Command::Eof | Command::Leave => {
                    self.guests[index].note(&Note::Error("attach first".into()));
                }
            }
        }
        Ok(())
    }

    fn attach(&mut self, mut connection: Connection, from: u64) -> io::Result<()> {
        // Whoever asks for n has all before it.
        self.journal.acknowledge(from.saturating_sub(1))?;
        self.journal.flush()?;
        connection.note(&Note::Hello(Hello {
            id: self.options.id.clone(),
            version: VERSION,
            shim_pid: self.state.shim_pid,
            pid: self.state.pid,
            starttime: self.state.starttime,
            alive: matches!(self.phase, Phase::Running | Phase::Ending(_)),
            first: self.journal.first(),
            last: self.journal.last(),
        }));
        connection.follow(self.journal.cursor(from)?);
        self.controller = Some(connection);
        Ok(())
    }

    pub(super) fn hear_controller(&mut self, flags: PollFlags) -> io::Result<()> {
        let Some(controller) = &mut self.controller else { return Ok(()) };
        if !is_readable(flags) {
            return Ok(());
        }
        match controller.receive() {
            Ok(commands) => commands.into_iter().try_for_each(|command| self.obey(command)),
            Err(_) => {
                self.controller = None;
                Ok(())
            }
        }
    }

    fn obey(&mut self, command: Command) -> io::Result<()> {
        match command {
            Command::Attach { .. } => self.refuse("already attached"),
            Command::Send(line) => self.send(&line)?,
            Command::Ack(n) => self.journal.acknowledge(n.min(self.journal.last()))?,
            Command::Eof => self.stdin.close(),
            Command::Stop { grace } => self.end(grace.unwrap_or(self.options.grace))?,
            Command::Leave => match self.phase {
                Phase::Ended { exit, .. } if self.journal.acknowledged() >= exit => {
                    self.phase = Phase::Left;
                }
                Phase::Left => {}
                Phase::Ended { .. } => self.refuse("acknowledge the exit record first"),
                Phase::Running | Phase::Ending(_) => {
                    self.refuse("the agent has not ended: stop it")
                }
            },
        }
        Ok(())
    }

    /// On disk first, then to the agent: so a line that is not in the journal was not sent.
    fn send(&mut self, line: &str) -> io::Result<()> {
        let over = match self.phase {
            Phase::Ended { .. } | Phase::Left => Some("the agent has ended"),
            Phase::Running | Phase::Ending(_) => None,
        };
        if let Some(reason) = over.or_else(|| self.stdin.refuses(line)) {
            self.refuse(reason);
            return Ok(());
        }
        match self.journal.append_durably(&Record::In(line.as_bytes()))? {
            Durable::Written => self.stdin.push(line),
            Durable::Refused(error) => {
                self.refuse(&format!("the journal is not writable: {error}"))
            }
        }
        Ok(())
    }

    fn refuse(&mut self, reason: &str) {
        if let Some(controller) = &mut self.controller {
            controller.note(&Note::Error(reason.to_owned()));
        }
    }

    pub(super) fn pump_controllers(&mut self) {
        self.guests.retain_mut(|guest| guest.pump(&self.journal).is_ok());
        if self.controller.as_mut().is_some_and(|it| it.pump(&self.journal).is_err()) {
            self.controller = None;
        }
    }
}

fn is_readable(flags: PollFlags) -> bool {
    flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
}
