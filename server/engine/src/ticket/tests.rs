//! What a ticket may say, what is refused and where, and that edits touch nothing else.

use super::{
    Assignee, Code, ContextEntry, DraftValue, FieldValue, KnownAgents, Listed, Parsed, Severity,
    TicketDraft, VerificationNote, VerifyCommand, VerifyTree, check_directory, effective_id, fix,
    new_ticket, parse, queue, remove_field, set_done, set_field, set_verification_note,
};
use proptest::prelude::*;

fn agents() -> KnownAgents {
    KnownAgents::new(["codex", "opencode", "hermes"])
}

fn read(text: impl AsRef<[u8]>) -> Parsed {
    parse("TICKET-001.md", text.as_ref(), &agents())
}

/// A ticket whose frontmatter is `fields` behind a sound agent and state.
fn with(fields: &str) -> String {
    format!("---\nagent: codex\ndone: false\n{fields}\n---\nbody\n")
}

fn codes(text: impl AsRef<[u8]>) -> Vec<Code> {
    read(text).issues.iter().map(|issue| issue.code).collect()
}

/// Asserts one issue, at a place, and whether it blocks.
#[track_caller]
fn check(text: impl AsRef<[u8]>, code: Code, line: usize, column: usize) {
    let parsed = read(text);
    let found: Vec<_> = parsed.issues.iter().map(|i| (i.code, i.line, i.column)).collect();
    assert_eq!(found, [(code, line, column)], "{:?}", parsed.issues);
    assert_eq!(parsed.is_valid(), code.severity() == Severity::Warning);
}

#[test]
fn all_fields_are_read() {
    let text = with(
        "title: ' A: b '\ngoal: g\nmodel: a/b\nreasoning: high\nticket_id: tkt_123\nprofile: p\n\
         context:\n  - path: docs/a.md\n  - {path: b, max_bytes: 10, required: yes}\n\
         verify:\n  - cargo test\n  - run: npm test\n    dir: web\n    timeout: 15m\n    tree: clean\n\
         protect: [\"tests/**\"]\nrequire_commit: false\ndepends_on: [1, x]",
    );
    let parsed = read(&text);
    assert_eq!(parsed.issues, []);
    let ticket = parsed.frontmatter.unwrap();
    assert_eq!(ticket.assignee, Assignee::Agent("codex".to_owned()));
    assert_eq!(ticket.title.as_deref(), Some("A: b"));
    assert_eq!(ticket.context.len(), 2);
    assert!(ticket.context[1].required);
    assert_eq!(
        ticket.verify.unwrap(),
        [
            VerifyCommand {
                run: "cargo test".to_owned(),
                dir: None,
                timeout_s: 1200,
                tree: VerifyTree::Worktree
            },
            VerifyCommand {
                run: "npm test".to_owned(),
                dir: Some("web".to_owned()),
                timeout_s: 900,
                tree: VerifyTree::Clean
            },
        ]
    );
    assert_eq!(ticket.protect, ["tests/**"]);
    assert_eq!(ticket.require_commit, Some(false));
    assert_eq!(ticket.extra, [("depends_on".to_owned(), serde_json::json!([1, "x"]))]);
    assert_eq!(parsed.body, "body\n");
}

#[test]
fn agents_are_normalised_as_car_does() {
    let assignee = |agent: &str| {
        let parsed = read(format!("---\nagent: {agent}\ndone: no\n---\n"));
        parsed.frontmatter.map(|f| (f.assignee.to_string(), f.profile))
    };
    let plain = |name: &str| Some((name.to_owned(), None));
    assert_eq!(assignee("CODEX"), plain("codex"));
    assert_eq!(assignee("'  opencode '"), plain("opencode"));
    assert_eq!(assignee("User"), plain("user"));
    assert_eq!(assignee("hermes-m4-pma"), Some(("hermes".to_owned(), Some("m4-pma".to_owned()))));
    assert_eq!(assignee("bogus"), None);
}

