//! An answer as it is written: a message is posted and followed to its end.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use car_api::{
    EventKind, ThreadKey, TurnId,
    event::{EventCursor, LiveFrame, LiveStream, StreamMessage},
    item::{Approval, Item, ItemBody},
    thread::{Message, MessagePost, MessageStatus},
};
use car_client::{
    EventFilter,
    watch::{Update, Watch},
};

use super::answer;
use crate::{connection::Connection, event_text, failure::Failure, session::Session};

/// Posts a message and prints the answer as it comes; gives the message as it ended.
pub(crate) async fn post_and_follow(
    s: &Session,
    thread: &ThreadKey,
    body: &MessagePost,
) -> Result<Message, Failure> {
    let id = s.client.thread_get(thread).await?.id;
    let info = s.client.hub_get().await?;
    let from = EventCursor { epoch: Some(info.epoch), seq: info.last_seq };
    let filter = EventFilter { thread: Some(id), ..EventFilter::default() };
    let posted = s.client.message_post(thread, body).await?;
    if is_over(posted.status) {
        // It was posted before, and answered.
        return shown_at_once(s, posted);
    }
    let watch = s.client.watch_from(from, filter);
    follow(s, watch, posted).await
}

/// Prints what becomes of a message until it has ended.
pub(crate) async fn follow(
    s: &Session,
    mut watch: Watch,
    message: Message,
) -> Result<Message, Failure> {
    let mut answer = Answer { json: s.out.json, quiet: s.out.quiet, ..Answer::default() };
    answer.turn.clone_from(&message.turn);
    let mut connection = Connection::default();
    loop {
        match watch.next().await? {
            Update::Event(event) => {
                if s.out.json {
                    json(&StreamMessage::Event { event: event.clone() })?;
                }
                answer.event(s, &event.event)?;
                if let EventKind::MessageUpdated { message: now } = event.event
                    && now.id == message.id
                {
                    answer.turn.clone_from(&now.turn);
                    if is_over(now.status) {
                        answer.end()?;
                        return ended(s, *now, answer.said);
                    }
                }
            }
            Update::Live(frame) => {
                if s.out.json {
                    json(&StreamMessage::Live { frame: frame.clone() })?;
                }
                answer.live(&frame)?;
            }
            Update::Lost { reason, .. } => connection.lost(&s.out, reason),
            Update::Back => connection.back(&s.out),
            Update::CaughtUp { .. } => {}
        }
    }
}

fn is_over(status: MessageStatus) -> bool {
    match status {
        MessageStatus::Queued | MessageStatus::Working => false,
        MessageStatus::Completed
        | MessageStatus::Interrupted
        | MessageStatus::Failed
        | MessageStatus::Cancelled
        | MessageStatus::Blocked => true,
    }
}

fn shown_at_once(s: &Session, message: Message) -> Result<Message, Failure> {
    if s.out.json {
        s.out.json(&message)?;
    } else if s.out.quiet {
        s.out.line(message.id.as_str())?;
    } else if let Some(answer) = &message.answer {
        s.out.line(&event_text::safe(answer))?;
    }
    ended(s, message, true)
}

/// Says how it ended, when that was not well.
fn ended(s: &Session, message: Message, said: bool) -> Result<Message, Failure> {
    match message.status {
        MessageStatus::Queued | MessageStatus::Working | MessageStatus::Completed => {
            if let Some(answer) = message.answer.as_ref().filter(|_| !said && !s.out.json) {
                s.out.line(&event_text::safe(answer))?;
            }
            Ok(message)
        }
        MessageStatus::Interrupted
        | MessageStatus::Failed
        | MessageStatus::Cancelled
        | MessageStatus::Blocked => {
            let error = message.error.as_ref().map(|error| error.message.as_str());
            let why = message.detail.as_deref().or(error).unwrap_or_default();
            s.out.note(&event_text::safe(&format!("{}: {why}", message.status)));
            Err(Failure::Outcome)
        }
    }
}

fn json(message: &StreamMessage) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, message).map_err(io::Error::other)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// What was printed of an answer so far.
#[derive(Default)]
struct Answer {
    json: bool,
    quiet: bool,
    turn: Option<TurnId>,
    /// Bytes of each piece that were printed.
    printed: HashMap<String, u64>,
    /// Whether the line is not at its beginning.
    open: bool,
    /// Whether anything of the answer itself was printed.
    said: bool,
}

impl Answer {
    fn is_of(&self, turn: &TurnId) -> bool {
        self.turn.as_ref() == Some(turn)
    }

    fn event(&mut self, s: &Session, event: &EventKind) -> Result<(), Failure> {
        if let EventKind::ItemUpdated { turn, item, completed } = event {
            self.item(turn, item, *completed)?;
        }
        if let EventKind::ApprovalRequested { turn, approval } = event {
            self.asked(s, turn, approval)?;
        }
        if let EventKind::AgentNotice { turn, message } = event
            && self.is_of(turn)
        {
            self.break_line()?;
            s.out.note(&event_text::safe(message));
        }
        Ok(())
    }

    fn live(&mut self, frame: &LiveFrame) -> Result<(), Failure> {
        if self.is_of(&frame.turn) && frame.stream == LiveStream::Message {
            self.text(&frame.item, frame.offset, &frame.text)?;
        }
        Ok(())
    }

    fn item(&mut self, turn: &TurnId, item: &Item, completed: bool) -> Result<(), Failure> {
        if !self.is_of(turn) {
            return Ok(());
        }
        match &item.body {
            ItemBody::Message { text } => {
                self.text(&item.id, 0, text)?;
                self.break_line()
            }
            ItemBody::Reasoning { .. } => Ok(()),
            ItemBody::Command { .. } | ItemBody::FileChange { .. } | ItemBody::Tool { .. } => {
                if completed && !self.json && !self.quiet {
                    self.break_line()?;
                    let line = event_text::item(item);
                    eprintln!("· {}", line.lines().next().unwrap_or_default());
                }
                Ok(())
            }
        }
    }

    fn asked(&mut self, s: &Session, turn: &TurnId, approval: &Approval) -> Result<(), Failure> {
        if !self.is_of(turn) || approval.decision.is_some() {
            return Ok(());
        }
        self.break_line()?;
        s.out.note(&format!("the agent asks: {}", answer::question(approval)));
        s.out.note("answer with `car thread approve` or `car thread decline`");
        Ok(())
    }

    /// Prints what of a piece was not printed yet. A frame that was missed is made good by the
    /// piece itself when it is complete.
    fn text(&mut self, item: &str, offset: u64, text: &str) -> Result<(), Failure> {
        if self.json || self.quiet {
            return Ok(());
        }
        let printed = self.printed.entry(item.to_owned()).or_default();
        let Some(known) = printed.checked_sub(offset).and_then(|known| usize::try_from(known).ok())
        else {
            return Ok(());
        };
        let Some(rest) = text.get(known..).filter(|rest| !rest.is_empty()) else { return Ok(()) };
        *printed += u64::try_from(rest.len()).unwrap_or_default();
        let mut out = io::stdout().lock();
        out.write_all(event_text::safe(rest).as_bytes())?;
        out.flush()?;
        self.open = !rest.ends_with('\n');
        self.said = true;
        Ok(())
    }

    fn break_line(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.open) {
            io::stdout().lock().write_all(b"\n")?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.break_line()
    }
}
