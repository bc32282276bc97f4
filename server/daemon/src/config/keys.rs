//! Every key there is, and those there were.

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One value.
    Scalar,
    /// A list.
    List,
    /// A mapping whose keys are the user's own.
    Map,
}

use Kind::{List, Map, Scalar};

/// Every key, in the order in which `car-hub config` shows them.
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("server.host", Scalar),
    ("server.port", Scalar),
    ("server.allowed_hosts", List),
    ("server.base_path", Scalar),
    ("server.behind_proxy", Scalar),
    ("server.public", Scalar),
    ("server.limits.requests_per_second", Scalar),
    ("server.limits.request_burst", Scalar),
    ("server.limits.run_starts_per_minute", Scalar),
    ("server.limits.terminals_per_minute", Scalar),
    ("server.limits.transcriptions_per_minute", Scalar),
    ("server.limits.sockets_per_minute", Scalar),
    ("server.limits.failures_per_minute", Scalar),
    ("server.limits.failures_per_credential_per_minute", Scalar),
    ("server.limits.connections", Scalar),
    ("server.limits.unknown_connections", Scalar),
    ("tailscale.allowed_logins", List),
    ("hub.repos_root", Scalar),
    ("hub.worktrees_root", Scalar),
    ("hub.max_parallel_runs", Scalar),
    ("hub.default_agent", Scalar),
    ("backup.enabled", Scalar),
    ("backup.dir", Scalar),
    ("backup.every_hours", Scalar),
    ("backup.keep_daily", Scalar),
    ("backup.keep_weekly", Scalar),
    ("ticket_flow.max_total_turns", Scalar),
    ("ticket_flow.max_tokens", Scalar),
    ("ticket_flow.max_cost", Scalar),
    ("ticket_flow.max_seconds", Scalar),
    ("ticket_flow.max_lint_retries", Scalar),
    ("ticket_flow.max_commit_retries", Scalar),
    ("ticket_flow.max_verify_retries", Scalar),
    ("ticket_flow.max_network_retries", Scalar),
    ("ticket_flow.include_previous_ticket_context", Scalar),
    ("ticket_flow.approval_mode", Scalar),
    ("ticket_flow.auto_commit", Scalar),
    ("ticket_flow.require_commit", Scalar),
    ("ticket_flow.prompt_max_bytes", Scalar),
    ("ticket_flow.turn_idle_timeout_s", Scalar),
    ("ticket_flow.turn_timeout_s", Scalar),
    ("ticket_flow.setup_timeout_s", Scalar),
    ("ticket_flow.allow_preexisting", Scalar),
    ("verify", List),
    ("prices.currency", Scalar),
    ("prices.table", List),
    ("budget.day_cost", Scalar),
    ("budget.day_tokens", Scalar),
    ("budget.repo_day_cost", Scalar),
    ("budget.repo_day_tokens", Scalar),
    ("budget.utc_offset", Scalar),
    ("pma.enabled", Scalar),
    ("pma.max_upload_bytes", Scalar),
    ("pma.default_agent", Scalar),
    ("pma.docs_max_chars", Scalar),
    ("pma.active_context_max_lines", Scalar),
    ("pma.context_log_tail_lines", Scalar),
    ("pma.may_approve", Scalar),
    ("pma.duplicates_max", Scalar),
    ("pma.duplicate_window_seconds", Scalar),
    ("pma.turns_per_minute", Scalar),
    ("pma.breaker_failures", Scalar),
    ("pma.breaker_cooldown_seconds", Scalar),
    ("pma.wake.enabled", Scalar),
    ("pma.wake.on", List),
    ("pma.wake.debounce_seconds", Scalar),
    ("pma.dispatch_interception_enabled", Scalar),
    ("pma.dispatch_rules", List),
    ("pma.escalate_after_seconds", Scalar),
    ("threads.agent", Scalar),
    ("threads.approval_mode", Scalar),
    ("threads.idle_s", Scalar),
    ("threads.queue_max", Scalar),
    ("templates.enabled", Scalar),
    ("templates.repos", List),
    ("terminal.enabled", Scalar),
    ("terminal.max_open", Scalar),
    ("terminal.life_s", Scalar),
    ("terminal.shell", Scalar),
    ("voice.endpoint", Scalar),
    ("voice.model", Scalar),
    ("voice.language", Scalar),
    ("voice.key_env", Scalar),
    ("voice.key_file", Scalar),
    ("voice.timeout_s", Scalar),
    ("events.keep_days", Scalar),
    ("events.keep_count", Scalar),
    ("journals.keep_days", Scalar),
    ("webhooks.timeout_s", Scalar),
    ("webhooks.retry_first_ms", Scalar),
    ("webhooks.max_attempts", Scalar),
    ("webhooks.disable_after_s", Scalar),
    ("notifications.retry_first_ms", Scalar),
    ("notifications.max_attempts", Scalar),
    ("notifications.per_minute", Scalar),
    ("notifications.push_contact", Scalar),
    ("notifications.push_services", List),
    ("agents.codex.command", List),
    ("agents.codex.model", Scalar),
    ("agents.codex.effort", Scalar),
    ("agents.codex.summary", Scalar),
    ("agents.codex.home", Scalar),
    ("agents.codex.network", Scalar),
    ("agents.codex.env", Map),
    ("agents.codex.pass_env", List),
    ("agents.codex.overrides", List),
    ("agents.demo.command", List),
    ("agents.demo.env", Map),
    ("agents.demo.pass_env", List),
    ("repo_defaults", Map),
];

