//! The web UI: a page that holds nothing of the hub, and the files it is made of. What it shows, it
//! asks the API for like any other client.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use car_api::Code;
use car_web::{File, Site};

use crate::{
    App,
    compress::accepts,
    problem::{Answer, ApiError},
};

/// What is served below its hash never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// The rest is asked for each time, by its tag.
const EACH_TIME: &str = "no-cache";

/// The script that keeps the page's files for when there is no network. It has an address without a
/// hash, so that browsers find its next version.
const WORKER: &str = "sw.js";

/// What asks the hub while the page's program is still on its way: every moment counts.
const EARLY: &str = "/early.js";

/// What the worker may do: ask this hub, and load nothing more.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'";

/// Lets it look after all of the hub, not only what lies beside it.
const REACH: HeaderName = HeaderName::from_static("service-worker-allowed");

/// The page all screens live in.
pub(crate) async fn page(State(app): State<App>) -> Answer<Response> {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let page = current()?.page(&app.config.base_path);
    let early = early(&page);
    let mut answer = ([(header::CONTENT_TYPE, kind)], page).into_response();
    if let Ok(early) = HeaderValue::try_from(early) {
        answer.headers_mut().insert(header::LINK, early);
    }
    Ok(answer)
}

/// What the page will ask for, said before a slow phone has read it (RFC 8288).
fn early(page: &str) -> String {
    let links = car_web::asked_for(page).into_iter().map(|address| {
        // A module is compiled beside what the page does, but asked for a little later than the rest.
        let rel = if address.ends_with(".css") {
            "preload; as=style"
        } else if address.ends_with(EARLY) {
            "preload; as=script"
        } else {
            "modulepreload"
        };
        format!("<{address}>; rel={rel}")
    });
    links.collect::<Vec<_>>().join(", ")
}

/// One file, below the hash of its version or by its bare path.
pub(crate) async fn file(
    State(app): State<App>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let site = current()?;
    let below = path.strip_prefix(site.version()).and_then(|rest| rest.strip_prefix('/'));
    let (name, cached) = match below {
        Some(name) => (name, FOR_GOOD),
        None => (path.as_str(), EACH_TIME),
    };
    let Some(file) = site.file(name) else {
        let detail = "There is no such file in this version of the page; load the page again.";
        return Err(ApiError::new(Code::NotFound, detail));
    };
    let mut answer = sent(file, cached, &headers);
    if name == WORKER {
        let headers = answer.headers_mut();
        let policy = HeaderValue::from_static(WORKER_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        if let Ok(reach) = HeaderValue::try_from(format!("{}/", app.config.base_path)) {
            headers.insert(REACH, reach);
        }
    }
    Ok(answer)
}

fn current() -> Answer<Arc<Site>> {
    Site::current().map_err(|error| {
        let detail = "The files of the page are not where this program was built.";
        ApiError::new(Code::Unavailable, detail).with_cause(error.to_string())
    })
}

fn sent(file: &File, cached: &'static str, asked: &HeaderMap) -> Response {
    let forms = [(&file.brotli, "br"), (&file.gzip, "gzip")].into_iter();
    let mut forms = forms.filter_map(|(form, name)| Some((form.as_ref()?, name)));
    let packed = forms.find(|(_, name)| accepts(asked, name));
    let bytes = match packed.map_or(&file.plain, |(bytes, _)| bytes) {
        Cow::Borrowed(bytes) => Body::from(*bytes),
        Cow::Owned(bytes) => Body::from(bytes.clone()),
    };
    let mut answer = (StatusCode::OK, bytes).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    // Several forms of the same file: the tag names the file, so it is a weak one.
    if let Ok(tag) = HeaderValue::try_from(format!("W/\"{}\"", file.tag)) {
        headers.insert(header::ETAG, tag);
    }
    if let Some((_, name)) = packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    if file.gzip.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sent_in_the_shortest_form_that_is_taken() {
        let some = |text: &'static [u8]| Some(Cow::Borrowed(text));
        let file = File {
            kind: "text/css; charset=utf-8",
            tag: "1".to_owned(),
            plain: Cow::Borrowed(b"plain"),
            gzip: some(b"gz"),
            brotli: some(b"b"),
        };
        let form = |file: &File, accepted: &'static str| {
            let value = HeaderValue::from_static(accepted);
            let answer =
                sent(file, FOR_GOOD, &[(header::ACCEPT_ENCODING, value)].into_iter().collect());
            let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
            let said = (header(header::CONTENT_ENCODING), header(header::VARY));
            (said.0.map(str::to_owned), said.1.is_some())
        };
        for (accepted, encoding) in
            [("gzip, br", Some("br")), ("gzip, br;q=0", Some("gzip")), ("identity", None)]
        {
            assert_eq!(form(&file, accepted), (encoding.map(str::to_owned), true), "{accepted}");
        }
        let only = File { brotli: None, ..file };
        assert_eq!(form(&only, "gzip, br").0.as_deref(), Some("gzip"));
        assert_eq!(form(&File { gzip: None, ..only }, "gzip, br"), (None, false));
    }
}
