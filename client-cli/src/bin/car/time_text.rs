//! Times for people: how long ago in lists, the machine's own clock where one thing is shown.

use car_api::Timestamp;
use jiff::tz::TimeZone;

/// How long ago, or how long until: `just now`, `5m ago`, `in 2h`, and the date when it is long.
pub(crate) fn ago(at: Timestamp) -> String {
    ago_from(at, jiff::Timestamp::now(), &TimeZone::system())
}

/// The time by the machine's clock and how long ago that is.
pub(crate) fn full(at: Timestamp) -> String {
    let now = jiff::Timestamp::now();
    let zone = TimeZone::system();
    format!("{} ({})", short_in(at, now, &zone), ago_from(at, now, &zone))
}

/// Hours and minutes today, the date before that; in the machine's own time zone.
pub(crate) fn short(at: Timestamp) -> String {
    short_in(at, jiff::Timestamp::now(), &TimeZone::system())
}

/// How long ago, or a dash.
pub(crate) fn ago_or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), ago)
}

/// The time, or a dash.
pub(crate) fn or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), short)
}

/// Minutes by which the machine's clock is ahead of UTC now.
pub(crate) fn utc_offset_minutes() -> i16 {
    let offset = TimeZone::system().to_offset(jiff::Timestamp::now());
    i16::try_from(offset.seconds() / 60).unwrap_or_default()
}

fn short_in(at: Timestamp, now: jiff::Timestamp, zone: &TimeZone) -> String {
    let Ok(at) = jiff::Timestamp::from_microsecond(at.micros()) else { return at.to_string() };
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = if at.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    at.strftime(format).to_string()
}

fn ago_from(at: Timestamp, now: jiff::Timestamp, zone: &TimeZone) -> String {
    let seconds = now.as_second().saturating_sub(at.micros().div_euclid(1_000_000));
    let away = seconds.saturating_abs();
    let span = match away {
        0..5 => return "just now".to_owned(),
        5..60 => format!("{away}s"),
        60..3600 => format!("{}m", away / 60),
        3600..172_800 => format!("{}h", away / 3600),
        172_800..2_592_000 => format!("{}d", away / 86_400),
        _ => {
            return match jiff::Timestamp::from_microsecond(at.micros()) {
                Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string(),
                Err(_) => at.to_string(),
            };
        }
    };
    if seconds < 0 { format!("in {span}") } else { format!("{span} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_a_time_and_another_day_a_date() {
        let now: jiff::Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let short = |text: &str| short_in(text.parse().unwrap(), now, &TimeZone::UTC);
        assert_eq!(short("2026-03-02T09:05:07Z"), "09:05:07");
        assert_eq!(short("2026-03-01T23:59:00Z"), "2026-03-01 23:59");
    }

    #[test]
    fn a_time_is_as_far_away_as_one_would_say() {
        let now: jiff::Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        for (at, expected) in [
            ("2026-03-02T11:59:58Z", "just now"),
            ("2026-03-02T11:59:20Z", "40s ago"),
            ("2026-03-02T11:55:00Z", "5m ago"),
            ("2026-03-02T09:01:00Z", "2h ago"),
            ("2026-02-26T12:00:00Z", "4d ago"),
            ("2026-03-02T12:30:00Z", "in 30m"),
            ("2026-06-01T12:00:00Z", "2026-06-01"),
            ("2025-12-24T12:00:00Z", "2025-12-24"),
        ] {
            assert_eq!(ago_from(at.parse().unwrap(), now, &TimeZone::UTC), expected, "{at}");
        }
    }
}
