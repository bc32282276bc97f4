//! Speech.

use std::{env, fs, path::Path};

use car_voice::Endpoint;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::Secret;

/// The longest name of a model, in bytes.
const MODEL_MAX: usize = 200;

/// Longest file of a key that is read, in bytes.
const KEY_MAX: u64 = 16 * 1024;

/// `voice:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voice {
    /// The service that finds the words of recordings, with the interface of OpenAI's, such as
    /// `https://api.openai.com/v1`; without one recordings are files like others.
    #[serde(deserialize_with = "endpoint")]
    pub endpoint: Option<String>,
    /// What finds the words there.
    #[serde(deserialize_with = "model")]
    pub model: String,
    /// The language that is spoken, as its tag; the service finds it out when absent.
    #[serde(deserialize_with = "language")]
    pub language: Option<String>,
    /// The variable of the hub's environment that holds the service's key.
    pub key_env: Option<String>,
    /// The file that holds the service's key; below the hub's root unless it is absolute.
    pub key_file: Option<String>,
    /// Seconds one recording may take.
    pub timeout_s: u64,
}

impl Default for Voice {
    fn default() -> Self {
        Self {
            endpoint: None,
            model: "whisper-1".to_owned(),
            language: None,
            key_env: None,
            key_file: None,
            timeout_s: 120,
        }
    }
}

impl Voice {
    /// The service's key, from where it is kept; an error is why there is none although one was
    /// named.
    ///
    /// # Errors
    /// The variable or file it is kept in cannot be read, or is empty.
    pub fn key(&self, root: &Path) -> Result<Option<Secret>, String> {
        let (text, place) = match (&self.key_env, &self.key_file) {
            (Some(name), _) => match env::var(name) {
                Ok(text) => (text, format!("`${name}`")),
                Err(_) => return Err(format!("`voice.key_env`: `${name}` is not set")),
            },
            (None, Some(file)) => {
                let path = root.join(file);
                let unread = |why: String| format!("`voice.key_file`: {}: {why}", path.display());
                let meta = fs::metadata(&path).map_err(|error| unread(error.to_string()))?;
                if meta.len() > KEY_MAX {
                    return Err(unread("it is too large for a key".to_owned()));
                }
                let text = fs::read_to_string(&path).map_err(|error| unread(error.to_string()))?;
                (text, format!("{}", path.display()))
            }
            (None, None) => return Ok(None),
        };
        let key = text.trim();
        if key.is_empty() || key.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(format!("{place} holds no key: a key is one word"));
        }
        Ok(Some(Secret::new(key.to_owned())))
    }

    /// As the hub takes it, with the key that was found.
    #[must_use]
    pub fn for_hub(&self, key: Option<Secret>) -> car_hub::VoiceConfig {
        let endpoint = self.endpoint.as_deref().and_then(|text| text.parse().ok());
        let transcriber = endpoint.map(|endpoint| -> std::sync::Arc<dyn car_hub::Transcriber> {
            std::sync::Arc::new(car_voice::Endpoints::new(car_voice::Config {
                endpoint,
                model: self.model.clone(),
                key: key.map(|key| key.expose().to_owned()),
                timeout_s: self.timeout_s,
            }))
        });
        car_hub::VoiceConfig { transcriber, language: self.language.clone() }
    }
}

/// What is said of it that has no effect, or not the one that was meant.
pub(super) fn warnings(voice: &Voice, root: &Path) -> Vec<String> {
    let Voice { endpoint, key_env, key_file, .. } = voice;
    let Some(endpoint) = endpoint else {
        let idle = key_env.is_some() || key_file.is_some();
        let text = "`voice.endpoint` is missing: nothing finds the words of recordings".to_owned();
        return idle.then_some(text).into_iter().collect();
    };
    let mut warnings = Vec::new();
    match voice.key(root) {
        Ok(Some(_)) => {
            let open = endpoint.parse::<Endpoint>().is_ok_and(|e| !e.is_secure() && !e.is_here());
            if open {
                let text = "`voice.endpoint`: what is spoken, and the key, go there unencrypted";
                warnings.push(text.to_owned());
            }
        }
        Ok(None) => {}
        Err(why) => warnings.push(why),
    }
    warnings
}

fn endpoint<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let endpoint: Endpoint = text.parse().map_err(D::Error::custom)?;
    Ok(Some(endpoint.to_string()))
}

fn model<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let word = String::deserialize(from)?;
    let plain = word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if !plain || word.is_empty() || word.len() > MODEL_MAX {
        return Err(D::Error::custom("a model is one word, as the service names it"));
    }
    Ok(word)
}

fn language<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(tag) = Option::<String>::deserialize(from)? else { return Ok(None) };
    if !car_hub::is_a_language(&tag) {
        return Err(D::Error::custom("a language is its tag, such as `de` or `pt-BR`"));
    }
    Ok(Some(tag))
}
