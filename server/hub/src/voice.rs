//! Speech: the words of a recording, found by a service outside the hub.
//!
//! Nothing of a recording is kept here. Whatever asks the service implements [`Transcriber`], in an
//! adapter crate that `car-daemon` hands in; only the hub's owner names the service.

use std::{fmt, pin::Pin, sync::Arc};

pub use car_api::voice::AudioKind;
use car_api::{
    Code,
    audit::Outcome,
    voice::{MAX_BYTES, Transcription, Voice},
};
use tokio::sync::Semaphore;

use crate::{Error, Hub, Result};

/// Recordings that are with the service at once: each is in memory as long.
const AT_ONCE: usize = 4;

/// One recording.
#[derive(Clone, PartialEq, Eq)]
pub struct Speech {
    /// The recording as it came.
    pub bytes: Vec<u8>,
    /// What it is.
    pub kind: AudioKind,
    /// The language it is in, as its tag (`de`, `pt-BR`), where somebody said so.
    pub language: Option<String>,
}

impl fmt::Debug for Speech {
    /// Without the recording.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Speech({}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// Why no words were found, for people, without address and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unheard {
    /// The service said no, or something that cannot be read.
    Refused(String),
    /// The service was not reached, or was too slow.
    Away(String),
}

/// The words, on their way.
pub type Hearing<'a> =
    Pin<Box<dyn Future<Output = std::result::Result<String, Unheard>> + Send + 'a>>;

/// Finds the words of recordings.
pub trait Transcriber: Send + Sync {
    /// The model that does it, in the service's words.
    fn model(&self) -> &str;

    /// Asks once, within a time of its own.
    fn hear<'a>(&'a self, speech: &'a Speech) -> Hearing<'a>;
}

/// What finds words; without one nothing does.
#[derive(Clone, Default)]
pub struct VoiceConfig {
    /// The service.
    pub transcriber: Option<Arc<dyn Transcriber>>,
    /// The language of recordings that name none; the service finds it out when absent.
    pub language: Option<String>,
}

impl fmt::Debug for VoiceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.transcriber.is_some() {
            "VoiceConfig(..)"
        } else {
            "VoiceConfig(none)"
        })
    }
}

/// How many more recordings may be heard now.
pub(crate) struct Ears(Semaphore);

impl Default for Ears {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Hub {
    /// What the hub does with speech.
    ///
    /// # Errors
    /// None today.
    pub async fn voice_get(&self) -> Result<Voice> {
        let transcriber = self.inner.config.voice.transcriber.as_ref();
        Ok(Voice {
            configured: transcriber.is_some(),
            model: transcriber.map(|transcriber| transcriber.model().to_owned()),
            max_bytes: u64::try_from(MAX_BYTES).unwrap_or(u64::MAX),
            kinds: AudioKind::ALL.to_vec(),
        })
    }

    /// Refuses where there is nothing that finds words: before a recording is read.
    ///
    /// # Errors
    /// `turned_off`.
    pub fn voice_ready(&self) -> Result<()> {
        self.transcriber().map(|_| ())
    }

    /// Finds the words of a recording, which is not kept.
    ///
    /// # Errors
    /// See the API.
    pub async fn voice_transcribe(&self, mut speech: Speech) -> Result<Transcription> {
        let transcriber = self.transcriber()?;
        if speech.bytes.is_empty() {
            return Err(Error::bad_request("The recording is empty."));
        }
        if speech.language.as_deref().is_some_and(|tag| !is_a_language(tag)) {
            let detail = "`language` is the tag of a language, such as `de` or `pt-BR`.";
            return Err(Error::bad_request(detail));
        }
        speech.language = speech.language.or_else(|| self.inner.config.voice.language.clone());
        let Ok(_heard) = self.inner.ears.0.try_acquire() else {
            let detail = "As many recordings as the hub takes at once are being heard; send it \
                          again in a moment.";
            return Err(Error::new(Code::Busy, detail));
        };
        let said = format!("{}, {} bytes", speech.kind, speech.bytes.len());
        let heard = transcriber.hear(&speech).await;
        let outcome = if heard.is_ok() { Outcome::Done } else { Outcome::Failed };
        let act = self.act("voice_transcribe", "").detail(said);
        self.inner.store.commit(vec![act.ended(outcome)]).await?;
        match heard {
            Ok(text) => {
                let text = self.inner.config.redactor.redact(text.trim()).into_owned();
                Ok(Transcription { text })
            }
            Err(Unheard::Refused(detail)) => {
                let detail = format!("What finds the words refused the recording: {detail}.");
                Err(Error::new(Code::TranscriberRefused, detail))
            }
            Err(Unheard::Away(detail)) => {
                let detail = format!("What finds the words cannot be reached: {detail}.");
                Err(Error::new(Code::TranscriberAway, detail))
            }
        }
    }

    fn transcriber(&self) -> Result<&dyn Transcriber> {
        self.inner.config.voice.transcriber.as_deref().ok_or_else(|| {
            let detail = "The hub has nothing that finds the words of recordings; its owner names \
                          a service at its machine (`car-hub config set voice.endpoint URL`).";
            Error::new(Code::TurnedOff, detail)
        })
    }
}

/// Whether this is a tag such as `de`, `yue` or `pt-BR` (RFC 5646, language and region alone).
#[must_use]
pub fn is_a_language(tag: &str) -> bool {
    let letters = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    match tag.split_once('-') {
        Some((language, region)) => letters(language, 2..=3) && letters(region, 2..=4),
        None => letters(tag, 2..=3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_a_short_tag() {
        for tag in ["de", "yue", "pt-BR", "zh-Hant"] {
            assert!(is_a_language(tag), "{tag}");
        }
        for tag in ["", "d", "german", "de_DE", "de-", "d1", "de\r\nX: y", "\"de\""] {
            assert!(!is_a_language(tag), "{tag:?}");
        }
    }
}
