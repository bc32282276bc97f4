use proptest::prelude::*;

use super::*;

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn price(agent: Option<&str>, model: Option<&str>, input: &str) -> Price {
    Price {
        agent: agent.map(str::to_owned),
        model: model.map(str::to_owned),
        input: amount(input),
        cached_input: Some(amount("0.125")),
        output: amount("10"),
    }
}

fn usage(input_tokens: i64, cached_input_tokens: i64, output_tokens: i64) -> Usage {
    Usage { input_tokens, cached_input_tokens, output_tokens, reasoning_tokens: 0 }
}

#[test]
fn a_turn_costs_what_its_tokens_cost() {
    let price = price(None, None, "1.25");
    for (tokens, cost) in [
        (usage(0, 0, 0), "0"),
        (usage(1_000_000, 0, 0), "1.25"),
        (usage(1_000_000, 1_000_000, 0), "0.125"),
        (usage(0, 0, 1_000_000), "10"),
        // 600 × 1.25 + 400 × 0.125 + 100 × 10, all by the million.
        (usage(1000, 400, 100), "0.0018"),
        // Rounded to the nearest millionth, once: 1.25, 2.5 and 3.75 millionths.
        (usage(1, 0, 0), "0.000001"),
        (usage(2, 0, 0), "0.000003"),
        (usage(3, 0, 0), "0.000004"),
        // Not more can come from a cache than was read, and nothing is negative.
        (usage(8, 1_000_000, 0), "0.000001"),
        (usage(-5, -5, -5), "0"),
    ] {
        assert_eq!(price.cost(&tokens), amount(cost), "{tokens:?}");
    }
    let uncached = Price { cached_input: None, ..price };
    assert_eq!(uncached.cost(&usage(1_000_000, 1_000_000, 0)), amount("1.25"));
}

#[test]
fn the_first_price_that_fits_decides_and_without_one_the_cost_is_unknown() {
    let prices = [
        price(Some("codex"), Some("gpt-5*-mini"), "1"),
        price(Some("codex"), Some("gpt-5*"), "2"),
        price(None, Some("*"), "3"),
        price(Some("demo"), None, "4"),
    ];
    for (agent, model, per_million) in [
        ("codex", Some("gpt-5-mini"), Some("1")),
        ("codex", Some("gpt-5.1-codex-mini"), Some("1")),
        ("codex", Some("gpt-5"), Some("2")),
        ("codex", Some("o5"), Some("3")),
        ("other", Some("gpt-5"), Some("3")),
        ("demo", None, Some("4")),
        // The model is not known, and no price is for every model of this agent.
        ("codex", None, None),
    ] {
        let tokens = usage(1_000_000, 0, 0);
        let found = cost(&prices, agent, model, &tokens);
        assert_eq!(found, per_million.map(amount), "{agent} {model:?}");
    }
    assert_eq!(cost(&[], "codex", Some("gpt-5"), &usage(1, 0, 0)), None);
}

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, name, fits) in [
        ("", "", true),
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "a", true),
        ("*", "", true),
        ("a*a", "a", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("*mini", "gpt-mini", true),
        ("*mini", "gpt-mini-2", false),
    ] {
        assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
    }
}

proptest! {
    /// Turns that are priced apart cost what they cost together, but for half a millionth of
    /// rounding each; nothing overflows, and no cost is negative.
    #[test]
    fn the_parts_cost_what_the_whole_costs(
        parts in proptest::collection::vec((0i64..1 << 40, 0i64..1 << 40, 0i64..1 << 40), 1..8),
        input in 0i64..1 << 20,
        output in 0i64..1 << 20,
    ) {
        let price = Price {
            agent: None,
            model: None,
            input: Amount::from_millionths(input),
            cached_input: None,
            output: Amount::from_millionths(output),
        };
        let parts: Vec<Usage> = parts.into_iter().map(|(i, c, o)| usage(i, c.min(i), o)).collect();
        let whole = parts.iter().fold(Usage::default(), |sum, part| sum.plus(*part));
        let apart: i64 = parts.iter().map(|part| price.cost(part).millionths()).sum();
        let together = price.cost(&whole).millionths();
        let count = i64::try_from(parts.len()).unwrap();
        prop_assert!((apart - together).abs() <= (count + 2) / 2, "{apart} {together}");
    }

    /// Whatever the numbers, there is an answer, and it is not negative.
    #[test]
    fn no_numbers_are_too_large(i: i64, c: i64, o: i64, per: i64) {
        let per = Amount::from_millionths(per);
        let price = Price { agent: None, model: None, input: per, cached_input: Some(per), output: per };
        prop_assert!(price.cost(&usage(i, c, o)) >= Amount::default());
    }
}
