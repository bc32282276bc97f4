//! Speech: what is recorded in a chat, and its words.

use crate::{wire, words};

/// Largest recording that is taken, in bytes: what services that hear speech take.
pub const MAX_BYTES: usize = 25_000_000;

words! {
    /// The kinds of recordings there are, by their media types: what browsers record, and what
    /// other programs do.
    pub enum AudioKind {
        /// Chromium and Firefox.
        Webm = "audio/webm",
        /// Firefox.
        Ogg = "audio/ogg",
        /// Safari.
        Mp4 = "audio/mp4",
        /// MP3.
        Mpeg = "audio/mpeg",
        /// PCM.
        Wav = "audio/wav",
        /// FLAC.
        Flac = "audio/flac",
    }
}

impl AudioKind {
    /// How names of such files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Webm => "webm",
            Self::Ogg => "ogg",
            Self::Mp4 => "m4a",
            Self::Mpeg => "mp3",
            Self::Wav => "wav",
            Self::Flac => "flac",
        }
    }

    /// The kind a `Content-Type` names, whatever its parameters, under any of its usual names.
    #[must_use]
    pub fn of_content_type(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "audio/x-m4a" | "audio/m4a" => Some(Self::Mp4),
            "audio/mp3" => Some(Self::Mpeg),
            "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some(Self::Wav),
            "audio/x-flac" => Some(Self::Flac),
            "audio/opus" => Some(Self::Ogg),
            named => named.parse().ok(),
        }
    }

    /// The kind of a file, by how its name ends.
    #[must_use]
    pub fn of_file_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "webm" => Some(Self::Webm),
            "ogg" | "oga" | "opus" => Some(Self::Ogg),
            "m4a" | "mp4" => Some(Self::Mp4),
            "mp3" | "mpga" => Some(Self::Mpeg),
            "wav" => Some(Self::Wav),
            "flac" => Some(Self::Flac),
            _ => None,
        }
    }
}

wire! {
    /// What the hub does with speech.
    pub struct Voice {
        /// Whether it has something that finds the words of a recording. Without, recordings are
        /// files like others.
        pub configured: bool,
        /// The model that does it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// Largest recording whose words are found, in bytes.
        pub max_bytes: u64,
        /// The media types of recordings whose words are found.
        pub kinds: Vec<AudioKind>,
    }
}

wire! {
    /// What was said in a recording.
    pub struct Transcription {
        /// The words; empty when there are none in it.
        pub text: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_type_and_by_how_names_end() {
        for (text, kind) in [
            ("audio/webm;codecs=opus", Some(AudioKind::Webm)),
            ("Audio/OGG; codecs=opus", Some(AudioKind::Ogg)),
            ("audio/mp4", Some(AudioKind::Mp4)),
            ("audio/x-m4a", Some(AudioKind::Mp4)),
            ("audio/x-wav", Some(AudioKind::Wav)),
            ("video/webm", None),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(AudioKind::of_content_type(text), kind, "{text}");
        }
        for kind in AudioKind::ALL {
            let name = format!("voice.{}", kind.extension());
            assert_eq!(AudioKind::of_file_name(&name), Some(*kind));
            assert_eq!(AudioKind::of_content_type(kind.as_str()), Some(*kind));
        }
        assert_eq!(AudioKind::of_file_name("a.WEBM"), Some(AudioKind::Webm));
        assert_eq!(AudioKind::of_file_name("webm"), None);
    }
}
