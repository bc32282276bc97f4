//! What a run changed.

use car_api::{
    PageQuery, RunId, TurnId,
    diff::{DiffChange, DiffFile, DiffLine, FileDiff, LineKind, RunDiff},
};

use crate::{
    event_text,
    failure::Failure,
    session::Session,
    table::{Cell, Table, Tone},
};

const PAGE: Option<u32> = Some(500);

/// The files, or the lines of one.
pub(crate) async fn run(
    s: &Session,
    run: &RunId,
    turn: Option<&TurnId>,
    file: Option<&str>,
) -> Result<(), Failure> {
    match file {
        Some(file) => lines(s, run, turn, file).await,
        None => files(s, run, turn).await,
    }
}

async fn files(s: &Session, run: &RunId, turn: Option<&TurnId>) -> Result<(), Failure> {
    let page = |after| PageQuery { after, limit: PAGE };
    let mut diff = s.client.run_diff(run, turn, &page(None)).await?;
    while let Some(next) = diff.next.take() {
        let more = s.client.run_diff(run, turn, &page(Some(next))).await?;
        diff.files.extend(more.files);
        diff.next = more.next;
    }
    let ids = |d: &RunDiff| {
        let paths = d.files.iter().map(|f| event_text::safe(&f.path));
        paths.collect::<Vec<_>>().join("\n")
    };
    s.out.show(&diff, ids, |diff| {
        if diff.files.is_empty() {
            return "No file differs.".to_owned();
        }
        let table = table(&diff.files).render(s.out.width, s.out.colour);
        let RunDiff { files_changed, insertions, deletions, .. } = diff;
        format!("{table}\n{files_changed} files, +{insertions} -{deletions}")
    })
}

fn table(files: &[DiffFile]) -> Table {
    let mut table = Table::new(&["FILE", "CHANGE", "ADDED", "REMOVED"]);
    let count = |lines: Option<u64>| lines.map_or("binary".to_owned(), |lines| lines.to_string());
    for file in files {
        let tone = match file.change {
            DiffChange::Added | DiffChange::Untracked => Tone::Good,
            DiffChange::Modified | DiffChange::TypeChanged => Tone::Plain,
            DiffChange::Deleted => Tone::Dim,
            DiffChange::Unmerged => Tone::Bad,
        };
        table.row([
            file.path.as_str().into(),
            Cell::toned(file.change.as_str(), tone),
            count(file.insertions).into(),
            count(file.deletions).into(),
        ]);
    }
    table
}

async fn lines(s: &Session, run: &RunId, turn: Option<&TurnId>, file: &str) -> Result<(), Failure> {
    let page = |after| PageQuery { after, limit: PAGE };
    let mut diff = s.client.run_diff_file(run, turn, file, &page(None)).await?;
    while let Some(next) = diff.next.take() {
        let more = s.client.run_diff_file(run, turn, file, &page(Some(next))).await?;
        diff.lines.extend(more.lines);
        diff.next = more.next;
    }
    s.out.show(&diff, |diff| event_text::safe(&diff.path), |diff| text(s, diff))
}

fn text(s: &Session, diff: &FileDiff) -> String {
    if diff.binary {
        return format!("{} is binary.", event_text::safe(&diff.path));
    }
    let mut lines: Vec<_> = diff.lines.iter().map(|line| one(s, line)).collect();
    if diff.truncated {
        lines.push("… longer than the hub shows".to_owned());
    }
    lines.join("\n")
}

/// One line of a difference, in its colour.
pub(crate) fn one(s: &Session, line: &DiffLine) -> String {
    let text = event_text::safe(&line.text);
    match line.kind {
        LineKind::Hunk => s.out.toned(&text, Tone::Busy),
        LineKind::Context => format!(" {text}"),
        LineKind::Added => s.out.toned(&format!("+{text}"), Tone::Good),
        LineKind::Removed => s.out.toned(&format!("-{text}"), Tone::Bad),
        LineKind::Note => s.out.toned(&format!("\\ {text}"), Tone::Dim),
    }
}
