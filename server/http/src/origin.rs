//! Requests that another site's page made a browser send.

use axum::http::{
    HeaderMap, Method,
    header::{AUTHORIZATION, COOKIE, ORIGIN},
};

use crate::Hosts;

/// What the browser itself says of the page behind a request.
const FETCH_SITE: &str = "sec-fetch-site";

/// Whether a page of another origin is behind the request, and the request could change something,
/// open a socket or show a token. A client that is no browser sends neither header and is not
/// concerned.
pub(crate) fn is_foreign(method: &Method, headers: &HeaderMap, hosts: &Hosts) -> bool {
    if is_harmless(method, headers) {
        return headers.contains_key(AUTHORIZATION) && foreign_origin(headers, hosts);
    }
    is_foreign_at_all(headers, hosts)
}

/// Whether a page of another origin is behind the request, whatever it asks for.
pub(crate) fn is_foreign_at_all(headers: &HeaderMap, hosts: &Hosts) -> bool {
    foreign_origin(headers, hosts) || foreign_site(headers)
}

/// Whether the request carries a cookie, could change something or open a socket, and does not say
/// which page is behind it.
pub(crate) fn is_unexplained(method: &Method, headers: &HeaderMap) -> bool {
    !is_harmless(method, headers)
        && headers.contains_key(COOKIE)
        && !headers.contains_key(ORIGIN)
        && !headers.contains_key(FETCH_SITE)
}

/// Whether a browser asks for a document to show (W3C Fetch Metadata).
pub(crate) fn is_navigation(headers: &HeaderMap) -> bool {
    let documents: [&[u8]; 5] = [b"document", b"iframe", b"frame", b"embed", b"object"];
    headers
        .get_all("sec-fetch-dest")
        .iter()
        .any(|destination| documents.contains(&destination.as_bytes()))
}

fn is_harmless(method: &Method, headers: &HeaderMap) -> bool {
    (method == Method::GET || method == Method::HEAD) && !upgrades(headers)
}

/// Whether the request asks for another protocol, such as WebSocket.
pub(crate) fn upgrades(headers: &HeaderMap) -> bool {
    headers.contains_key(axum::http::header::UPGRADE)
}

fn foreign_origin(headers: &HeaderMap, hosts: &Hosts) -> bool {
    headers.get_all(ORIGIN).iter().any(|origin| {
        let authority = origin.to_str().ok().and_then(|text| {
            text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))
        });
        !authority.is_some_and(|authority| hosts.contains(authority))
    })
}

/// What the browser itself says (W3C Fetch Metadata). `same-site` is foreign too: another port of
/// this machine is the same site.
fn foreign_site(headers: &HeaderMap) -> bool {
    headers
        .get_all(FETCH_SITE)
        .iter()
        .any(|site| site.as_bytes() != b"same-origin" && site.as_bytes() != b"none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(method: Method, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        is_foreign(&method, &headers, &Hosts::new(4173, ["box.ts.net".to_owned()]))
    }

    #[test]
    fn pages_of_other_origins_change_nothing() {
        for origin in [
            "http://evil.test",
            "null",
            "http://localhost:5173",
            "http://localhost",
            "file://",
            "http://localhost:4173.evil.test",
            "http://localhost:4173/",
            "",
        ] {
            assert!(foreign(Method::POST, &[("origin", origin)]), "{origin:?}");
            assert!(foreign(Method::GET, &[("origin", origin), ("upgrade", "websocket")]));
            assert!(!foreign(Method::GET, &[("origin", origin)]), "reading is for CORS to refuse");
            assert!(foreign(Method::GET, &[("origin", origin), ("authorization", "Bearer x")]));
        }
        for site in ["cross-site", "same-site", "anything"] {
            assert!(foreign(Method::DELETE, &[("sec-fetch-site", site)]), "{site}");
        }
        assert!(foreign(Method::OPTIONS, &[("origin", "http://evil.test")]), "no preflight passes");
    }

    #[test]
    fn own_pages_and_programs_pass() {
        for headers in [
            &[] as &[_],
            &[("origin", "http://localhost:4173"), ("sec-fetch-site", "same-origin")],
            &[("origin", "https://box.ts.net")],
            &[("sec-fetch-site", "none")],
        ] {
            assert!(!foreign(Method::POST, headers), "{headers:?}");
        }
    }
}
