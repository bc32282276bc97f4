//! `car hub …`

use car_api::{
    hub::HubInfo,
    repo::{
        RepoClone, RepoCreate, RepoKind, RepoPatch, RepoRemove, ScanReport, Setup as Commands,
        SetupUpdate,
    },
};
use clap::{Args, Subcommand};

use super::{answer, jobs, repos, serve, ticket, worktree};
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::{Session, all},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Hub {
    /// Make a new git repo in the hub
    #[command(after_help = "Example: car hub create demo")]
    Create {
        /// Its id
        id: String,
        /// Its directory, relative to the hub's root [default: the id]
        #[arg(long)]
        repo_path: Option<String>,
        /// Take an existing directory
        #[arg(long)]
        force: bool,
        #[arg(long, hide = true)]
        git_init: bool,
    },
    /// Clone a git repo into the hub
    #[command(after_help = "Example: car hub clone https://github.com/you/project")]
    Clone {
        /// What to clone
        #[arg(required_unless_present = "git_url")]
        url: Option<String>,
        /// Its id [default: the last part of the URL]
        #[arg(long)]
        id: Option<String>,
        #[arg(long, hide = true, conflicts_with = "url")]
        git_url: Option<String>,
        /// Do not wait for the end
        #[arg(long)]
        no_wait: bool,
    },
    /// Look for repos in the hub's directories
    Scan,
    /// Fetch, and move the branch that is checked out on to what its remote has
    #[command(
        visible_alias = "sync-main",
        after_help = "Nothing is merged and nothing is thrown away: what cannot simply move on\nis left as it is, with the reason."
    )]
    Sync {
        /// Repo or worktree, by id or path [default: the one you are in]
        repo: Option<String>,
        /// Do not wait for the end
        #[arg(long)]
        no_wait: bool,
    },
    /// Repos and worktrees
    Repos {
        /// Only `base` repos or only `worktree`s
        #[arg(long)]
        kind: Option<RepoKind>,
    },
    /// One repo or worktree
    Show {
        /// Repo or worktree, by id or path [default: the one you are in]
        repo: Option<String>,
    },
    /// How one of them stands in git: branch, commits, what is not committed
    Status {
        /// Repo or worktree, by id or path [default: the one you are in]
        repo: Option<String>,
    },
    /// What wants attention
    Snapshot {
        #[arg(long, hide = true)]
        pretty: bool,
    },
    /// What this hub is
    Info,
    /// The address of the hub's API
    Endpoint,
    /// The OpenAPI document of this hub
    Openapi,
    /// Start the hub on this machine
    Serve(serve::Serve),
    /// Take a repo out of the hub
    Remove {
        /// Repo, by id or path
        repo: String,
        /// Also delete its directory
        #[arg(long)]
        delete_dir: bool,
        /// A kind of unsaved work that may be dropped (a copy is kept for 30 days)
        #[arg(long, value_name = "KIND")]
        drop: Vec<String>,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Give a repo another name for people
    Rename {
        /// Repo or worktree, by id or path
        repo: String,
        /// The name [default: the id again]
        name: Option<String>,
    },
    /// Worktrees
    #[command(subcommand)]
    Worktree(worktree::Worktree),
    /// Tickets of a queue: the same as `car ticket`
    #[command(subcommand)]
    Tickets(ticket::Ticket),
    /// What agents said to people
    #[command(subcommand, hide = true)]
    Dispatch(Dispatch),
    /// Commands that prepare a new worktree of a repo
    #[command(subcommand)]
    Setup(Setup),
}

#[derive(Subcommand)]
pub(crate) enum Dispatch {
    /// Answer a run
    Reply(DispatchReply),
}

#[derive(Args)]
pub(crate) struct DispatchReply {
    #[arg(long)]
    repo_id: Option<String>,
    #[arg(long, required_unless_present = "repo_id")]
    run_id: Option<String>,
    #[arg(long, required_unless_present = "message_file")]
    message: Option<String>,
    #[arg(long, value_hint = clap::ValueHint::FilePath)]
    message_file: Option<std::path::PathBuf>,
    #[arg(long)]
    resume: bool,
}

#[derive(Subcommand)]
pub(crate) enum Setup {
    /// Show them
    Show {
        /// The base repo, by id or path [default: the one you are in]
        repo: Option<String>,
    },
    /// Replace them; none clears them
    Set {
        #[command(flatten)]
        repo: RepoArg,
        /// Shell commands, one argument each
        commands: Vec<String>,
    },
}

pub(crate) async fn run(args: Hub, global: &Global, out: &Out) -> Result<(), Failure> {
    // These find their hub in their own way, or need none.
    if let Hub::Serve(args) = args {
        return serve::serve(args, global);
    }
    if let Hub::Tickets(args) = args {
        return ticket::run(args, global, out).await;
    }
    here(args, &Session::open(global, out)?).await
}

