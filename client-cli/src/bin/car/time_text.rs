//! Times for people.

use car_api::Timestamp;
use jiff::tz::TimeZone;

/// Hours and minutes today, the date before that; in the machine's own time zone.
pub(crate) fn short(at: Timestamp) -> String {
    short_in(at, jiff::Timestamp::now(), &TimeZone::system())
}

fn short_in(at: Timestamp, now: jiff::Timestamp, zone: &TimeZone) -> String {
    let Ok(at) = jiff::Timestamp::from_microsecond(at.micros()) else { return at.to_string() };
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = if at.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    at.strftime(format).to_string()
}

/// The time, or a dash.
pub(crate) fn or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), short)
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
}
