//! Text that is being written now: frames to whoever listens, and the text so far for whoever asks.
//!
//! A frame says where in its piece it begins, in bytes of UTF-8. Frames may be missed; what was
//! missed is in the text so far, so whoever reads that once and goes on with the frames after it
//! has the whole text.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use car_api::{
    TurnId,
    event::{LiveFrame, LiveStream, StreamMessage},
    turn::Writing,
};
use car_store::Errand;
use tokio::sync::broadcast;

use crate::{Redactor, redact};

/// How much of a piece that is being written is kept, from its end, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// How many frames a slow listener may be behind before it misses some.
const FRAMES: usize = 256;

/// A frame, and the message it is sent as: encoded once for everybody.
#[derive(Debug)]
pub struct LiveText {
    /// The frame.
    pub frame: LiveFrame,
    json: OnceLock<Bytes>,
}

impl LiveText {
    /// The frame as a message of the event stream, in JSON.
    pub fn json(&self) -> Bytes {
        let encode = || {
            let message = StreamMessage::Live { frame: self.frame.clone() };
            serde_json::to_vec(&message).unwrap_or_default().into()
        };
        self.json.get_or_init(encode).clone()
    }
}

/// A piece that is being written.
struct Piece {
    /// As far as it may be seen.
    writing: Writing,
    /// Takes secrets out, also those that come in two pieces: what may be the middle of one is
    /// held back.
    clean: redact::Stream,
}

/// The live side of the hub.
pub(crate) struct Live {
    frames: broadcast::Sender<Arc<LiveText>>,
    writing: Mutex<HashMap<TurnId, Vec<Piece>>>,
    redactor: Redactor,
}

impl Live {
    pub(crate) fn new(redactor: Redactor) -> Self {
        Self { frames: broadcast::channel(FRAMES).0, writing: Mutex::default(), redactor }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<LiveText>> {
        self.frames.subscribe()
    }

    /// More text of a piece.
    pub(crate) fn write(
        &self,
        errand: &Errand,
        turn: &TurnId,
        item: String,
        stream: LiveStream,
        text: String,
    ) {
        let mut all = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let pieces = all.entry(turn.clone()).or_default();
        let same = |piece: &Piece| piece.writing.item == item && piece.writing.stream == stream;
        let at = pieces.iter().position(same);
        let at = at.unwrap_or_else(|| {
            let writing = Writing { item: item.clone(), stream, offset: 0, text: String::new() };
            pieces.push(Piece { writing, clean: self.redactor.stream() });
            pieces.len() - 1
        });
        let piece = &mut pieces[at];
        let text = piece.clean.push(&text);
        let writing = &mut piece.writing;
        let offset = writing.offset + size(&writing.text);
        writing.text.push_str(&text);
        keep_end(writing);
        // Under the lock: whoever reads the text so far and listens misses nothing in between.
        if !text.is_empty() && self.frames.receiver_count() > 0 {
            let (run, thread) = (errand.run().cloned(), errand.thread().cloned());
            let turn = turn.clone();
            let frame = LiveFrame { run, thread, turn, item, stream, offset, text };
            let _ = self.frames.send(Arc::new(LiveText { frame, json: OnceLock::new() }));
        }
    }

    /// The piece is in the log now.
    pub(crate) fn written(&self, turn: &TurnId, item: &str) {
        let mut all = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pieces) = all.get_mut(turn) {
            pieces.retain(|piece| piece.writing.item != item);
        }
    }

    /// The turn is over.
    pub(crate) fn over(&self, turn: &TurnId) {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner).remove(turn);
    }

    /// What is being written in a turn.
    pub(crate) fn writing(&self, turn: &TurnId) -> Vec<Writing> {
        let all = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let pieces = all.get(turn).into_iter().flatten();
        pieces.map(|piece| piece.writing.clone()).collect()
    }

    /// What was being written in a turn when an earlier process of the hub ended.
    pub(crate) fn take_up(&self, turn: &TurnId, pieces: Vec<Writing>) {
        let mut all = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = |writing| Piece { writing, clean: self.redactor.stream() };
        all.insert(turn.clone(), pieces.into_iter().map(piece).collect());
    }
}

