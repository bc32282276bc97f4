//! Answers in fewer bytes for whoever asks for gzip (RFC 9110, 12.5.3).
//!
//! Only bodies that are whole in memory and large enough to gain; a stream flushes what it has, and
//! a text with a strong tag stays byte for byte what the tag names.

use std::io::Write as _;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt;

/// Smaller bodies fit into a packet or two as they are.
const LEAST: u64 = 1400;

/// Larger ones are sent as they are, so that no request costs more than a moment.
const MOST: u64 = 16 * 1024 * 1024;

/// Compresses what is worth it.
pub(crate) async fn answers<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let wanted = accepts(request.headers(), "gzip") && request.method() != Method::HEAD;
    let mut answer = next(request).await;
    if !may_be_smaller(&answer) {
        return answer;
    }
    answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if wanted { smaller(answer).await } else { answer }
}

fn may_be_smaller(answer: &Response) -> bool {
    let headers = answer.headers();
    let size = axum::body::HttpBody::size_hint(answer.body()).exact();
    let strong = headers.get(header::ETAG).is_some_and(|tag| !tag.as_bytes().starts_with(b"W/"));
    answer.status() != StatusCode::NOT_MODIFIED
        && size.is_some_and(|size| (LEAST..=MOST).contains(&size))
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !strong
}

async fn smaller(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Response::from_parts(parts, Body::empty());
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    let Ok(packed) = packed else { return Response::from_parts(parts, Body::from(bytes)) };
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(packed))
}

/// Whether an answer may be packed so: `gzip`, `br`.
pub(crate) fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter();
    let codings = all.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let (mut named, mut any) = (None, None);
    for coding in codings {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
        let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
        let taken = weight.unwrap_or(1.0) > 0.0;
        if name.eq_ignore_ascii_case(wanted) {
            named = Some(taken);
        } else if name == "*" {
            any = Some(taken);
        }
    }
    named.or(any).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_told_by_its_weight() {
        let takes = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            accepts(&headers, "gzip")
        };
        for good in ["gzip", "GZIP, br", "br;q=1, gzip;q=0.5", "*", "identity, *;q=0.1"] {
            assert!(takes(good), "{good}");
        }
        for bad in ["", "br", "identity", "gzip;q=0", "*;q=0", "gzip;q=0, *"] {
            assert!(!takes(bad), "{bad}");
        }
        assert!(!accepts(&HeaderMap::new(), "gzip"));
        let headers =
            HeaderMap::from_iter([(header::ACCEPT_ENCODING, "gzip, br".parse().unwrap())]);
        assert!(accepts(&headers, "br") && !accepts(&headers, "zstd"));
    }
}
