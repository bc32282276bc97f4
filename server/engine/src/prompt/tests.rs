use car_api::verify::VerifyTree;
use proptest::prelude::*;

use super::*;

fn input() -> PromptInput {
    PromptInput {
        purpose: Some(TurnPurpose::Work),
        ticket_path: ".codex-autorunner/tickets/TICKET-001.md".into(),
        ticket: "---\nagent: codex\ndone: false\n---\n\nMake it blue.\n".into(),
        dispatch_dir: "runs/r/dispatch".into(),
        dispatch_file: "runs/r/DISPATCH.md".into(),
        verify: vec![VerifyCommand {
            run: "make check".into(),
            dir: None,
            timeout_s: 60,
            tree: VerifyTree::Worktree,
        }],
        docs: vec![("spec".into(), "S".repeat(50)), ("decisions".into(), "  \n".into())],
        replies: vec![ReplyText {
            seq: 3,
            title: None,
            body: "Use teal.".into(),
            attachments: vec![],
        }],
        previous_ticket: Some("P".repeat(500)),
        previous_output: Some("O".repeat(500)),
        ..PromptInput::default()
    }
}

fn built(input: &PromptInput, max: usize) -> String {
    build(TEMPLATE, input, max).unwrap()
}

#[test]
fn sections_stand_in_their_order() {
    let text = built(&input(), DEFAULT_MAX_BYTES);
    let tags = [
        "<CAR_TICKET_FLOW_PROMPT>",
        "<CAR_TICKET_FLOW_INSTRUCTIONS>",
        "- `make check`",
        "<CAR_RUNTIME_PATHS>",
        "<CAR_CONTEXTSPACE_DOCS>",
        "<CAR_HUMAN_REPLIES>",
        "[USER_REPLY 0003]",
        "<CAR_PREVIOUS_TICKET_REFERENCE>",
        "<CAR_CURRENT_TICKET_FILE>",
        "<CAR_PREVIOUS_AGENT_OUTPUT>",
        "</CAR_TICKET_FLOW_PROMPT>",
    ];
    let places: Vec<_> = tags.iter().map(|tag| text.find(tag).expect(tag)).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(!text.contains("[decisions]"), "an empty document is left out");
}

#[test]
fn a_note_goes_to_the_section_of_its_purpose() {
    for (purpose, tag) in [
        (TurnPurpose::Commit, "<CAR_COMMIT_REQUIRED>"),
        (TurnPurpose::VerifyFix, "<CAR_VERIFY_FAILED>"),
        (TurnPurpose::LintRepair, "<CAR_TICKET_FRONTMATTER_LINT_REPAIR>"),
    ] {
        let with = PromptInput { purpose: Some(purpose), note: Some("N0TE".into()), ..input() };
        let text = built(&with, DEFAULT_MAX_BYTES);
        let section = text.split(tag).nth(1).expect(tag);
        assert!(section.contains("N0TE"));
        assert_eq!(text.matches("N0TE").count(), 1);
    }
}

#[test]
fn parts_are_cut_in_order_and_an_exact_fit_is_untouched() {
    let whole = built(&input(), DEFAULT_MAX_BYTES);
    assert_eq!(built(&input(), whole.len()), whole);
    let less = built(&input(), whole.len() - 100);
    assert!(less.len() <= whole.len() - 100);
    assert!(less.contains(&"P".repeat(500)), "the previous output is cut first");
    assert!(!less.contains(&"O".repeat(500)));
    let tiny = built(&input(), 10);
    assert!(tiny.contains("agent: codex\ndone: false"), "the frontmatter survives whole");
    assert!(!tiny.contains("Make it blue"));
}

proptest! {
    #[test]
    fn no_budget_splits_a_character_or_is_exceeded(
        body in "\\PC{0,300}", output in "\\PC{0,300}", cut in 0usize..700,
    ) {
        let with = PromptInput {
            ticket: format!("---\nagent: a\ndone: false\n---\n{body}"),
            previous_output: Some(output),
            ..input()
        };
        let whole = built(&with, DEFAULT_MAX_BYTES);
        let floor = built(&with, 0).len();
        let budget = whole.len().saturating_sub(cut).max(floor);
        prop_assert!(built(&with, budget).len() <= budget);
    }
}
