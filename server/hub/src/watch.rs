//! Keeps the index current: the kernel says which directory changed, and that one is read again.

use std::{
    collections::{HashMap, HashSet},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use car_api::{
    EventKind, RepoId, RunId, context::ContextName, filebox::FileBox, pma::PmaDocName,
    ticket::TicketState,
};
use car_engine::flow::Input;
use car_files::{CAR_DIR, filebox, pma_docs, run_dir, tickets::TICKETS_DIR};
use car_store::Write;
use notify::{
    RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use tokio::sync::mpsc;

use crate::{
    clock,
    files::BoxScope,
    hub::Inner,
    index::{self, Change},
};

/// An editor's write is several changes: what comes within this time is read once.
const SETTLE: Duration = Duration::from_millis(15);

/// What a watched directory is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Watched {
    /// A directory in which another one that matters may appear.
    Parent(RepoId),
    Tickets(RepoId),
    Context(RepoId),
    Run(RepoId, RunId),
    /// A box, or a part of one that CAR made.
    Box(BoxScope, FileBox),
    /// A directory of the hub's root in which a box may appear.
    HubParent,
    /// The documents of the project manager.
    Pma,
}

pub(crate) struct Watch {
    watcher: Mutex<Option<notify::RecommendedWatcher>>,
    watched: Mutex<HashMap<PathBuf, Watched>>,
}

impl Watch {
    /// A watch of nothing yet, and where its news come.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Changed>) {
        let (news, changes) = mpsc::channel(4096);
        let heard = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            for path in event.paths {
                let whole = is_whole(event.kind, &path);
                if event.kind.is_access() && !whole {
                    continue;
                }
                // When the queue is full the directory is in it already, or is read at the end.
                let _ = news.try_send(Changed { path, whole });
            }
        };
        let watcher = notify::recommended_watcher(heard)
            .inspect_err(
                |error| tracing::error!(%error, "files cannot be watched; lists may be stale"),
            )
            .ok();
        (Self { watcher: Mutex::new(watcher), watched: Mutex::default() }, changes)
    }

    /// Watches nothing any more.
    pub(crate) fn stop(&self) {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn watch(&self, path: PathBuf, what: Watched) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.contains_key(&path) || !path.is_dir() {
            return;
        }
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watcher) = watcher.as_mut() else { return };
        match watcher.watch(&path, RecursiveMode::NonRecursive) {
            Ok(()) => drop(watched.insert(path, what)),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a directory cannot be watched")
            }
        }
    }

    fn forget(&self, path: &Path) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.remove(path).is_some()
            && let Some(watcher) =
                self.watcher.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            let _ = watcher.unwatch(path);
        }
    }

    fn what(&self, path: &Path) -> Option<(PathBuf, Watched)> {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |path: &Path| watched.get(path).map(|what| (path.to_owned(), what.clone()));
        path.parent().and_then(of).or_else(|| of(path))
    }

    /// Watches the directories of a tree that the index is made from.
    fn watch_tree(&self, repo: &RepoId, tree: &Path) {
        let car = tree.join(CAR_DIR);
        self.watch(tree.to_owned(), Watched::Parent(repo.clone()));
        self.watch(car.clone(), Watched::Parent(repo.clone()));
        self.watch(car.join(TICKETS_DIR), Watched::Tickets(repo.clone()));
        self.watch(car.join("contextspace"), Watched::Context(repo.clone()));
        let boxes = car.join(filebox::DIR);
        self.watch(boxes.clone(), Watched::Parent(repo.clone()));
        self.watch_boxes(&boxes, &Some(repo.clone()));
    }

    /// Watches the hub's own boxes and the documents of the project manager.
    pub(crate) fn watch_hub(&self, root: &Path) {
        let car = root.join(CAR_DIR);
        self.watch(car.clone(), Watched::HubParent);
        self.watch(car.join(pma_docs::DIR), Watched::Pma);
        let boxes = car.join(filebox::DIR);
        self.watch(boxes.clone(), Watched::HubParent);
        self.watch_boxes(&boxes, &None);
    }

    fn watch_boxes(&self, boxes: &Path, scope: &BoxScope) {
        for r#box in FileBox::ALL {
            let dir = boxes.join(r#box.as_str());
            for part in ["", "pending", "sent"] {
                self.watch(dir.join(part), Watched::Box(scope.clone(), *r#box));
            }
        }
    }

    /// Watches a run's directory for a reply somebody writes as a file.
    pub(crate) fn watch_run(&self, repo: &RepoId, run: &RunId, tree: &Path) {
        let path = tree.join(CAR_DIR).join("runs").join(run.as_str());
        self.watch(path, Watched::Run(repo.clone(), run.clone()));
    }

    /// A run has ended.
    pub(crate) fn forget_run(&self, run: &RunId, tree: &Path) {
        self.forget(&tree.join(CAR_DIR).join("runs").join(run.as_str()));
    }

    /// A tree has left the hub.
    pub(crate) fn forget_tree(&self, tree: &Path) {
        let gone: Vec<PathBuf> = {
            let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            watched.keys().filter(|path| path.starts_with(tree)).cloned().collect()
        };
        for path in gone {
            self.forget(&path);
        }
    }
}

/// Something happened to a file.
pub(crate) struct Changed {
    path: PathBuf,
    /// It has been written to its end, or was put there whole; only of a reply is that known.
    whole: bool,
}

/// Whether a reply somebody writes as a file is one now.
fn is_whole(kind: notify::EventKind, path: &Path) -> bool {
    use notify::EventKind::{Access, Any, Create, Modify, Other, Remove};
    let linked = || std::fs::metadata(path).is_ok_and(|meta| meta.nlink() > 1);
    path.ends_with(run_dir::REPLY_FILE)
        && match kind {
            Access(AccessKind::Close(AccessMode::Write)) => true,
            Modify(ModifyKind::Name(mode)) => mode != RenameMode::From,
            Create(_) => linked(),
            Any | Access(_) | Modify(_) | Remove(_) | Other => false,
        }
}

/// Reads again what changed, until the hub is gone.
pub(crate) async fn follow(hub: Weak<Inner>, mut changes: mpsc::Receiver<Changed>) {
    let mut changed = Vec::new();
    while changes.recv_many(&mut changed, 4096).await > 0 {
        tokio::time::sleep(SETTLE).await;
        while let Ok(one) = changes.try_recv() {
            changed.push(one);
        }
        let Some(hub) = hub.upgrade() else { return };
        let mut todo = HashSet::new();
        for one in changed.drain(..) {
            let Some((dir, what)) = hub.watch.what(&one.path) else { continue };
            if !dir.is_dir() {
                hub.watch.forget(&dir);
            }
            if let Some(task) = task(&one, what) {
                todo.insert(task);
            }
        }
        for task in todo {
            hub.do_task(task).await;
        }
    }
}

/// What is to be done about a change.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Task {
    Refresh(RepoId),
    Context(RepoId, ContextName),
    Reply(RunId),
    Box(BoxScope, FileBox),
    Hub,
    PmaDoc(PmaDocName),
}

