//! The difference of one file, line by line.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::error::GitError;
use crate::{DiffStats, Git, Oid};

/// One file's difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// The file is binary: there are no lines.
    pub binary: bool,
    /// There was more than was read.
    pub truncated: bool,
    /// Its lines, in order.
    pub lines: Vec<PatchLine>,
}

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchLine {
    /// What it is, with its numbers before and now.
    pub at: LineAt,
    /// Its text without the mark at its beginning. Bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// What a line of a difference is, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineAt {
    /// The head of a piece.
    Hunk,
    /// The same on both sides.
    Context {
        /// Its number before.
        old: u64,
        /// Its number now.
        new: u64,
    },
    /// New.
    Added(u64),
    /// Gone.
    Removed(u64),
    /// A remark of git's.
    Note,
}

impl Git {
    /// Counts what changed between two commits.
    ///
    /// # Errors
    /// What git reports, for example an unknown commit.
    pub async fn diff_between(&self, base: &Oid, to: &Oid) -> Result<DiffStats, GitError> {
        let args = ["diff", "--raw", "--numstat", "-z", "--no-abbrev"];
        let output = self.diff_call(&args, Some(base), Some(to)).await?.run().await?;
        DiffStats::read(&output.stdout)
            .map_err(|what| GitError::unreadable("git diff --raw --numstat", what))
    }

    /// The difference of one tracked file between `base` and `to` (the working tree when not
    /// given), at most `limit` bytes of it; `None` when there is none.
    ///
    /// # Errors
    /// What git reports, for example an unknown commit.
    pub async fn file_patch(
        &self,
        base: &Oid,
        to: Option<&Oid>,
        path: &Path,
        limit: usize,
    ) -> Result<Option<Patch>, GitError> {
        let args = ["diff", "--patch", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/"];
        let call = self.diff_call(&args, Some(base), to).await?.arg(path);
        let output = call.truncated_at(limit).run().await?;
        Ok(read_patch(&output.stdout, output.truncated))
    }

    /// Whether a file is there that is neither tracked nor ignored.
    ///
    /// # Errors
    /// What git reports.
    pub async fn is_untracked(&self, path: &Path) -> Result<bool, GitError> {
        let args = ["ls-files", "-z", "--others", "--exclude-standard", "--"];
        let output = self.read(args).arg(path).run().await?;
        Ok(output.stdout.strip_suffix(b"\0") == Some(path.as_os_str().as_bytes()))
    }
}

/// A file that is new as a whole, as its difference.
#[must_use]
pub fn added_patch(bytes: &[u8]) -> Patch {
    if bytes.iter().take(8000).any(|byte| *byte == 0) {
        return Patch { binary: true, ..Patch::default() };
    }
    let open = bytes.last().is_some_and(|byte| *byte != b'\n');
    let lines: Vec<&[u8]> =
        bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|b| *b == b'\n').collect();
    if bytes.is_empty() {
        return Patch::default();
    }
    let head = format!("@@ -0,0 +1,{} @@", lines.len());
    let mut all = vec![PatchLine { at: LineAt::Hunk, text: head }];
    let numbered = (1..).zip(lines);
    all.extend(
        numbered.map(|(number, line)| PatchLine { at: LineAt::Added(number), text: text(line) }),
    );
    if open {
        let text = "No newline at end of file".to_owned();
        all.push(PatchLine { at: LineAt::Note, text });
    }
    Patch { binary: false, truncated: false, lines: all }
}