fn size(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or_default()
}

/// Cuts a text that grew too long at its start; half of it at a time, so that it is seldom moved.
fn keep_end(piece: &mut Writing) {
    if piece.text.len() <= MAX_TEXT {
        return;
    }
    let mut from = piece.text.len() - MAX_TEXT / 2;
    while !piece.text.is_char_boundary(from) {
        from += 1;
    }
    piece.offset += u64::try_from(from).unwrap_or_default();
    piece.text.drain(..from);
}

#[cfg(test)]
mod tests {
    use car_api::RunId;
    use proptest::prelude::*;

    use super::*;

    /// What a reader does that was away: it listens, reads the text so far once, and goes on with
    /// the frames; when one is missing, it reads again.
    struct Reader {
        frames: broadcast::Receiver<Arc<LiveText>>,
        offset: u64,
        text: String,
    }

    impl Reader {
        fn read(&mut self, live: &Live, turn: &TurnId) {
            for piece in live.writing(turn) {
                (self.offset, self.text) = (piece.offset, piece.text);
            }
        }

        fn take(&mut self, frame: &LiveFrame, live: &Live, turn: &TurnId) {
            let have = self.offset + size(&self.text);
            if frame.offset > have {
                self.read(live, turn);
            } else if let Ok(known) = usize::try_from(have - frame.offset)
                && known < frame.text.len()
            {
                self.text.push_str(&frame.text[known..]);
            }
        }
    }

    proptest! {
        /// Wherever a reader joins, and however many frames it misses, text so far and frames are
        /// the whole text.
        #[test]
        fn the_text_so_far_and_the_frames_are_the_whole(
            pieces in proptest::collection::vec("[a-zäß€𝄞\n]{0,12}", 1..60),
            joins in 0_usize..60,
            missed in proptest::collection::vec(any::<bool>(), 60),
            looks in proptest::collection::vec(any::<bool>(), 60),
        ) {
            let live = Live::new(Redactor::new());
            let (run, turn) = (Errand::Run(RunId::generate()), TurnId::generate());
            let mut whole = String::new();
            let mut reader = None;
            for (n, text) in pieces.iter().enumerate() {
                if n == joins.min(pieces.len() - 1) {
                    let frames = live.subscribe();
                    let mut new = Reader { frames, offset: 0, text: String::new() };
                    new.read(&live, &turn);
                    reader = Some(new);
                }
                live.write(&run, &turn, "i".to_owned(), LiveStream::Message, text.clone());
                whole.push_str(text);
                let Some(reader) = &mut reader else { continue };
                // A reader that looks late finds several frames at once.
                while looks[n] && let Ok(frame) = reader.frames.try_recv() {
                    if !missed[n] {
                        reader.take(&frame.frame, &live, &turn);
                    }
                }
            }
            let mut reader = reader.unwrap();
            while let Ok(frame) = reader.frames.try_recv() {
                reader.take(&frame.frame, &live, &turn);
            }
            live.write(&run, &turn, "i".to_owned(), LiveStream::Message, " end\n".to_owned());
            whole.push_str(" end\n");
            let last = reader.frames.try_recv().unwrap();
            reader.take(&last.frame, &live, &turn);
            prop_assert_eq!(reader.text, whole);
        }
    }

    #[test]
    fn a_very_long_piece_keeps_its_end_and_its_place() {
        let live = Live::new(Redactor::new());
        let (run, turn) = (Errand::Run(RunId::generate()), TurnId::generate());
        let line = "grüße\n".repeat(100);
        let mut written = 0;
        while written < 3 * MAX_TEXT {
            live.write(&run, &turn, "i".to_owned(), LiveStream::Output, line.clone());
            written += line.len();
        }
        let [piece] = live.writing(&turn).try_into().unwrap();
        assert!(piece.text.len() <= MAX_TEXT && piece.text.len() >= MAX_TEXT / 2 - 1);
        assert_eq!(piece.offset + size(&piece.text), u64::try_from(written).unwrap());
        assert!(piece.text.ends_with(&line));
    }
}
