//! Hours in which a channel is left alone.

use car_api::{Timestamp, notification::QuietHours};

/// Minutes of a day.
pub(super) const DAY: u16 = 1440;

const MINUTE_US: i64 = 60_000_000;

/// When the quiet hours that hold now end; nothing outside them.
pub(super) fn until(quiet: &QuietHours, now: Timestamp) -> Option<Timestamp> {
    let day = i64::from(DAY);
    let (from, to) = (i64::from(quiet.from_minute), i64::from(quiet.to_minute));
    let local = now.micros().div_euclid(MINUTE_US) + i64::from(quiet.utc_offset_minutes);
    let minute = local.rem_euclid(day);
    // How far into them it is, and how long they are.
    let inside = (minute - from).rem_euclid(day);
    let long = (to - from).rem_euclid(day);
    if inside >= long {
        return None;
    }
    let end = now.micros().div_euclid(MINUTE_US) + (long - inside);
    Some(Timestamp::from_micros(end * MINUTE_US))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64, minute: i64) -> Timestamp {
        // A day of 2026, in UTC.
        Timestamp::from_micros(1_790_000_000_000_000 / (86_400_000_000) * 86_400_000_000)
            .plus_millis((hour * 60 + minute) * 60_000)
    }

    #[test]
    fn quiet_hours_end_when_they_end() {
        let night = QuietHours { from_minute: 22 * 60, to_minute: 7 * 60, utc_offset_minutes: 0 };
        assert_eq!(until(&night, at(12, 0)), None);
        assert_eq!(until(&night, at(21, 59)), None);
        assert_eq!(until(&night, at(22, 0)), Some(at(31, 0)));
        assert_eq!(until(&night, at(3, 30)), Some(at(7, 0)));
        assert_eq!(until(&night, at(7, 0)), None);
        let berlin = QuietHours { utc_offset_minutes: 120, ..night.clone() };
        assert_eq!(until(&berlin, at(20, 0)), Some(at(29, 0)));
        assert_eq!(until(&berlin, at(5, 0)), None);
        let noon = QuietHours { from_minute: 720, to_minute: 780, utc_offset_minutes: -60 };
        assert_eq!(until(&noon, at(13, 15)), Some(at(14, 0)));
        assert_eq!(until(&noon, at(12, 15)), None);
    }
}
