//! What a template gives to the ticket that is made of it.

use super::frontmatter::{self, ContextEntry};
use super::issue::{Code, Issue, Severity};
use super::source::{Source, Split};

/// How much of a summary is kept, in characters.
const SUMMARY: usize = 200;

/// What is taken over from a template. Nothing else in it reaches a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateText {
    /// `title`, else the first heading.
    pub title: Option<String>,
    /// `summary` or `description`, else the goal, else the first paragraph, as one line.
    pub summary: Option<String>,
    /// `goal`.
    pub goal: Option<String>,
    /// `context`.
    pub context: Vec<ContextEntry>,
    /// The text behind the frontmatter.
    pub body: String,
    /// Fields that a template may not set, in the order written.
    pub dropped: Vec<String>,
}

/// Reads a template: a markdown file, with or without frontmatter.
///
/// # Errors
/// It is not text, or its frontmatter cannot be read: the line and what is wrong with it.
pub fn read_template(bytes: &[u8]) -> Result<TemplateText, (usize, String)> {
    let mut issues = Vec::new();
    // A byte order mark does no harm here: it does not reach a ticket.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let source = Source::read(bytes, &mut issues);
    let mut text = TemplateText { body: source.body().to_owned(), ..TemplateText::default() };
    match source.split() {
        // A file without frontmatter is a good template: only what is wrong with its characters
        // counts, and that would be in the ticket as well.
        Split::Unfenced => issues.retain(|issue| !is_about_fences(issue)),
        Split::Fenced { .. } => {
            let empty = source.yaml().trim().is_empty();
            if !empty && let Some(root) = source.document(&mut issues) {
                let given = frontmatter::given(&source, &root, &mut issues);
                text.title = given.title;
                text.goal = given.goal;
                text.summary = given.summary;
                text.context = given.context;
                text.dropped = given.others;
            }
        }
        Split::Unclosed { .. } | Split::Refused => {}
    }
    if let Some(wrong) = issues.iter().find(|issue| issue.severity() == Severity::Error) {
        return Err((wrong.line, wrong.message.clone()));
    }
    text.title = text.title.or_else(|| heading(&text.body)).map(|title| one_line(&title));
    let summary = text.summary.as_deref().or(text.goal.as_deref()).map(str::to_owned);
    text.summary = summary.or_else(|| paragraph(&text.body)).map(|summary| one_line(&summary));
    Ok(text)
}

fn is_about_fences(issue: &Issue) -> bool {
    matches!(issue.code, Code::FrontmatterMissing | Code::FileEmpty)
}

fn heading(body: &str) -> Option<String> {
    let line = body.lines().map(str::trim).find(|line| line.starts_with('#'))?;
    let text = line.trim_start_matches('#').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn paragraph(body: &str) -> Option<String> {
    let plain = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with(['#', '`', '<', '~', '|', '-'])
    };
    let lines = body.lines().skip_while(|line| !plain(line)).take_while(|line| plain(line));
    let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The text without line ends and other control characters, cut where it is too long for a list.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SUMMARY) {
        Some((at, _)) => format!("{}…", words.get(..at).unwrap_or_default()),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{DraftValue, KnownAgents, TicketDraft, new_ticket, parse};
    use super::*;

    proptest! {
        /// Whatever a template says, a ticket made of it says no more than it may.
        #[test]
        fn nothing_but_what_may_be_taken_reaches_a_ticket(
            fields in proptest::collection::vec("(title|goal|summary|context|verify|model|env|agent|done|x): ?(\\PC{0,30}|\\[a, b\\]|\"[a-z\\\\n\\\\t:#]{0,20}\"|\\|\n  [a-z: -]{1,20})", 0..6),
            body in "(\\PC|\n|---\n|verify:\n){0,60}",
        ) {
            let text = format!("---\n{}\n---\n{body}", fields.join("\n"));
            if let Ok(given) = read_template(text.as_bytes()) {
                let goal = given.goal.map(|goal| ("goal".to_owned(), DraftValue::Text(goal)));
                let draft = TicketDraft {
                    title: given.title.clone(),
                    agent: "codex".to_owned(),
                    ticket_id: "tkt_unnamed".to_owned(),
                    body: Some(given.body).filter(|body| !body.trim().is_empty()),
                    context: given.context,
                    fields: goal.into_iter().collect(),
                    ..TicketDraft::default()
                };
                let ticket = parse("TICKET-001.md", &new_ticket(&draft), &KnownAgents::any());
                let made = ticket.frontmatter.clone();
                prop_assert!(made.is_some(), "{:?} of {text:?}", ticket.issues);
                let made = made.into_iter().next().unwrap();
                prop_assert_eq!(made.title, given.title);
                prop_assert_eq!((made.verify, made.model, made.done), (None, None, false));
                prop_assert_eq!(made.extra, vec![]);
            }
        }
    }

    fn read(text: &str) -> TemplateText {
        read_template(text.as_bytes()).unwrap()
    }

    #[test]
    fn title_goal_body_and_context_are_taken_and_the_rest_is_named() {
        let text = read(
            "---\ntitle: \"Mend: it\"\nsummary: What it is for\ngoal: All green\nagent: opencode\n\
             done: true\nmodel: big\nverify:\n  - rm -rf /\nenv: {A: b}\napproval_mode: yolo\n\
             context:\n  - path: docs/a.md\n    max_bytes: 7\n    required: true\n---\n\nThe body.\n",
        );
        assert_eq!(text.title.as_deref(), Some("Mend: it"));
        assert_eq!(text.summary.as_deref(), Some("What it is for"));
        assert_eq!(text.goal.as_deref(), Some("All green"));
        assert_eq!(text.body, "\nThe body.\n");
        assert_eq!(text.dropped, ["agent", "model", "verify", "env", "approval_mode"]);
        let path = "docs/a.md".to_owned();
        assert_eq!(text.context, [ContextEntry { path, max_bytes: Some(7), required: true }]);
    }

    #[test]
    fn a_plain_file_is_a_template() {
        let text = read("# A  heading\n\nFirst\nparagraph.\n\nSecond.\n");
        assert_eq!(text.title.as_deref(), Some("A heading"));
        assert_eq!(text.summary.as_deref(), Some("First paragraph."));
        assert!(text.body.starts_with("# A  heading"));
        let plain = read("Just this.\n");
        assert_eq!((plain.title, plain.summary.as_deref()), (None, Some("Just this.")));
        assert_eq!(read("---\n---\nx\n").summary.as_deref(), Some("x"));
        assert_eq!(read("").title, None);
        let long = read(&"word ".repeat(100)).summary.unwrap();
        assert_eq!(long.chars().count(), SUMMARY + 1);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        for (text, line) in [
            (&b"---\ntitle: [\n---\n"[..], 2),
            (b"---\ntitle: a\n", 1),
            (b"---\ncontext:\n  - path: ../../etc/passwd\n---\n", 3),
            (b"---\ncontext: /etc/passwd\n---\n", 2),
            (b"a\nb\xff\n", 2),
            (b"a\0b", 1),
        ] {
            let wrong = read_template(text).unwrap_err();
            assert_eq!(wrong.0, line, "{wrong:?} {}", String::from_utf8_lossy(text));
        }
    }
}
