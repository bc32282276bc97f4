//! `car voice …`: the words of recordings.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use car_api::voice::{AudioKind, Voice as Standing};
use clap::Subcommand;

use crate::{event_text, failure::Failure, session::Session};

#[derive(Subcommand)]
#[command(after_help = "Examples:
  car voice transcribe note.m4a                   prints its words
  car voice transcribe note.ogg --language de
  car pma chat \"$(car voice transcribe note.m4a)\"  says them to the PMA

The hub's owner names the service that finds words, at the hub's machine:
  car-hub config set voice.endpoint https://api.openai.com/v1")]
pub(crate) enum Voice {
    /// Whether the hub finds words, and in what
    Show,
    /// Print the words of a recording
    Transcribe {
        /// The recording, `-` for standard input
        file: PathBuf,
        /// The language that is spoken, such as `de` [default: found out]
        #[arg(long, value_name = "TAG")]
        language: Option<String>,
        /// What it is, such as `audio/ogg` [default: by its name]
        #[arg(long, value_name = "TYPE")]
        kind: Option<AudioKind>,
    },
}

pub(crate) async fn run(args: Voice, session: &Session) -> Result<(), Failure> {
    let s = session;
    match args {
        Voice::Show => {
            let standing = s.client.voice_get().await?;
            s.out.show(&standing, |v| v.model.clone().unwrap_or_default(), shown)
        }
        Voice::Transcribe { file, language, kind } => {
            let kind = kind.map_or_else(|| by_name(&file), Ok)?;
            let language = language.as_deref();
            let said = if file == Path::new("-") {
                let mut bytes = Vec::new();
                io::stdin().read_to_end(&mut bytes)?;
                s.client.voice_transcribe(kind, bytes, language).await?
            } else {
                let content = tokio::fs::File::open(&file).await.map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
                })?;
                s.client.voice_transcribe(kind, content, language).await?
            };
            s.out.show(&said, |said| said.text.clone(), |said| event_text::safe(&said.text))
        }
    }
}

/// What a recording is by its name.
fn by_name(file: &Path) -> Result<AudioKind, Failure> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    AudioKind::of_file_name(name).ok_or_else(|| {
        let known: Vec<_> = AudioKind::ALL.iter().map(|kind| kind.as_str()).collect();
        Failure::Usage(format!("say what the recording is: --kind {}", known.join("|")))
    })
}

fn shown(standing: &Standing) -> String {
    match &standing.model {
        Some(model) => format!(
            "Words are found by {}, in recordings of at most {} MB.",
            event_text::safe(model),
            standing.max_bytes / 1_000_000
        ),
        None => "Nothing finds the words of recordings here: its owner can name a service at the \
                 hub's machine (car-hub config set voice.endpoint URL)."
            .to_owned(),
    }
}
