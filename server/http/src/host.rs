//! The names this hub answers to.
//!
//! A page whose name was rebound to this machine sends a matching `Origin` and calls itself
//! same-origin; its `Host` is the one thing it cannot choose. So nothing is served, not even a
//! 404, to a `Host` that is not on an exact list.

use axum::http::{HeaderMap, Uri, header::HOST};

/// The exact authorities (RFC 3986) a request may be addressed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    loopback: Vec<String>,
    named: Vec<String>,
}

impl Hosts {
    /// The loopback names at the port that is really listened on, and the configured names.
    #[must_use]
    pub fn new(port: u16, named: impl IntoIterator<Item = String>) -> Self {
        let names = ["localhost", "127.0.0.1", "[::1]"];
        let mut loopback: Vec<_> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            loopback.extend(names.map(str::to_owned));
        }
        let named = named.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { loopback, named }
    }

    /// Whether a request with these headers and this target is addressed to this hub. On the socket
    /// in the file system, which has no port, `localhost` will do.
    pub(crate) fn serve(&self, headers: &HeaderMap, target: &Uri, local: bool) -> bool {
        let Some(host) = single_host(headers) else { return false };
        // An absolute-form target names the host a second time (RFC 9112, 3.2.2).
        let agrees = target.authority().is_none_or(|a| a.as_str().eq_ignore_ascii_case(host));
        agrees && (self.contains(host) || (local && host.eq_ignore_ascii_case("localhost")))
    }

    /// Whether this authority is one of the hub's: compared as a whole, so that user info, a
    /// trailing dot, a port in words or a missing port make it another.
    pub(crate) fn contains(&self, authority: &str) -> bool {
        let same = |name: &String| name.eq_ignore_ascii_case(authority);
        self.loopback.iter().any(same) || self.named.iter().any(same)
    }

    /// The configured names.
    pub(crate) fn named(&self) -> &[String] {
        &self.named
    }

    /// Whether the request came by a configured name, as it does through a TLS proxy.
    pub(crate) fn is_named(&self, headers: &HeaderMap) -> bool {
        single_host(headers)
            .is_some_and(|host| self.named.iter().any(|name| name.eq_ignore_ascii_case(host)))
    }
}

fn single_host(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(HOST).iter();
    match (values.next(), values.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(target: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        Hosts::new(4173, ["box.tail1234.ts.net".to_owned()]).serve(
            &headers,
            &target.parse().unwrap(),
            false,
        )
    }

    #[test]
    fn only_exact_authorities_are_served() {
        for good in [
            "localhost:4173",
            "LOCALHOST:4173",
            "127.0.0.1:4173",
            "[::1]:4173",
            "box.tail1234.ts.net",
        ] {
            assert!(served("/", &[good]), "{good}");
        }
        for bad in [
            "",
            "localhost",
            "localhost:80",
            "localhost:04173",
            "localhost:4173.",
            "localhost.:4173",
            "127.0.0.1:evil",
            "127.0.0.1",
            "127.1:4173",
            "user@localhost:4173",
            "[::1]",
            "::1:4173",
            "evil.test",
            "evil.test:4173",
            "localhost:4173.evil.test",
            "localhost:4173,evil.test",
            "box.tail1234.ts.net.",
            "box.tail1234.ts.net:4173",
            "xbox.tail1234.ts.net",
            "0.0.0.0:4173",
        ] {
            assert!(!served("/", &[bad]), "{bad}");
        }
    }

    #[test]
    fn one_host_and_one_opinion() {
        assert!(!served("/", &[]));
        assert!(!served("/", &["localhost:4173", "localhost:4173"]));
        assert!(!served("/", &["evil.test", "localhost:4173"]));
        assert!(served("http://localhost:4173/", &["localhost:4173"]));
        assert!(!served("http://localhost:4173/", &["127.0.0.1:4173"]));
        assert!(!served("http://evil.test/", &["localhost:4173"]));
        assert!(!served("http://user@localhost:4173/", &["localhost:4173"]));
    }

    #[test]
    fn the_default_port_may_be_left_out() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "localhost".parse().unwrap());
        assert!(Hosts::new(80, []).serve(&headers, &Uri::from_static("/"), false));
        assert!(!Hosts::new(81, []).serve(&headers, &Uri::from_static("/"), false));
        assert!(Hosts::new(81, []).serve(&headers, &Uri::from_static("/"), true));
    }
}
