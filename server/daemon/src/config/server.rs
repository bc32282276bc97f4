//! `server:` and `tailscale:`: where the hub listens and who may come how.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// `server:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address to listen on. A loopback address means both of them, IPv4 and IPv6.
    pub host: IpAddr,
    /// Port; 0 takes any free one.
    pub port: u16,
    /// Names under which the hub is reached besides the loopback ones, as browsers send them.
    pub allowed_hosts: Vec<String>,
    /// The path a reverse proxy serves the hub under, such as `/car`; empty when at its root.
    #[serde(deserialize_with = "base_path")]
    pub base_path: String,
    /// Whether a proxy that speaks TLS stands before an address others can reach.
    pub behind_proxy: bool,
    /// Whether the hub may be open to the internet by `tailscale funnel`.
    pub public: bool,
    /// How much may be asked in how much time.
    pub limits: car_http::Limits,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 4173,
            allowed_hosts: Vec::new(),
            base_path: String::new(),
            behind_proxy: false,
            public: false,
            limits: car_http::Limits::default(),
        }
    }
}

/// `tailscale:`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tailscale {
    /// Logins that may come through `tailscale serve`, each with a credential all the same;
    /// everybody with a credential when empty.
    pub allowed_logins: Vec<String>,
}

/// Begins with a slash and ends without one; plain segments, so that it means the same to every
/// proxy.
fn base_path<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let path = text.trim_end_matches('/');
    let plain = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
    };
    let segments = path.strip_prefix('/').map(|rest| rest.split('/').all(plain));
    if path.is_empty() || segments == Some(true) {
        return Ok(path.to_owned());
    }
    Err(D::Error::custom("give a path such as `/car`, of letters, digits and -_.~"))
}
