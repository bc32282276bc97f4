//! The token of a run's agent: given by a file only its owner reads, good while the run is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use car_api::{RepoId, RunId, Scope, audit::ActorKind};
use car_files::run_dir::RunDir;
use car_store::{RunGrantRow, Write};

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

/// What an agent's token allows. Operations not marked for agents refuse it all the same.
const SCOPES: [Scope; 2] = [Scope::Read, Scope::Write];

/// Whether a token of this id is one of the run's.
pub(super) fn is_good(row: &RunGrantRow, token: &str) -> bool {
    row.token == token || row.previous.as_deref() == Some(token)
}

impl Inner {
    /// Gives a run's agent a token of its own; where it is.
    pub(crate) async fn grant_run(
        self: &Arc<Self>,
        run: &RunId,
        repo: &RepoId,
        tree: &Path,
    ) -> Result<PathBuf> {
        let credentials = &self.credentials;
        let id = secret::letters(b"0123456789abcdef", 32)?;
        let order = jwt::Order {
            kind: Kind::Run,
            instance: &credentials.instance,
            subject: run.as_str(),
            id: id.clone(),
            scopes: &BTreeSet::from(SCOPES),
            epoch: credentials.epoch(),
            life_ms: LIFE_MS,
        };
        let (signed, _) = jwt::sign(&credentials.keys, order)?;
        let previous = credentials.runs().get(run).map(|row| row.token.clone());
        let row = RunGrantRow {
            run: run.clone(),
            repo: repo.clone(),
            token: id,
            previous,
            issued_at: clock::now(),
        };
        self.store.commit(vec![Write::RunGrant(row.clone())]).await?;
        credentials.runs_mut().insert(run.clone(), row.clone());
        let (tree, name) = (tree.to_owned(), run.clone());
        let secret = format!("{}{signed}\n", secret::RUN);
        let path =
            blocking(move || Ok(RunDir::create(&tree, name.as_str())?.write_token(&secret)?));
        let path = path.await?;
        self.renew_later(&row);
        Ok(path)
    }

    /// The agent of a run needs its token no longer.
    pub(crate) async fn end_run_grant(&self, run: &RunId, tree: &Path) {
        if self.credentials.runs_mut().remove(run).is_none() {
            return;
        }
        self.credentials.tell_revoked();
        if let Err(error) = self.store.commit(vec![Write::RunGrantGone(run.clone())]).await {
            tracing::warn!(%run, %error, "the end of a run's token could not be written");
        }
        let (tree, name) = (tree.to_owned(), run.clone());
        let removed =
            blocking(move || Ok(RunDir::open(&tree, name.as_str())?.remove_token()?)).await;
        if let Err(error) = removed {
            tracing::warn!(%run, %error, "a run's token could not be removed; it is worth nothing");
        }
    }

    /// New tokens for the agents at work, after all that were signed have ended.
    pub(super) async fn renew_run_tokens(self: &Arc<Self>) {
        let rows: Vec<RunGrantRow> = self.credentials.runs().values().cloned().collect();
        for row in rows {
            self.renew(&row).await;
        }
    }

    /// Sees to it that no agent's token runs out, also those of an earlier process of the hub.
    pub(crate) fn keep_run_tokens(self: &Arc<Self>) {
        let rows: Vec<RunGrantRow> = self.credentials.runs().values().cloned().collect();
        for row in rows {
            self.renew_later(&row);
        }
    }

    fn renew_later(self: &Arc<Self>, row: &RunGrantRow) {
        let due = clock::until(row.issued_at.plus_millis(RENEW_MS));
        let (hub, row) = (Arc::downgrade(self), row.clone());
        tokio::spawn(async move {
            tokio::time::sleep(due.max(Duration::from_millis(1))).await;
            let Some(hub) = hub.upgrade() else { return };
            let still = hub.credentials.runs().get(&row.run).is_some_and(|now| *now == row);
            if still {
                hub.renew(&row).await;
            }
        });
    }

    async fn renew(self: &Arc<Self>, row: &RunGrantRow) {
        let Some(tree) = self.index.tree_path(&row.repo) else { return };
        if let Err(error) = Box::pin(self.grant_run(&row.run, &row.repo, &tree)).await {
            tracing::warn!(run = %row.run, %error, "the token of a run's agent was not renewed");
        }
    }
}

impl Hub {
    pub(super) fn authenticate_run(&self, signed: &str) -> Result<Grant, Refused> {
        let credentials = &self.inner.credentials;
        let claims = jwt::verify(&credentials.keys, Kind::Run, &credentials.instance, signed)?;
        let run: RunId = claims.subject.parse().map_err(|_| Refused::Claims)?;
        if claims.epoch != credentials.epoch() {
            return Err(Refused::Revoked);
        }
        let runs = credentials.runs();
        let row = runs.get(&run).filter(|row| is_good(row, &claims.id)).ok_or(Refused::Revoked)?;
        let scopes = claims.scopes.into_iter().filter(|scope| SCOPES.contains(scope)).collect();
        Ok(Grant {
            actor: person(ActorKind::Agent, run.as_str(), "the agent of this run"),
            rights: Arc::new(Rights {
                scopes,
                reach: Reach::Run { run: run.clone(), repo: row.repo.clone() },
            }),
            expires_at: Some(claims.expires_at),
            standing: Standing::Run { run, token: claims.id, epoch: claims.epoch },
        })
    }
}
