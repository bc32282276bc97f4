//! Operations on threads and their messages.
//!
//! Read in this order: `post` (how a message comes in, once), `lanes` (which threads have a task),
//! `actor`, `told` and `turn` (what that task does), `record` (what is written down of it), and the
//! seams `gate`, `prompt` and `token`: what is asked before a turn, what the agent is told, and what it
//! acts with.

mod actor;
mod gate;
mod lanes;
mod post;
mod prompt;
pub(crate) mod record;
mod recover;
mod summary;
mod token;
mod told;
mod turn;
mod view;

use std::{collections::HashMap, sync::Arc};

use car_api::{
    ApprovalId, Code, MessageId, Page, PageQuery, RepoId, ThreadId, Timestamp, TurnId,
    agent::Capability,
    audit::ActorKind,
    item::Approval,
    run::ApprovalDecide,
    thread::{
        Message, MessageDetail, MessageHit, MessageStatus, Thread, ThreadCreate, ThreadFork,
        ThreadKind, ThreadStatus, ThreadUpdate,
    },
};
use car_engine::lane::{Input, Lane};
use car_store::{
    ApprovalRow, Errand, MessageQuery, MessageRow, SearchQuery, ThreadQuery, ThreadRow,
};

pub(crate) use lanes::Lanes;
pub(crate) use prompt::Said;
pub(crate) use recover::{recover, settle};
pub(crate) use view::lane;

use crate::{Error, Hub, Result, cursor, hub::Inner, idempotency::Made, index, text};
use lanes::Told;

/// The word that stands for the project manager's thread.
pub const PMA: &str = "pma";

/// Longest name of a thread, in characters.
const LONGEST_NAME: usize = 200;

/// Which threads are wanted.
#[derive(Debug, Clone, Default)]
pub struct ThreadFilter {
    /// Only of this kind.
    pub kind: Option<ThreadKind>,
    /// Only about this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only those that stand so.
    pub status: Option<ThreadStatus>,
    /// Only those that are, or are not, put away; both when absent.
    pub archived: Option<bool>,
}

/// Which page of a thread's messages is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessagePage {
    /// The messages before this number.
    pub before: Option<u32>,
    /// The messages after this number.
    pub after: Option<u32>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Lets what a thread's queue holds go on, whatever it was held for.
pub(crate) async fn release(hub: &Arc<Inner>, thread: &ThreadId) {
    let told = |done| Told::Input(Input::Released, None, done);
    if let Err(error) = hub.lanes.ask(hub, thread, told).await {
        // It holds nothing.
        tracing::debug!(%thread, %error, "there is nothing to let go on");
    }
}

