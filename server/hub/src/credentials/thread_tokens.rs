//! The token of a thread's agent: given by a file only its owner reads, good until another is made.
//!
//! The project manager acts on the whole hub, under its own name. The agent of any other thread may
//! do what a run's agent may, on the repo its thread is about; without one it only looks.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use car_api::{Scope, ThreadId, audit::ActorKind, thread::ThreadKind};
use car_files::thread_dir::ThreadDir;
use car_store::{ThreadGrantRow, ThreadRow, Write};

use super::{
    Grant, Reach, Refused, Rights, Standing,
    jwt::{self, Kind},
    person, secret,
};
use crate::{
    Hub, Result, clock,
    hub::{Inner, blocking},
};

/// How long one token is good, and after which time the next one is made, in ms.
const LIFE_MS: i64 = 24 * 3_600_000;
const RENEW_MS: i64 = 12 * 3_600_000;

/// The file of the token in the thread's directory.
const FILE: &str = "token";

/// Whether a token of this id is one of the thread's.
pub(super) fn is_good(row: &ThreadGrantRow, token: &str) -> bool {
    row.token == token || row.previous.as_deref() == Some(token)
}

impl Inner {
    /// Gives a thread's agent a token of its own; the directory it is in.
    pub(crate) async fn grant_thread(self: &Arc<Self>, thread: &ThreadRow) -> Result<PathBuf> {
        let row = ThreadGrantRow {
            thread: thread.id.clone(),
            repo: thread.repo.clone(),
            pma: thread.kind == ThreadKind::Pma,
            token: secret::letters(b"0123456789abcdef", 32)?,
            previous: None,
            issued_at: clock::now(),
        };
        self.sign_thread(row).await
    }

    async fn sign_thread(self: &Arc<Self>, mut row: ThreadGrantRow) -> Result<PathBuf> {
        let credentials = &self.credentials;
        let scopes = self.thread_scopes(&row);
        let order = jwt::Order {
            kind: Kind::Thread,
            instance: &credentials.instance,
            subject: row.thread.as_str(),
            id: row.token.clone(),
            scopes: &scopes,
            epoch: credentials.epoch(),
            life_ms: LIFE_MS,
        };
        let (signed, _) = jwt::sign(&credentials.keys, order)?;
        row.previous = credentials.threads().get(&row.thread).map(|row| row.token.clone());
        self.store.commit(vec![Write::ThreadGrant(row.clone())]).await?;
        credentials.threads_mut().insert(row.thread.clone(), row.clone());
        let (root, thread) = (self.config.root.clone(), row.thread.clone());
        let secret = format!("{}{signed}\n", secret::THREAD);
        let dir = blocking(move || {
            let path = ThreadDir::create(&root, thread.as_str())?.write_private(FILE, &secret)?;
            Ok(path.parent().map(PathBuf::from).unwrap_or(path))
        });
        let dir = dir.await?;
        self.renew_thread_later(&row);
        Ok(dir)
    }

    fn thread_scopes(&self, row: &ThreadGrantRow) -> BTreeSet<Scope> {
        let mut scopes = BTreeSet::from([Scope::Read]);
        if row.pma {
            scopes.extend([Scope::Write, Scope::Run]);
            if self.config.pma.may_approve {
                scopes.insert(Scope::Approve);
            }
        } else if row.repo.is_some() {
            scopes.insert(Scope::Write);
        }
        scopes
    }

    /// New tokens for the agents of threads, after all that were signed have ended.
    pub(super) async fn renew_thread_tokens(self: &Arc<Self>) {
        let rows: Vec<ThreadGrantRow> = self.credentials.threads().values().cloned().collect();
        for row in rows {
            self.renew_thread(row).await;
        }
    }

    /// Sees to it that no agent's token runs out, also those of an earlier process of the hub.
    pub(crate) fn keep_thread_tokens(self: &Arc<Self>) {
        let rows: Vec<ThreadGrantRow> = self.credentials.threads().values().cloned().collect();
        for row in rows {
            self.renew_thread_later(&row);
        }
    }

    fn renew_thread_later(self: &Arc<Self>, row: &ThreadGrantRow) {
        let due = clock::until(row.issued_at.plus_millis(RENEW_MS));
        let (hub, row) = (Arc::downgrade(self), row.clone());
        tokio::spawn(async move {
            tokio::time::sleep(due.max(Duration::from_millis(1))).await;
            let Some(hub) = hub.upgrade() else { return };
            let still = hub.credentials.threads().get(&row.thread).is_some_and(|now| *now == row);
            if still {
                hub.renew_thread(row).await;
            }
        });
    }

    async fn renew_thread(self: &Arc<Self>, row: ThreadGrantRow) {
        let thread = row.thread.clone();
        let renewed = async {
            let token = secret::letters(b"0123456789abcdef", 32)?;
            let row = ThreadGrantRow { token, issued_at: clock::now(), ..row };
            Box::pin(self.sign_thread(row)).await
        };
        if let Err(error) = renewed.await {
            tracing::warn!(%thread, %error, "the token of a thread's agent was not renewed");
        }
    }
}

impl Hub {
    pub(super) fn authenticate_thread(&self, signed: &str) -> Result<Grant, Refused> {
        let credentials = &self.inner.credentials;
        let claims = jwt::verify(&credentials.keys, Kind::Thread, &credentials.instance, signed)?;
        let thread: ThreadId = claims.subject.parse().map_err(|_| Refused::Claims)?;
        if claims.epoch != credentials.epoch() {
            return Err(Refused::Revoked);
        }
        let threads = credentials.threads();
        let row =
            threads.get(&thread).filter(|row| is_good(row, &claims.id)).ok_or(Refused::Revoked)?;
        let allowed = self.inner.thread_scopes(row);
        let scopes = claims.scopes.into_iter().filter(|scope| allowed.contains(scope)).collect();
        let (kind, name) = if row.pma {
            (ActorKind::Pma, "the project manager")
        } else {
            (ActorKind::Agent, "the agent of this thread")
        };
        Ok(Grant {
            actor: person(kind, thread.as_str(), name),
            rights: Arc::new(Rights {
                scopes,
                reach: Reach::new(row.repo.iter().cloned().collect(), None),
            }),
            expires_at: Some(claims.expires_at),
            standing: Standing::Thread { thread, token: claims.id, epoch: claims.epoch },
        })
    }
}
