use super::{ProblemKind, parse, quote, write_value};
use proptest::prelude::*;

fn kinds(text: &str) -> Vec<ProblemKind> {
    parse(text).problems.into_iter().map(|problem| problem.kind).collect()
}

#[test]
fn spans_cover_exactly_the_value() {
    let text = "a: 'x y' # c\nb:   true  \nc: \"q\"\n";
    let root = parse(text).root.unwrap();
    let spans: Vec<&str> =
        root.entries().iter().map(|(_, value)| &text[value.span.clone()]).collect();
    assert_eq!(spans, ["'x y'", "true", "\"q\""]);
}

#[test]
fn what_the_contract_forbids_is_named() {
    assert_eq!(kinds("a: &x 1"), [ProblemKind::Anchor]);
    assert_eq!(kinds("a: *x"), [ProblemKind::Alias]);
    assert_eq!(kinds("a: !!binary x"), [ProblemKind::Tag]);
    assert_eq!(kinds("<<: {a: 1}"), [ProblemKind::MergeKey]);
    assert_eq!(kinds("a: 1\n---\nb: 2"), [ProblemKind::SeveralDocuments]);
    assert_eq!(
        kinds("a: 1\nb: 2\na: 3"),
        [ProblemKind::DuplicateKey { key: "a".to_owned(), first_line: 1 }]
    );
    assert_eq!(kinds(&"[".repeat(20_000)), [ProblemKind::TooDeep]);
    assert!(matches!(kinds("a: [1").as_slice(), [ProblemKind::Syntax(words)] if !words.is_empty()));
}

#[test]
fn eight_levels_are_read_and_nine_are_not() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(parse(&nested(8)).root.is_some());
    assert!(parse(&nested(9)).root.is_none());
}

#[test]
fn old_booleans_and_numbers_are_told_from_text() {
    let root =
        parse("a: yes\nb: \"yes\"\nc: 0\nd: .nan\ne: nan\nf: 2024-01-01\ng: no").root.unwrap();
    assert_eq!(root.get("a").unwrap().boolean(), Some(true));
    assert_eq!(root.get("b").unwrap().boolean(), None);
    assert_eq!(root.get("c").unwrap().boolean(), None);
    assert_eq!(root.get("d").unwrap().string(), None);
    assert_eq!(root.get("e").unwrap().string(), Some("nan"));
    assert_eq!(root.get("f").unwrap().string(), Some("2024-01-01"));
    assert_eq!(root.get("g").unwrap().string(), None);
}

#[test]
fn written_values_are_read_back() {
    let text = "x:\n  a: 1\n  b: [true, 'no', \"q\\n\", -3, {c: d, e: []}]\n  f:\n  - - 1\n    - 2\n  - g: h\n    i: {}\n  t: 2024-01-01\n";
    let root = parse(text).root.unwrap();
    let mut out = "x:".to_owned();
    write_value(&mut out, root.get("x").unwrap(), 0);
    let again = parse(&out);
    assert_eq!(again.problems, [], "{out}");
    assert!(root.same_data(&again.root.unwrap()), "{out}");
}

proptest! {
    #[test]
    fn any_text_can_be_parsed(text in "\\PC{0,80}|[\\x00-\\x7f]{0,80}|[-:&*!\\[\\]{}#|>'\" \na0]{0,60}") {
        let document = parse(&text);
        if let Some(root) = document.root {
            prop_assert!(text.get(root.span).is_some());
        }
    }

    #[test]
    fn quoted_text_reads_back(text in "\\PC{0,40}|[\\x00-\\x7f]{0,20}|[-:&*!\\[\\]{}#|>'\" ya0.,]{0,20}") {
        let document = parse(&format!("k: {}\n", quote(&text)));
        let root = document.root.unwrap();
        prop_assert_eq!(root.get("k").unwrap().string(), Some(text.as_str()));
    }
}
