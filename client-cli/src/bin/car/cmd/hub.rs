//! `car hub …`

use std::{env, ffi::OsString, path::PathBuf, process};

use car_api::{
    repo::{
        Repo, RepoClone, RepoCreate, RepoKind, RepoPatch, RepoRemove, RepoStatus,
        Setup as Commands, SetupUpdate,
    },
    run::RunStatus,
};
use clap::{Args, Subcommand};

use super::{jobs, worktree};
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::{Session, all},
    table::{Cell, Table, Tone},
};

#[derive(Subcommand)]
pub(crate) enum Hub {
    /// Make a new git repo in the hub
    Create {
        /// Its id
        id: String,
        /// Its directory, relative to the hub's root [default: the id]
        #[arg(long)]
        repo_path: Option<String>,
        /// Take an existing directory
        #[arg(long)]
        force: bool,
    },
    /// Clone a git repo into the hub
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
    /// What wants attention
    Snapshot {
        #[arg(long, hide = true)]
        pretty: bool,
    },
    /// What this hub is
    Info,
    /// The OpenAPI document of this hub
    Openapi,
    /// Start the hub on this machine
    Serve(Serve),
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
    /// Commands that prepare a new worktree of a repo
    #[command(subcommand)]
    Setup(Setup),
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

#[derive(Args)]
pub(crate) struct Serve {
    /// The hub's root [default: the one you are in]
    #[arg(long)]
    root: Option<PathBuf>,
    /// Port
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on
    #[arg(long)]
    host: Option<String>,
}

pub(crate) async fn run(args: Hub, global: &Global, out: &Out) -> Result<(), Failure> {
    if let Hub::Serve(args) = args {
        return serve(args, global);
    }
    let session = Session::open(global, out)?;
    let s = &session;
    match args {
        Hub::Create { id, repo_path, force } => {
            let repo = s.client.repo_create(&RepoCreate { id, path: repo_path, force }).await?;
            out.show(&repo, |r| r.id.to_string(), |r| format!("{} is at {}", r.id, r.path))
        }
        Hub::Clone { url, id, git_url, no_wait } => {
            let url = url.or(git_url).unwrap_or_default();
            let job = s.client.repo_clone(&RepoClone { url, id }).await?;
            jobs::finish(s, job, no_wait).await
        }
        Hub::Scan => {
            let report = s.client.hub_scan().await?;
            let ids = |ids: &[car_api::RepoId]| {
                ids.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            };
            out.show(
                &report,
                |r| ids(&r.added),
                |r| {
                    let added = r.added.iter().map(|id| format!("new: {id}"));
                    let missing = r.missing.iter().map(|id| format!("missing: {id}"));
                    let issues = r.issues.iter().map(|issue| format!("not taken: {issue}"));
                    let total = std::iter::once(format!("{} repos and worktrees", r.total));
                    added.chain(missing).chain(issues).chain(total).collect::<Vec<_>>().join("\n")
                },
            )
        }
        Hub::Repos { kind } => {
            let repos = all(async |page| s.client.repo_list(kind, &page).await).await?;
            let none = "No repos yet: car hub clone URL, car hub create ID, or car hub scan";
            out.list(&repos, |r| r.id.to_string(), none, table)
        }
        Hub::Show { repo } => {
            let repo = s.client.repo_get(&s.repo(&RepoArg { repo }).await?).await?;
            out.show(&repo, |r| r.id.to_string(), one)
        }
        Hub::Snapshot { pretty: _ } => {
            let snapshot = s.client.hub_snapshot().await?;
            out.show(&snapshot, |s| s.as_of.to_string(), |s| super::watch::still(s, out.colour))
        }
        Hub::Info => {
            let info = s.client.hub_get().await?;
            out.show(
                &info,
                |i| i.instance.clone(),
                |i| {
                    format!(
                        "url       {}\nroot      {}\nversion   {}\ninstance  {}\nstarted   {}\n\
                         events    {}\nagents    {} at once",
                        i.url,
                        i.root,
                        i.version,
                        i.instance,
                        crate::time_text::short(i.started_at),
                        i.last_seq,
                        i.max_parallel_runs
                    )
                },
            )
        }
        Hub::Openapi => out.json(&s.client.openapi_get().await?),
        Hub::Serve(args) => serve(args, global),
        Hub::Remove { repo, delete_dir, drop, dry_run } => {
            let id = s.repo(&RepoArg { repo: Some(repo) }).await?;
            let report =
                s.client.repo_remove(&id, &RepoRemove { delete_dir, drop, dry_run }).await?;
            worktree::show_removal(out, &report)
        }
        Hub::Rename { repo, name } => {
            let id = s.repo(&RepoArg { repo: Some(repo) }).await?;
            let repo = s.client.repo_update(&id, &RepoPatch { name: Some(name) }).await?;
            out.show(&repo, |r| r.id.to_string(), |r| format!("{} is called {}", r.id, r.name))
        }
        Hub::Worktree(args) => worktree::run(args, s).await,
        Hub::Setup(Setup::Show { repo }) => {
            let id = s.repo(&RepoArg { repo }).await?;
            show_setup(out, &s.client.repo_setup_get(&id).await?)
        }
        Hub::Setup(Setup::Set { repo, commands }) => {
            let id = s.repo(&repo).await?;
            // What is typed here is the whole list; what it was before is not looked at.
            let body = SetupUpdate { commands };
            show_setup(out, &s.client.repo_setup_update(&id, &body, Some("*")).await?)
        }
    }
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

pub(crate) fn table(repos: &[Repo]) -> Table {
    let mut table = Table::new(&["REPO", "STATUS", "TICKETS", "BRANCH", "NOTE"]);
    for repo in repos {
        let (status, tone) = standing(repo);
        let note = repo.issue.clone().or_else(|| repo.run.as_ref().map(|run| run.explain.clone()));
        table.row([
            repo.id.as_str().into(),
            Cell::toned(status, tone),
            counts(repo).into(),
            repo.branch.clone().unwrap_or_default().into(),
            note.unwrap_or_default().into(),
        ]);
    }
    table
}

fn counts(repo: &Repo) -> String {
    match repo.tickets.invalid {
        0 => format!("{}/{}", repo.tickets.done, repo.tickets.total),
        bad => format!("{}/{} {bad} bad", repo.tickets.done, repo.tickets.total),
    }
}

fn standing(repo: &Repo) -> (&'static str, Tone) {
    match (repo.status, &repo.run) {
        (RepoStatus::Ready, Some(run)) => (run.status.as_str(), tone(run.status)),
        (RepoStatus::Ready, None) => ("ready", Tone::Plain),
        (RepoStatus::Uninitialized, _) => ("uninitialized", Tone::Dim),
        (RepoStatus::Missing, _) => ("missing", Tone::Bad),
        (RepoStatus::Invalid, _) => ("invalid", Tone::Bad),
    }
}

/// What a run's status looks like.
pub(crate) fn tone(status: RunStatus) -> Tone {
    match status {
        RunStatus::Running | RunStatus::Pending | RunStatus::Stopping => Tone::Busy,
        RunStatus::Paused | RunStatus::Parked => Tone::Waits,
        RunStatus::Completed => Tone::Good,
        RunStatus::Failed => Tone::Bad,
        RunStatus::Stopped | RunStatus::Superseded => Tone::Dim,
    }
}

fn one(repo: &Repo) -> String {
    let mut lines = vec![
        format!("{} ({})", repo.id, repo.kind),
        format!("directory  {}", repo.path),
        format!("branch     {}", repo.branch.as_deref().unwrap_or("-")),
        format!("tickets    {} done", counts(repo)),
    ];
    lines.extend(repo.worktree_of.as_ref().map(|base| format!("base       {base}")));
    lines.extend(
        repo.run
            .as_ref()
            .map(|run| format!("run        {} {}: {}", run.id, run.status, run.explain)),
    );
    lines.extend(repo.issue.as_ref().map(|issue| format!("issue      {issue}")));
    lines.join("\n")
}

/// Becomes the hub's own program.
pub(crate) fn serve(args: Serve, global: &Global) -> Result<(), Failure> {
    let mut words: Vec<OsString> = vec!["serve".into()];
    if let Some(root) = args.root.or_else(|| global.path.clone()) {
        words.extend(["--root".into(), root.into()]);
    }
    if let Some(port) = args.port {
        words.extend(["--port".into(), port.to_string().into()]);
    }
    if let Some(host) = args.host {
        words.extend(["--host".into(), host.into()]);
    }
    become_hub(&words)
}

/// Replaces this process by `car-hub`: the one beside this program, else the one in `PATH`.
pub(crate) fn become_hub(words: &[OsString]) -> Result<(), Failure> {
    let beside = env::current_exe().ok().map(|exe| exe.with_file_name("car-hub"));
    let program = beside.filter(|path| path.is_file()).unwrap_or_else(|| "car-hub".into());
    let mut command = process::Command::new(&program);
    command.args(words);
    let error = exec(&mut command);
    if error.kind() == std::io::ErrorKind::NotFound {
        return Err(Failure::NotFound(
            "the hub's program `car-hub` is neither beside `car` nor in PATH; install it, or run \
             this on the hub's machine"
                .to_owned(),
        ));
    }
    Err(error.into())
}

#[cfg(unix)]
fn exec(command: &mut process::Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn exec(command: &mut process::Command) -> std::io::Error {
    match command.status() {
        Ok(status) => process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use car_api::{RunId, repo::RunBrief, repo::TicketCounts};

    use super::*;

    #[test]
    fn the_list_of_repos_fits_eighty_columns() {
        let repo = |id: &str, status, run: Option<(RunStatus, &str)>| Repo {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            path: format!("repos/{id}"),
            kind: RepoKind::Base,
            worktree_of: None,
            branch: Some("main".to_owned()),
            status,
            tickets: TicketCounts { total: 12, done: 3, invalid: 0 },
            run: run.map(|(status, explain)| RunBrief {
                id: RunId::generate(),
                status,
                explain: explain.to_owned(),
            }),
            issue: None,
        };
        let repos = [
            repo("demo", RepoStatus::Ready, None),
            repo(
                "demo--feature-with-a-name",
                RepoStatus::Ready,
                Some((RunStatus::Paused, "Verification failed three times: cargo test")),
            ),
            repo("gone", RepoStatus::Missing, None),
        ];
        let expected = "\
REPO                       STATUS   TICKETS  BRANCH  NOTE
demo                       ready    3/12     main
demo--feature-with-a-name  paused   3/12     main    Verification failed three …
gone                       missing  3/12     main";
        assert_eq!(table(&repos).render(Some(80), false), expected);
    }
}
