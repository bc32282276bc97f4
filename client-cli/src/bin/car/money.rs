//! Tokens and money in words.

use car_api::money::{Amount, Cost};

/// A number whose thousands are set apart.
pub(crate) fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(at);
        if at > 0 && left.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount, with the word for the hub's money where there is one.
pub(crate) fn money(amount: Amount, currency: Option<&str>) -> String {
    match currency {
        Some(currency) => format!("{amount} {currency}"),
        None => amount.to_string(),
    }
}

/// A cost. What is not priced is never shown as nothing: a `+` says that there is more.
pub(crate) fn cost(cost: &Cost, currency: Option<&str>) -> String {
    match (cost.amount == Amount::default(), cost.unpriced_tokens > 0) {
        (true, true) => "not priced".to_owned(),
        (false, true) => format!("{}+", money(cost.amount, currency)),
        (_, false) => money(cost.amount, currency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")]
        {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn what_is_not_priced_is_never_nothing() {
        for (millionths, unpriced_tokens, text) in [
            (0, 0, "0.00 USD"),
            (0, 5, "not priced"),
            (1_500_000, 0, "1.50 USD"),
            (1_500_000, 5, "1.50 USD+"),
        ] {
            let amount = Amount::from_millionths(millionths);
            assert_eq!(cost(&Cost { amount, unpriced_tokens }, Some("USD")), text);
        }
    }
}
