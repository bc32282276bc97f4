//! One recording and what is asked of it, as `multipart/form-data` (RFC 7578).

use car_hub::Speech;

/// A form on its way.
pub(crate) struct Form {
    /// Its `Content-Type`, which names what stands between its parts.
    pub(crate) content_type: String,
    /// All of it.
    pub(crate) body: Vec<u8>,
}

/// The form that asks `model` for the words of `speech`. Its values hold no quotes and no lines: the
/// model is a word of the configuration, the language a tag that was looked at.
pub(crate) fn of(speech: &Speech, model: &str) -> Form {
    let boundary = boundary(&speech.bytes);
    let mut head = String::new();
    let mut field = |name: &str, value: &str| {
        head += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    };
    field("model", model);
    field("response_format", "json");
    if let Some(language) = &speech.language {
        field("language", language);
    }
    let (kind, extension) = (speech.kind, speech.kind.extension());
    head += &format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; \
         filename=\"voice.{extension}\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let mut body = Vec::with_capacity(head.len() + speech.bytes.len() + tail.len());
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(&speech.bytes);
    body.extend_from_slice(tail.as_bytes());
    Form { content_type: format!("multipart/form-data; boundary={boundary}"), body }
}

/// A word that does not stand in the recording.
fn boundary(bytes: &[u8]) -> String {
    let mut number: u32 = 0;
    loop {
        let word = format!("car-hub-voice-{number:08}");
        if !holds(bytes, word.as_bytes()) {
            return word;
        }
        number = number.wrapping_add(1);
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use car_hub::AudioKind;

    use super::*;

    #[test]
    fn what_is_asked_stands_before_the_recording_and_the_recording_is_whole() {
        let bytes = b"\x00--car-hub-voice-00000000\r\n\xff".to_vec();
        let language = Some("de".to_owned());
        let speech = Speech { bytes: bytes.clone(), kind: AudioKind::Mp4, language };
        let form = of(&speech, "whisper-1");
        assert_eq!(form.content_type, "multipart/form-data; boundary=car-hub-voice-00000001");
        let mut expected = b"--car-hub-voice-00000001\r\n\
            Content-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
            --car-hub-voice-00000001\r\n\
            Content-Disposition: form-data; name=\"response_format\"\r\n\r\njson\r\n\
            --car-hub-voice-00000001\r\n\
            Content-Disposition: form-data; name=\"language\"\r\n\r\nde\r\n\
            --car-hub-voice-00000001\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"voice.m4a\"\r\n\
            Content-Type: audio/mp4\r\n\r\n"
            .to_vec();
        expected.extend(&bytes);
        expected.extend(b"\r\n--car-hub-voice-00000001--\r\n");
        assert_eq!(String::from_utf8_lossy(&form.body), String::from_utf8_lossy(&expected));
    }
}
