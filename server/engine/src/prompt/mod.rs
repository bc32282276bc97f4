//! The prompt of a turn: tagged sections in a fixed order, within a budget of bytes.

#[cfg(test)]
mod tests;

use car_api::{turn::TurnPurpose, verify::VerifyCommand};
use minijinja::{Environment, context};

/// The built-in template; a hub or a repo may override it.
pub const TEMPLATE: &str = include_str!("turn.md.j2");

/// Longest contextspace document that goes into a prompt, in characters.
pub const MAX_DOC_CHARS: usize = 4_000;
/// Longest reference to the previous ticket, in bytes.
pub const MAX_PREVIOUS_TICKET_BYTES: usize = 16_384;
/// Budget when none is configured, in bytes.
pub const DEFAULT_MAX_BYTES: usize = 5 * 1024 * 1024;

/// What stands where text was left out.
pub const TRUNCATED: &str = "\n\n[... TRUNCATED ...]\n\n";

/// Everything a prompt can say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PromptInput {
    /// Why the agent is asked.
    pub purpose: Option<TurnPurpose>,
    /// Whether the agent's conversation about this ticket goes on.
    pub continuing: bool,
    /// Whether the turn before was cut off.
    pub interrupted: bool,
    /// The ticket's path, relative to the tree.
    pub ticket_path: String,
    /// The ticket's whole text.
    pub ticket: String,
    /// Where attachments of a dispatch go.
    pub dispatch_dir: String,
    /// Where the dispatch goes.
    pub dispatch_file: String,
    /// What the purpose needs said: status lines, lint errors, the verification's report.
    pub note: Option<String>,
    /// Turns left for that purpose.
    pub tries_left: u32,
    /// Why the last checkpoint failed.
    pub checkpoint_warning: Option<String>,
    /// Whether the last turn changed nothing.
    pub loop_guard: bool,
    /// What the hub will run to check the claim of being done.
    pub verify: Vec<VerifyCommand>,
    /// Globs of protected files.
    pub protect: Vec<String>,
    /// Contextspace documents: name and text.
    pub docs: Vec<(String, String)>,
    /// Files the ticket asks for: path and text, or why it is not there.
    pub requested: Vec<(String, String)>,
    /// Replies the agent has not seen.
    pub replies: Vec<ReplyText>,
    /// The previous ticket's text.
    pub previous_ticket: Option<String>,
    /// The agent's last message in an earlier conversation about this ticket.
    pub previous_output: Option<String>,
}

/// A reply as the prompt shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplyText {
    /// Its number.
    pub seq: u32,
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub body: String,
    /// Paths of its attachments, relative to the tree.
    pub attachments: Vec<String>,
}

/// The template cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the prompt template cannot be used: {0}")]
pub struct TemplateError(#[from] minijinja::Error);

/// The parts that can be cut, in the order they are cut.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    PreviousOutput,
    PreviousTicket,
    Replies,
    Requested,
    Docs,
    Ticket,
}

const CUT_ORDER: [Part; 6] = [
    Part::PreviousOutput,
    Part::PreviousTicket,
    Part::Replies,
    Part::Requested,
    Part::Docs,
    Part::Ticket,
];

struct Parts {
    previous_output: String,
    previous_ticket: String,
    replies: String,
    requested: String,
    docs: String,
    ticket: String,
}

impl Parts {
    fn get(&mut self, part: Part) -> &mut String {
        match part {
            Part::PreviousOutput => &mut self.previous_output,
            Part::PreviousTicket => &mut self.previous_ticket,
            Part::Replies => &mut self.replies,
            Part::Requested => &mut self.requested,
            Part::Docs => &mut self.docs,
            Part::Ticket => &mut self.ticket,
        }
    }
}

