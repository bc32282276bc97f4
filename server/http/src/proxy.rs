//! What a proxy before the hub says, and what that is worth: nothing more than a second lock.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{HeaderMap, Uri, uri::PathAndQuery},
};
use car_api::Code;

use crate::{Config, problem::ApiError};

/// Headers a proxy adds; a request that carries one came through some proxy, or says so.
const FORWARDING: [&str; 8] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    LOGIN,
    "tailscale-user-name",
    FUNNEL,
];

/// Who asks, as `tailscale serve` has it.
const LOGIN: &str = "tailscale-user-login";

/// Set by `tailscale funnel`: the request comes from the open internet.
const FUNNEL: &str = "tailscale-funnel-request";

/// How much of what a proxy says is kept.
const CLAIM_MAX: usize = 200;

/// Whether what a proxy says keeps the request out. It lets nobody in: any process of this machine
/// can send the same headers, so a credential is asked for all the same.
pub(crate) fn refuse(config: &Config, headers: &HeaderMap) -> Option<ApiError> {
    if !config.public && headers.contains_key(FUNNEL) {
        let detail = "This hub is not for the open internet: turn `tailscale funnel` off, or set \
                      `server.public: true` on the hub's machine.";
        return Some(ApiError::new(Code::Forbidden, detail));
    }
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
    if config.allowed_logins.is_empty() || !forwarded {
        return None;
    }
    let mut logins = headers.get_all(LOGIN).iter();
    let login = match (logins.next(), logins.next()) {
        (Some(login), None) => login.to_str().ok(),
        (None, _) | (Some(_), Some(_)) => None,
    };
    let allowed = login.is_some_and(|login| {
        config.allowed_logins.iter().any(|known| known.eq_ignore_ascii_case(login))
    });
    (!allowed).then(|| {
        let detail = "This login is not in `tailscale.allowed_logins` of the hub.";
        ApiError::new(Code::Forbidden, detail)
    })
}

/// Where the request says it came from, for the audit chain.
pub(crate) fn claimed(headers: &HeaderMap) -> Option<Arc<str>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let address = text("x-forwarded-for").and_then(|list| list.split(',').next()).map(str::trim);
    let said: Vec<&str> = [address, text(LOGIN)].into_iter().flatten().collect();
    let said: String = said.join(" ").chars().take(CLAIM_MAX).collect();
    (!said.is_empty()).then(|| said.into())
}

/// Takes the path a proxy serves the hub under off the target. A proxy that takes it off itself,
/// and clients on this machine, send the target without it.
pub(crate) fn without_base(base: &str, mut request: Request) -> Request {
    if let Some(target) = below(base, request.uri()) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

fn below(base: &str, uri: &Uri) -> Option<PathAndQuery> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(base).filter(|_| !base.is_empty())?;
    match rest.chars().next() {
        None => Some(PathAndQuery::from_static("/")),
        Some('/') => rest.parse().ok(),
        Some('?') => format!("/{rest}").parse().ok(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_whole_segments() {
        let at = |target: &str| {
            let uri: Uri = target.parse().unwrap();
            below("/car", &uri).map(|target| target.to_string())
        };
        assert_eq!(at("/car/api/v1/hub?x=1").as_deref(), Some("/api/v1/hub?x=1"));
        assert_eq!(at("/car").as_deref(), Some("/"));
        assert_eq!(at("/car?x").as_deref(), Some("/?x"));
        assert_eq!(at("/carton/api"), None);
        assert_eq!(at("/api/v1/hub"), None);
        assert_eq!(at("http://localhost:1/car/x").as_deref(), Some("/x"));
        assert_eq!(below("", &Uri::from_static("/api")), None);
    }

    fn refused(config: &Config, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        refuse(config, &map).is_some()
    }

    #[test]
    fn logins_are_a_second_lock() {
        let open = Config::default();
        assert!(!refused(&open, &[]));
        assert!(!refused(&open, &[("x-forwarded-for", "1.2.3.4")]));
        let locked = Config { allowed_logins: vec!["me@example.com".to_owned()], ..open };
        assert!(!refused(&locked, &[]), "what came without a proxy");
        assert!(!refused(&locked, &[("tailscale-user-login", "Me@Example.com")]));
        for bad in [
            &[("tailscale-user-login", "you@example.com")] as &[_],
            &[("x-forwarded-for", "1.2.3.4")],
            &[("tailscale-user-name", "Me")],
            &[("tailscale-user-login", "me@example.com"), ("tailscale-user-login", "you@x")],
            &[("tailscale-user-login", "")],
        ] {
            assert!(refused(&locked, bad), "{bad:?}");
        }
    }

    #[test]
    fn funnel_is_for_public_hubs() {
        let funnel = [("tailscale-funnel-request", "?1")];
        assert!(refused(&Config::default(), &funnel));
        assert!(!refused(&Config { public: true, ..Config::default() }, &funnel));
    }
}
