//! Operations on file boxes. A file goes through in pieces: it is never whole in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::Read,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use car_api::{
    BoxFileName, Code, EventKind, Page, PageQuery, RepoId, Timestamp,
    filebox::{BoxFile, FileBox, media_type},
};
use car_files::{atomic::Staged, filebox};
use car_store::Write;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

use crate::{
    Error, Hub, Result, clock,
    hub::{Inner, blocking},
    index,
};

/// Bytes of a piece, and pieces that wait for whoever reads slowly.
const PIECE: usize = 64 * 1024;
const AHEAD: usize = 4;

/// A box somebody is writing into is looked at once in this time.
const SETTLE: Duration = Duration::from_millis(200);

/// Whose boxes are meant: those of a repo or worktree, or the hub's own.
pub type BoxScope = Option<RepoId>;

/// A file on its way out.
pub struct Download {
    /// What it is.
    pub file: BoxFile,
    /// Its pieces; one that is an error ends it.
    pub pieces: mpsc::Receiver<std::io::Result<Bytes>>,
}

/// What is known of the boxes' files, to tell what has changed.
#[derive(Default)]
pub(crate) struct Boxes {
    known: tokio::sync::Mutex<HashMap<(BoxScope, FileBox), Files>>,
    /// Those that will be looked into in a moment.
    due: Mutex<HashSet<(BoxScope, FileBox)>>,
}

/// Sizes and times of a box's files, by name.
type Files = BTreeMap<BoxFileName, (u64, i64)>;

