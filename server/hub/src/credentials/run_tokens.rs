//! The token of a run's agent: given by a file only its owner reads, good while the run is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use car_api::{RepoId, RunId, Scope, Timestamp, audit::ActorKind};
use car_files::run_dir::RunDir;
use car_store::{RunGrantRow, Write};

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

/// What an agent's token allows. Operations not marked for agents refuse it all the same.
const SCOPES: [Scope; 2] = [Scope::Read, Scope::Write];

impl Granted for RunGrantRow {
    fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    fn tokens(&self) -> (&str, Option<&str>) {
        (&self.token, self.previous.as_deref())
    }

    fn all(hub: &Inner) -> Vec<Self> {
        hub.credentials.runs().values().cloned().collect()
    }

    fn renew(self, hub: &Arc<Inner>) -> Renewing<'_> {
        Box::pin(async move {
            let Some(tree) = hub.index.tree_path(&self.repo) else { return };
            if let Err(error) = hub.grant_run(&self.run, &self.repo, &tree).await {
                let run = self.run;
                tracing::warn!(%run, %error, "the token of a run's agent was not renewed");
            }
        })
    }
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
        renewal::later(self, &row);
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
        let row = runs.get(&run).filter(|row| row.takes(&claims.id)).ok_or(Refused::Revoked)?;
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
