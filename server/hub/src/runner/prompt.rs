//! Gathers what a prompt says.

use car_api::{context::ContextName, turn::TurnPurpose};
use car_engine::{
    flow::Work,
    prompt::{self, PromptInput, ReplyText},
    ticket::{CONTEXT_ENTRY_BYTES, CONTEXT_TOTAL_BYTES, KnownAgents, parse},
};
use car_files::{
    CAR_DIR, contextspace, replies,
    run_dir::{self, RunDir},
    tickets,
};

use super::actor::Actor;
use crate::{Error, Result, hub::blocking};

impl Actor {
    /// The prompt of the next turn, and the number of the last reply in it.
    pub(super) async fn prompt(
        &self,
        work: &Work,
        purpose: TurnPurpose,
        continuing: bool,
    ) -> Result<(String, u32)> {
        let options = &self.row.flow.options;
        let tries_left = match purpose {
            TurnPurpose::LintRepair => {
                options.max_lint_retries.saturating_sub(work.lint_retries) + 1
            }
            TurnPurpose::Commit => {
                options.max_commit_retries.saturating_sub(work.commit_retries) + 1
            }
            TurnPurpose::VerifyFix => {
                options.max_verify_retries.saturating_sub(work.verify_retries) + 1
            }
            TurnPurpose::Work | TurnPurpose::Continue => 0,
        };
        let mut input = PromptInput {
            purpose: Some(purpose),
            continuing,
            interrupted: purpose == TurnPurpose::Continue || work.continued,
            note: work.note.clone(),
            tries_left,
            checkpoint_warning: self.checkpoint_error.clone(),
            loop_guard: work.unchanged > 0,
            verify: work.brief.verify.clone(),
            protect: work.brief.protect.clone(),
            previous_output: self.last_message.clone().filter(|_| !continuing),
            ..PromptInput::default()
        };
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let file = work.ticket.file.clone();
        let replies_seen = self.row.flow.replies_seen;
        let previous = options.include_previous_ticket;
        let template = self.config.prompt_template.clone();
        let max_bytes = self.config.prompt_max_bytes;
        blocking(move || {
            let run_path = format!("{CAR_DIR}/runs/{run}");
            input.ticket_path = format!("{CAR_DIR}/{}/{file}", tickets::TICKETS_DIR);
            input.dispatch_dir = format!("{run_path}/{}", run_dir::DISPATCH_DIR);
            input.dispatch_file = format!("{run_path}/{}", run_dir::DISPATCH_FILE);
            let content = tickets::read_bytes(&tree, file.as_ref())?;
            let parsed = parse(&file, &content.bytes, &KnownAgents::any());
            input.ticket = String::from_utf8_lossy(&content.bytes).into_owned();
            if !continuing {
                for name in ContextName::ALL {
                    // A document that cannot be read is missing from the prompt, not a reason to stop.
                    let text = contextspace::read(&tree, *name).ok().flatten();
                    let text = text.map(|c| String::from_utf8_lossy(&c.bytes).into_owned());
                    input.docs.push((name.as_str().to_owned(), text.unwrap_or_default()));
                }
                if let Some(front) = &parsed.frontmatter {
                    input.requested = requested(&tree, &front.context);
                }
                if previous {
                    input.previous_ticket = previous_ticket(&tree, &file);
                }
            }
            let directory = RunDir::create(&tree, run.as_str())?;
            let mut last = replies_seen;
            for entry in replies::list_after(&directory, replies_seen)? {
                last = last.max(entry.seq);
                let Ok(reply) = entry.reply else { continue };
                let place = format!("{run_path}/{}/{:04}", run_dir::REPLY_HISTORY, entry.seq);
                input.replies.push(ReplyText {
                    seq: entry.seq,
                    title: reply.title,
                    body: reply.body,
                    attachments: entry
                        .attachments
                        .iter()
                        .map(|attachment| format!("{place}/{}", attachment.name))
                        .collect(),
                });
            }
            let template = template.as_deref().unwrap_or(prompt::TEMPLATE);
            let text = prompt::build(template, &input, max_bytes)
                .map_err(|error| Error::bad_request(error.to_string()))?;
            Ok((text, last))
        })
        .await
    }

    /// Number of the last reply a kept prompt has.
    pub(super) fn replies_in(&self, prompt: &str) -> u32 {
        // Only the hub's own section counts, and only replies there are: a ticket may hold anything.
        let section = prompt.split("\n<CAR_HUMAN_REPLIES>\n").nth(1).unwrap_or_default();
        let section = section.split("\n</CAR_HUMAN_REPLIES>").next().unwrap_or_default();
        let last = RunDir::open(&self.tree, self.row.id.as_str())
            .and_then(|run| replies::next_seq(&run))
            .map_or(0, |next| next.saturating_sub(1));
        section
            .split("\n[USER_REPLY ")
            .chain(section.strip_prefix("[USER_REPLY "))
            .filter_map(|rest| rest.get(..4)?.parse().ok())
            .max()
            .unwrap_or(self.row.flow.replies_seen)
            .min(last)
    }
}

fn requested(
    tree: &std::path::Path,
    context: &[car_engine::ticket::ContextEntry],
) -> Vec<(String, String)> {
    let mut left = CONTEXT_TOTAL_BYTES;
    let mut files = Vec::new();
    for entry in context {
        let cap = entry.max_bytes.unwrap_or(CONTEXT_ENTRY_BYTES).min(left);
        let text = match car_files::beneath::read_file(tree, entry.path.as_ref(), 8 << 20) {
            Ok(content) if content.bytes.contains(&0) => "(binary file)".to_owned(),
            Ok(content) => {
                let text = String::from_utf8_lossy(&content.bytes).into_owned();
                let cap = usize::try_from(cap).unwrap_or(usize::MAX);
                let mut end = cap.min(text.len());
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                left = left.saturating_sub(u64::try_from(end).unwrap_or(u64::MAX));
                let cut = if end < text.len() { prompt::TRUNCATED } else { "" };
                format!("{}{cut}", &text[..end])
            }
            Err(error) => format!("(not there: {error})"),
        };
        files.push((entry.path.clone(), text));
    }
    files
}

fn previous_ticket(tree: &std::path::Path, file: &str) -> Option<String> {
    let listing = tickets::scan_meta(tree).ok()?;
    let at = listing.iter().position(|meta| meta.name == *file)?;
    let before = listing.get(at.checked_sub(1)?)?;
    let content = tickets::read_bytes(tree, &before.name).ok()?;
    Some(String::from_utf8_lossy(&content.bytes).into_owned())
}
