//! Which backups stay: the last of each of the last days and weeks that have one.

use std::{collections::BTreeSet, fs};

use car_api::backup::Backup;

use super::{BackupConfig, list};
use crate::Result;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Removes backups the hub made by itself that newer ones have taken the place of.
pub(super) fn rotate(config: &BackupConfig) -> Result<()> {
    let all = list(&config.dir)?;
    for gone in superseded(&all, config.keep_daily, config.keep_weekly) {
        let path = config.dir.join(&gone.name);
        match fs::remove_file(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "an old backup was removed"),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "an old backup could not be removed");
            }
        }
    }
    Ok(())
}

/// Those that go, given newest first. The newest one stays whatever the numbers say.
fn superseded(all: &[Backup], daily: u32, weekly: u32) -> Vec<&Backup> {
    let (mut days, mut weeks) = (BTreeSet::new(), BTreeSet::new());
    let mut gone = Vec::new();
    for (place, backup) in all.iter().filter(|backup| backup.scheduled).enumerate() {
        let day = backup.created_at.micros() / 1000 / DAY_MS;
        // 1970 began on a Thursday; weeks begin on Mondays.
        let week = (day + 3) / 7;
        let of_day = days.len() < daily as usize && days.insert(day);
        let of_week = weeks.len() < weekly as usize && weeks.insert(week);
        if place > 0 && !of_day && !of_week {
            gone.push(backup);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use car_api::Timestamp;

    use super::*;

    fn backup(hours_ago: i64, scheduled: bool) -> Backup {
        let now = Timestamp::from_secs(1_790_000_000);
        let created_at = now.plus_millis(-hours_ago * 3_600_000);
        Backup { name: format!("{hours_ago}"), size: 1, created_at, scheduled }
    }

    #[test]
    fn seven_days_and_four_weeks_stay() {
        // Twice a day for two months, and one that a person asked for long ago.
        let mut all: Vec<_> = (0..120).map(|n| backup(n * 12, true)).collect();
        all.push(backup(24 * 365, false));
        let gone = superseded(&all, 7, 4);
        let kept: Vec<_> = all.iter().filter(|one| !gone.contains(one)).collect();
        let day = |backup: &Backup| backup.created_at.micros() / 1000 / DAY_MS;
        let days: BTreeSet<_> =
            kept.iter().filter(|one| one.scheduled).map(|one| day(one)).collect();
        assert_eq!(days.len(), kept.len() - 1, "one a day at most: {kept:?}");
        let today = day(&all[0]);
        assert!((0..7).all(|n| days.contains(&(today - n))), "{days:?}");
        // The last of the present week is among the seven, so three older weeks have one each, or
        // two when the seven days reach into one of them.
        assert!((9..=10).contains(&days.len()), "{days:?}");
        assert!(kept.iter().any(|one| !one.scheduled));
        assert_eq!(superseded(&all[..1], 0, 0).len(), 0);
    }
}
