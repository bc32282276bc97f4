//! Requests that may be sent again: each acts once, whatever happens to the hub or the connection.
//!
//! A request with a key is claimed before it acts. What it makes is noted under the key in the very
//! commit that makes it ([`Hub::remember`]); when that is a file, the intent is noted just before
//! ([`Hub::intend`]), in a way that a later look can tell whether the file came to be. The answer is
//! kept when it is known. So a repetition finds an answer, or what was made, or nothing at all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use car_api::{
    Code, JobId, MessageId, Page, PageQuery, RepoId, RunId, TerminalId, ThreadId, TicketId,
    Timestamp, TokenId,
    dispatch::{Reply, ReplyCreate},
    job::Job,
    repo::Repo,
    run::Run,
    terminal::Terminal,
    thread::{Message, Thread},
    ticket::{Ticket, TicketText},
};
pub use car_store::KeptAnswer;
use car_store::{RequestKey, Write};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, Hub, Result, clock, hub::Inner, index::TicketFilter, text::hex};

/// How long a key is remembered, in milliseconds.
const KEEP: i64 = 24 * 3_600_000;

/// How often what is older is forgotten, in milliseconds.
const TIDY: i64 = 3_600_000;

/// How many answers with secrets are remembered; they are in memory only.
const SECRETS: usize = 1000;

/// What a request made, or is about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Made {
    /// A run.
    Run {
        /// It.
        id: RunId,
    },
    /// A job.
    Job {
        /// It.
        id: JobId,
    },
    /// A token; its secret is in the first answer only.
    Token {
        /// It.
        id: TokenId,
    },
    /// A terminal.
    Terminal {
        /// It.
        id: TerminalId,
    },
    /// A thread.
    Thread {
        /// It.
        id: ThreadId,
    },
    /// A message.
    Message {
        /// In which thread.
        thread: ThreadId,
        /// It.
        id: MessageId,
    },
    /// About to make a repo.
    Repo {
        /// It.
        id: RepoId,
    },
    /// About to make a ticket.
    Ticket {
        /// In which queue.
        repo: RepoId,
        /// Under which id.
        id: TicketId,
    },
    /// About to give a ticket another number.
    TicketMove {
        /// In which queue.
        repo: RepoId,
        /// The number it gets.
        to: u64,
        /// Version of the ticket: a move leaves the text as it is.
        version: String,
    },
    /// About to send a reply.
    Reply {
        /// To which run.
        run: RunId,
        /// The number of the last reply before it.
        after: u32,
        /// Digest of its text.
        text: String,
    },
}

/// What was made, as it is now.
#[derive(Debug)]
pub enum Found {
    /// A run.
    Run(Box<Run>),
    /// A job.
    Job(Box<Job>),
    /// A token.
    Token(TokenId),
    /// A repo.
    Repo(Box<Repo>),
    /// A ticket.
    Ticket(Box<TicketText>),
    /// A queue in its order.
    Tickets(Box<Page<Ticket>>),
    /// A reply.
    Reply(Box<Reply>),
    /// A terminal.
    Terminal(Box<Terminal>),
    /// A thread.
    Thread(Box<Thread>),
    /// A message.
    Message(Box<Message>),
}

/// How a request with a key begins.
#[derive(Debug)]
pub enum Begun {
    /// It is the first; act, then [`Hub::request_answered`].
    First(Claim),
    /// It acted, but its answer was never kept: this is what it made. Answer with that.
    Made(Claim, Found),
    /// It was answered.
    Answered(KeptAnswer),
}

/// One request at work under its key. While it lives, no other acts under the key.
#[derive(Debug, Clone)]
pub struct Claim(Arc<Held>);

struct Held {
    key: RequestKey,
    /// What an earlier try was about to make, and had not made.
    begun: Option<Made>,
    hub: Arc<Inner>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.hub.requests.lock().at_work.remove(&place(&self.key.owner, &self.key.key));
    }
}

/// Requests at work, and what must not reach the disk.
#[derive(Default)]
pub(crate) struct Requests(Mutex<Now>);

#[derive(Default)]
struct Now {
    at_work: HashMap<Place, String>,
    secrets: HashMap<Place, (Timestamp, KeptAnswer)>,
    tidied: Option<Timestamp>,
}

type Place = (String, String);

fn place(owner: &str, key: &str) -> Place {
    (owner.to_owned(), key.to_owned())
}