/// Builds a prompt of at most `max_bytes` bytes, as far as the fixed text allows that. Over the
/// budget, parts are cut in a fixed order; the ticket's frontmatter survives whole.
///
/// # Errors
/// The template does not parse or asks for something that is not there.
pub fn build(
    template: &str,
    input: &PromptInput,
    max_bytes: usize,
) -> Result<String, TemplateError> {
    let mut environment = Environment::new();
    environment.add_template("turn", template)?;
    let template = environment.get_template("turn")?;
    let mut parts = Parts {
        previous_output: input.previous_output.clone().unwrap_or_default(),
        previous_ticket: input
            .previous_ticket
            .as_deref()
            .map(|text| cut_to(text, MAX_PREVIOUS_TICKET_BYTES))
            .unwrap_or_default(),
        replies: replies(&input.replies),
        requested: listing(&input.requested, usize::MAX),
        docs: listing(&input.docs, MAX_DOC_CHARS),
        ticket: input.ticket.clone(),
    };
    let mut text = render(&template, input, &parts)?;
    for part in CUT_ORDER {
        if text.len() <= max_bytes {
            break;
        }
        let over = text.len() - max_bytes;
        let keep_head = if part == Part::Ticket { frontmatter_len(&parts.ticket) } else { 0 };
        let section = parts.get(part);
        if section.is_empty() {
            continue;
        }
        let budget = section.len().saturating_sub(over).max(keep_head);
        *section = cut_keeping(section, keep_head, budget);
        text = render(&template, input, &parts)?;
    }
    Ok(text)
}

fn render(
    template: &minijinja::Template<'_, '_>,
    input: &PromptInput,
    parts: &Parts,
) -> Result<String, TemplateError> {
    let note_for =
        |purpose: TurnPurpose| input.note.as_deref().filter(|_| input.purpose == Some(purpose));
    let verify: Vec<String> = input.verify.iter().map(|command| command.run.clone()).collect();
    Ok(template.render(context! {
        continuing => &input.continuing,
        interrupted => input.interrupted,
        ticket_path => &input.ticket_path,
        dispatch_dir => &input.dispatch_dir,
        dispatch_file => &input.dispatch_file,
        checkpoint_warning => &input.checkpoint_warning,
        commit_required => note_for(TurnPurpose::Commit),
        verify_failed => note_for(TurnPurpose::VerifyFix),
        lint_errors => note_for(TurnPurpose::LintRepair),
        tries_left => &input.tries_left,
        loop_guard => &input.loop_guard,
        verify => verify,
        protect => &input.protect,
        docs => &parts.docs,
        requested => &parts.requested,
        replies => &parts.replies,
        previous_ticket => &parts.previous_ticket,
        ticket => &parts.ticket,
        previous_output => &parts.previous_output,
    })?)
}

fn listing(entries: &[(String, String)], max_chars: usize) -> String {
    let entries = entries.iter().filter(|(_, text)| !text.trim().is_empty());
    let blocks: Vec<String> = entries
        .map(|(name, text)| {
            let end = text.char_indices().nth(max_chars).map(|(at, _)| at);
            match end {
                Some(end) => format!("[{name}]\n{}{TRUNCATED}", &text[..end]),
                None => format!("[{name}]\n{}", text.trim_end()),
            }
        })
        .collect();
    blocks.join("\n\n")
}

fn replies(replies: &[ReplyText]) -> String {
    let blocks: Vec<String> = replies
        .iter()
        .map(|reply| {
            let mut block = format!("[USER_REPLY {:04}]", reply.seq);
            if let Some(title) = &reply.title {
                block.push_str(&format!("\nTitle: {title}"));
            }
            block.push_str(&format!("\n{}", reply.body.trim_end()));
            for path in &reply.attachments {
                block.push_str(&format!("\nAttachment: {path}"));
            }
            block
        })
        .collect();
    blocks.join("\n\n")
}

/// Length of the frontmatter with its fences; 0 without one.
fn frontmatter_len(ticket: &str) -> usize {
    let mut at = 0;
    for (number, line) in ticket.split_inclusive('\n').enumerate() {
        at += line.len();
        let fence = line.trim_end();
        match number {
            0 if fence != "---" => return 0,
            0 => {}
            _ if fence == "---" || fence == "..." => return at,
            _ => {}
        }
    }
    0
}

fn cut_to(text: &str, max: usize) -> String {
    if text.len() <= max { text.to_owned() } else { cut_keeping(text, 0, max) }
}

/// Cuts `text` to `budget` bytes, keeping its first `head` bytes whole, never splitting a
/// character, with a marker where text is missing when there is room for it.
fn cut_keeping(text: &str, head: usize, budget: usize) -> String {
    if text.len() <= budget {
        return text.to_owned();
    }
    let room = budget.saturating_sub(TRUNCATED.len()).max(head);
    let end = floor(text, room);
    let marker_room = floor(TRUNCATED, budget.saturating_sub(end));
    format!("{}{}", &text[..end], &TRUNCATED[..marker_room])
}

/// The largest character boundary not above `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
