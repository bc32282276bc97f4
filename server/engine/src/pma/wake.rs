//! Which events the project manager is woken for, and which questions a rule answers for it.

use car_api::{
    EventKind,
    dispatch::DispatchMode,
    pma::WakeRule,
    run::{PauseReason, RunState},
};

/// The rule an event falls under, and what happened, in one line.
#[must_use]
pub fn wakes(kind: &EventKind) -> Option<(WakeRule, String)> {
    if let EventKind::DispatchCreated { mode: DispatchMode::Notify, seq, title } = kind {
        let title = title.as_deref().unwrap_or("(no title)");
        return Some((WakeRule::Dispatch, format!("says, in dispatch {seq}: {title}")));
    }
    let EventKind::RunStateChanged { state, explain } = kind else { return None };
    let rule = match state {
        RunState::Paused { reason: PauseReason::Budget | PauseReason::MaxTurns, .. } => {
            WakeRule::Budget
        }
        RunState::Paused { .. } => WakeRule::Paused,
        RunState::Parked { .. } => WakeRule::Quota,
        RunState::Completed => WakeRule::Completed,
        RunState::Failed { .. } => WakeRule::Failed,
        RunState::Stopped => WakeRule::Stopped,
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Stopping
        | RunState::Superseded { .. } => return None,
    };
    Some((rule, format!("{}: {explain}", state.status())))
}

/// The operation by which somebody may have brought that about on purpose.
#[must_use]
pub fn asked_for_by(state: &RunState) -> Option<&'static str> {
    match state {
        RunState::Stopped => Some("run_stop"),
        RunState::Paused { reason: PauseReason::Requested, .. } => Some("run_pause"),
        RunState::Paused { .. }
        | RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Superseded { .. } => None,
    }
}

/// A question that is answered without anybody: the whole of it is one of these, whatever the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchRule {
    /// What the question says; `*` stands for any text.
    pub matches: Vec<String>,
    /// The answer.
    pub reply: String,
}

/// The rules there are when nobody names others: what needs no thought.
#[must_use]
pub fn default_rules() -> Vec<DispatchRule> {
    let rule = |matches: &[&str], reply: &str| DispatchRule {
        matches: matches.iter().map(|text| (*text).to_owned()).collect(),
        reply: reply.to_owned(),
    };
    vec![
        rule(&["proceed", "continue", "resume", "ok", "yes", "go ahead"], "Go on."),
        rule(
            &["skip*pre-commit", "skip*commit hook", "skip*hook"],
            "Skip the pre-commit hooks for this commit.",
        ),
    ]
}

/// The answer a rule has for a question, if one has.
#[must_use]
pub fn answer<'a>(rules: &'a [DispatchRule], body: &str) -> Option<&'a str> {
    let end = |c: char| c.is_whitespace() || c == '!' || c == '.';
    let body = body.trim_start().trim_end_matches(end).to_lowercase();
    let fits =
        |rule: &&DispatchRule| rule.matches.iter().any(|text| is(&text.to_lowercase(), &body));
    rules.iter().find(fits).map(|rule| rule.reply.as_str())
}

/// Whether a text is as a pattern says.
fn is(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_question_is_answered_by_rule() {
        let rules = default_rules();
        for body in ["proceed", " Proceed!\n", "GO AHEAD.", "ok", "Yes!!"] {
            assert_eq!(answer(&rules, body), Some("Go on."), "{body:?}");
        }
        for body in ["Skip pre-commit", "skip the commit hook.", "Skip that hook!"] {
            assert!(answer(&rules, body).unwrap().starts_with("Skip"), "{body:?}");
        }
        for body in ["", "proceed?", "May I proceed", "ok then", "hook", "do not skip the hook"] {
            assert_eq!(answer(&rules, body), None, "{body:?}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "ab", false),
            ("*", "", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(is(pattern, text), fits, "{pattern} {text}");
        }
    }
}
