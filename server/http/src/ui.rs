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
    compress::accepts_gzip,
    problem::{Answer, ApiError},
};

/// What is served below its hash never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// The rest is asked for each time, by its tag.
const EACH_TIME: &str = "no-cache";

/// The script that keeps the page's files for when there is no network. It has an address without a
/// hash, so that browsers find its next version.
const WORKER: &str = "sw.js";

/// What that script may do: ask this hub, and load nothing more.
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
        let rel = if address.ends_with(".css") { "preload; as=style" } else { "modulepreload" };
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
    let mut answer = sent(file, cached, accepts_gzip(&headers));
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

fn sent(file: &File, cached: &'static str, packs: bool) -> Response {
    let packed = file.packed.as_ref().filter(|_| packs);
    let bytes = match packed.unwrap_or(&file.plain) {
        Cow::Borrowed(bytes) => Body::from(*bytes),
        Cow::Owned(bytes) => Body::from(bytes.clone()),
    };
    let mut answer = (StatusCode::OK, bytes).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    // Two forms of the same file: the tag names the file, so it is a weak one.
    if let Ok(tag) = HeaderValue::try_from(format!("W/\"{}\"", file.tag)) {
        headers.insert(header::ETAG, tag);
    }
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    answer
}
