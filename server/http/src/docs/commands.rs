//! The command of `car` that does what an operation does.

const ALL: &[(&str, &str)] = &[
    ("agent_list", "car agents"),
    ("agent_models", "car models codex"),
    ("approval_decide", "car approve RUN"),
    ("budgets_get", "car budgets"),
    ("budgets_update", "car budgets set --day-cost 20"),
    ("context_get", "car context show spec"),
    ("context_list", "car context list"),
    ("context_update", "car context edit spec"),
    ("event_list", "car events -f"),
    ("hub_get", "car hub info"),
    ("hub_scan", "car hub scan"),
    ("hub_snapshot", "car hub snapshot"),
    ("job_cancel", "car jobs cancel JOB"),
    ("job_get", "car jobs show JOB --wait"),
    ("job_list", "car jobs"),
    ("job_log", "car jobs log JOB"),
    ("openapi_get", "car hub openapi"),
    ("repo_clone", "car hub clone URL"),
    ("repo_create", "car hub create ID"),
    ("repo_get", "car hub show REPO"),
    ("repo_init", "car init"),
    ("repo_list", "car hub repos"),
    ("repo_remove", "car hub remove REPO --dry-run"),
    ("repo_setup_get", "car hub setup show"),
    ("repo_setup_update", "car hub setup set 'npm ci'"),
    ("repo_sync", "car hub sync REPO"),
    ("repo_update", "car hub rename REPO NAME"),
    ("run_diff", "car run diff RUN"),
    ("run_diff_file", "car run diff RUN FILE"),
    ("run_dispatches", "car run dispatches RUN"),
    ("run_evidence", "car run evidence RUN"),
    ("run_explain", "car run explain RUN"),
    ("run_get", "car run show RUN"),
    ("run_list", "car run list"),
    ("run_pause", "car run pause RUN"),
    ("run_replies", "car run replies RUN"),
    ("run_reply", "car reply RUN 'Yes, go on.'"),
    ("run_resume", "car run resume RUN"),
    ("run_start", "car run start"),
    ("run_stop", "car run stop RUN"),
    ("run_turns", "car run turns RUN"),
    ("salvage_list", "car salvage list"),
    ("salvage_restore", "car salvage restore SALVAGE"),
    ("ticket_create", "car ticket new 'Title'"),
    ("ticket_done", "car ticket done 3"),
    ("ticket_get", "car ticket show 3"),
    ("ticket_lint", "car tickets lint --fix"),
    ("ticket_list", "car ticket list"),
    ("ticket_list_all", "car ticket list --all"),
    ("ticket_move", "car ticket move 3 1"),
    ("ticket_patch", "car ticket set 3 --title 'Title'"),
    ("ticket_renumber", "car ticket renumber"),
    ("ticket_update", "car ticket edit 3"),
    ("ticket_verify", "car ticket verify 3"),
    ("token_create", "car token create NAME"),
    ("token_delete", "car token delete TOKEN"),
    ("token_list", "car token list"),
    ("turn_get", "car run logs RUN"),
    ("usage_get", "car usage"),
    ("worktree_cleanup", "car hub worktree cleanup REPO"),
    ("worktree_create", "car hub worktree create BASE BRANCH"),
    ("worktree_list", "car hub worktree list"),
];

/// The command of an operation, if there is one.
pub(super) fn of(operation: &str) -> Option<&'static str> {
    let place = ALL.binary_search_by_key(&operation, |(name, _)| name).ok()?;
    ALL.get(place).map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ALL.is_sorted());
        assert_eq!(of("run_start"), Some("car run start"));
    }
}