async fn here(args: Hub, s: &Session) -> Result<(), Failure> {
    let out = &s.out;
    match args {
        // Done already.
        Hub::Serve(_) | Hub::Tickets(_) => Ok(()),
        Hub::Create { id, repo_path, force, git_init: _ } => {
            let repo = s.client.repo_create(&RepoCreate { id, path: repo_path, force }).await?;
            out.show(&repo, |r| r.id.to_string(), |r| format!("{} is at {}", r.id, r.path))
        }
        Hub::Clone { url, id, git_url, no_wait } => {
            let url = url.or(git_url).unwrap_or_default();
            let job = s.client.repo_clone(&RepoClone { url, id }).await?;
            jobs::finish(s, job, no_wait).await
        }
        Hub::Scan => scan(s).await,
        Hub::Sync { repo, no_wait } => {
            let id = s.repo(&RepoArg { repo }).await?;
            jobs::finish(s, s.client.repo_sync(&id).await?, no_wait).await
        }
        Hub::Repos { kind } => {
            let list = all(async |page| s.client.repo_list(kind, &page).await).await?;
            let none = "No repos yet: car hub clone URL, car hub create ID, or car hub scan";
            out.list(&list, |r| r.id.to_string(), none, repos::table)
        }
        Hub::Show { repo } => {
            let repo = s.client.repo_get(&s.repo(&RepoArg { repo }).await?).await?;
            out.details(&repo, |r| r.id.to_string(), repos::one)
        }
        Hub::Status { repo } => {
            let id = s.repo(&RepoArg { repo }).await?;
            out.details(&s.client.repo_git(&id).await?, |_| id.to_string(), repos::git)
        }
        Hub::Snapshot { pretty: _ } => super::watch::once(s, None).await,
        Hub::Info => out.show(&s.client.hub_get().await?, |i| i.instance.clone(), info),
        Hub::Endpoint => {
            out.show(&s.client.hub_get().await?, |i| i.url.clone(), |_| s.client.url().to_owned())
        }
        Hub::Openapi => out.json(&s.client.openapi_get().await?),
        Hub::Remove { repo, delete_dir, drop, dry_run, yes } => {
            let id = s.repo(&RepoArg { repo: Some(repo) }).await?;
            if delete_dir && !dry_run {
                out.confirm(&format!("Delete the directory of {id}?"), yes)?;
            }
            let body = RepoRemove { delete_dir, drop, dry_run };
            worktree::show_removal(out, &s.client.repo_remove(&id, &body).await?)
        }
        Hub::Rename { repo, name } => {
            let id = s.repo(&RepoArg { repo: Some(repo) }).await?;
            let repo = s.client.repo_update(&id, &RepoPatch { name: Some(name) }).await?;
            out.show(&repo, |r| r.id.to_string(), |r| format!("{} is called {}", r.id, r.name))
        }
        Hub::Worktree(args) => worktree::run(args, s).await,
        Hub::Dispatch(Dispatch::Reply(reply)) => {
            let DispatchReply { repo_id, run_id, message, message_file, resume: _ } = reply;
            let run = s.run(run_id.or(repo_id).as_deref()).await?;
            answer::send(s, &run, None, message, message_file).await
        }
        Hub::Setup(Setup::Show { repo }) => {
            let id = s.repo(&RepoArg { repo }).await?;
            show_setup(out, &s.client.repo_setup_get(&id).await?)
        }
        Hub::Setup(Setup::Set { repo, commands }) => {
            set_up(s, &s.repo(&repo).await?, commands).await
        }
    }
}

pub(crate) async fn scan(s: &Session) -> Result<(), Failure> {
    let report = s.client.hub_scan().await?;
    let added =
        |r: &ScanReport| r.added.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    s.out.show(&report, added, |r| {
        let added = r.added.iter().map(|id| format!("new: {id}"));
        let missing = r.missing.iter().map(|id| format!("missing: {id}"));
        let issues = r.issues.iter().map(|issue| format!("not taken: {issue}"));
        let total = std::iter::once(format!("{} repos and worktrees", r.total));
        added.chain(missing).chain(issues).chain(total).collect::<Vec<_>>().join("\n")
    })
}

/// Replaces the commands that prepare a new worktree.
pub(crate) async fn set_up(
    s: &Session,
    repo: &car_api::RepoId,
    commands: Vec<String>,
) -> Result<(), Failure> {
    // What is typed is the whole list; what it was before is not looked at.
    let body = SetupUpdate { commands };
    show_setup(&s.out, &s.client.repo_setup_update(repo, &body, Some("*")).await?)
}

fn show_setup(out: &Out, setup: &Commands) -> Result<(), Failure> {
    out.show(
        setup,
        |s| s.commands.join("\n"),
        |s| match s.commands.as_slice() {
            [] => "no commands".to_owned(),
            commands => commands.join("\n"),
        },
    )
}

fn info(i: &HubInfo) -> String {
    format!(
        "url       {}\nroot      {}\nversion   {}\ninstance  {}\nstarted   {}\n\
         events    {}\nagents    {} at once",
        i.url,
        i.root,
        i.version,
        i.instance,
        time_text::full(i.started_at),
        i.last_seq,
        i.max_parallel_runs
    )
}
