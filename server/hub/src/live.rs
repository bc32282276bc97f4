//! Text that is being written now: frames to whoever listens, and the text so far for whoever asks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use car_api::{
    RunId, TurnId,
    event::{LiveFrame, LiveStream},
};
use tokio::sync::broadcast;

use crate::{Redactor, redact};

/// How much of a piece that is being written is kept, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// A piece that is being written.
#[derive(Debug, Clone)]
pub(crate) struct Writing {
    pub(crate) item: String,
    pub(crate) stream: LiveStream,
    pub(crate) text: String,
    /// Bytes so far, more than the text when that was cut.
    bytes: u64,
    /// Takes secrets out, also those that come in two pieces.
    clean: redact::Stream,
}

/// The live side of the hub.
pub(crate) struct Live {
    frames: broadcast::Sender<Arc<LiveFrame>>,
    writing: Mutex<HashMap<TurnId, Vec<Writing>>>,
    redactor: Redactor,
}

impl Live {
    pub(crate) fn new(redactor: Redactor) -> Self {
        Self { frames: broadcast::channel(1024).0, writing: Mutex::default(), redactor }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<LiveFrame>> {
        self.frames.subscribe()
    }

    /// More text of a piece.
    pub(crate) fn write(
        &self,
        run: &RunId,
        turn: &TurnId,
        item: String,
        stream: LiveStream,
        text: String,
    ) {
        let (offset, text) = {
            let mut all = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let pieces = all.entry(turn.clone()).or_default();
            let at = pieces.iter().position(|p| p.item == item && p.stream == stream);
            let at = at.unwrap_or_else(|| {
                let item = item.clone();
                let clean = self.redactor.stream();
                pieces.push(Writing { item, stream, text: String::new(), bytes: 0, clean });
                pieces.len() - 1
            });
            let piece = &mut pieces[at];
            let text = piece.clean.push(&text);
            let offset = piece.bytes;
            piece.bytes += u64::try_from(text.len()).unwrap_or_default();
            if piece.text.len() + text.len() <= MAX_TEXT {
                piece.text.push_str(&text);
            }
            (offset, text)
        };
        if !text.is_empty() && self.frames.receiver_count() > 0 {
            let (run, turn) = (run.clone(), turn.clone());
            let _ = self.frames.send(Arc::new(LiveFrame { run, turn, item, stream, offset, text }));
        }
    }

    /// The piece is in the log now.
    pub(crate) fn written(&self, turn: &TurnId, item: &str) {
        let mut all = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pieces) = all.get_mut(turn) {
            pieces.retain(|piece| piece.item != item);
        }
    }

    /// The turn is over.
    pub(crate) fn over(&self, turn: &TurnId) {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner).remove(turn);
    }

    /// What is being written in a turn.
    pub(crate) fn writing(&self, turn: &TurnId) -> Vec<Writing> {
        let all = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(turn).cloned().unwrap_or_default()
    }
}
