//! The project manager's working set, kept within its budget of lines.

/// What pruning leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The working set.
    pub active: String,
    /// The log, with the whole of what the working set was at its end.
    pub log: String,
}

/// Lines a text has.
#[must_use]
pub fn lines(text: &str) -> u32 {
    u32::try_from(text.lines().count()).unwrap_or(u32::MAX)
}

/// Moves a working set into the log: all of it is appended there, and its first half of the budget
/// stays, with a line that says where the rest is. Done again after it was cut short it appends
/// nothing twice.
#[must_use]
pub fn prune(active: &str, log: &str, budget: u32, at: &str) -> Pruned {
    let text = active.trim_end();
    let entry = format!("from active_context.md, {} lines\n\n{text}\n", lines(text));
    let log = if log.trim_end().ends_with(entry.trim_end()) {
        log.to_owned()
    } else {
        let before = log.trim_end();
        let gap = if before.is_empty() { "" } else { "\n\n" };
        format!("{before}{gap}## {at}: {entry}")
    };
    let keep = usize::try_from((budget / 2).max(1)).unwrap_or(usize::MAX);
    let kept: Vec<&str> = text.lines().take(keep).collect();
    let rest = text.lines().count().saturating_sub(kept.len());
    let mut active = kept.join("\n");
    if rest > 0 {
        active += &format!(
            "\n\n> {rest} lines were taken out on {at}; the whole text is at the end of \
             `context_log.md`. Keep here only what is current.\n"
        );
    } else {
        active.push('\n');
    }
    Pruned { active, log }
}

/// The last lines of a text.
#[must_use]
pub fn tail(text: &str, most: u32) -> &str {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let begins = text.trim_end().match_indices('\n').map(|(at, _)| at + 1);
    let begins: Vec<usize> = std::iter::once(0).chain(begins).collect();
    let at = begins.len().saturating_sub(most);
    begins.get(at).and_then(|at| text.get(*at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> String {
        (1..=count).map(|n| format!("line {n}\n")).collect()
    }

    #[test]
    fn nothing_is_lost_and_the_beginning_stays() {
        let active = numbered(300);
        let pruned = prune(&active, "# Log\n", 200, "2026-01-02T03:04:05Z");
        assert!(lines(&pruned.active) <= 200, "{}", lines(&pruned.active));
        assert!(pruned.active.starts_with("line 1\n") && pruned.active.contains("line 100\n"));
        assert!(!pruned.active.contains("line 101") && pruned.active.contains("200 lines were"));
        assert!(pruned.log.starts_with("# Log\n\n## 2026-01-02T03:04:05Z: from"));
        assert!(pruned.log.ends_with(&active));
    }

    #[test]
    fn cut_short_and_done_again_it_is_in_the_log_once() {
        let active = numbered(5);
        let once = prune(&active, "", 2, "a");
        let again = prune(&active, &once.log, 2, "b");
        assert_eq!(again.log, once.log);
        // Other text is another entry.
        let other = prune(&once.active, &once.log, 2, "c");
        assert!(other.log.contains("## c: from"));
    }

    #[test]
    fn the_end_of_a_text() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(tail("a\nb\nc", 9), "a\nb\nc");
        assert_eq!(tail("a\nb", 0), "");
        assert_eq!(tail("", 3), "");
    }
}
