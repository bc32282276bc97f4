//! What a run, or one of its turns, changed in its working tree.

use crate::{RunId, TurnId, wire, words};

wire! {
    /// The files that differ, one page of them, with the totals of all.
    pub struct RunDiff {
        /// The run.
        pub run: RunId,
        /// The turn, when only its part was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub turn: Option<TurnId>,
        /// The commit it is compared with.
        pub base: String,
        /// The commit that is compared; the tree as it is now when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<String>,
        /// Whether this is what the run or turn changed and nothing else. It is not where later
        /// work on the same tree cannot be told apart.
        pub exact: bool,
        /// Files that differ, on all pages.
        pub files_changed: u64,
        /// Lines added, in all files.
        pub insertions: u64,
        /// Lines removed, in all files.
        pub deletions: u64,
        /// Files among them that a program wrote.
        pub generated: u64,
        /// The files of this page, by path.
        pub files: Vec<DiffFile>,
        /// Cursor of the next page; absent on the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next: Option<String>,
    }
}

wire! {
    /// One file that differs.
    pub struct DiffFile {
        /// Relative to the tree.
        pub path: String,
        /// What happened to it.
        pub change: DiffChange,
        /// Lines added; absent for a binary file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub insertions: Option<u64>,
        /// Lines removed; absent for a binary file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub deletions: Option<u64>,
        /// Whether its name says that a program wrote it, such as a lock file.
        pub generated: bool,
    }
}

words! {
    /// What happened to a file.
    pub enum DiffChange {
        /// New, and tracked.
        Added = "added",
        /// Other content or mode.
        Modified = "modified",
        /// Gone.
        Deleted = "deleted",
        /// File, symlink or submodule became another of these.
        TypeChanged = "type_changed",
        /// In conflict.
        Unmerged = "unmerged",
        /// New, and not tracked.
        Untracked = "untracked",
    }
}

wire! {
    /// The lines of one file's difference, one page of them.
    pub struct FileDiff {
        /// The file.
        pub path: String,
        /// Whether it is binary: there are no lines then.
        pub binary: bool,
        /// Whether the difference is longer than the hub reads; the rest is not shown.
        pub truncated: bool,
        /// Lines on all pages.
        pub lines_total: u64,
        /// The lines of this page, in order.
        pub lines: Vec<DiffLine>,
        /// Cursor of the next page; absent on the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next: Option<String>,
    }
}

wire! {
    /// One line of a difference.
    pub struct DiffLine {
        /// What it is.
        pub kind: LineKind,
        /// Its number in the file before; absent for an added one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub old: Option<u64>,
        /// Its number in the file now; absent for a removed one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub new: Option<u64>,
        /// Its text, without the mark at its beginning.
        pub text: String,
    }
}

words! {
    /// What a line of a difference is.
    pub enum LineKind {
        /// The head of a piece: `@@ -1,2 +1,3 @@ fn main()`.
        Hunk = "hunk",
        /// The same before and now.
        Context = "context",
        /// New.
        Added = "added",
        /// Gone.
        Removed = "removed",
        /// A remark, such as that the file's last line has no end.
        Note = "note",
    }
}
