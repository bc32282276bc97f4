//! The progress lines git writes to stderr.

/// How far a clone or fetch has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// 0 to 100, when git knows the total.
    pub percent: Option<u8>,
    /// Objects or files done.
    pub done: Option<u64>,
    /// Objects or files in all.
    pub total: Option<u64>,
    /// Bytes received, in the receiving phase.
    pub received_bytes: Option<u64>,
}

/// What git is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The other side counts objects.
    Counting,
    /// The other side compresses.
    Compressing,
    /// Data arrives.
    Receiving,
    /// Deltas are resolved here.
    Resolving,
    /// Files are written.
    CheckingOut,
    /// Anything else, in git's words.
    Other(String),
}

/// Reads one progress line, such as `Receiving objects:  45% (9/20), 1.20 MiB | 2.00 MiB/s`;
/// `None` for any other line.
#[must_use]
pub fn parse_progress(line: &str) -> Option<Progress> {
    let line = line.trim();
    let (name, rest) = line.strip_prefix("remote: ").unwrap_or(line).split_once(':')?;
    let rest = rest.trim();
    let percent =
        rest.split_once('%').and_then(|(n, _)| n.trim().parse::<u8>().ok()).filter(|p| *p <= 100);
    let counts = rest
        .split_once('(')
        .and_then(|(_, r)| r.split_once(')'))
        .and_then(|(c, _)| c.split_once('/'));
    let first = rest.split([',', ' ']).next().and_then(|n| n.parse().ok());
    let done = counts.and_then(|(n, _)| n.parse().ok()).or(first);
    let total = counts.and_then(|(_, n)| n.parse().ok());
    if percent.is_none() && done.is_none() {
        return None;
    }
    let phase = match name {
        "Counting objects" | "Enumerating objects" => Phase::Counting,
        "Compressing objects" => Phase::Compressing,
        "Receiving objects" => Phase::Receiving,
        "Resolving deltas" => Phase::Resolving,
        "Updating files" | "Checking out files" => Phase::CheckingOut,
        other if other.len() <= 60 => Phase::Other(other.to_owned()),
        _ => return None,
    };
    let received_bytes =
        rest.split_once("), ").and_then(|(_, r)| size(r.split(['|', ',']).next()?));
    Some(Progress { phase, percent, done, total, received_bytes })
}

/// Reads `1.20 MiB`; the units are those of git's `strbuf_humanise_bytes`.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let factor: f64 = match unit.trim() {
        "byte" | "bytes" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number * factor) as u64)
}

/// Collects bytes into lines ended by CR or LF.
#[derive(Default)]
pub(crate) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// A line longer than this is no progress line.
    const LONGEST: usize = 4096;

    pub(crate) fn feed(&mut self, bytes: &[u8], mut on_line: impl FnMut(&str)) {
        for byte in bytes {
            if matches!(byte, b'\r' | b'\n') {
                on_line(&String::from_utf8_lossy(&self.open));
                self.open.clear();
            } else if self.open.len() < Self::LONGEST {
                self.open.push(*byte);
            }
        }
    }
}

#[cfg(test)]
mod tests;
