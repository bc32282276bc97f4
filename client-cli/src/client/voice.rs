//! Speech.

use car_api::voice::{AudioKind, Transcription, Voice};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::{Client, Upload, call, coverage, who::Who};
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
        coverage::record("voice_transcribe");
        let at = self.url().to_owned();
        let mut url = self.api_url(&["voice", "transcriptions"]);
        if let Some(language) = language {
            url.query_pairs_mut().append_pair("language", language);
        }
        let kind = HeaderValue::from_static(kind.as_str());
        let request = self.http.request(Method::POST, url).header(CONTENT_TYPE, kind);
        let sent = request.body(recording.into()).send().await;
        let answer = sent.map_err(|e| call::network(&at, &e))?;
        let who = Who::of(answer.headers());
        who.check(self)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|e| call::network(&at, &e))?;
        if !status.is_success() {
            return Err(call::refusal(&at, status.as_u16(), &body));
        }
        serde_json::from_slice(&body).map_err(|e| {
            let detail = format!("the answer of voice_transcribe cannot be read ({e})");
            who.unreadable(self.url(), detail)
        })
    }
}
