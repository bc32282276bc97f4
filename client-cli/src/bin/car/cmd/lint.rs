//! `car ticket lint`: what the hub's linter finds.

use car_api::{
    RepoId,
    ticket::{LintReport, Severity, TicketLint},
};

use crate::{failure::Failure, session::Session};

pub(crate) async fn run(s: &Session, repo: &RepoId, fix: bool) -> Result<(), Failure> {
    let report = s.client.ticket_lint(repo, &TicketLint { fix, content: None }).await?;
    let files = |r: &LintReport| {
        let mut files: Vec<_> = r.findings.iter().map(|f| f.file.clone()).collect();
        files.dedup();
        files.join("\n")
    };
    s.out.show(&report, files, findings)?;
    if report.ok { Ok(()) } else { Err(Failure::Outcome) }
}

/// One finding a line, in the form editors jump to.
fn findings(report: &LintReport) -> String {
    let mut lines: Vec<_> = report.fixed.iter().map(|file| format!("{file}: mended")).collect();
    let mut fixable = false;
    for finding in &report.findings {
        let issue = &finding.issue;
        let place = match (issue.line, issue.column) {
            (0, _) => finding.file.clone(),
            (line, 0) => format!("{}:{line}", finding.file),
            (line, column) => format!("{}:{line}:{column}", finding.file),
        };
        lines.push(format!("{place}: {}: {} [{}]", issue.severity, issue.message, issue.code));
        fixable |= issue.fixable;
    }
    let errors = report.findings.iter().filter(|f| f.issue.severity == Severity::Error).count();
    lines.push(match (report.findings.len(), errors) {
        (0, _) => format!("{} tickets, no findings", report.tickets),
        (all, errors) => {
            format!("{} tickets, {errors} errors, {} warnings", report.tickets, all - errors)
        }
    });
    if fixable {
        lines.push("some can be mended: car tickets lint --fix".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use car_api::ticket::{LintFinding, TicketIssue};

    use super::*;

    fn issue(line: u32, column: u32, severity: Severity, fixable: bool) -> TicketIssue {
        let (code, message) =
            ("done_not_bool".to_owned(), "`done` must be true or false".to_owned());
        TicketIssue { code, severity, line, column, message, fixable }
    }

    #[test]
    fn findings_are_lines_an_editor_can_jump_to() {
        let finding = |issue| LintFinding { file: "TICKET-001.md".to_owned(), issue };
        let mut report = LintReport {
            ok: false,
            tickets: 3,
            findings: vec![
                finding(issue(3, 7, Severity::Error, true)),
                finding(issue(0, 0, Severity::Warning, false)),
            ],
            fixed: Vec::new(),
        };
        let expected = "\
TICKET-001.md:3:7: error: `done` must be true or false [done_not_bool]
TICKET-001.md: warning: `done` must be true or false [done_not_bool]
3 tickets, 1 errors, 1 warnings
some can be mended: car tickets lint --fix";
        assert_eq!(findings(&report), expected);
        report.findings.clear();
        assert_eq!(findings(&report), "3 tickets, no findings");
    }
}