#[test]
fn whatever_is_wrong_is_named_with_its_place() {
    check("", Code::FileEmpty, 1, 1);
    check("hello\n", Code::FrontmatterMissing, 1, 1);
    check("---\nagent: codex\ndone: false\n", Code::FrontmatterUnclosed, 1, 1);
    check("---\n- a\n---\n", Code::FrontmatterNotMapping, 2, 1);
    check("---\nabc\n---\n", Code::FrontmatterNotMapping, 2, 1);
    check("---\n---\n", Code::FrontmatterNotMapping, 2, 1);
    check("---\ndone: false\n---\n", Code::AgentMissing, 2, 1);
    check("---\nagent: no\ndone: false\n---\n", Code::AgentMissing, 2, 8);
    check("---\nagent: bogus\ndone: false\n---\n", Code::AgentUnknown, 2, 8);
    check("---\nagent: codex\n---\n", Code::DoneMissing, 2, 1);
    for value in ["\"false\"", "0", "1", "maybe", "null", "[]", "~", ".nan", "2024-01-01"] {
        check(format!("---\nagent: codex\ndone: {value}\n---\n"), Code::DoneNotBoolean, 3, 7);
    }
    for value in ["yes", "no", "On", "OFF"] {
        check(format!("---\nagent: codex\ndone: {value}\n---\n"), Code::DoneOldBoolean, 3, 7);
    }
    check(with("done: true"), Code::KeyDuplicate, 4, 1);
    check(with("ticket_id: a b"), Code::TicketIdInvalid, 4, 12);
    check(with("ticket_id: short"), Code::TicketIdInvalid, 4, 12);
    check(with("profile: '  '"), Code::ProfileInvalid, 4, 10);
    check(with("profile: 42"), Code::ProfileInvalid, 4, 10);
    check(with("title: 42"), Code::ValueIgnored, 4, 8);
    check(with("context: x"), Code::ContextInvalid, 4, 10);
    check(with("context: [{path: ../x}]"), Code::ContextOutside, 4, 18);
    check(with("context: [{path: /x}]"), Code::ContextOutside, 4, 18);
    check(with("context: [{path: 'a\\b'}]"), Code::ContextOutside, 4, 18);
    check(with("context: [{path: a, max_bytes: 0}]"), Code::ContextInvalid, 4, 32);
    check(with("context: [{path: a, required: 'yes'}]"), Code::ContextInvalid, 4, 31);
    check(with("verify: x"), Code::VerifyInvalid, 4, 9);
    check(with("verify: [{run: x, timeout: soon}]"), Code::VerifyInvalid, 4, 28);
    check(with("verify: [{run: x, dir: ../y}]"), Code::VerifyInvalid, 4, 24);
    check(with("verify: [{rum: x}]"), Code::VerifyInvalid, 4, 11);
    check(with("protect: x"), Code::ProtectInvalid, 4, 10);
    check(with("require_commit: maybe"), Code::RequireCommitInvalid, 4, 17);
    check(with("a: &x 1"), Code::YamlAnchor, 4, 7);
    check(with("a: !!python/object:x {}"), Code::YamlTag, 4, 4);
    check(with("<<: {a: 1}"), Code::YamlMergeKey, 4, 1);
    check(with("? [a]\n: b"), Code::KeyNotText, 4, 3);
    check(with("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x"), Code::ConflictMarker, 4, 1);
    check(with("a: \u{1b}[31m"), Code::ControlCharacter, 4, 4);
    check(with("title: \u{202e}x"), Code::HiddenCharacter, 4, 8);
}

#[test]
fn bytes_that_are_not_utf8_text_are_errors() {
    check(b"---\nagent: codex\ntitle: caf\xe9\n---\n", Code::EncodingInvalid, 3, 11);
    let utf16: Vec<u8> = with("").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(codes(&utf16), [Code::EncodingUtf16]);
    assert_eq!(codes([b"\xff\xfe".as_slice(), &utf16].concat()), [Code::EncodingUtf16]);
    assert!(codes(with("a: \0")).contains(&Code::NulByte));
    assert_eq!(codes(vec![b'x'; 10 << 20]), [Code::FileTooLarge]);
    assert_eq!(codes(with(&format!("a: {}", "x".repeat(70_000)))), [Code::FrontmatterTooLarge]);
    let bom = format!("\u{feff}{}", with(""));
    check(&bom, Code::ByteOrderMark, 1, 1);
}

