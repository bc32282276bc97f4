//! Backups of the hub, and what restoring one gave.

use crate::{RepoId, Timestamp, wire, words};

wire! {
    /// One backup: an archive in the hub's backup directory.
    pub struct Backup {
        /// Its file name.
        pub name: String,
        /// Its size in bytes.
        pub size: u64,
        /// When it was made.
        pub created_at: Timestamp,
        /// Whether the hub made it by itself; it goes when newer ones have taken its place.
        pub scheduled: bool,
    }
}

wire! {
    /// What a backup is to hold.
    pub struct BackupCreate {
        /// What is left out of it.
        #[serde(default)]
        pub leave_out: Vec<BackupPart>,
    }
}

words! {
    /// What a backup can do without.
    pub enum BackupPart {
        /// What agents said, word for word: the journals of their sessions.
        Journals = "journals",
        /// What was kept of removed worktrees and repos.
        Salvage = "salvage",
        /// The queues of worktrees that were cleaned up.
        Archive = "archive",
    }
}

wire! {
    /// The first entry of an archive: what it is.
    pub struct BackupAbout {
        /// Version of the archive's form.
        pub format: u32,
        /// Version of the program that wrote it.
        pub version: String,
        /// The hub's id.
        pub instance: Option<String>,
        /// When it was made.
        pub created_at: Timestamp,
        /// Number of the newest migration of its database.
        pub schema: i64,
        /// Number of the newest event in it.
        pub last_seq: i64,
        /// Whether keys and tokens are in it.
        pub with_secrets: bool,
        /// What was left out.
        pub left_out: Vec<BackupPart>,
        /// Size of everything in it, unpacked.
        pub bytes: u64,
        /// The repos and worktrees whose queues are in it; their git history is not.
        pub trees: Vec<BackupTree>,
        /// What could not be kept, and why.
        pub notes: Vec<String>,
    }
}

wire! {
    /// A repo or worktree as it was when a backup was made.
    pub struct BackupTree {
        /// Its id.
        pub repo: RepoId,
        /// Its directory, relative to the hub's root.
        pub path: String,
        /// The repo it is a worktree of.
        pub base: Option<RepoId>,
        /// Where its history comes from, without passwords.
        pub remote: Option<String>,
        /// The branch that was checked out.
        pub branch: Option<String>,
        /// The commit that was checked out.
        pub head: Option<String>,
    }
}

wire! {
    /// What restoring a backup gave. Until a person confirms it, the hub starts nothing, goes on
    /// with nothing and removes nothing.
    pub struct RestoreReport {
        /// The archive.
        pub archive: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was restored.
        pub restored_at: Timestamp,
        /// How many files were put in place.
        pub files: u64,
        /// Whether keys and tokens came back; if not, every client pairs anew.
        pub with_secrets: bool,
        /// How many runs were active and are paused now.
        pub runs_paused: u32,
        /// Trees that were on disk already; their files were left as they are.
        pub trees_kept: Vec<RestoredTree>,
        /// Trees whose git history has to be brought back, with the command that does it.
        pub trees_missing: Vec<RestoredTree>,
        /// What could not be kept in the backup, and why.
        pub notes: Vec<String>,
        /// When a person confirmed it.
        pub confirmed_at: Option<Timestamp>,
    }
}

wire! {
    /// A tree of a restored hub.
    pub struct RestoredTree {
        /// Its id.
        pub repo: RepoId,
        /// Its directory, relative to the hub's root.
        pub path: String,
        /// Whether it was changed after the backup was made.
        pub newer: bool,
        /// What brings it back.
        pub command: Option<String>,
    }
}
