//! The ticket a prompt is about, and the few edits an agent makes to it.

use std::path::{Path, PathBuf};

use crate::script::Dispatch;

/// What an agent reads out of a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The ticket's file as the prompt names it.
    pub ticket: Option<String>,
    /// Where a dispatch is to be written.
    pub dispatch: Option<String>,
    /// The prompt asks only for a commit of what is there.
    pub commit_only: bool,
}

/// Reads a prompt of the ticket flow, of this hub or of its Python predecessors.
#[must_use]
pub fn read(prompt: &str) -> Prompt {
    let section = ["<CAR_CURRENT_TICKET_FILE>\n", "<CAR_TICKET>\n"]
        .iter()
        .filter_map(|tag| prompt.rfind(tag))
        .max()
        .and_then(|at| prompt.get(at..));
    let path_line = |text: &str| {
        text.lines().find_map(|line| Some(line.trim().strip_prefix("PATH:")?.trim().to_owned()))
    };
    // The section of paths first: a ticket or an earlier answer may speak of other dispatches.
    let paths = prompt.rfind("<CAR_RUNTIME_PATHS>\n").and_then(|at| prompt.get(at..));
    let mut words =
        paths.unwrap_or(prompt).split(|c: char| c.is_whitespace() || "`'\"<>()".contains(c));
    Prompt {
        ticket: section.and_then(path_line).or_else(|| path_line(prompt)),
        dispatch: words.find(|word| word.ends_with("/DISPATCH.md")).map(str::to_owned),
        commit_only: prompt.contains("</CAR_COMMIT_REQUIRED>"),
    }
}

/// The path's name without `.md`.
pub(crate) fn stem(ticket: &str) -> &str {
    Path::new(ticket).file_stem().and_then(|stem| stem.to_str()).unwrap_or("ticket")
}

/// `path` within `cwd`, unless it is absolute.
pub(crate) fn within(cwd: &Path, path: &str) -> PathBuf {
    cwd.join(path)
}

/// Sets `done: true` in the frontmatter and touches nothing else.
///
/// # Errors
/// The file cannot be read or written, or has no `done:` in a frontmatter.
pub(crate) fn set_done(path: &Path) -> Result<(), String> {
    let told = |e: std::io::Error| format!("{}: {e}", path.display());
    let text = std::fs::read_to_string(path).map_err(told)?;
    let edited = with_done(&text).ok_or_else(|| format!("{}: no `done:`", path.display()))?;
    if edited == text {
        return Ok(());
    }
    replace(path, &edited)
}

/// Writes a dispatch.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn dispatch(path: &Path, dispatch: &Dispatch) -> Result<(), String> {
    let mut text = String::from("---\n");
    text.push_str(&format!("mode: {}\n", dispatch.mode.as_deref().unwrap_or("notify")));
    if let Some(title) = &dispatch.title {
        text.push_str(&format!("title: {}\n", serde_json::Value::from(title.as_str())));
    }
    text.push_str(&format!("---\n\n{}\n", dispatch.body));
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    replace(path, &text)
}

/// Whole or not at all: a reader never sees half a file, whenever this process is ended.
fn replace(path: &Path, text: &str) -> Result<(), String> {
    let told = |e: std::io::Error| format!("{}: {e}", path.display());
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    std::fs::write(&temporary, text).map_err(told)?;
    std::fs::rename(&temporary, path).map_err(told)
}

fn with_done(text: &str) -> Option<String> {
    let mut lines = text.split_inclusive('\n');
    let mut edited = String::with_capacity(text.len() + 4);
    let first = lines.next()?;
    (first.trim_end() == "---").then(|| edited.push_str(first))?;
    let mut found = false;
    let mut inside = true;
    for line in lines {
        let word = line.trim_end();
        if inside && (word == "---" || word == "...") {
            inside = false;
        }
        if inside && !found && line.starts_with("done:") {
            found = true;
            let ending = line.get(word.len()..).unwrap_or("\n");
            let comment = word.find(" #").and_then(|at| word.get(at..)).unwrap_or("");
            edited.push_str(&format!("done: true{comment}{ending}"));
        } else {
            edited.push_str(line);
        }
    }
    found.then_some(edited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_name_ticket_and_dispatch() {
        let prompt = "<CAR_RUNTIME_PATHS>\nDISPATCH.md path: .codex-autorunner/runs/r/DISPATCH.md\n\
                      </CAR_RUNTIME_PATHS>\n<CAR_PREVIOUS_TICKET_REFERENCE>\nPATH: old.md\n\
                      </CAR_PREVIOUS_TICKET_REFERENCE>\n<CAR_CURRENT_TICKET_FILE>\n\
                      PATH: .codex-autorunner/tickets/TICKET-002.md\n<TICKET_MARKDOWN>\n\
                      see other/DISPATCH.md\n";
        let read = read(prompt);
        assert_eq!(read.ticket.as_deref(), Some(".codex-autorunner/tickets/TICKET-002.md"));
        assert_eq!(read.dispatch.as_deref(), Some(".codex-autorunner/runs/r/DISPATCH.md"));
        assert!(!read.commit_only);
    }

    #[test]
    fn done_is_a_minimal_edit() {
        let text = "---\r\nagent: codex\r\ndone: false # not yet\r\n---\r\ndone: false\r\n";
        let expected = "---\r\nagent: codex\r\ndone: true # not yet\r\n---\r\ndone: false\r\n";
        assert_eq!(with_done(text).as_deref(), Some(expected));
        assert_eq!(with_done(expected).as_deref(), Some(expected));
        assert_eq!(with_done("done: false\n"), None);
        assert_eq!(with_done("---\nagent: x\n---\ndone: false\n"), None);
    }
}
