//! One tree of the index: what was read of its directory.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use car_api::{
    RepoId,
    repo::{Repo, RepoKind, RepoStatus, RunBrief, TicketCounts},
    ticket::{Ticket, TicketIssue, TicketState},
};
use car_engine::{
    manifest,
    ticket::{Issue, KnownAgents, Listed, check_directory, effective_id},
};
use car_files::{
    CAR_DIR,
    beneath::FileKind,
    tickets::{self, TICKETS_DIR, TicketFile},
};
use car_store::TicketFileRow;

use super::status_of;

/// One repo or worktree.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    pub(super) entry: Option<manifest::Repo>,
    pub(super) path: PathBuf,
    pub(super) status: Option<RepoStatus>,
    pub(super) branch: Option<String>,
    pub(super) run: Option<RunBrief>,
    /// Shared with what is read next: of 2,000 tickets few have changed.
    files: Files,
    /// The order of the queue: by number, then by name.
    order: Box<[Arc<File>]>,
}

/// One ticket file as it was read.
#[derive(Clone, PartialEq)]
pub(crate) struct File {
    pub(crate) size: u64,
    pub(crate) modified_us: i64,
    pub(crate) ticket: Ticket,
    /// What the file itself has of an id.
    own_id: Option<String>,
    /// How it stands by itself, whatever else is in the queue.
    own_state: TicketState,
}

/// Ticket files by name.
type Files = BTreeMap<String, Arc<File>>;

/// What was read of a tree.
pub(crate) struct Read {
    status: RepoStatus,
    branch: Option<String>,
    files: Files,
}

/// What changed in a tree's tickets.
pub(crate) enum Change {
    /// A file is new or different.
    Changed(Box<TicketFileRow>),
    /// A file is gone.
    Gone(String),
}

/// Reads a tree. Files whose size and time are as known are not opened.
pub(crate) fn read_tree(repo: &RepoId, known: &Tree, agents: &KnownAgents) -> Read {
    let status = status_of(&known.path);
    let branch = branch(&known.path);
    let mut files = BTreeMap::new();
    let metas = match status {
        RepoStatus::Ready => tickets::scan_meta(&known.path).unwrap_or_default(),
        RepoStatus::Uninitialized | RepoStatus::Missing | RepoStatus::Invalid => Vec::new(),
    };
    for meta in metas {
        let mut name = meta.name.to_string_lossy().into_owned();
        // Two names that are not UTF-8 may look alike.
        while files.contains_key(&name) {
            name.push('?');
        }
        let same = known.files.get(&name).filter(|file| {
            file.size == meta.meta.size && file.modified_us == meta.meta.modified_us
        });
        let file = match same {
            Some(file) => file.clone(),
            None => {
                let Ok(read) = tickets::read(&known.path, &meta.name, agents) else { continue };
                // A file that went between the two looks is not listed.
                if read.content.as_ref().is_err_and(car_files::FileError::is_not_found)
                    && meta.meta.kind != FileKind::Symlink
                {
                    continue;
                }
                let ticket = ticket(repo, &name, &read);
                Arc::new(File {
                    size: meta.meta.size,
                    modified_us: meta.meta.modified_us,
                    own_id: own_id(&read),
                    own_state: ticket.state,
                    ticket,
                })
            }
        };
        files.insert(name, file);
    }
    Read { status, branch, files }
}

fn own_id(file: &TicketFile) -> Option<String> {
    let loaded = file.content.as_ref().ok()?;
    loaded.parsed.outline.ticket_id.clone()
}