impl Requests {
    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Claims a key for a request of the present actor. `parts` are everything that makes the
    /// request what it is.
    ///
    /// # Errors
    /// `idempotency_mismatch` when the key belongs to another request, `idempotency_in_flight` when
    /// this one is at work; what the database says.
    pub async fn request_begun(&self, key: &str, parts: &[&[u8]]) -> Result<Begun> {
        let actor = self.actor();
        let owner = format!("{}:{}", actor.kind, actor.id);
        let key =
            RequestKey { owner, key: key.to_owned(), request: digest(parts), at: clock::now() };
        let place = place(&key.owner, &key.key);
        {
            let mut now = self.inner.requests.lock();
            match now.at_work.get(&place) {
                Some(request) if *request != key.request => return Err(mismatch()),
                Some(_) => return Err(in_flight()),
                None => now.at_work.insert(place.clone(), key.request.clone()),
            };
        }
        // From here on dropping it lets go of the key.
        let mut held = Held { key, begun: None, hub: Arc::clone(&self.inner) };
        self.inner.tidy_requests();
        let known = self.inner.store.request(&held.key.owner, &held.key.key).await?;
        let oldest = held.key.at.plus_millis(-KEEP);
        let Some(known) = known.filter(|known| known.key.at >= oldest) else {
            return Ok(Begun::First(Claim(Arc::new(held))));
        };
        if known.key.request != held.key.request {
            return Err(mismatch());
        }
        held.key.at = known.key.at;
        let made = known.made.as_deref().map(serde_json::from_str::<Made>).transpose();
        let made = made.map_err(Error::internal)?;
        match (known.answer, made) {
            (Some(answer), _) if answer.body.is_some() => Ok(Begun::Answered(answer)),
            (Some(_), made) => {
                let secret = self.inner.requests.lock().secrets.get(&place).map(|s| s.1.clone());
                match (secret, made) {
                    (Some(answer), _) => Ok(Begun::Answered(answer)),
                    (None, made) => Err(secret_gone(made.as_ref())),
                }
            }
            (None, Some(made)) => match self.found(&made).await? {
                Some(found) => Ok(Begun::Made(Claim(Arc::new(held)), found)),
                None => {
                    held.begun = Some(made);
                    Ok(Begun::First(Claim(Arc::new(held))))
                }
            },
            (None, None) => Ok(Begun::First(Claim(Arc::new(held)))),
        }
    }

    /// The same hub; what it makes is noted under the claim.
    #[must_use]
    pub fn claiming(mut self, claim: Claim) -> Self {
        self.claim = Some(claim);
        self
    }

    /// Keeps the answer of a request for a day. One that holds a secret is kept in memory only.
    ///
    /// # Errors
    /// What the database says.
    pub async fn request_answered(
        &self,
        claim: &Claim,
        answer: KeptAnswer,
        secret: bool,
    ) -> Result<()> {
        let key = &claim.0.key;
        let mut kept = answer;
        if secret {
            let mut now = self.inner.requests.lock();
            if now.secrets.len() >= SECRETS {
                let oldest = now.secrets.iter().min_by_key(|(_, s)| s.0).map(|(p, _)| p.clone());
                oldest.and_then(|place| now.secrets.remove(&place));
            }
            now.secrets.insert(place(&key.owner, &key.key), (key.at, kept.clone()));
            kept.body = None;
        }
        self.inner.store.commit(vec![Write::RequestAnswered(key.clone(), Box::new(kept))]).await?;
        Ok(())
    }

    /// The note that the present request makes this, for the commit that makes it.
    pub(crate) fn remember(&self, made: &Made) -> Result<Option<Write>> {
        let Some(claim) = &self.claim else { return Ok(None) };
        let made = serde_json::to_string(made).map_err(Error::internal)?;
        Ok(Some(Write::RequestMade(claim.0.key.clone(), made)))
    }

    /// Notes that the present request is about to make this.
    pub(crate) async fn intend(&self, made: &Made) -> Result<()> {
        if let Some(write) = self.remember(made)? {
            self.inner.store.commit(vec![write]).await?;
        }
        Ok(())
    }

    /// What an earlier try of the present request was about to make.
    pub(crate) fn begun(&self) -> Option<&Made> {
        self.claim.as_ref()?.0.begun.as_ref()
    }

