//! The account's quota. Codex reports it in pieces, with nulls for what it does not know at the
//! moment: they are merged, never taken for "no limit".

use std::collections::BTreeMap;

use car_api::{Timestamp, item::RateLimit};
use serde::{Deserialize, Serialize};

use super::proto;

/// All windows heard of so far, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Limits(BTreeMap<String, RateLimit>);

impl Limits {
    /// Takes up a report; the merged windows when that changed anything.
    pub(super) fn merge(&mut self, report: proto::RateLimits) -> Option<Vec<RateLimit>> {
        // The plain Codex quota is called `codex`; others (single models) keep their name.
        let prefix = match report.limit_id.as_deref() {
            None | Some("codex") => String::new(),
            Some(other) => format!("{other}/"),
        };
        let mut changed = false;
        for (name, window) in [("primary", report.primary), ("secondary", report.secondary)] {
            let Some(window) = window else { continue };
            let name = format!("{prefix}{name}");
            let known = self.0.get(&name);
            let merged = RateLimit {
                used_percent: window.used_percent,
                window_minutes: window
                    .window_duration_mins
                    .or_else(|| known.and_then(|k| k.window_minutes)),
                resets_at: window
                    .resets_at
                    .map(Timestamp::from_secs)
                    .or_else(|| known.and_then(|k| k.resets_at)),
                window: name.clone(),
            };
            if known != Some(&merged) {
                self.0.insert(name, merged);
                changed = true;
            }
        }
        changed.then(|| self.0.values().cloned().collect())
    }

    /// When the windows that are used up have all been reset, if that is known and lies after
    /// `now`, where that is known.
    pub(super) fn reset(&self, now: Option<Timestamp>) -> Option<Timestamp> {
        let used_up = self.0.values().filter(|window| window.used_percent >= 100.0);
        used_up.filter_map(|w| w.resets_at).filter(|at| now.is_none_or(|now| *at > now)).max()
    }
}