fn ticket(repo: &RepoId, name: &str, file: &TicketFile) -> Ticket {
    let path = format!("{CAR_DIR}/{TICKETS_DIR}/{name}");
    let derived = || effective_id(None, &path);
    let id = own_id(file).unwrap_or_else(derived);
    let id = id.parse().or_else(|_| derived().parse());
    let parsed = file.content.as_ref().ok().map(|loaded| &loaded.parsed);
    let front = parsed.and_then(|parsed| parsed.frontmatter.as_ref());
    let outline = parsed.map(|parsed| &parsed.outline);
    let heading = parsed.and_then(|parsed| {
        let line = parsed.body.lines().find(|line| !line.trim().is_empty())?;
        Some(line.strip_prefix('#')?.trim_start_matches('#').trim().to_owned())
    });
    let title = outline.and_then(|o| o.title.clone()).or(heading).filter(|t| !t.is_empty());
    let state = match front {
        Some(front) if front.done => TicketState::Done,
        Some(_) => TicketState::Open,
        None => TicketState::Invalid,
    };
    Ticket {
        // The derived id is always a valid one.
        id: id.unwrap_or_else(|_| unreachable_id()),
        repo: repo.clone(),
        number: file.number,
        file: name.to_owned(),
        state,
        title: title.unwrap_or_else(|| name.to_owned()),
        agent: outline.and_then(|o| o.assignee.as_ref()).map(|a| a.as_str().to_owned()),
        model: front.and_then(|front| front.model.clone()),
        reasoning: front.and_then(|front| front.reasoning.clone()),
        has_verify: front.is_some_and(|front| front.verify.is_some()),
        issues: file.issues().iter().map(issue).collect(),
        etag: file.content.as_ref().map(|l| l.hash.to_string()).unwrap_or_default(),
    }
}

/// An id for the case that cannot be.
fn unreachable_id() -> car_api::TicketId {
    #[expect(clippy::expect_used, reason = "the text is a valid id, as a test shows")]
    "tkt_unknown".parse().expect("a valid id")
}

/// A finding in the contract's words.
pub(crate) fn issue(issue: &Issue) -> TicketIssue {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    TicketIssue {
        code: issue.code.as_str().to_owned(),
        severity: issue.severity(),
        line: number(issue.line),
        column: number(issue.column),
        message: issue.message.clone(),
        fixable: issue.fix.is_some(),
    }
}

/// The branch HEAD names, read without a process.
fn branch(path: &std::path::Path) -> Option<String> {
    let layout = car_git::Git::at(path).layout().ok()?;
    let head = std::fs::read_to_string(layout.git_dir.join("HEAD")).ok()?;
    head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned)
}

/// Where a ticket stands in its queue, as a list's cursor.
pub(super) fn cursor(ticket: &Ticket) -> String {
    place(ticket.number, &ticket.file)
}

fn place(number: Option<u64>, file: &str) -> String {
    match number {
        Some(number) => format!("{number:020}:{file}"),
        None => format!("~:{file}"),
    }
}

impl Tree {
    pub(super) fn take_row(&mut self, row: TicketFileRow) {
        let own_id = row.ticket.id.as_str();
        let own_id = (!own_id.starts_with("tkt_auto_")).then(|| own_id.to_owned());
        let own_state = row.ticket.state;
        let file =
            File { size: row.size, modified_us: row.mtime, ticket: row.ticket, own_id, own_state };
        self.files.insert(row.file, Arc::new(file));
    }

    pub(super) fn same(&self, read: &Read) -> bool {
        self.status == Some(read.status)
            && self.branch == read.branch
            && self.files.len() == read.files.len()
            && self.files.iter().zip(&read.files).all(|((a, one), (b, other))| {
                a == b && one.size == other.size && one.modified_us == other.modified_us
            })
    }