/// Reads the unified diff of one file; `None` when it is of none, or of several below a directory.
pub(crate) fn read_patch(bytes: &[u8], truncated: bool) -> Option<Patch> {
    // A file that becomes a symlink has two parts with the same head.
    let mut file: Option<&[u8]> = None;
    let mut patch = Patch { truncated, ..Patch::default() };
    // Where the next line stands before and now; before the first piece there are none.
    let mut next: Option<(u64, u64)> = None;
    let mut left = (0_u64, 0_u64);
    for line in bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n') {
        let within = left.0 > 0 || left.1 > 0;
        let (at, rest) = match (line.split_first(), next) {
            (Some((b' ', rest)), Some((old, new))) if within => {
                next = Some((old + 1, new + 1));
                left = (left.0.saturating_sub(1), left.1.saturating_sub(1));
                (LineAt::Context { old, new }, rest)
            }
            (Some((b'+', rest)), Some((old, new))) if within => {
                next = Some((old, new + 1));
                left.1 = left.1.saturating_sub(1);
                (LineAt::Added(new), rest)
            }
            (Some((b'-', rest)), Some((old, new))) if within => {
                next = Some((old + 1, new));
                left.0 = left.0.saturating_sub(1);
                (LineAt::Removed(old), rest)
            }
            (Some((b'\\', rest)), Some(_)) => (LineAt::Note, rest.trim_ascii_start()),
            (Some((b'@', _)), _) if line.starts_with(b"@@ ") => {
                let Some((old, new)) = hunk(line) else { continue };
                next = Some((old.0, new.0));
                left = (old.1, new.1);
                (LineAt::Hunk, line)
            }
            _ if line.starts_with(b"diff --git ") => {
                if *file.get_or_insert(line) != line {
                    return None;
                }
                next = None;
                continue;
            }
            // The words before the first piece: names, modes, and that it is binary.
            (_, None) if line.starts_with(b"Binary files ") => {
                patch.binary = true;
                continue;
            }
            (_, None) if line.starts_with(b"old mode ") || line.starts_with(b"new mode ") => {
                (LineAt::Note, line)
            }
            (_, _) => continue,
        };
        patch.lines.push(PatchLine { at, text: text(rest) });
    }
    file.map(|_| patch)
}

/// First line and number of lines of both sides: `@@ -1,2 +1,3 @@`.
fn hunk(line: &[u8]) -> Option<((u64, u64), (u64, u64))> {
    let line = std::str::from_utf8(line.get(3..)?.split(|byte| *byte == b'@').next()?).ok()?;
    let mut sides = line.split_whitespace();
    let side = |text: &str| {
        let (first, many) = text.split_once(',').unwrap_or((text, "1"));
        Some((first.parse().ok()?, many.parse().ok()?))
    };
    let old = side(sides.next()?.strip_prefix('-')?)?;
    Some((old, side(sides.next()?.strip_prefix('+')?)?))
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: LineAt, text: &str) -> PatchLine {
        PatchLine { at, text: text.to_owned() }
    }

    #[test]
    fn lines_have_their_numbers_and_marks_in_the_text_change_nothing() {
        let diff = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n\
            @@ -1,3 +1,3 @@ fn main()\n one\n--- two\n+++ 2\n three\n\
            @@ -9 +9,2 @@\n-nine\n+9\n+ten\n\\ No newline at end of file\n";
        let patch = read_patch(diff.as_bytes(), false);
        let want = [
            line(LineAt::Hunk, "@@ -1,3 +1,3 @@ fn main()"),
            line(LineAt::Context { old: 1, new: 1 }, "one"),
            line(LineAt::Removed(2), "-- two"),
            line(LineAt::Added(2), "++ 2"),
            line(LineAt::Context { old: 3, new: 3 }, "three"),
            line(LineAt::Hunk, "@@ -9 +9,2 @@"),
            line(LineAt::Removed(9), "nine"),
            line(LineAt::Added(9), "9"),
            line(LineAt::Added(10), "ten"),
            line(LineAt::Note, "No newline at end of file"),
        ];
        let want = Patch { binary: false, truncated: false, lines: want.to_vec() };
        assert_eq!(patch, Some(want));
        let two = format!("{diff}{}", diff.replace("a/x", "a/y"));
        assert_eq!(read_patch(two.as_bytes(), false), None, "two files");
        assert_eq!(read_patch(b"", false), None);
    }

    #[test]
    fn binary_modes_and_new_files() {
        let diff = b"diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n";
        let binary = Patch { binary: true, ..Patch::default() };
        assert_eq!(read_patch(diff, false), Some(binary));
        let diff = b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n";
        let modes = [line(LineAt::Note, "old mode 100644"), line(LineAt::Note, "new mode 100755")];
        assert_eq!(read_patch(diff, false).unwrap().lines, modes);
        let want = [
            line(LineAt::Hunk, "@@ -0,0 +1,2 @@"),
            line(LineAt::Added(1), "a"),
            line(LineAt::Added(2), "b"),
            line(LineAt::Note, "No newline at end of file"),
        ];
        assert_eq!(added_patch(b"a\nb").lines, want);
        assert_eq!(added_patch(b"a\nb\n").lines, want[..3]);
        assert_eq!(added_patch(b""), Patch::default());
        assert!(added_patch(b"\0").binary);
    }
}
