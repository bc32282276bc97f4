use car_api::item::Usage;

use super::*;

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn today(limits: BudgetLimits) -> Today {
    Today {
        limits,
        hub: Sum { tokens: 1000, cost: amount("5") },
        repo: Sum { tokens: 400, cost: amount("2") },
        ends_at: "2026-03-02T00:00:00Z".parse().unwrap(),
        currency: "USD".to_owned(),
    }
}

#[test]
fn a_day_is_used_up_at_its_limit_and_not_before() {
    let none = BudgetLimits::default();
    for (limits, says) in [
        (none, None),
        (BudgetLimits { day_cost: Some(amount("5.000001")), ..none }, None),
        (BudgetLimits { day_cost: Some(amount("5")), ..none }, Some("5.00 USD for the hub")),
        (BudgetLimits { day_tokens: Some(1001), ..none }, None),
        (BudgetLimits { day_tokens: Some(1000), ..none }, Some("1000 tokens for the hub")),
        (BudgetLimits { repo_day_cost: Some(amount("2.5")), ..none }, None),
        (
            BudgetLimits { repo_day_cost: Some(amount("1.5")), ..none },
            Some("1.50 USD for this repo"),
        ),
        (BudgetLimits { repo_day_tokens: Some(401), ..none }, None),
        (BudgetLimits { repo_day_tokens: Some(1), ..none }, Some("1 tokens for this repo")),
        // Limits of runs are no limits of the day.
        (BudgetLimits { max_tokens: Some(1), max_cost: Some(amount("1")), ..none }, None),
    ] {
        let found = today(limits).used_up();
        match says {
            None => assert_eq!(found, None, "{limits:?}"),
            Some(says) => assert!(found.as_ref().is_some_and(|f| f.contains(says)), "{found:?}"),
        }
    }
}

#[test]
fn what_is_used_up_says_limit_use_and_way_out() {
    let limits = BudgetLimits { day_cost: Some(amount("4.5")), ..BudgetLimits::default() };
    let words = "The day's budget of 4.50 USD for the hub is used up (5.00 USD used). Raise \
                 `budget.day_cost`, or wait until the day ends at 2026-03-02 00:00 UTC, then go on.";
    assert_eq!(today(limits).used_up().as_deref(), Some(words));
}

#[test]
fn a_run_is_over_its_own_budget_at_the_limit() {
    let mut spent = Spent { active_ms: 59_999, ..Spent::default() };
    spent.add(Usage { input_tokens: 90, output_tokens: 10, ..Usage::default() }, Some(amount("2")));
    // One without a price: its tokens count as tokens, and for no amount.
    spent.add(Usage { input_tokens: 50, ..Usage::default() }, None);
    assert_eq!(spent.cost(), car_api::money::Cost { amount: amount("2"), unpriced_tokens: 50 });
    let none = RunOptions::default();
    for (options, says) in [
        (none.clone(), None),
        (RunOptions { max_tokens: Some(151), ..none.clone() }, None),
        (RunOptions { max_tokens: Some(150), ..none.clone() }, Some("150 tokens is used up")),
        (RunOptions { max_cost: Some(amount("2.01")), ..none.clone() }, None),
        (RunOptions { max_cost: Some(amount("2")), ..none.clone() }, Some("(2.00 EUR used)")),
        (RunOptions { max_seconds: Some(60), ..none.clone() }, None),
        (RunOptions { max_seconds: Some(59), ..none.clone() }, Some("--max-seconds")),
    ] {
        let found = run_used_up(&spent, &options, "EUR");
        match says {
            None => assert_eq!(found, None, "{options:?}"),
            Some(says) => assert!(found.as_ref().is_some_and(|f| f.contains(says)), "{found:?}"),
        }
    }
}

#[test]
fn a_day_begins_where_its_people_are() {
    for (now, offset_s, date, starts, ends) in [
        ("2026-03-01T00:00:00Z", 0, "2026-03-01", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        ("2026-03-01T23:59:59Z", 0, "2026-03-01", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        (
            "2026-03-01T22:30:00Z",
            7200,
            "2026-03-02",
            "2026-03-01T22:00:00Z",
            "2026-03-02T22:00:00Z",
        ),
        (
            "2026-03-01T04:00:00Z",
            -18000,
            "2026-02-28",
            "2026-02-28T05:00:00Z",
            "2026-03-01T05:00:00Z",
        ),
        ("1969-12-31T12:00:00Z", 0, "1969-12-31", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"),
    ] {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = Day { date: date.to_owned(), starts_at: at(starts), ends_at: at(ends) };
        assert_eq!(day_of(at(now), offset_s), day, "{now} {offset_s}");
    }
}