fn task(Changed { path, whole }: &Changed, what: Watched) -> Option<Task> {
    let name = path.file_name()?.to_str().unwrap_or_default();
    match what {
        Watched::Parent(repo) => {
            let known = [CAR_DIR, TICKETS_DIR, "contextspace", filebox::DIR, "inbox", "outbox"];
            known.contains(&name).then_some(Task::Refresh(repo))
        }
        Watched::Tickets(repo) => Some(Task::Refresh(repo)),
        Watched::Context(repo) => ContextName::ALL
            .iter()
            .find(|doc| car_files::contextspace::file_name(**doc) == name)
            .map(|doc| Task::Context(repo, *doc)),
        Watched::Run(_, run) => whole.then_some(Task::Reply(run)),
        Watched::Box(scope, r#box) => match (name, scope) {
            ("pending" | "sent", Some(repo)) => Some(Task::Refresh(repo)),
            ("pending" | "sent", None) => Some(Task::Hub),
            (name, scope) => filebox::is_name(name).then_some(Task::Box(scope, r#box)),
        },
        Watched::HubParent => {
            [filebox::DIR, pma_docs::DIR, "inbox", "outbox"].contains(&name).then_some(Task::Hub)
        }
        Watched::Pma => PmaDocName::ALL
            .iter()
            .find(|doc| pma_docs::file_name(**doc) == name)
            .map(|doc| Task::PmaDoc(*doc)),
    }
}

impl Inner {
    async fn do_task(self: &Arc<Self>, task: Task) {
        match task {
            Task::Refresh(repo) => self.refresh(&repo).await,
            Task::Context(repo, name) => {
                let _ = self.log(Some(&repo), EventKind::ContextChanged { name }).await;
            }
            Task::Reply(run) => {
                if let Err(error) = self.take_reply_file(&run).await {
                    tracing::warn!(%run, %error, "a reply file could not be taken");
                }
            }
            Task::Box(scope, r#box) => self.look_into_box_soon(scope, r#box),
            Task::Hub => {
                self.watch.watch_hub(&self.config.root);
                self.look_into_boxes(&None).await;
            }
            Task::PmaDoc(name) => {
                let _ = self.log(None, EventKind::PmaDocChanged { name }).await;
            }
        }
    }

    /// Reads what changed of a tree, and tells those who wait for it.
    pub(crate) async fn refresh(self: &Arc<Self>, repo: &RepoId) {
        let alone = {
            let mut all = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(repo.clone()).or_default())
        };
        // One look at a time: an older one must not take the place of a newer one.
        let _alone = alone.lock().await;
        let Some(known) = self.index.known(repo) else { return };
        let Some(tree) = self.index.tree_path(repo) else { return };
        self.watch.watch_tree(repo, &tree);
        self.look_into_boxes(&Some(repo.clone())).await;
        let (agents, id) = (self.known_agents.clone(), repo.clone());
        let read =
            tokio::task::spawn_blocking(move || index::read_tree(&id, &known, &agents)).await;
        let Ok(read) = read else { return };
        let changes = self.index.set_tree(repo, read);
        self.repo_stands(repo).await;
        if changes.is_empty() {
            return;
        }
        let mut done_changed = false;
        let mut writes = Vec::new();
        for change in changes {
            let kind = match &change {
                Change::Changed(row) => {
                    done_changed |= row.ticket.state == TicketState::Done;
                    EventKind::TicketChanged {
                        file: row.file.clone(),
                        ticket: Some(row.ticket.id.clone()),
                        done: row.ticket.state == TicketState::Done,
                    }
                }
                Change::Gone(file) => {
                    EventKind::TicketChanged { file: file.clone(), ticket: None, done: false }
                }
            };
            writes.push(Write::Event {
                at: clock::now(),
                repo: Some(repo.clone()),
                run: None,
                thread: None,
                kind: Box::new(kind),
            });
            writes.push(match change {
                Change::Changed(row) => Write::TicketFile(*row),
                Change::Gone(file) => Write::TicketFileGone { repo: repo.clone(), file },
            });
        }
        if let Err(error) = self.store.commit(writes).await {
            tracing::warn!(%repo, %error, "the ticket index could not be written");
        }
        if done_changed {
            self.runs.hint_repo(repo, &Input::TicketDone);
        }
    }
}
