//! Hubs with repos and tickets, alike for everybody who is measured.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Outcome,
    subject::{Subject, prepare, quiet},
};

/// The name of a repo by its number from 0.
pub(crate) fn repo(number: usize) -> String {
    format!("repo-{number:03}")
}

/// A root with so many repos of so many tickets each, known to the subject; one of that name that
/// there is already as it is.
pub(crate) fn root(
    subject: &Subject,
    programs: &Path,
    dir: &Path,
    name: &str,
    (repos, tickets): (usize, usize),
) -> Outcome<PathBuf> {
    let column = subject.column().replace(' ', "-");
    let root = dir.join(format!("{column}-{name}"));
    // What is only looked at serves more than one part: the original takes minutes to make it.
    if root.is_dir() {
        return Ok(root);
    }
    prepare(&root, programs)?;
    subject.init(&root)?;
    let template = template(subject, dir, &format!("{column}-{name}"), tickets)?;
    for number in 0..repos {
        quiet(Command::new("cp").arg("-r").arg(&template).arg(root.join(repo(number))))?;
    }
    subject.scan(&root)?;
    Ok(root)
}

/// A repo with one commit and tickets; each writes a file, is done, is committed, and its agent says
/// so (CAR 2.2.3 takes a turn without a message for a failed one).
fn template(subject: &Subject, dir: &Path, name: &str, tickets: usize) -> Outcome<PathBuf> {
    let repo = dir.join("templates").join(name);
    let queue = repo.join(".codex-autorunner/tickets");
    fs::create_dir_all(&queue)?;
    fs::write(repo.join("README.md"), "# Measured\n")?;
    fs::write(repo.join(".gitignore"), ".codex-autorunner/\n")?;
    git(&repo, &["init", "--quiet", "--template=", "--initial-branch=main", "."])?;
    git(&repo, &["config", "user.name", "Bench"])?;
    git(&repo, &["config", "user.email", "bench@localhost"])?;
    git(&repo, &["add", "--all"])?;
    git(&repo, &["commit", "--quiet", "--message", "Begin"])?;
    let agent = subject.agent();
    for number in 1..=tickets {
        let text = format!(
            "---\nagent: {agent}\ndone: false\ntitle: \"Ticket {number}\"\n---\n\n## Goal\n\n\
             @@FAKE[ {{\"write\": [\"work-{number}.txt\", \"{number}\\n\"]}}, {{\"done\": true}}, \
             {{\"commit\": \"Ticket {number}\"}}, {{\"say\": \"Done.\"}} ]@@\n"
        );
        fs::write(queue.join(format!("TICKET-{number:03}.md")), text)?;
    }
    Ok(repo)
}

pub(crate) fn git(dir: &Path, args: &[&str]) -> Outcome<()> {
    quiet(Command::new("git").current_dir(dir).args(args))
}
