//! `/voice`

use axum::extract::Request;
use car_api::voice::{Transcription, Voice};
use car_hub::Speech;
use serde::Deserialize;

use crate::{
    body::{self, Json},
    caller::Acting,
    extract::Query,
    problem::Answer,
};

/// Get what the hub does with speech
///
/// Whether it has something that finds the words of a recording, and what it takes.
#[utoipa::path(
    get, path = "/voice", tag = "voice", operation_id = "voice_get",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any"))),
    responses((status = 200, description = "What it does and takes", body = Voice)),
)]
pub(crate) async fn get(Acting(hub): Acting) -> Answer<Json<Voice>> {
    Ok(Json(hub.voice_get().await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpeechQuery {
    /// The language that is spoken, as its tag (`de`, `pt-BR`); that of `voice.language` when
    /// absent, or found out.
    #[param(pattern = "^[A-Za-z]{2,3}(-[A-Za-z]{2,4})?$")]
    language: Option<String>,
}

/// Find the words of a recording
///
/// The body is the recording with its own content type, at most 25 MB. It goes to the service the
/// hub's owner named (`voice.endpoint`) and is kept nowhere.
#[utoipa::path(
    post, path = "/voice/transcriptions", tag = "voice", operation_id = "voice_transcribe",
    params(SpeechQuery),
    request_body(
        description = "The recording",
        content(
            (String = "audio/webm"), (String = "audio/ogg"), (String = "audio/mp4"),
            (String = "audio/mpeg"), (String = "audio/wav"), (String = "audio/flac"),
        ),
    ),
    extensions(
        ("x-scope" = json!("run")), ("x-limited" = json!("any")), ("x-raw" = json!(true)),
        ("x-problems" = json!(["turned_off", "busy", "transcriber_refused", "transcriber_away"])),
    ),
    responses((status = 200, description = "Its words", body = Transcription)),
)]
pub(crate) async fn transcribe(
    Acting(hub): Acting,
    Query(query): Query<SpeechQuery>,
    request: Request,
) -> Answer<Json<Transcription>> {
    let kind = body::audio(request.headers())?;
    hub.voice_ready()?;
    let bytes = body::read_recording(request.into_body()).await?;
    Ok(Json(hub.voice_transcribe(Speech { bytes, kind, language: query.language }).await?))
}
