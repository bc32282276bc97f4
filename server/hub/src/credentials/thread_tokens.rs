//! The token of a thread's agent: given by a file only its owner reads, good until another is made.
//!
//! The project manager acts on the whole hub, under its own name. The agent of any other thread may
//! do what a run's agent may, on the repo its thread is about; without one it only looks.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use car_api::{Scope, ThreadId, Timestamp, audit::ActorKind, thread::ThreadKind};
use car_files::thread_dir::ThreadDir;
use car_store::{ThreadGrantRow, ThreadRow, Write};

use super::{
    Grant, Reach, Refused, Rights, Standing,
    jwt::{self, Kind},
    person,
    renewal::{self, Granted, LIFE_MS, Renewing},
    secret,
};
use crate::{
    Hub, Result, clock,
    hub::{Inner, blocking},
};

/// The file of the token in the thread's directory.
const FILE: &str = "token";

impl Granted for ThreadGrantRow {
    fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    fn tokens(&self) -> (&str, Option<&str>) {
        (&self.token, self.previous.as_deref())
    }

    fn all(hub: &Inner) -> Vec<Self> {
        hub.credentials.threads().values().cloned().collect()
    }

    fn renew(self, hub: &Arc<Inner>) -> Renewing<'_> {
        Box::pin(async move {
            let thread = self.thread.clone();
            let renewed = async {
                let token = secret::letters(b"0123456789abcdef", 32)?;
                hub.sign_thread(Self { token, issued_at: clock::now(), ..self }).await
            };
            if let Err(error) = renewed.await {
                tracing::warn!(%thread, %error, "the token of a thread's agent was not renewed");
            }
        })
    }
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
        renewal::later(self, &row);
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
            threads.get(&thread).filter(|row| row.takes(&claims.id)).ok_or(Refused::Revoked)?;
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
