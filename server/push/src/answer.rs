//! What an answer means.

use std::time::{Duration, SystemTime};

use car_hub::Sent;
use reqwest::{Response, StatusCode, header::RETRY_AFTER};

/// How much of a refusal's body is kept, in bytes; no more than that is read.
const WORDS: usize = 300;

/// Reads as much of the answer as there is need for.
pub(crate) async fn read(answer: Response) -> Sent {
    let status = answer.status();
    let number = Some(status.as_u16());
    if status.is_success() {
        return Sent::Taken { status: number };
    }
    let retry_after = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| delay(text, SystemTime::now()));
    let detail = detail(status, &words(answer).await);
    if status == StatusCode::GONE {
        return Sent::Unwanted { status: number, detail };
    }
    Sent::NotTaken { status: number, detail, retry_after }
}

fn detail(status: StatusCode, words: &str) -> String {
    let hint = if status.is_redirection() { " (redirects are not followed)" } else { "" };
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    format!("it answered {}{hint}{said}", status.as_u16())
}

/// The beginning of the body, as one line of text.
async fn words(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < WORDS
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        bytes.extend(chunk.iter().take(WORDS - bytes.len()));
    }
    let text = String::from_utf8_lossy(&bytes);
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds or a date.
fn delay(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(text).ok()?.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 90);
        assert_eq!(delay("120", now), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(delay(date, now), Some(Duration::from_secs(90)));
        assert_eq!(delay(date, SystemTime::now()), None);
        assert_eq!(delay("soon", now), None);
        assert_eq!(delay("-1", now), None);
    }
}
