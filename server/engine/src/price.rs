//! What a turn costs.

#[cfg(test)]
mod tests;

use car_api::{item::Usage, money::Amount};

/// Tokens a price is given for.
const PER: i128 = 1_000_000;

/// What tokens of some agents and models cost. Nothing is known of any price but what the hub's
/// owner wrote down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The agent it is for; every agent when absent.
    pub agent: Option<String>,
    /// The models it is for: a name in which `*` stands for anything. Every model, also one that is
    /// not known, when absent.
    pub model: Option<String>,
    /// A million tokens read.
    pub input: Amount,
    /// A million tokens read from the provider's cache; as `input` when absent.
    pub cached_input: Option<Amount>,
    /// A million tokens written, reasoning included.
    pub output: Amount,
}

impl Price {
    fn fits(&self, agent: &str, model: Option<&str>) -> bool {
        self.agent.as_deref().is_none_or(|own| own == agent)
            && match (&self.model, model) {
                (None, _) => true,
                (Some(pattern), Some(model)) => matches(pattern, model),
                (Some(_), None) => false,
            }
    }

    /// The cost of these tokens. It is exact until the end and rounded once, to the nearest
    /// millionth, halves up; a number of tokens below zero counts as none, and an amount that is
    /// too large is the largest there is.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Amount {
        let tokens = |number: i64| i128::from(number.max(0));
        let read = tokens(usage.input_tokens);
        let cached = tokens(usage.cached_input_tokens).min(read);
        let of = |tokens: i128, price: Amount| tokens * i128::from(price.millionths().max(0));
        let all = of(read - cached, self.input)
            + of(cached, self.cached_input.unwrap_or(self.input))
            + of(tokens(usage.output_tokens), self.output);
        let rounded = (all + PER / 2) / PER;
        Amount::from_millionths(i64::try_from(rounded).unwrap_or(i64::MAX))
    }
}

/// What a turn with these tokens costs: the first price that fits decides. None when none does; that
/// is not the same as nothing.
#[must_use]
pub fn cost(prices: &[Price], agent: &str, model: Option<&str>, usage: &Usage) -> Option<Amount> {
    prices.iter().find(|price| price.fits(agent, model)).map(|price| price.cost(usage))
}

/// Whether a name is as the pattern says, where `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