impl Hub {
    /// A page of threads, the one that was active last first.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_list(&self, filter: ThreadFilter, page: PageQuery) -> Result<Page<Thread>> {
        let limit = index::limit(&page)?;
        let before: Option<String> = cursor::read(&page)?;
        let before = before.as_deref().map(place).transpose()?;
        let ThreadFilter { kind, repo, status, archived } = filter;
        let mut query = ThreadQuery { kind, repo, archived, before, limit: index::more(limit) };
        let asked = self.inner.thread_approvals().await?;
        let mut threads: Vec<Thread> = Vec::new();
        // What does not stand so, or is out of reach, is passed over.
        loop {
            let rows = self.inner.store.threads(&query).await?;
            let all = rows.len() <= limit;
            query.before = rows.last().map(|row| (row.updated_at, row.id.clone()));
            for row in rows {
                let questions = asked.get(&row.id).map_or(&[][..], Vec::as_slice);
                let thread = view::thread(&row, questions, &self.inner);
                let wanted = status.is_none_or(|status| thread.status == status);
                if threads.len() <= limit && wanted && self.reaches_thread(row.repo.as_ref()) {
                    threads.push(thread);
                }
            }
            if all || threads.len() > limit {
                break;
            }
        }
        Ok(index::cut(threads, limit, |t| format!("{} {}", t.updated_at.micros(), t.id)))
    }

    fn reaches_thread(&self, repo: Option<&RepoId>) -> bool {
        let reach = &self.rights.reach;
        reach.is_hub() || repo.is_some_and(|repo| self.inner.index.reaches(reach, repo))
    }

    /// Makes a thread.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_create(&self, body: ThreadCreate) -> Result<Thread> {
        self.inner.unconfirmed.refuse()?;
        check_name(body.name.as_deref())?;
        if let Some(repo) = &body.repo {
            self.check_repo(repo)?;
            self.inner.tree(repo)?;
        } else if !self.rights.reach.is_hub() {
            let detail = "Your credential is limited to some repos: name one of them as `repo`.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        let row = recover::new(&self.inner, ThreadKind::Chat, body);
        self.inner.adapter(&row.agent)?;
        self.make(&row, "thread_create").await
    }

    async fn make(&self, row: &ThreadRow, verb: &'static str) -> Result<Thread> {
        let about = row.repo.as_ref().map_or_else(|| "the hub".to_owned(), ToString::to_string);
        let act = self.act(verb, &row.id).detail(format!("{} on {about}", row.agent)).done();
        let mut with = vec![act];
        with.extend(self.remember(&Made::Thread { id: row.id.clone() })?);
        recover::commit_made(&self.inner, row, with).await?;
        Ok(view::thread(row, &[], &self.inner))
    }

    /// One thread.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_get(&self, key: &str) -> Result<Thread> {
        let row = self.inner.thread_row(key).await?;
        self.inner.thread_view(&row).await
    }

    /// Changes a thread's name or settings, puts it away or takes it out again.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_update(&self, key: &str, body: ThreadUpdate) -> Result<Thread> {
        self.inner.unconfirmed.refuse()?;
        check_name(body.name.as_deref())?;
        let row = self.inner.thread_row(key).await?;
        let act = self.act("thread_update", &row.id).done();
        let change = |done| Told::Change(Box::new(body), act, done);
        self.inner.lanes.ask(&self.inner, &row.id, change).await?;
        self.thread_get(row.id.as_str()).await
    }

    /// A page of a thread's messages, oldest first; the last page when neither side is named.
    ///
    /// # Errors
    /// See the API.
    pub async fn message_list(&self, key: &str, page: MessagePage) -> Result<Page<Message>> {
        let row = self.inner.thread_row(key).await?;
        let limit = page.limit.unwrap_or(50);
        let forward = page.before.is_none() && page.after.is_some();
        let query =
            MessageQuery { before: page.before, after: page.after, limit: limit.saturating_add(1) };
        let rows = self.inner.store.messages(&row.id, query).await?;
        let mut items: Vec<Message> = rows.into_iter().map(|row| row.message).collect();
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > most;
        let next = if forward {
            items.truncate(most);
            items.last().filter(|_| more).map(|last| last.number.to_string())
        } else {
            items.drain(..items.len().saturating_sub(most));
            items.first().filter(|_| more).map(|first| first.number.to_string())
        };
        Ok(Page { items, next })
    }

    /// A message with everything the agent did to answer it.
    ///
    /// # Errors
    /// See the API.
    pub async fn message_get(&self, key: &str, message: &MessageId) -> Result<MessageDetail> {
        let thread = self.inner.thread_row(key).await?;
        let row = self.inner.message_of_thread(&thread.id, message).await?;
        let (mut items, mut writing) = (Vec::new(), Vec::new());
        if let Some(turn) = &row.message.turn {
            items = self.inner.store.items(turn).await?;
            if row.message.status == MessageStatus::Working {
                writing = self.inner.live.writing(turn);
            }
        }
        Ok(MessageDetail { message: row.message, items, plan: row.plan, writing })
    }

    /// Takes a message back that waits.
    ///
    /// # Errors
    /// See the API.
    pub async fn message_cancel(&self, key: &str, message: &MessageId) -> Result<Message> {
        let row = self.inner.thread_row(key).await?;
        let known = self.inner.message_of_thread(&row.id, message).await?.message;
        if known.status == MessageStatus::Cancelled {
            return Ok(known);
        }
        let act = self.act("message_cancel", message).done();
        let input = Input::Cancel { message: message.clone() };
        let told = |done| Told::Input(input, Some(act), done);
        self.inner.lanes.ask(&self.inner, &row.id, told).await?;
        Ok(self.inner.message_of_thread(&row.id, message).await?.message)
    }

    /// Cuts the answer off that is under way; the queue goes on.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_interrupt(&self, key: &str) -> Result<Thread> {
        self.tell(key, "thread_interrupt", Input::Interrupt).await
    }

    /// Cuts the answer off that is under way, and takes back what waits.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_stop(&self, key: &str) -> Result<Thread> {
        self.tell(key, "thread_stop", Input::Stop).await
    }

    /// Lets a held thread go on: what waits is looked at again, and the failures that were counted
    /// are forgotten. One that is not held goes on as it is, which is what was wanted.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_resume(&self, key: &str) -> Result<Thread> {
        self.inner.unconfirmed.refuse()?;
        if matches!(self.actor.kind, ActorKind::Agent | ActorKind::Pma) {
            let detail = "An agent may not lift what holds a thread; a person has to.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        let row = self.inner.thread_row(key).await?;
        let mut writes = vec![self.act("thread_resume", &row.id).done()];
        writes.extend(self.inner.reset_guard(&row.id));
        self.inner.store.commit(writes).await?;
        if row.lane.status(false) == ThreadStatus::Held {
            release(&self.inner, &row.id).await;
        }
        self.thread_get(row.id.as_str()).await
    }

    /// Begins a new conversation of the agent.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_reset(&self, key: &str) -> Result<Thread> {
        self.tell(key, "thread_reset", Input::Reset).await
    }

    /// Makes the agent's conversation shorter: by the agent where it can, else by a new one that
    /// begins with a summary.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_compact(&self, key: &str) -> Result<Thread> {
        let row = self.inner.thread_row(key).await?;
        let adapter = self.inner.adapter(&row.agent)?;
        let seed = match adapter.capabilities().contains(&Capability::Compact) {
            true => None,
            false => Some(summary::of(&self.inner, &row).await.unwrap_or_default()),
        };
        self.tell(key, "thread_compact", Input::Compact { seed }).await
    }

    /// Begins another thread as a copy of the agent's conversation.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_fork(&self, key: &str, body: ThreadFork) -> Result<Thread> {
        self.inner.unconfirmed.refuse()?;
        check_name(body.name.as_deref())?;
        let from = self.inner.thread_row(key).await?;
        let adapter = self.inner.adapter(&from.agent)?;
        if !adapter.capabilities().contains(&Capability::Fork) {
            let detail = format!("{} has no way of forking a conversation.", adapter.name());
            return Err(Error::new(Code::AgentCannot, detail));
        }
        let Some(backend) = from.lane.backend.clone() else {
            let detail = "Nothing was said in this conversation yet that could be gone on with.";
            return Err(Error::new(Code::IllegalTransition, detail));
        };
        if !from.lane.is_at_rest() {
            let detail = "The agent answers; fork when it is done.";
            return Err(Error::new(Code::Busy, detail));
        }
        let name = body.name.unwrap_or_else(|| format!("{} (fork)", from.name));
        let mut row = recover::new(
            &self.inner,
            ThreadKind::Chat,
            ThreadCreate {
                name: Some(name),
                repo: from.repo.clone(),
                agent: Some(from.agent.clone()),
                model: from.model.clone(),
                effort: from.effort.clone(),
                approvals: Some(from.approvals),
            },
        );
        row.lane = Lane::forked(backend, TurnId::generate());
        row.spent = from.spent;
        row.forked_from = Some(from.id);
        let thread = self.make(&row, "thread_fork").await?;
        self.inner.lanes.wake(&self.inner, &row.id);
        Ok(thread)
    }

    /// Answers a question of a thread's agent.
    ///
    /// # Errors
    /// See the API.
    pub async fn thread_approval_decide(
        &self,
        key: &str,
        approval: &ApprovalId,
        body: ApprovalDecide,
    ) -> Result<Approval> {
        self.inner.unconfirmed.refuse()?;
        let thread = self.inner.thread_row(key).await?;
        let row = self.inner.store.approval(approval).await?;
        let errand = Errand::Thread(thread.id.clone());
        let row = row.filter(|row| row.errand == errand);
        let Some(row) = row else {
            return Err(Error::not_found(format!("question `{approval}` of this thread")));
        };
        if row.resolved_at.is_some() {
            let detail = "It is no longer asked.";
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        let act = self
            .act("thread_approval_decide", approval)
            .detail(format!("thread {}: {}", thread.id, body.decision))
            .done();
        let told = |done| Told::Decide(approval.clone(), body.decision, act, done);
        self.inner.lanes.ask(&self.inner, &thread.id, told).await
    }

    /// Messages and answers that hold all the words, the newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn message_search(
        &self,
        words: &str,
        thread: Option<&str>,
        page: PageQuery,
    ) -> Result<Page<MessageHit>> {
        let limit = index::limit(&page)?;
        let thread = match thread {
            Some(key) => Some(self.inner.thread_row(key).await?.id),
            None => None,
        };
        let before: Option<i64> = cursor::read(&page)?;
        let words = words.to_owned();
        let mut query = SearchQuery { words, thread, before, limit: index::more(limit) };
        let mut found = Vec::new();
        loop {
            let rows = self.inner.store.search_messages(&query).await?;
            let all = rows.len() <= limit;
            query.before = rows.last().map(|row| row.place);
            found.extend(rows.into_iter().filter(|row| self.reaches_thread(row.repo.as_ref())));
            if all || found.len() > limit {
                break;
            }
        }
        let page = index::cut(found, limit, |row| row.place.to_string());
        Ok(Page { items: page.items.into_iter().map(|row| row.hit).collect(), next: page.next })
    }

    async fn tell(&self, key: &str, verb: &'static str, input: Input) -> Result<Thread> {
        self.inner.unconfirmed.refuse()?;
        let row = self.inner.thread_row(key).await?;
        let act = self.act(verb, &row.id).done();
        let told = |done| Told::Input(input, Some(act), done);
        self.inner.lanes.ask(&self.inner, &row.id, told).await?;
        self.thread_get(row.id.as_str()).await
    }
}

