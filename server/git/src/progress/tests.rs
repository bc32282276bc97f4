use super::*;
use proptest::prelude::*;

#[test]
fn lines_git_prints() {
    let step = |phase, percent, done, total, received_bytes| {
        Some(Progress { phase, percent, done, total, received_bytes })
    };
    for (line, want) in [
        (
            "remote: Enumerating objects: 12, done.",
            step(Phase::Counting, None, Some(12), None, None),
        ),
        (
            "remote: Counting objects:  50% (6/12)",
            step(Phase::Counting, Some(50), Some(6), Some(12), None),
        ),
        (
            "Receiving objects:  45% (450/1000), 1.50 MiB | 2.00 MiB/s",
            step(Phase::Receiving, Some(45), Some(450), Some(1000), Some(1_572_864)),
        ),
        (
            "Receiving objects: 100% (3/3), 999 bytes | 999.00 KiB/s, done.",
            step(Phase::Receiving, Some(100), Some(3), Some(3), Some(999)),
        ),
        (
            "Resolving deltas: 100% (5/5), done.",
            step(Phase::Resolving, Some(100), Some(5), Some(5), None),
        ),
        (
            "Updating files:   7% (7/100)",
            step(Phase::CheckingOut, Some(7), Some(7), Some(100), None),
        ),
        (
            "Filtering content:   7% (7/100)",
            step(Phase::Other("Filtering content".into()), Some(7), Some(7), Some(100), None),
        ),
        ("Cloning into '.'...", None),
        ("fatal: repository not found", None),
        ("", None),
    ] {
        assert_eq!(parse_progress(line), want, "{line}");
    }
}

#[test]
fn lines_end_at_either_mark_and_may_arrive_in_pieces() {
    let mut lines = Lines::default();
    let mut seen = Vec::new();
    for piece in ["a", "b\rc", "\nd"] {
        lines.feed(piece.as_bytes(), |l| seen.push(l.to_owned()));
    }
    assert_eq!(seen, ["ab", "c"]);
}

proptest! {
    #[test]
    fn parsing_is_total(line in ".{0,200}") {
        let _ = parse_progress(&line);
    }
}
