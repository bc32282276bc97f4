//! Ids of repositories and worktrees.

/// Whether `id` is not empty and of `A-Za-z0-9._-` only. `.` and `..` are not ids.
#[must_use]
pub fn is_safe_id(id: &str) -> bool {
    !id.is_empty() && !matches!(id, "." | "..") && id.chars().all(is_safe)
}

/// The nearest safe id: every run of other characters becomes `-`, at the ends it is removed.
/// Nothing left gives `repo`.
#[must_use]
pub fn sanitize_id(name: &str) -> String {
    let id = replace_runs(name.trim(), is_safe);
    let id = id.trim_matches('-');
    if is_safe_id(id) { id.to_owned() } else { "repo".to_owned() }
}

/// `base`, or `base-2`, `base-3`, …: the first that is not taken.
#[must_use]
pub fn unique_id(base: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(base) {
        return base.to_owned();
    }
    (2_u64..).map(|n| format!("{base}-{n}")).find(|id| !taken(id)).unwrap_or_default()
}

/// The id, and directory name, of a worktree: `<base>--<branch>`.
#[must_use]
pub fn worktree_id(base: &str, branch: &str) -> String {
    format!("{base}--{}", branch_part(branch))
}

/// A branch as part of an id: characters other than `A-Za-z0-9._/-` become `-`, then `/` too.
#[must_use]
pub fn branch_part(branch: &str) -> String {
    replace_runs(branch, |c| is_safe(c) || c == '/').replace('/', "-")
}

/// The repository and branch that a worktree's directory name suggests. Only a fallback: the name
/// cannot tell `feat/x` from `feat-x`, and any repository may be called `a--b`.
#[must_use]
pub fn split_worktree_name(name: &str) -> Option<(&str, &str)> {
    name.split_once("--").filter(|(base, branch)| !base.is_empty() && !branch.is_empty())
}

fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn replace_runs(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        if keep(c) {
            out.push(c);
        } else if !in_run {
            out.push('-');
        }
        in_run = !keep(c);
    }
    out
}
