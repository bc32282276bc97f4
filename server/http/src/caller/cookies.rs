//! The cookie of a paired browser (RFC 6265bis). Cookies do not tell ports apart: alone it opens
//! nothing.

use axum::http::{HeaderValue, header::COOKIE, request::Parts};

use super::Unknown;
use crate::{App, serve::Peer};

/// Its name behind TLS: bound to the host, never sent in the clear.
const NAMED: &str = "__Host-car";

/// Its name on this machine, where there is no TLS.
const LOCAL: &str = "car_local";

/// How long a browser keeps it, in seconds; the hub ends it earlier when it is not used.
const MAX_AGE: u32 = 30 * 86_400;

/// The value of the session cookie that belongs to the name the hub was called by.
pub(super) fn session<'a>(parts: &'a Parts, app: &App) -> Result<Option<&'a str>, Unknown> {
    let named = app.hosts.is_named(&parts.headers);
    let wanted = if named { NAMED } else { LOCAL };
    let mut found = None;
    for line in parts.headers.get_all(COOKIE) {
        let Ok(line) = line.to_str() else { continue };
        for pair in line.split(';') {
            let Some((name, value)) = pair.trim().split_once('=') else { continue };
            if name == wanted && found.replace(value).is_some() {
                return Err(Unknown::Unreadable);
            }
        }
    }
    let local = parts.extensions.get::<Peer>().is_some_and(|peer| peer.0.ip().is_loopback());
    if found.is_some() && !named && !local {
        return Err(Unknown::CookieElsewhere);
    }
    Ok(found)
}

/// The header that gives a browser its cookie.
pub(crate) fn session_cookie(secret: &str, named: bool) -> Option<HeaderValue> {
    cookie(secret, named, MAX_AGE)
}

/// The header that has a browser forget it.
pub(crate) fn forgotten(named: bool) -> Option<HeaderValue> {
    cookie("", named, 0)
}

fn cookie(value: &str, named: bool, age: u32) -> Option<HeaderValue> {
    let (name, secure) = if named { (NAMED, "; Secure") } else { (LOCAL, "") };
    let text = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
