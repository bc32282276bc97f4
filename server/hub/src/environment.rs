//! What the environment of agents and commands holds: an allow-list, never the hub's own.

use std::ffi::OsString;

use car_api::RepoId;
use car_engine::agent::Adapter;

use crate::Config;

/// Variables every process of a run or thread may have.
const COMMON: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TERM",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
];

/// The environment of a verification or set-up command.
pub(crate) fn for_command(config: &Config, repo: &RepoId) -> Vec<(OsString, OsString)> {
    common(config, Some(repo))
}

/// The environment of a person's terminal: that of a command, for a terminal of its kind.
pub(crate) fn for_terminal(
    config: &Config,
    repo: Option<&RepoId>,
    marker: &str,
) -> Vec<(OsString, OsString)> {
    let mut environment = common(config, repo);
    environment.retain(|(name, _)| name != "TERM");
    environment.push(("TERM".into(), "xterm-256color".into()));
    environment.push(("COLORTERM".into(), "truecolor".into()));
    environment.push((car_shim::MARKER.into(), marker.into()));
    environment
}

fn common(config: &Config, repo: Option<&RepoId>) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<(OsString, OsString)> = config
        .environment
        .iter()
        .filter(|(name, _)| COMMON.contains(&name.as_str()))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    environment.push(("CAR_HUB_URL".into(), config.url.clone().into()));
    environment.extend(repo.map(|repo| ("CAR_REPO".into(), repo.as_str().into())));
    environment
}

/// The environment of an agent: that of a command, and what its adapter asks for by name.
pub(crate) fn for_agent(
    config: &Config,
    repo: Option<&RepoId>,
    adapter: &dyn Adapter,
) -> Vec<(OsString, OsString)> {
    let mut environment = common(config, repo);
    let passed = adapter.passed_environment();
    let own = config.environment.iter().filter(|(name, _)| passed.contains(name));
    environment.extend(own.map(|(name, value)| (name.into(), value.into())));
    environment
}
