//! Amounts of money.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Parts of one unit of money an amount is counted in.
const PER_UNIT: i64 = 1_000_000;
/// Decimal places of an amount.
const PLACES: usize = 6;

/// An amount of money: a whole number of millionths of a unit of the hub's currency, in the
/// database and in JSON. People read and write it as a decimal number: `1.25` is 1250000. It is
/// never a floating point number.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = i64))]
pub struct Amount(i64);

impl Amount {
    /// From millionths of a unit.
    #[must_use]
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// Millionths of a unit.
    #[must_use]
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The sum of both; the largest amount there is where it would be larger.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Amount {
    /// As a decimal number with two places, and more where the amount has more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let all = self.0.unsigned_abs();
        let (units, rest) = (all / PER_UNIT.unsigned_abs(), all % PER_UNIT.unsigned_abs());
        let mut places = format!("{rest:0PLACES$}");
        while places.len() > 2 && places.ends_with('0') {
            places.pop();
        }
        f.pad(&format!("{sign}{units}.{places}"))
    }
}

impl FromStr for Amount {
    type Err = String;

    /// A decimal number that is not negative, with at most six places: `5`, `0.25`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not an amount; write a decimal number with at most {PLACES} places, \
                 as in 1.25"
            )
        };
        let (units, places) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(units) || !digits(places) || places.len() > PLACES {
            return Err(wrong());
        }
        let units: i64 = units.parse().map_err(|_| wrong())?;
        let parts: i64 = format!("{places:0<PLACES$}").parse().map_err(|_| wrong())?;
        let all = units.checked_mul(PER_UNIT).and_then(|units| units.checked_add(parts));
        all.map(Self).ok_or_else(wrong)
    }
}

/// What something has cost, as far as prices were known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cost {
    /// Of the turns that had a price, in millionths of the hub's currency.
    pub amount: Amount,
    /// Tokens of the turns that had none: what they cost is not known and not in `amount`.
    pub unpriced_tokens: i64,
}

impl Cost {
    /// Of one turn: its cost, or its tokens when it has no price.
    #[must_use]
    pub fn of_turn(cost: Option<Amount>, tokens: i64) -> Self {
        match cost {
            Some(amount) => Self { amount, unpriced_tokens: 0 },
            None => Self { amount: Amount::default(), unpriced_tokens: tokens },
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            amount: self.amount.plus(other.amount),
            unpriced_tokens: self.unpriced_tokens.saturating_add(other.unpriced_tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_and_read_to_the_millionth() {
        for (text, millionths, shown) in [
            ("0", 0, "0.00"),
            ("5", 5_000_000, "5.00"),
            ("1.25", 1_250_000, "1.25"),
            ("0.1", 100_000, "0.10"),
            ("0.000001", 1, "0.000001"),
            ("007.50", 7_500_000, "7.50"),
            ("9223372036854.775807", i64::MAX, "9223372036854.775807"),
        ] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!(amount.millionths(), millionths, "{text}");
            assert_eq!(amount.to_string(), shown);
            assert_eq!(shown.parse::<Amount>().unwrap(), amount);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "0.0000001",
            "1.2.3",
            " 1",
            "x",
            "9223372036854.775808",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }
}
