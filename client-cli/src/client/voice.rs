//! Speech.

use car_api::voice::{AudioKind, Transcription, Voice};

use super::{Client, Upload};
use crate::ClientError;

impl Client {
    /// What the hub does with speech.
    ///
    /// # Errors
    /// See the API.
    pub async fn voice_get(&self) -> Result<Voice, ClientError> {
        self.get("voice_get", &["voice"]).json().await
    }

    /// The words of a recording, in this language where it is known.
    ///
    /// # Errors
    /// `turned_off`, `too_large`, `transcriber_refused`, `transcriber_away`.
    pub async fn voice_transcribe(
        &self,
        kind: AudioKind,
        recording: impl Into<Upload>,
        language: Option<&str>,
    ) -> Result<Transcription, ClientError> {
        let call = self.post("voice_transcribe", &["voice", "transcriptions"]);
        call.query("language", language).upload(kind.as_str(), recording.into()).await
    }
}