/// Keys of a repo's own `repo.override.yml` and of `repo_defaults`.
pub(super) const REPO_KEYS: &[(&str, Kind)] = &[
    ("ticket_flow.max_total_turns", Scalar),
    ("ticket_flow.max_lint_retries", Scalar),
    ("ticket_flow.max_commit_retries", Scalar),
    ("ticket_flow.max_verify_retries", Scalar),
    ("ticket_flow.max_network_retries", Scalar),
    ("ticket_flow.include_previous_ticket_context", Scalar),
    ("ticket_flow.approval_mode", Scalar),
    ("ticket_flow.auto_commit", Scalar),
    ("ticket_flow.require_commit", Scalar),
    ("ticket_flow.prompt_max_bytes", Scalar),
    ("ticket_flow.turn_idle_timeout_s", Scalar),
    ("ticket_flow.turn_timeout_s", Scalar),
    ("ticket_flow.setup_timeout_s", Scalar),
    ("ticket_flow.allow_preexisting", Scalar),
    ("verify", List),
];

/// Keys that go by another name now. The value moves; where both are given, the new name wins.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("codex.model", "agents.codex.model"),
    ("codex.reasoning", "agents.codex.effort"),
    ("git.auto_commit", "ticket_flow.auto_commit"),
    ("app_server.turn_timeout_seconds", "ticket_flow.turn_timeout_s"),
];

/// Keys, or what keys begin with, that Codex-Autorunner 1 and 2 had and this hub has not. They are
/// accepted with a warning, so that an existing hub starts as it is.
pub(super) const FORMER: &[&str] = &[
    "hub.manifest",
    "hub.discover_depth",
    "hub.auto_init_missing",
    "hub.include_root_repo",
    "hub.repo_server_inherit",
    "hub.update_repo_url",
    "hub.update_repo_ref",
    "hub.log",
    "server.access_log",
    "server.auth_token_env",
    "server.allowed_origins",
    "server.browser_auth",
    "ticket_flow.default_approval_decision",
    "ticket_flow.restart_",
    "agents.codex.base_url",
    "agents.codex.serve_command",
    "agents.codex.subagent_models",
    "agents.opencode",
    "agents.hermes",
    "codex",
    "git",
    "app_server",
    "opencode",
    "pma",
    "templates",
    "terminal",
    "notifications",
    "voice",
    "usage",
    "github",
    "review",
    "log",
    "server_log",
    "static_assets",
    "housekeeping",
    "storage",
    "flow_retention",
    "preview_services",
    "telegram_bot",
    "discord_bot",
    "update",
    "docs",
    "runner",
    "autorunner",
    "prompt",
    "ui",
];

/// Whether the original had this key.
pub(super) fn is_former(key: &str) -> bool {
    FORMER.iter().any(|former| {
        key.strip_prefix(former)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || former.ends_with('_'))
    })
}

/// The known key that is spelled most like this one.
pub(super) fn nearest(key: &str, known: &[(&'static str, Kind)]) -> &'static str {
    let spelled = |(known, _): &&(&'static str, Kind)| distance(key, known);
    known.iter().min_by_key(spelled).map_or("", |(key, _)| key)
}

/// Levenshtein's distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