#[test]
fn fences_are_found_where_car_finds_them() {
    for text in [
        "--- \nagent: codex\ndone: false\n---\nbody",
        "---\nagent: codex\ndone: false\n...\nbody",
        "---\r\nagent: codex\r\ndone: false\r\n---\r\nbody",
        "---\ragent: codex\rdone: false\r---\rbody",
    ] {
        let parsed = read(text);
        assert_eq!((parsed.issues, parsed.body.as_str()), (vec![], "body"), "{text:?}");
    }
}

#[test]
fn an_invalid_ticket_still_shows_its_outline() {
    let parsed = read("---\ntitle: T\nagent: bogus\ndone: true\nticket_id: tkt_abc\n---\nbody");
    assert!(!parsed.is_valid() && !parsed.is_done());
    assert_eq!(parsed.outline.title.as_deref(), Some("T"));
    assert_eq!(parsed.outline.done, Some(true));
    assert_eq!(parsed.outline.ticket_id.as_deref(), Some("tkt_abc"));
    assert_eq!(parsed.body, "body");
}

#[test]
fn identities_are_those_of_car() {
    assert_eq!(effective_id(Some("tkt_x12"), "any"), "tkt_x12");
    // sha256 of the path, first half.
    assert_eq!(
        effective_id(None, ".codex-autorunner/tickets/TICKET-001.md"),
        AUTO_ID_OF_TICKET_001
    );
}

const AUTO_ID_OF_TICKET_001: &str = "tkt_auto_9c8f82fd9f33792ab45735599281f846";

#[test]
fn names_are_sorted_into_tickets_and_others() {
    let number = |name: &str| match queue::classify(name) {
        queue::Name::Ticket(ticket) => Some(ticket.number),
        queue::Name::Ignored | queue::Name::Foreign => None,
    };
    assert_eq!(number("TICKET-001.md"), Some(1));
    assert_eq!(number("ticket-009-foo.md"), Some(9));
    assert_eq!(number("TICKET-0006.MD"), Some(6));
    assert_eq!(number("TICKET-1234567 ü.md"), Some(1_234_567));
    for name in [
        "TICKET-10.md",
        "TICKET-001.txt",
        "notes.md",
        "-001.md",
        // CAR renames by way of such names; one that was left behind is a ticket that went missing.
        "TICKET-001.md.tmp-move",
        "TICKET-001\n.md",
    ] {
        assert_eq!(queue::classify(name), queue::Name::Foreign, "{name}");
    }
    assert_eq!(queue::classify(&format!("TICKET-{}.md", "9".repeat(20))), queue::Name::Foreign);
    for name in [
        ".TICKET-001.md.swp",
        "TICKET-001.md~",
        "#TICKET-001.md#",
        "TICKET-001.md.tmp",
        ".#x",
        "AGENTS.md",
        "ingest_state.json",
    ] {
        assert_eq!(queue::classify(name), queue::Name::Ignored, "{name}");
    }
}