    /// Looks for what a request made.
    async fn found(&self, made: &Made) -> Result<Option<Found>> {
        let found = match made {
            Made::Run { id } => self.run_get(id).await.map(|run| Found::Run(Box::new(run))),
            Made::Job { id } => self.job_get(id).await.map(|job| Found::Job(Box::new(job))),
            Made::Token { id } => Ok(Found::Token(id.clone())),
            Made::Terminal { id } => {
                self.terminal_get(id).await.map(|terminal| Found::Terminal(Box::new(terminal)))
            }
            Made::Thread { id } => {
                let thread = self.thread_get(id.as_str()).await;
                thread.map(|thread| Found::Thread(Box::new(thread)))
            }
            Made::Message { thread, id } => {
                let row = self.inner.message_of_thread(thread, id).await;
                row.map(|row| Found::Message(Box::new(row.message)))
            }
            Made::Repo { id } => self.repo_get(id).await.map(|repo| Found::Repo(Box::new(repo))),
            Made::Ticket { repo, id } => {
                // After a start the index may be behind the files.
                self.inner.refresh(repo).await;
                let text = self.ticket_get(repo, id.as_str()).await;
                text.map(|text| Found::Ticket(Box::new(text)))
            }
            Made::TicketMove { repo, to, version } => {
                self.inner.refresh(repo).await;
                let queue =
                    self.inner.index.tickets(repo, &TicketFilter::default(), &PageQuery::default());
                return Ok(queue
                    .ok()
                    .filter(|_| self.inner.is_at(repo, *to, version))
                    .map(|page| Found::Tickets(Box::new(page))));
            }
            Made::Reply { run, after, text } => {
                let replies = self.inner.replies_after(run, *after).await?;
                let same = replies
                    .into_iter()
                    .find(|reply| *text == reply_digest(reply.title.as_deref(), &reply.body));
                same.map(|reply| Found::Reply(Box::new(reply)))
                    .ok_or_else(|| Error::not_found("such reply"))
            }
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Inner {
    /// Whether a number of a queue is that of a ticket in this version.
    fn is_at(&self, repo: &RepoId, number: u64, version: &str) -> bool {
        let ticket = self.index.ticket(repo, &number.to_string());
        ticket.is_ok_and(|ticket| ticket.etag == version)
    }

    /// Forgets what is older than a day, now and then.
    fn tidy_requests(self: &Arc<Self>) {
        let now = clock::now();
        let oldest = now.plus_millis(-KEEP);
        {
            let mut requests = self.requests.lock();
            if requests.tidied.is_some_and(|at| now.millis_since(at) < TIDY) {
                return;
            }
            requests.tidied = Some(now);
            requests.secrets.retain(|_, (at, _)| *at >= oldest);
        }
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = hub.store.commit(vec![Write::RequestsForgotten(oldest)]).await {
                tracing::warn!(%error, "old idempotency keys could not be forgotten");
            }
        });
    }
}

impl Made {
    /// A reply that is about to be sent.
    pub(crate) fn reply(run: &RunId, after: u32, body: &ReplyCreate) -> Self {
        let text = reply_digest(body.title.as_deref(), &body.body);
        Self::Reply { run: run.clone(), after, text }
    }
}

/// The title and the text as they come back from the file, where blanks around them may go.
fn reply_digest(title: Option<&str>, body: &str) -> String {
    let title = title.map(str::trim).unwrap_or_default();
    digest(&[title.as_bytes(), body.trim().as_bytes()])
}

/// One digest of several parts, each with its length.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

fn mismatch() -> Error {
    Error::new(
        Code::IdempotencyMismatch,
        "This `Idempotency-Key` was used for another request within the last day; take a new key \
         for a new request.",
    )
}

fn in_flight() -> Error {
    Error::new(
        Code::IdempotencyInFlight,
        "This request is at work already; send it again in a moment for its answer.",
    )
}

fn secret_gone(made: Option<&Made>) -> Error {
    let what = match made {
        Some(Made::Token { id }) => format!("It made token {id}. "),
        Some(
            Made::Run { .. }
            | Made::Job { .. }
            | Made::Repo { .. }
            | Made::Ticket { .. }
            | Made::TicketMove { .. }
            | Made::Reply { .. }
            | Made::Terminal { .. }
            | Made::Thread { .. }
            | Made::Message { .. },
        )
        | None => String::new(),
    };
    Error::new(
        Code::AlreadyExists,
        format!(
            "This request was done. {what}Its answer held a secret, which is not kept: delete what \
             it made and make another, with a new `Idempotency-Key`."
        ),
    )
}

/// The refusal to show a secret again.
#[must_use]
pub fn secret_not_kept(id: &TokenId) -> Error {
    secret_gone(Some(&Made::Token { id: id.clone() }))
}
