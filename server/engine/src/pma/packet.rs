//! The hub as the project manager is shown it: one small text, the most pressing first.
//!
//! What people and agents wrote stands in it as quoted, single-line text that can neither end a
//! section nor begin one. However much happens, each part has its bound and says what was left out
//! and which command shows it.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use car_api::{
    Timestamp,
    filebox::{BoxFile, FileBox},
    hub::{HubSnapshot, RunLine},
    inbox::InboxItem,
    repo::{Repo, RepoKind},
};

/// How much of each part there is at most.
const WAITING: usize = 10;
const RUNS: usize = 12;
const REPOS: usize = 25;
const FILES: usize = 10;
const ACCOUNTS: usize = 5;

/// The longest text of somebody else's that is quoted, in characters.
const QUOTE: usize = 120;

/// The largest packet, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// What a packet is made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What wants attention.
    pub snapshot: &'a HubSnapshot,
    /// Repos and worktrees, in their usual order.
    pub repos: &'a [Repo],
    /// Files of the hub's own boxes.
    pub files: &'a [BoxFile],
}

/// The packet, without the time it was made at: as long as nothing happens it is the same text.
#[must_use]
pub fn packet(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    counts(&mut text, facts.snapshot);
    waiting(&mut text, facts.snapshot);
    runs(&mut text, &facts.snapshot.runs);
    quota(&mut text, facts.snapshot);
    repos(&mut text, facts);
    files(&mut text, facts.files);
    if text.len() > MAX_BYTES {
        let end = (0..=MAX_BYTES - 80).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("…\n(cut here; `car hub snapshot` and `car hub repos` show everything)\n");
    }
    text
}

/// Somebody else's text as one quoted line that is not too long and holds no tag.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    let mut length = 0;
    'words: for word in text.split_whitespace() {
        for c in (length > 0).then_some(' ').into_iter().chain(word.chars()) {
            if length == QUOTE {
                out.push('…');
                break 'words;
            }
            length += 1;
            match c {
                '"' => out.push('\''),
                '<' => out.push('‹'),
                '>' => out.push('›'),
                '`' => out.push('\''),
                c if c.is_control() => {}
                c => out.push(c),
            }
        }
    }
    out.push('"');
    out
}

// Writing into a string cannot fail; what `write!` gives is dropped.
fn counts(text: &mut String, snapshot: &HubSnapshot) {
    let counts = &snapshot.counts;
    let tickets = &counts.tickets;
    let _ = write!(
        text,
        "{} repos, {} worktrees; tickets {}/{} done",
        counts.repos, counts.worktrees, tickets.done, tickets.total
    );
    for (count, what) in [
        (tickets.invalid, "tickets with errors"),
        (counts.running, "runs at work"),
        (counts.pending, "runs waiting for a slot"),
        (counts.paused, "runs paused"),
        (counts.parked, "runs waiting for quota"),
        (counts.jobs, "jobs at work"),
    ] {
        if count > 0 {
            let _ = write!(text, "; {count} {what}");
        }
    }
    text.push('\n');
}

fn waiting(text: &mut String, snapshot: &HubSnapshot) {
    if snapshot.attention.is_empty() {
        text.push_str("waiting for somebody: nothing\n");
        return;
    }
    let _ = writeln!(text, "waiting for somebody ({}):", snapshot.attention_total);
    for one in snapshot.attention.iter().take(WAITING) {
        text.push_str(&attention(one));
    }
    let shown = snapshot.attention.len().min(WAITING) as u64;
    more(text, snapshot.attention_total.saturating_sub(shown), "car inbox");
}

fn attention(one: &InboxItem) -> String {
    let mut line = format!("- [{}]", one.kind);
    if let Some(repo) = &one.repo {
        let _ = write!(line, " {repo}");
    }
    if let Some(run) = &one.run {
        let _ = write!(line, " {run}");
    }
    let actions: Vec<_> = one.actions.iter().map(|action| action.as_str()).collect();
    let (title, actions) = (quote(&one.title), actions.join("|"));
    let _ = writeln!(line, ": {title} -> car inbox act {} {actions}", one.id);
    line
}

fn runs(text: &mut String, runs: &[RunLine]) {
    if runs.is_empty() {
        return;
    }
    let _ = writeln!(text, "runs ({}):", runs.len());
    for run in runs.iter().take(RUNS) {
        let _ = write!(
            text,
            "- {} {} {} {}/{} tickets, {} turns",
            run.id, run.repo, run.status, run.tickets.done, run.tickets.total, run.turns
        );
        if let Some(ticket) = &run.ticket {
            let _ = write!(text, ", at {}", quote(ticket));
        }
        let _ = writeln!(text, ": {}{}", quote(&run.explain), until(run.next_at));
    }
    more(text, runs.len().saturating_sub(RUNS) as u64, "car run list");
}

fn until(at: Option<Timestamp>) -> String {
    at.map(|at| format!(", next at {}", minute(at))).unwrap_or_default()
}

/// A time to the minute: that is enough to plan with, and shorter.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}Z", text.get(..16).unwrap_or(&text))
}

fn quota(text: &mut String, snapshot: &HubSnapshot) {
    let held = snapshot.accounts.iter().filter_map(|one| Some((one, one.held_until?)));
    for (account, at) in held.take(ACCOUNTS) {
        let name = quote(&account.account);
        let _ = writeln!(text, "quota: {name} has none left until {}", minute(at));
    }
}

fn repos(text: &mut String, facts: &Facts<'_>) {
    let mut repos: Vec<&Repo> = facts.repos.iter().collect();
    // Where something is under way comes first.
    repos.sort_by_key(|repo| repo.run.as_ref().is_none_or(|run| run.status.is_end()));
    if repos.is_empty() {
        text.push_str("repos: none (`car hub create NAME`, `car hub clone URL`)\n");
        return;
    }
    text.push_str("repos and worktrees (tickets done/all):\n");
    for repo in repos.iter().take(REPOS) {
        let kind = if repo.kind == RepoKind::Worktree { " worktree" } else { "" };
        let _ = write!(text, "- {}{kind}", repo.id);
        if repo.status != car_api::repo::RepoStatus::Ready {
            let _ = write!(text, " {}", repo.status);
        }
        let _ = write!(text, " {}/{}", repo.tickets.done, repo.tickets.total);
        if let Some(run) = &repo.run {
            let _ = write!(text, " run {}", run.status);
        }
        text.push('\n');
    }
    let all = facts.snapshot.counts.repos + facts.snapshot.counts.worktrees;
    let all = all.max(repos.len() as u64);
    more(text, all.saturating_sub(repos.len().min(REPOS) as u64), "car hub repos");
}

fn files(text: &mut String, files: &[BoxFile]) {
    for r#box in FileBox::ALL {
        let of_box: Vec<_> = files.iter().filter(|file| file.r#box == *r#box).collect();
        if of_box.is_empty() {
            continue;
        }
        let names =
            of_box.iter().take(FILES).map(|f| format!("{} ({} B)", quote(f.name.as_str()), f.size));
        let _ = writeln!(text, "{box} files: {}", names.collect::<Vec<_>>().join(", "));
        more(text, of_box.len().saturating_sub(FILES) as u64, &format!("car files list {box}"));
    }
}

fn more(text: &mut String, count: u64, command: &str) {
    if count > 0 {
        let _ = writeln!(text, "- and {count} more: `{command}`");
    }
}
