//! What tokens cost, and how much may be used in a day.

use std::num::NonZeroU64;

use car_api::{budget::BudgetLimits, money::Amount};
use car_hub::{MoneyConfig, Price, offset_of};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use super::{
    ConfigError, FILE, Loaded, Source, TicketFlow,
    layer::{Layer, pointer},
    set_all,
};

/// Longest word for money, in characters.
const CURRENCY_MAX: usize = 8;

/// `prices:`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// The word for the hub's money, such as `USD`; needed with a table. Another word converts
    /// nothing.
    #[serde(deserialize_with = "currency")]
    pub currency: Option<String>,
    /// What a million tokens cost. The first row that fits a turn decides; a turn that none fits is
    /// not priced.
    pub table: Vec<PriceRow>,
}

/// One row of `prices.table`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceRow {
    /// The agent; every one when absent.
    #[serde(default)]
    pub agent: Option<String>,
    /// The model, where `*` stands for anything; every one, also an unknown one, when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// A million tokens read.
    pub input: Decimal,
    /// A million tokens read from the provider's cache; as `input` when absent.
    #[serde(default)]
    pub cached_input: Option<Decimal>,
    /// A million tokens written.
    pub output: Decimal,
}

/// `budget:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// What everything may cost in a day; without end when absent.
    pub day_cost: Option<Positive>,
    /// Tokens everything may use in a day.
    pub day_tokens: Option<NonZeroU64>,
    /// What a repo with its worktrees may cost in a day.
    pub repo_day_cost: Option<Positive>,
    /// Tokens a repo with its worktrees may use in a day.
    pub repo_day_tokens: Option<NonZeroU64>,
    /// How far the clocks by which a day begins are ahead of UTC: `+02:00`.
    #[serde(deserialize_with = "utc_offset")]
    pub utc_offset: String,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            day_cost: None,
            day_tokens: None,
            repo_day_cost: None,
            repo_day_tokens: None,
            utc_offset: "Z".to_owned(),
        }
    }
}

/// An amount as people write it: a decimal number, with quotes or without. It is read digit by
/// digit, to the millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal(pub Amount);

/// The same, and more than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positive(pub Amount);

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl Serialize for Positive {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        amount(from).map(Self)
    }
}

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let amount = amount(from)?;
        if amount == Amount::default() {
            return Err(D::Error::custom("a budget is more than 0; leave it out for no limit"));
        }
        Ok(Self(amount))
    }
}

fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => text.parse().map_err(D::Error::custom),
        // Its shortest text is what was written, for as many digits as an amount has.
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).parse().map_err(D::Error::custom)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(D::Error::custom("it is a decimal number such as 1.25"))
        }
    }
}

fn currency<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(word) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let length = word.chars().count();
    let plain = !word.chars().any(|c| c.is_whitespace() || c.is_control());
    if plain && (1..=CURRENCY_MAX).contains(&length) {
        return Ok(Some(word));
    }
    Err(D::Error::custom(format!("it is one word of at most {CURRENCY_MAX} characters, as in USD")))
}

fn utc_offset<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if offset_of(&text).is_some() {
        return Ok(text);
    }
    Err(D::Error::custom("it is a difference to UTC such as \"+02:00\", in quotes"))
}

/// As the hub takes it; `keep` is left to whoever knows where the limits are kept.
#[must_use]
pub fn for_hub(prices: &Prices, budget: &Budget, flow: &TicketFlow) -> MoneyConfig {
    let price = |row: &PriceRow| Price {
        agent: row.agent.clone(),
        model: row.model.clone(),
        input: row.input.0,
        cached_input: row.cached_input.map(|price| price.0),
        output: row.output.0,
    };
    MoneyConfig {
        currency: prices.currency.clone(),
        prices: prices.table.iter().map(price).collect(),
        limits: BudgetLimits {
            day_cost: budget.day_cost.map(|limit| limit.0),
            day_tokens: budget.day_tokens.map(number),
            repo_day_cost: budget.repo_day_cost.map(|limit| limit.0),
            repo_day_tokens: budget.repo_day_tokens.map(number),
            max_cost: flow.max_cost.map(|limit| limit.0),
            max_tokens: flow.max_tokens.map(number),
            max_seconds: flow.max_seconds.map(number),
        },
        utc_offset_s: offset_of(&budget.utc_offset).unwrap_or(0),
        ..MoneyConfig::default()
    }
}

fn number(limit: NonZeroU64) -> i64 {
    i64::try_from(limit.get()).unwrap_or(i64::MAX)
}

impl Loaded {
    /// Keeps other limits in the hub's own file.
    ///
    /// # Errors
    /// The file cannot be changed, or a limit was given in a way that is stronger than the file.
    pub fn keep_budgets(&self, limits: &BudgetLimits) -> Result<(), ConfigError> {
        let own = Layer::from_file(&self.root, FILE)?;
        let said = |key: &str| own.as_ref().is_some_and(|own| own.says(key));
        let mut values = Vec::new();
        for (key, value) in as_keys(limits) {
            let from = self.sources.get(key);
            if let Some(from @ (Source::Variable(_) | Source::Flag)) = from {
                if self.merged.pointer(&pointer(key)) == Some(&value) {
                    continue;
                }
                let detail = "it is given there, which is stronger than the hub's file: change it \
                              there and start the hub again";
                return Err(ConfigError::Value {
                    from: from.to_string(),
                    key: key.to_owned(),
                    detail: detail.to_owned(),
                });
            }
            // What was never said needs no line that says so.
            if !value.is_null() || from.is_some() || said(key) {
                values.push((key, value));
            }
        }
        set_all(&self.root, values)
    }
}

/// What the limits are in the hub's file, by key.
fn as_keys(limits: &BudgetLimits) -> Vec<(&'static str, Value)> {
    let BudgetLimits { day_cost, day_tokens, repo_day_cost, repo_day_tokens, .. } = *limits;
    let BudgetLimits { max_cost, max_tokens, max_seconds, .. } = *limits;
    let money = |limit: Option<Amount>| limit.map_or(Value::Null, |limit| limit.to_string().into());
    let count = |limit: Option<i64>| limit.map_or(Value::Null, Value::from);
    vec![
        ("budget.day_cost", money(day_cost)),
        ("budget.day_tokens", count(day_tokens)),
        ("budget.repo_day_cost", money(repo_day_cost)),
        ("budget.repo_day_tokens", count(repo_day_tokens)),
        ("ticket_flow.max_cost", money(max_cost)),
        ("ticket_flow.max_tokens", count(max_tokens)),
        ("ticket_flow.max_seconds", count(max_seconds)),
    ]
}

/// What is odd about money, in sentences.
#[must_use]
pub(super) fn warnings(prices: &Prices, budget: &Budget, flow: &TicketFlow) -> Vec<String> {
    let mut found = Vec::new();
    if prices.currency.is_none() && !prices.table.is_empty() {
        found.push(
            "`prices.table` has no word for money: set `prices.currency`, for example to USD"
                .to_owned(),
        );
    }
    let limits = [budget.day_cost, budget.repo_day_cost, flow.max_cost];
    if prices.table.is_empty() && limits.iter().any(Option::is_some) {
        found.push(
            "a budget of money is set, but `prices.table` is empty: nothing counts for it"
                .to_owned(),
        );
    }
    found
}