impl Inner {
    /// The thread of an id, or of the word for the project manager's.
    pub(crate) async fn thread_row(&self, key: &str) -> Result<ThreadRow> {
        let row = if key == PMA {
            self.store.pma_thread().await?
        } else {
            match key.parse::<ThreadId>() {
                Ok(id) => self.store.thread(&id).await?,
                Err(_) => None,
            }
        };
        row.ok_or_else(|| Error::not_found(format!("thread `{key}`")))
    }

    pub(crate) async fn thread_view(&self, row: &ThreadRow) -> Result<Thread> {
        let approvals = self.store.open_approvals(&Errand::Thread(row.id.clone())).await?;
        Ok(view::thread(row, &approvals, self))
    }

    pub(crate) async fn message_of_thread(
        &self,
        thread: &ThreadId,
        message: &MessageId,
    ) -> Result<MessageRow> {
        let row = self.store.message(message).await?;
        row.filter(|row| row.message.thread == *thread)
            .ok_or_else(|| Error::not_found(format!("message `{message}` in this thread")))
    }

    async fn thread_approvals(&self) -> Result<HashMap<ThreadId, Vec<ApprovalRow>>> {
        let mut by_thread: HashMap<ThreadId, Vec<ApprovalRow>> = HashMap::new();
        for row in self.store.open_thread_approvals().await? {
            if let Errand::Thread(thread) = &row.errand {
                by_thread.entry(thread.clone()).or_default().push(row);
            }
        }
        Ok(by_thread)
    }
}

fn check_name(name: Option<&str>) -> Result<()> {
    if name.is_none_or(|name| text::is_a_line(name, LONGEST_NAME)) {
        return Ok(());
    }
    let detail = "`name` is one line of 1 to 200 characters.";
    Err(Error::new(Code::Unprocessable, detail))
}

/// Where a page of threads ended.
fn place(key: &str) -> Result<(Timestamp, ThreadId)> {
    let parts = key.split_once(' ');
    let parts = parts.and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let (at, id): (i64, ThreadId) = parts.ok_or_else(cursor::unknown)?;
    Ok((Timestamp::from_micros(at), id))
}
