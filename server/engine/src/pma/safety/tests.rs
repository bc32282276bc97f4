use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000).plus_millis(seconds * 1000)
}

fn id(number: u32) -> MessageId {
    format!("mes_{number}").parse().unwrap()
}

/// What came of messages given as (second, text), each with an id of its own.
fn verdicts(limits: &Limits, messages: &[(i64, &str)]) -> String {
    let mut safety = Safety::default();
    let of = |(number, (second, text)): (usize, &(i64, &str))| {
        let message = id(u32::try_from(number).unwrap());
        match safety.admit(limits, &message, &fingerprint(text, &[]), at(*second)) {
            Verdict::Go => "go".to_owned(),
            Verdict::Block { rule, .. } => format!("block {}", rule.as_str()),
            Verdict::Hold { rule, until, .. } => {
                let wait = (until.micros() - at(*second).micros()) / 1_000_000;
                format!("hold {} {wait}", rule.as_str())
            }
        }
    };
    messages.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_comes_of_messages() {
    let limits = Limits { duplicates_max: 2, turns_per_minute: 4, ..Limits::default() };
    let cases: &[(&[(i64, &str)], &str)] = &[
        // Twice on purpose is let through, a third time within the window is not.
        (&[(0, "a"), (1, "a"), (2, "a"), (3, "b")], "go, go, block duplicate, go"),
        (&[(0, "a"), (1, "a"), (299, "a"), (300, "a")], "go, go, block duplicate, go"),
        // A stopped one counts for nothing.
        (
            &[(0, "a"), (1, "a"), (2, "a"), (300, "a"), (301, "a")],
            "go, go, block duplicate, go, go",
        ),
        (
            &[(0, "a"), (1, "b"), (2, "c"), (3, "d"), (10, "e"), (60, "f"), (60, "g")],
            "go, go, go, go, hold rate 50, go, hold rate 1",
        ),
    ];
    for (messages, expected) in cases {
        assert_eq!(verdicts(&limits, messages), *expected, "{messages:?}");
    }
}

#[test]
fn a_message_counts_once_however_often_it_is_asked_about() {
    let limits = Limits { duplicates_max: 1, turns_per_minute: 1, ..Limits::default() };
    let mut safety = Safety::default();
    for _ in 0..5 {
        assert_eq!(safety.admit(&limits, &id(1), "p", at(0)), Verdict::Go);
    }
    assert_eq!(safety.turns_last_minute(at(0)), 1);
    for second in 1..4 {
        let held = safety.admit(&limits, &id(2), "q", at(second));
        assert!(matches!(held, Verdict::Hold { rule: Rule::Rate, .. }));
    }
    assert_eq!(safety.stopped_last_day(Rule::Rate, at(4)), 1);
    assert_eq!(safety.admit(&limits, &id(2), "q", at(60)), Verdict::Go);
    assert_eq!(safety.stopped_last_day(Rule::Rate, at(90_000)), 0);
}

#[test]
fn the_breaker_opens_closes_and_opens_again() {
    let limits = Limits { breaker_failures: 3, breaker_cooldown_seconds: 10, ..Limits::default() };
    let mut safety = Safety::default();
    assert_eq!(safety.ended(&limits, true, at(0)), None);
    assert_eq!(safety.ended(&limits, true, at(1)), None);
    assert_eq!(safety.ended(&limits, false, at(2)), None, "a success in between");
    assert_eq!(safety.ended(&limits, true, at(3)), None);
    assert_eq!(safety.ended(&limits, true, at(4)), None);
    assert_eq!(safety.ended(&limits, true, at(5)), Some(at(15)));
    let held = safety.admit(&limits, &id(1), "p", at(14));
    assert!(matches!(held, Verdict::Hold { rule: Rule::Breaker, until, .. } if until == at(15)));
    // One turn is tried; it fails, and the breaker is open at once.
    assert_eq!(safety.admit(&limits, &id(1), "p", at(15)), Verdict::Go);
    assert_eq!(safety.ended(&limits, true, at(16)), Some(at(26)));
    assert!(safety.reset() && !safety.reset());
    assert_eq!(safety.admit(&limits, &id(2), "p", at(17)), Verdict::Go);
    assert_eq!((safety.failures(), safety.open_until(at(17))), (0, None));
}

#[test]
fn what_is_remembered_survives_being_written_down() {
    let limits = Limits::default();
    let mut safety = Safety::default();
    for number in 0..3 {
        let _ = safety.admit(&limits, &id(number), "same", at(0));
    }
    safety.ended(&limits, true, at(1));
    let text = serde_json::to_string(&safety).unwrap();
    let mut again: Safety = serde_json::from_str(&text).unwrap();
    assert_eq!(again, safety);
    let verdict = again.admit(&limits, &id(9), "same", at(2));
    assert!(matches!(verdict, Verdict::Block { rule: Rule::Duplicate, .. }));
}

#[test]
fn what_is_kept_is_bounded() {
    let limits = Limits { duplicates_max: 1, ..Limits::default() };
    let mut safety = Safety::default();
    for number in 0..5000 {
        let _ = safety.admit(&limits, &id(number), "same", at(i64::from(number) / 100));
    }
    assert_eq!(safety.begun.len(), 1);
    assert_eq!(safety.stopped.len(), STOPPED_MAX);
}

#[test]
fn files_belong_to_what_a_message_is() {
    let one = fingerprint("a", &["b".to_owned()]);
    assert_ne!(one, fingerprint("a", &[]));
    assert_ne!(one, fingerprint("ab", &[]));
    assert_eq!(one, fingerprint("a", &["b".to_owned()]));
}