/// The plan as `from>to` with the word TICKET- and .md left out.
fn plan(plan: Result<Vec<queue::Rename>, queue::PlanError>) -> String {
    let short = |name: &str| name.trim_start_matches("TICKET-").trim_end_matches(".md").to_owned();
    match plan {
        Ok(plan) => plan
            .iter()
            .map(|rename| format!("{}>{}", short(&rename.from), short(&rename.to)))
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn plans_say_who_moves_where() {
    let names =
        ["TICKET-005.md", "TICKET-001.md", "TICKET-004-x.md", "TICKET-0006.md", "AGENTS.md"];
    assert_eq!(plan(queue::insert_gap(&names, 4, 2)), "004-x>006-x 005>007 0006>0008");
    assert_eq!(plan(queue::renumber(&names)), "004-x>002-x 005>003 0006>0004");
    assert_eq!(plan(queue::move_block(&names, 4, 5, 1)), "004-x>001-x 005>002 001>003 0006>0004");
    assert_eq!(plan(queue::make_room(&names, 1)), "001>002");
    assert_eq!(plan(queue::make_room(&names, 2)), "");
    assert_eq!(plan(queue::move_to(&names, 6, 4)), "004-x>005-x 005>006 0006>0004");
    assert_eq!(plan(queue::move_to(&names, 1, 9)), "001>009");
    assert!(plan(queue::insert_gap(&names, 7, 1)).contains("no ticket 007"));
    assert!(plan(queue::move_block(&names, 2, 2, 1)).contains("no ticket 002"));
    assert!(plan(queue::move_block(&names, 1, 1, 5)).contains("1 to 4"));
    assert_eq!(queue::lowest_free(names), 2);
    assert_eq!(queue::next_after_last(names), 7);
    let twice = ["TICKET-001.md", "TICKET-001-dup.md"];
    let message = plan(queue::renumber(&twice));
    assert!(
        message.contains("TICKET-001-dup.md") && message.contains("TICKET-001.md"),
        "{message}"
    );
}

#[test]
fn clashes_in_a_directory_name_every_file() {
    let listed = |name, ticket_id| Listed { name, ticket_id };
    let issues = check_directory(&[
        listed("TICKET-001.md", Some("tkt_aa")),
        listed("TICKET-002.md", None),
        listed("ticket-0001-dup.md", None),
        listed("TICKET-003.md", Some("tkt_aa")),
        listed("notes.md", None),
    ]);
    let found: Vec<_> =
        issues.iter().map(|(files, issue)| (files.as_slice(), issue.code)).collect();
    assert_eq!(
        found,
        [([0, 2].as_slice(), Code::NumberDuplicate), ([0, 3].as_slice(), Code::TicketIdDuplicate)]
    );
    assert!(issues[0].1.message.contains("`TICKET-001.md`, `ticket-0001-dup.md`"));
}

#[test]
fn only_the_value_of_done_changes() {
    for (before, after) in [
        (
            "---\nagent: codex # who\ndone:   false   # state\n\n---\nx",
            "---\nagent: codex # who\ndone:   true   # state\n\n---\nx",
        ),
        (
            "---\r\ndone: \"false\"\r\nagent: codex\n---\r\nx\r",
            "---\r\ndone: true\r\nagent: codex\n---\r\nx\r",
        ),
        ("---\n{agent: codex, done: false}\n---\n", "---\n{agent: codex, done: true}\n---\n"),
        ("---\nagent: bogus\ndone:\n---\n", "---\nagent: bogus\ndone: true\n---\n"),
        ("---\nagent: codex\ndone: # later\n---\n", "---\nagent: codex\ndone: true # later\n---\n"),
        ("---\nagent: codex\n# end\n\n---\n", "---\nagent: codex\n# end\ndone: true\n\n---\n"),
        (
            "---\nnested: {done: false}\ndone: no\n---",
            "---\nnested: {done: false}\ndone: true\n---",
        ),
        ("---\ndone: yes\n---", "---\ndone: yes\n---"),
        ("---\n\"done\" : 0\n---\n", "---\n\"done\" : true\n---\n"),
    ] {
        let changed = set_done(before.as_bytes(), true).map(|b| String::from_utf8(b).unwrap());
        assert_eq!(changed.as_deref(), Ok(after));
    }
}

#[test]
fn an_edit_that_would_have_to_guess_is_refused() {
    for text in [
        "no frontmatter",
        "---\ndone: false\n",
        "---\ndone: false\ndone: true\n---\n",
        "---\ndone: [false]\n---\n",
        "---\ndone: >\n  false\n---\n",
        "---\n{agent: x}\n---\n",
        "---\ndone: &a false\n---\n",
        "\u{feff}---\ndone: false\n---\n",
        "---\n- done\n---\n",
    ] {
        assert!(set_done(text.as_bytes(), true).is_err(), "{text:?}");
    }
    assert!(set_done(b"---\ndone: false\n---\n\xff", true).is_err());
}

#[test]
fn text_fields_keep_their_quotes() {
    let set = |text: &str, value: &str| {
        let after = set_field(text.as_bytes(), "title", FieldValue::Text(value)).unwrap();
        String::from_utf8(after).unwrap()
    };
    assert_eq!(set("---\ntitle: 'a'\n---\n", "it's"), "---\ntitle: 'it''s'\n---\n");
    assert_eq!(set("---\ntitle: \"a\"\n---\n", "b \"c\""), "---\ntitle: \"b \\\"c\\\"\"\n---\n");
    assert_eq!(set("---\ntitle: a\n---\n", "yes"), "---\ntitle: 'yes'\n---\n");
    assert_eq!(set("---\ntitle: a\n---\n", "a: b # c"), "---\ntitle: 'a: b # c'\n---\n");
    assert_eq!(set("---\ntitle: a\n---\n", "x\ny"), "---\ntitle: \"x\\ny\"\n---\n");
    assert_eq!(set("---\r\na: 1\r\n---\r\n", "t"), "---\r\na: 1\r\ntitle: t\r\n---\r\n");
}

#[test]
fn a_field_goes_with_its_line_and_nothing_else() {
    let gone = |text: &str| {
        remove_field(text.as_bytes(), "model").map(|after| String::from_utf8(after).unwrap())
    };
    for (before, after) in [
        ("---\na: 1\nmodel: x # why\n# note\nb: 2\n---\nB\n", "---\na: 1\n# note\nb: 2\n---\nB\n"),
        ("---\na: 1\nmodel:\n---\n", "---\na: 1\n---\n"),
        ("---\r\nmodel: x\r\na: 1\r\n---\r\n", "---\r\na: 1\r\n---\r\n"),
        ("---\na: 1\n---\nmodel: x\n", "---\na: 1\n---\nmodel: x\n"),
    ] {
        assert_eq!(gone(before).unwrap(), after);
    }
    for refused in [
        "---\na: 1\nmodel: |\n  x\n---\n",
        "---\na: 1\nmodel:\n  - x\n---\n",
        "---\na: 1\nmodel: [x]\n---\n",
        "---\na: 1\nmodel: x\n  y\n---\n",
        "---\n{a: 1, model: x}\n---\n",
        "---\nmodel: x\n---\n",
    ] {
        assert!(gone(refused).is_err(), "{refused}");
    }
}

#[test]
fn safe_repairs_repair() {
    for (before, after) in [
        ("\u{feff}---\nagent: codex\ndone: no\n---\n", "---\nagent: codex\ndone: false\n---\n"),
        ("\n \n---\nagent: codex\ndone: false\n---\n", "---\nagent: codex\ndone: false\n---\n"),
        ("---\nagent: codex\ndone: 'True'\n---\n", "---\nagent: codex\ndone: true\n---\n"),
        (
            "---\nagent: codex\ndone: false\n\n# Title\n",
            "---\nagent: codex\ndone: false\n---\n\n# Title\n",
        ),
        ("---\r\nagent: codex\r\ndone: false", "---\r\nagent: codex\r\ndone: false\r\n---\r\n"),
    ] {
        let parsed = read(before);
        let repaired = fix(before.as_bytes(), &parsed.issues).unwrap();
        assert_eq!(String::from_utf8(repaired.clone()).unwrap(), after);
        assert!(read(repaired).is_valid());
    }
    for text in ["---\nagent: bogus\ndone: 0\n---\n", "", "---\nsome text\n", with("").as_str()] {
        assert!(fix(text.as_bytes(), &read(text).issues).is_err(), "{text:?}");
    }
}

#[test]
fn a_verification_note_comes_and_goes() {
    let note = VerificationNote {
        command: "cargo test\n--x".to_owned(),
        outcome: "exit code 1".to_owned(),
        tail: "```\n<!-- /car:verification -->\n\u{1b}[31mfailed ````\n---".to_owned(),
    };
    for text in [with(""), with("").trim_end().to_owned(), with("").replace('\n', "\r\n")] {
        let noted = set_verification_note(text.as_bytes(), Some(&note)).unwrap();
        let parsed = read(&noted);
        assert_eq!(parsed.issues, []);
        assert!(parsed.body.contains("## Verification") && parsed.body.contains("`````text"));
        let again = set_verification_note(&noted, Some(&note)).unwrap();
        assert_eq!(again, noted);
        assert_eq!(set_verification_note(&again, None).unwrap(), text.as_bytes());
    }
    assert_eq!(set_verification_note(b"x", None).unwrap(), b"x");
}

#[test]
fn text_behind_a_note_survives_its_removal() {
    let note =
        VerificationNote { command: "x".to_owned(), outcome: "y".to_owned(), tail: String::new() };
    for text in ["---\n---\nbody", "---\n---\nbody\n"] {
        let mut noted = set_verification_note(text.as_bytes(), Some(&note)).unwrap();
        noted.extend_from_slice(b"more\n");
        let removed = set_verification_note(&noted, None).unwrap();
        assert_eq!(String::from_utf8(removed).unwrap(), "---\n---\nbody\nmore\n");
    }
}

#[test]
fn a_new_ticket_is_valid_and_says_what_was_asked() {
    let draft = TicketDraft {
        title: Some("Fix #123: yes".to_owned()),
        agent: "codex".to_owned(),
        ticket_id: "tkt_0123456789abcdef0123456789abcdef".to_owned(),
        goal: Some("Make it work".to_owned()),
        body: None,
        verify: vec!["cargo test -- 'a: b'".to_owned()],
        context: vec![
            ContextEntry { path: "docs/a b.md".to_owned(), max_bytes: Some(10), required: true },
            ContextEntry { path: "x".to_owned(), max_bytes: None, required: false },
        ],
        fields: vec![
            ("model".to_owned(), DraftValue::Text("a/b".to_owned())),
            ("seen".to_owned(), DraftValue::Bool(true)),
        ],
    };
    let parsed = read(new_ticket(&draft));
    assert_eq!(parsed.issues, []);
    assert_eq!(parsed.body, "\n## Goal\n\nMake it work\n");
    let ticket = parsed.frontmatter.unwrap();
    assert_eq!(ticket.title.as_deref(), Some("Fix #123: yes"));
    assert_eq!(ticket.model.as_deref(), Some("a/b"));
    assert_eq!(ticket.context, draft.context);
    assert_eq!(ticket.extra, [("seen".to_owned(), serde_json::Value::Bool(true))]);
    assert_eq!(ticket.verify.unwrap()[0].run, "cargo test -- 'a: b'");
    assert!(!ticket.done);
}

#[test]
fn codes_are_kebab_case_and_distinct() {
    let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    for code in Code::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Code::ALL.len());
}

/// Text made of the pieces that matter to a parser of tickets.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "---",
        "\n",
        "\r\n",
        "\r",
        "agent: codex",
        "done: false",
        "done: no",
        "title: 'x'",
        " # c",
        "title: \"é\"",
        "...",
        "key:",
        "- a",
        "{",
        "}",
        "[",
        "]",
        "&a",
        "*a",
        "!t",
        "<<: ",
        " ",
        "\t",
        "\u{feff}",
        "\0",
        ">",
        "|",
        ": ",
        "text",
        "'",
        "\"",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_can_be_parsed(name in "\\PC{0,20}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let parsed = parse(&name, &bytes, &agents());
        prop_assert_eq!(parsed.is_valid(), parsed.errors().count() == 0);
    }

    #[test]
    fn an_edit_keeps_every_other_byte(text in pieces(), done: bool) {
        let text = format!("---\nagent: codex\n{text}");
        if let Ok(after) = set_done(text.as_bytes(), done) {
            let again = set_done(&after, done).unwrap();
            prop_assert_eq!(&again, &after);
            // What remains after taking off what both share at either end is the value.
            let before = text.as_bytes();
            let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
            let longest = before.len().min(after.len()) - head;
            let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count().min(longest);
            prop_assert!(after.len() - head - tail <= "done: false\r\n".len());
            prop_assert!(!before[head..before.len() - tail].contains(&b'\n'));
        }
    }

    #[test]
    fn repairs_never_break_a_ticket(text in pieces()) {
        let parsed = read(&text);
        if let (true, Ok(after)) = (parsed.is_valid(), fix(text.as_bytes(), &parsed.issues)) {
            prop_assert!(read(after).is_valid());
        }
    }

    #[test]
    fn titles_of_any_kind_can_be_set(title in "\\PC{1,30}") {
        let after = set_field(with("title: x").as_bytes(), "title", FieldValue::Text(&title)).unwrap();
        let read = read(after).outline.title;
        prop_assert_eq!(read.unwrap_or_default(), title.trim());
    }
}
