//! What `tailscale serve` does with the hub's port, where that program is there.

use std::{
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long the program may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The names a hub is served under.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    /// As browsers send them, without the port where that is the scheme's own.
    pub(crate) names: Vec<String>,
    /// Those that are open to the internet (`tailscale funnel`).
    pub(crate) funnelled: Vec<String>,
}

/// What is served of a port; nothing when the program is missing or says nothing.
pub(crate) fn served(port: u16) -> Option<Served> {
    let mut child = Command::new("tailscale")
        .args(["serve", "status", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdout = child.stdout.take()?;
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let begun = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let text = reader.join().ok()?.ok()?;
    Some(read(&serde_json::from_str(&text).ok()?, port))
}

fn read(status: &Value, port: u16) -> Served {
    let mut served = Served::default();
    // What runs in a terminal is listed beside what runs by itself.
    let foreground = status["Foreground"].as_object().into_iter().flat_map(|all| all.values());
    for config in std::iter::once(status).chain(foreground) {
        let Some(sites) = config["Web"].as_object() else { continue };
        for (site, handlers) in sites {
            let to_hub = handlers["Handlers"]
                .as_object()
                .into_iter()
                .flat_map(|paths| paths.values())
                .any(|handler| handler["Proxy"].as_str().is_some_and(|to| is_port(to, port)));
            if to_hub {
                let name = site.strip_suffix(":443").unwrap_or(site).to_owned();
                if config["AllowFunnel"][site] == Value::Bool(true) {
                    served.funnelled.push(name.clone());
                }
                served.names.push(name);
            }
        }
    }
    served
}

/// Whether a target such as `http://127.0.0.1:4173/x` is a port of this machine.
fn is_port(target: &str, port: u16) -> bool {
    let authority = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok()) == Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_to_the_hub_counts() {
        let status = serde_json::json!({
            "TCP": {"443": {"HTTPS": true}},
            "Web": {
                "box.tail1.ts.net:443": {"Handlers": {"/": {"Proxy": "http://127.0.0.1:4173"}}},
                "box.tail1.ts.net:8443": {"Handlers": {"/x": {"Proxy": "http://localhost:4173/car"}}},
                "box.tail1.ts.net:10000": {"Handlers": {"/": {"Proxy": "http://127.0.0.1:41730"}}},
                "text.tail1.ts.net:443": {"Handlers": {"/": {"Text": "4173"}}},
            },
            "AllowFunnel": {"box.tail1.ts.net:8443": true, "box.tail1.ts.net:10000": true},
            "Foreground": {"one": {
                "Web": {"fg.ts.net:443": {"Handlers": {"/": {"Proxy": "http://127.0.0.1:4173"}}}},
                "AllowFunnel": {"fg.ts.net:443": true},
            }},
        });
        let served = read(&status, 4173);
        assert_eq!(served.names, ["box.tail1.ts.net", "box.tail1.ts.net:8443", "fg.ts.net"]);
        assert_eq!(served.funnelled, ["box.tail1.ts.net:8443", "fg.ts.net"]);
        assert_eq!(read(&serde_json::json!({}), 4173), Served::default());
        assert_eq!(read(&Value::Null, 4173), Served::default());
    }
}