impl Inner {
    /// Looks into a box a little later; what happens until then is seen with it.
    pub(crate) fn look_into_box_soon(self: &Arc<Self>, scope: BoxScope, r#box: FileBox) {
        let key = (scope, r#box);
        let due = || self.boxes.due.lock().unwrap_or_else(PoisonError::into_inner);
        if !due().insert(key.clone()) {
            return;
        }
        let hub = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(SETTLE).await;
            let Some(hub) = hub.upgrade() else { return };
            // Before it is looked into: what comes from now on is another change.
            hub.boxes.due.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            hub.look_into_box(&key.0, key.1).await;
        });
    }

    /// Looks into both boxes of a tree, or of the hub.
    pub(crate) async fn look_into_boxes(&self, scope: &BoxScope) {
        for r#box in FileBox::ALL {
            self.look_into_box(scope, *r#box).await;
        }
    }

    /// Says what has changed in a box since it was last looked into; the first look says nothing.
    async fn look_into_box(&self, scope: &BoxScope, r#box: FileBox) {
        let Ok(tree) = self.box_root(scope) else { return };
        // One look at a time: an older one must not take the place of a newer one.
        let mut known = self.boxes.known.lock().await;
        let listed = blocking(move || Ok(filebox::list(&tree, r#box)?)).await;
        let Ok(listed) = listed else { return };
        let now: Files = listed
            .into_iter()
            .filter_map(|entry| Some((entry.name.parse().ok()?, (entry.size, entry.modified_us))))
            .collect();
        let Some(before) = known.insert((scope.clone(), r#box), now.clone()) else { return };
        let gone = before.keys().filter(|name| !now.contains_key(*name)).map(|name| (name, None));
        let new = now
            .iter()
            .filter(|(name, file)| before.get(*name) != Some(*file))
            .map(|(name, (size, _))| (name, Some(*size)));
        let events = gone.chain(new).map(|(name, size)| Write::Event {
            at: clock::now(),
            repo: scope.clone(),
            run: None,
            thread: None,
            kind: Box::new(EventKind::FileChanged { r#box, name: name.clone(), size }),
        });
        let events: Vec<Write> = events.collect();
        if events.is_empty() {
            return;
        }
        if let Err(error) = self.store.commit(events).await {
            tracing::warn!(%error, "what changed in a file box could not be written down");
        }
    }

    fn box_root(&self, scope: &BoxScope) -> Result<std::path::PathBuf> {
        match scope {
            Some(repo) => self.tree(repo),
            None => Ok(self.config.root.clone()),
        }
    }
}

impl Hub {
    /// A page of the files of a box, or of both, by box and name.
    ///
    /// # Errors
    /// See the API.
    pub async fn file_list(
        &self,
        scope: &BoxScope,
        only: Option<FileBox>,
        page: PageQuery,
    ) -> Result<Page<BoxFile>> {
        let tree = self.inner.box_root(scope)?;
        let boxes: Vec<_> =
            FileBox::ALL.iter().copied().filter(|one| only.is_none_or(|o| o == *one)).collect();
        let found = blocking(move || {
            let mut all = Vec::new();
            for r#box in boxes {
                let entries = filebox::list(&tree, r#box)?;
                all.extend(entries.into_iter().filter_map(|entry| file_of(r#box, entry)));
            }
            Ok(all)
        });
        index::page_of(found.await?, &page, |file| format!("{}/{}", file.r#box, file.name))
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// See the API.
    pub async fn file_get(
        &self,
        scope: &BoxScope,
        r#box: FileBox,
        name: &BoxFileName,
    ) -> Result<Download> {
        let tree = self.inner.box_root(scope)?;
        let wanted = name.clone();
        let opened = blocking(move || Ok(filebox::open(&tree, r#box, wanted.as_str())?)).await?;
        let (mut from, entry, path) = opened.ok_or_else(|| no_file(r#box, name))?;
        let file = file_of(r#box, entry).ok_or_else(|| no_file(r#box, name))?;
        let (to, pieces) = mpsc::channel(AHEAD);
        // As long as it was when it was opened: what is added meanwhile belongs to another version.
        let mut left = file.size;
        tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; PIECE];
            while left > 0 {
                let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
                let read = from.read(&mut buffer[..most]);
                let piece = match read {
                    Ok(0) => Err(std::io::ErrorKind::UnexpectedEof.into()),
                    Ok(n) => {
                        left -= n as u64;
                        Ok(Bytes::copy_from_slice(&buffer[..n]))
                    }
                    Err(error) => Err(error),
                };
                let last = piece.is_err();
                if last {
                    tracing::warn!(path = %path.display(), "a file ended before its end was reached");
                }
                // Nobody listens any more.
                if to.blocking_send(piece).is_err() || last {
                    return;
                }
            }
        });
        Ok(Download { file, pieces })
    }

    /// Writes a file, in place of one of that name. It is there whole or not at all.
    ///
    /// # Errors
    /// See the API.
    pub async fn file_put(
        &self,
        scope: &BoxScope,
        r#box: FileBox,
        name: &BoxFileName,
        pieces: impl Stream<Item = Result<Bytes>> + Send,
    ) -> Result<BoxFile> {
        let tree = self.inner.box_root(scope)?;
        if name.as_str().len() > filebox::MAX_NAME_BYTES {
            let detail = "The name is too long for a file system; shorten it.";
            return Err(Error::new(Code::Unprocessable, detail));
        }
        let most = self.inner.config.pma.max_upload_bytes;
        let mut staged = blocking(move || Ok(filebox::begin(&tree, r#box)?)).await?;
        let mut size: u64 = 0;
        let mut pieces = pin!(pieces);
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            size += piece.len() as u64;
            if size > most {
                let detail = format!(
                    "A file of a box has at most {most} bytes (`pma.max_upload_bytes`); send a \
                     smaller one."
                );
                return Err(Error::new(Code::TooLarge, detail));
            }
            staged = write(staged, piece).await?;
        }
        let wanted = name.clone();
        let meta = blocking(move || Ok(staged.put(wanted.as_str().as_ref())?)).await?;
        let object = object(scope, r#box, name);
        let verb = if scope.is_some() { "repo_file_put" } else { "file_put" };
        self.note(self.act(verb, object).detail(format!("{size} bytes"))).await?;
        Ok(BoxFile {
            r#box,
            name: name.clone(),
            size: meta.size,
            media_type: media_type(name.as_str()).to_owned(),
            modified_at: Timestamp::from_micros(meta.modified_us),
        })
    }

    /// Removes a file.
    ///
    /// # Errors
    /// See the API.
    pub async fn file_delete(
        &self,
        scope: &BoxScope,
        r#box: FileBox,
        name: &BoxFileName,
    ) -> Result<()> {
        let tree = self.inner.box_root(scope)?;
        let wanted = name.clone();
        let removed = blocking(move || Ok(filebox::remove(&tree, r#box, wanted.as_str())?)).await?;
        removed.ok_or_else(|| no_file(r#box, name))?;
        let verb = if scope.is_some() { "repo_file_delete" } else { "file_delete" };
        self.note(self.act(verb, object(scope, r#box, name))).await
    }
}

async fn write(mut staged: Staged, piece: Bytes) -> Result<Staged> {
    blocking(move || {
        staged.write(&piece)?;
        Ok(staged)
    })
    .await
}

/// A file as the contract has it; none when its name is not one the contract can say.
fn file_of(r#box: FileBox, entry: filebox::Entry) -> Option<BoxFile> {
    Some(BoxFile {
        r#box,
        media_type: media_type(&entry.name).to_owned(),
        name: entry.name.parse().ok()?,
        size: entry.size,
        modified_at: Timestamp::from_micros(entry.modified_us),
    })
}

fn object(scope: &BoxScope, r#box: FileBox, name: &BoxFileName) -> String {
    match scope {
        Some(repo) => format!("{repo}/{box}/{name}"),
        None => format!("{box}/{name}"),
    }
}

fn no_file(r#box: FileBox, name: &BoxFileName) -> Error {
    Error::not_found(format!("file `{name}` in the {box}"))
}
