//! `.codex-autorunner/manifest.yml`: which repositories and worktrees a hub has.
//!
//! CAR 1.2.1 reads version 2 only; CAR 2.2.3 reads 2 and 3. A manifest therefore keeps the version
//! it was read with as long as nothing in it needs version 3, and a new one is written as 3: the
//! CAR that made a hub can still read it afterwards. An entry that cannot be understood is
//! reported and written back, never dropped.

mod id;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use id::{branch_part, is_safe_id, sanitize_id, split_worktree_name, unique_id, worktree_id};

use crate::yaml::Node;

/// The manifest of a hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    version: Version,
    entries: Vec<Entry>,
    /// Keys beside `version` and `repos`, kept as they are.
    extra: Vec<(Node, Node)>,
}

/// The versions that exist in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// CAR 1.
    V2,
    /// CAR 2 and this hub.
    V3,
}

/// One element of `repos`.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A repository or worktree.
    Repo(Box<Repo>),
    /// An element that cannot be understood. It stays in the file as it is.
    Bad(BadEntry),
}

/// A repository or worktree of the hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Repo {
    /// The id, safe for URLs and directories.
    pub id: String,
    /// Where it is, relative to the hub root, with `/` between the parts.
    pub path: String,
    /// Whether the hub works on it.
    pub enabled: bool,
    /// CAR's flag for starting runs by itself.
    pub auto_run: bool,
    /// A repository of its own, or a worktree of another.
    pub kind: Kind,
    /// The name for people.
    pub display_name: Option<String>,
    /// The branch checked out when it was registered.
    pub branch: Option<String>,
    /// Commands that prepare a new worktree of this repository.
    pub setup_commands: Vec<String>,
    /// Whether it is hidden from lists.
    pub archived: bool,
    /// Where agents run, as CAR 2 wrote it; not interpreted here.
    pub destination: Option<Node>,
    /// Keys with no meaning here, kept as they are.
    pub extra: Vec<(Node, Node)>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A repository.
    Base,
    /// A worktree.
    Worktree {
        /// The id of its repository, when known.
        of: Option<String>,
    },
}

/// An element of `repos` that cannot be understood.
#[derive(Debug, Clone, PartialEq)]
pub struct BadEntry {
    /// Its id if it has one, else its position.
    pub label: String,
    /// Line in the file, counted from 1.
    pub line: usize,
    /// What to do about it.
    pub message: String,
    node: Node,
}

/// Why a manifest cannot be read at all. It must not be written over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The text is not YAML as the contract allows it.
    #[error("correct line {line} of the manifest: {message}")]
    Yaml {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The version is missing or unknown.
    #[error("set `version` of the manifest to 2 or 3; it is {0}")]
    Version(String),
    /// The top level or `repos` has the wrong shape.
    #[error("write the manifest as `version: 3` and a list `repos:`")]
    Shape,
}

/// Why an entry cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    /// The id is in use.
    #[error("choose another id: `{0}` is in the manifest already")]
    IdTaken(String),
    /// The id has characters that are not allowed.
    #[error("use only A-Z a-z 0-9 . _ - in ids: `{0}` has something else")]
    IdUnsafe(String),
    /// The path is in use.
    #[error("the path `{0}` is in the manifest already")]
    PathTaken(String),
    /// The path leaves the hub root.
    #[error("choose a path inside the hub root: `{0}` is not")]
    PathOutside(String),
}

impl Default for Manifest {
    fn default() -> Self {
        Self { version: Version::V3, entries: Vec::new(), extra: Vec::new() }
    }
}

impl Repo {
    /// An enabled entry without anything optional.
    #[must_use]
    pub fn new(id: impl Into<String>, path: impl Into<String>, kind: Kind) -> Self {
        Self {
            id: id.into(),
            path: path.into(),
            enabled: true,
            auto_run: false,
            kind,
            display_name: None,
            branch: None,
            setup_commands: Vec::new(),
            archived: false,
            destination: None,
            extra: Vec::new(),
        }
    }

    /// Where agents run, for showing.
    #[must_use]
    pub fn destination_json(&self) -> Option<serde_json::Value> {
        self.destination.as_ref().map(Node::to_json)
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] when the file as a whole cannot be read. A single bad entry is no error:
    /// it is listed by [`Manifest::bad_entries`].
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        read::parse(text)
    }

    /// The text of the file, in the notation and order CAR writes.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        write::to_yaml(self)
    }

    /// The version that [`Manifest::to_yaml`] writes.
    #[must_use]
    pub fn written_version(&self) -> Version {
        let needs_v3 = |repo: &Repo| {
            !repo.setup_commands.is_empty() || repo.archived || repo.destination.is_some()
        };
        if self.repos().any(needs_v3) { Version::V3 } else { self.version }
    }

    /// The entries that are understood, in the order of the file.
    pub fn repos(&self) -> impl Iterator<Item = &Repo> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Repo(repo) => Some(repo.as_ref()),
            Entry::Bad(_) => None,
        })
    }

    /// The entries that are not understood, in the order of the file.
    pub fn bad_entries(&self) -> impl Iterator<Item = &BadEntry> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Repo(_) => None,
            Entry::Bad(bad) => Some(bad),
        })
    }

    /// The entry with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Repo> {
        self.repos().find(|repo| repo.id == id)
    }

    /// The entry with this id, to change it.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Repo> {
        self.entries.iter_mut().find_map(|entry| match entry {
            Entry::Repo(repo) if repo.id == id => Some(repo.as_mut()),
            Entry::Repo(_) | Entry::Bad(_) => None,
        })
    }

    /// The entry at this path.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Option<&Repo> {
        self.repos().find(|repo| repo.path == path)
    }

    /// Adds an entry at the end.
    ///
    /// # Errors
    /// [`InsertError`] when id or path are in use or not allowed.
    pub fn insert(&mut self, repo: Repo) -> Result<(), InsertError> {
        if !is_safe_id(&repo.id) {
            return Err(InsertError::IdUnsafe(repo.id));
        }
        if read::check_path(&repo.path).is_err() {
            return Err(InsertError::PathOutside(repo.path));
        }
        if self.entries.iter().any(|entry| entry.label() == repo.id) {
            return Err(InsertError::IdTaken(repo.id));
        }
        if self.at_path(&repo.path).is_some() {
            return Err(InsertError::PathTaken(repo.path));
        }
        self.entries.push(Entry::Repo(Box::new(repo)));
        Ok(())
    }

    /// Removes the entry with this id and returns it.
    pub fn remove(&mut self, id: &str) -> Option<Repo> {
        let index = self.entries.iter().position(|entry| match entry {
            Entry::Repo(repo) => repo.id == id,
            Entry::Bad(_) => false,
        })?;
        match self.entries.remove(index) {
            Entry::Repo(repo) => Some(*repo),
            Entry::Bad(_) => None,
        }
    }

    /// An id for `name` that no entry uses.
    #[must_use]
    pub fn free_id(&self, name: &str) -> String {
        unique_id(&sanitize_id(name), |id| self.entries.iter().any(|entry| entry.label() == id))
    }
}

impl Entry {
    fn label(&self) -> &str {
        match self {
            Entry::Repo(repo) => &repo.id,
            Entry::Bad(bad) => &bad.label,
        }
    }
}
