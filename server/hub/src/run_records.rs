//! What a run left behind: its dispatches, its replies, the evidence of its tickets.

use std::path::Path;

use car_api::{
    Page, PageQuery, RunId, Timestamp,
    dispatch::{Dispatch, DispatchMode, Reply},
    verify::Evidence,
};
use car_files::{dispatches, replies, run_dir::RunDir};

use crate::{
    Hub, Result, cursor,
    hub::{Inner, blocking},
    index,
};

impl Hub {
    /// A page of a run's dispatch history, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_dispatches(
        &self,
        run: &RunId,
        mode: Option<DispatchMode>,
        page: PageQuery,
    ) -> Result<Page<Dispatch>> {
        let row = self.inner.run_row(run).await?;
        let tree = self.inner.tree(&row.repo)?;
        let all: Vec<Dispatch> = blocking(move || {
            let Some(directory) = opened(&tree, &row.id)? else { return Ok(Vec::new()) };
            Ok(dispatches::list(&directory)?.into_iter().map(dispatch_view).collect())
        })
        .await?;
        let wanted = all.into_iter().filter(|found| mode.is_none_or(|mode| found.mode == mode));
        index::page_of(wanted, &page, |dispatch| dispatch.seq)
    }

    /// A page of a run's reply history, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_replies(&self, run: &RunId, page: PageQuery) -> Result<Page<Reply>> {
        index::page_of(self.inner.replies_after(run, 0).await?, &page, |reply| reply.seq)
    }

    /// A page of a run's evidence, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_evidence(&self, run: &RunId, page: PageQuery) -> Result<Page<Evidence>> {
        let row = self.inner.run_row(run).await?;
        let tree = self.inner.tree(&row.repo)?;
        let (limit, after) = (index::limit(&page)?, cursor::read(&page)?.unwrap_or(0_u32));
        let items = blocking(move || {
            let Some(directory) = opened(&tree, &row.id)? else { return Ok(Vec::new()) };
            let mut items = Vec::new();
            for number in directory.evidence()?.into_iter().filter(|number| *number > after) {
                let bytes = directory.read_evidence(number)?;
                // A file an agent has spoilt is not evidence.
                items.extend(serde_json::from_slice::<Evidence>(&bytes).ok().map(|e| (number, e)));
                if items.len() > limit {
                    break;
                }
            }
            Ok(items)
        })
        .await?;
        let page = index::cut(items, limit, |(number, _): &(u32, Evidence)| number.to_string());
        let items = page.items.into_iter().map(|(_, evidence)| evidence).collect();
        Ok(Page { items, next: page.next })
    }
}

impl Inner {
    /// A run's replies after one of them, oldest first.
    pub(crate) async fn replies_after(&self, run: &RunId, after: u32) -> Result<Vec<Reply>> {
        let row = self.run_row(run).await?;
        let tree = self.tree(&row.repo)?;
        blocking(move || {
            let Some(directory) = opened(&tree, &row.id)? else { return Ok(Vec::new()) };
            Ok(replies::list_after(&directory, after)?.into_iter().map(reply_view).collect())
        })
        .await
    }
}

/// The directory of a run, which may have been put away.
fn opened(tree: &Path, run: &RunId) -> Result<Option<RunDir>> {
    match RunDir::open(tree, run.as_str()) {
        Ok(directory) => Ok(Some(directory)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn dispatch_view(entry: dispatches::Entry) -> Dispatch {
    let (mode, title, body) = match entry.dispatch {
        Ok(dispatch) => (dispatch.mode, dispatch.title, dispatch.body),
        Err(error) => (DispatchMode::Notify, None, format!("(it cannot be read: {error})")),
    };
    Dispatch {
        seq: entry.seq,
        mode,
        title,
        body,
        attachments: entry.attachments.into_iter().map(|attachment| attachment.name).collect(),
        created_at: Some(Timestamp::from_micros(entry.archived_us)),
    }
}

/// A reply as the contract has it.
pub(crate) fn reply_view(entry: replies::Entry) -> Reply {
    let (title, body) = match entry.reply {
        Ok(reply) => (reply.title, reply.body),
        Err(error) => (None, format!("(it cannot be read: {error})")),
    };
    Reply {
        seq: entry.seq,
        title,
        body,
        attachments: entry.attachments.into_iter().map(|attachment| attachment.name).collect(),
        created_at: Some(Timestamp::from_micros(entry.archived_us)),
    }
}