    pub(super) fn take(&mut self, repo: &RepoId, read: Read) -> Vec<Change> {
        self.status = Some(read.status);
        self.branch = read.branch;
        let mut changes: Vec<Change> = self
            .files
            .keys()
            .filter(|name| !read.files.contains_key(*name))
            .map(|name| Change::Gone(name.clone()))
            .collect();
        for (name, file) in &read.files {
            let known = self.files.get(name);
            if known.is_none_or(|k| k.size != file.size || k.modified_us != file.modified_us) {
                changes.push(Change::Changed(Box::new(TicketFileRow {
                    repo: repo.clone(),
                    file: name.clone(),
                    size: file.size,
                    mtime: file.modified_us,
                    hash: file.ticket.etag.clone(),
                    ticket: file.ticket.clone(),
                })));
            }
        }
        self.files = read.files;
        self.check_clashes();
        changes
    }

    /// Marks tickets that share a number or id; a mark goes when the clash does.
    pub(super) fn check_clashes(&mut self) {
        let clash_codes = ["number-duplicate", "ticket-id-duplicate"];
        let clash = |issue: &TicketIssue| clash_codes.contains(&issue.code.as_str());
        self.order = Box::default();
        for file in self.files.values_mut() {
            if file.ticket.issues.iter().any(clash) || file.ticket.state != file.own_state {
                let file = Arc::make_mut(file);
                file.ticket.issues.retain(|issue| !clash(issue));
                file.ticket.state = file.own_state;
            }
        }
        let clashes = {
            let listed: Vec<Listed<'_>> = self
                .files
                .iter()
                .map(|(name, file)| Listed { name, ticket_id: file.own_id.as_deref() })
                .collect();
            check_directory(&listed)
        };
        let names: Vec<String> = self.files.keys().cloned().collect();
        for (places, found) in clashes {
            for place in places {
                if let Some(file) = names.get(place).and_then(|name| self.files.get_mut(name)) {
                    let file = Arc::make_mut(file);
                    file.ticket.issues.push(issue(&found));
                    file.ticket.state = TicketState::Invalid;
                }
            }
        }
        self.order = self.files.values().cloned().collect();
        self.order.sort_by_cached_key(|file| cursor(&file.ticket));
    }

    pub(super) fn tickets_after<'a>(
        &'a self,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Ticket> + 'a {
        self.order
            .iter()
            .map(|file| &file.ticket)
            .filter(move |ticket| after.is_none_or(|after| cursor(ticket).as_str() > after))
    }

    pub(super) fn standing(&self) -> RepoStatus {
        self.status.unwrap_or(RepoStatus::Ready)
    }

    pub(super) fn kind(&self) -> RepoKind {
        match self.entry.as_ref().map(|entry| &entry.kind) {
            Some(manifest::Kind::Worktree { .. }) => RepoKind::Worktree,
            Some(manifest::Kind::Base) | None => RepoKind::Base,
        }
    }

    pub(super) fn worktree_of(&self) -> Option<RepoId> {
        match self.entry.as_ref().map(|entry| &entry.kind) {
            Some(manifest::Kind::Worktree { of }) => of.as_ref()?.parse().ok(),
            Some(manifest::Kind::Base) | None => None,
        }
    }

    pub(super) fn counts(&self) -> TicketCounts {
        let count = |state| {
            let of_state = self.files.values().filter(|file| file.ticket.state == state);
            u64::try_from(of_state.count()).unwrap_or(u64::MAX)
        };
        TicketCounts {
            total: u64::try_from(self.files.len()).unwrap_or(u64::MAX),
            done: count(TicketState::Done),
            invalid: count(TicketState::Invalid),
        }
    }

    pub(super) fn repo(&self, id: &RepoId) -> Repo {
        let entry = self.entry.as_ref();
        let name = entry.and_then(|entry| entry.display_name.clone());
        Repo {
            id: id.clone(),
            name: name.unwrap_or_else(|| id.to_string()),
            path: entry.map(|entry| entry.path.clone()).unwrap_or_default(),
            kind: self.kind(),
            worktree_of: self.worktree_of(),
            branch: self.branch.clone().or_else(|| entry.and_then(|entry| entry.branch.clone())),
            status: self.standing(),
            tickets: self.counts(),
            run: self.run.clone(),
            issue: None,
        }
    }
}
