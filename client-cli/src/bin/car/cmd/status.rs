//! `car status`: where one is, and how things stand there.

use car_api::{PageQuery, hub::HubInfo, repo::Repo, run::Run};
use clap::Args;
use serde::Serialize;

use super::{repos, run::one};
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    history,
    out::Out,
    session::Session,
};

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    repo: RepoArg,
}

/// Three of the API's shapes, side by side.
#[derive(Serialize)]
struct Standing {
    hub: HubInfo,
    /// The repo that is meant, when one is.
    repo: Option<Repo>,
    /// Its latest run.
    run: Option<Run>,
}

pub(crate) async fn run(args: Status, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let s = &session;
    let hub = s.client.hub_get().await?;
    history::look(s, &hub).await;
    let id = match s.repo(&args.repo).await {
        Ok(id) => Some(id),
        // Without a repo the hub alone is meant.
        Err(Failure::NotFound(_)) if args.repo.repo.is_none() => None,
        Err(error) => return Err(error),
    };
    let (mut repo, mut latest) = (None, None);
    if let Some(id) = &id {
        repo = Some(s.client.repo_get(id).await?);
        let one = PageQuery { after: None, limit: Some(1) };
        latest = s.client.run_list(Some(id), None, &one).await?.items.into_iter().next();
    }
    let standing = Standing { hub, repo, run: latest };
    let id = |s: &Standing| s.repo.as_ref().map(|r| r.id.to_string()).unwrap_or_default();
    out.details(&standing, id, |standing| text(standing, s.client.url()))
}

fn text(standing: &Standing, url: &str) -> String {
    let hub = &standing.hub;
    let mut lines = vec![format!("hub        {url} ({}, version {})", hub.root, hub.version)];
    match (&standing.repo, &standing.run) {
        (None, _) => lines.push("repo       none here; `car hub repos` lists them".to_owned()),
        (Some(repo), None) => {
            lines.push(repos::one(repo));
            lines.push(format!("run        none yet: car run start --repo {}", repo.id));
        }
        (Some(repo), Some(latest)) => {
            // The run is shown in full below.
            lines.push(repos::one(&Repo { run: None, ..repo.clone() }));
            lines.push(String::new());
            lines.push(one(latest));
        }
    }
    lines.join("\n")
}
