//! Verification commands, written as in a ticket's frontmatter: a text, or a mapping with `run`,
//! `dir`, `timeout` and `tree`.

use car_api::verify::{VerifyCommand, VerifyTree};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// How long a command may take when nothing is said: 20 minutes.
const TIMEOUT_S: u64 = 20 * 60;

/// Reads a list of commands; commands already in the form of the contract are read too.
pub(super) fn commands<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<VerifyCommand>, D::Error> {
    let list = Vec::<Value>::deserialize(from)?;
    list.into_iter().map(command).collect::<Result<_, _>>().map_err(Error::custom)
}

fn command(value: Value) -> Result<VerifyCommand, String> {
    if let Value::String(run) = value {
        return Ok(VerifyCommand {
            run,
            dir: None,
            timeout_s: TIMEOUT_S,
            tree: VerifyTree::Worktree,
        });
    }
    let said: Said = serde_json::from_value(value)
        .map_err(|error| format!("{error}; give a text, or `run`, `dir`, `timeout`, `tree`"))?;
    let timeout_s = match &said.timeout {
        Some(text) => seconds(text).ok_or("give `timeout` as in 90s, 15m or 2h")?,
        None => said.timeout_s.unwrap_or(TIMEOUT_S),
    };
    let tree = said.tree.unwrap_or(VerifyTree::Worktree);
    Ok(VerifyCommand { run: said.run, dir: said.dir, timeout_s, tree })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    run: String,
    dir: Option<String>,
    timeout: Option<String>,
    timeout_s: Option<u64>,
    tree: Option<VerifyTree>,
}

fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.trim().parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| *seconds > 0)
}
