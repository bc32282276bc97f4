//! Operations on worktrees: creation, clean-up that loses nothing, restore.

use std::{path::PathBuf, sync::Arc, time::Duration};

use car_api::{
    Code, EventKind, Page, PageQuery, RepoId, SalvageId,
    job::{Job, JobKind, JobResult},
    repo::Repo,
    worktree::{RemovalReport, Salvage, WorktreeCleanup, WorktreeCreate},
};
use car_engine::manifest;
use car_files::CAR_DIR;
use car_git::{Git, Removal, StartPoint, UnsavedKind};
use car_store::Write;

use crate::{
    Error, Hub, Result,
    audit::Act,
    clock, cursor, environment,
    hub::{Inner, blocking},
    index::{self, RepoFilter},
    jobs::{self, Outcome},
    repos::RemovalWish,
    shell::{self, Shell},
};

impl Hub {
    /// A page of worktrees, by id.
    ///
    /// # Errors
    /// See the API.
    pub async fn worktree_list(&self, base: Option<RepoId>, page: PageQuery) -> Result<Page<Repo>> {
        let kind = Some(car_api::repo::RepoKind::Worktree);
        let filter = RepoFilter { kind, base, ..RepoFilter::default() };
        self.inner.index.repos(&filter, &page, &self.rights.reach)
    }

    /// Creates a worktree of a base repo as a job, and runs the repo's set-up commands in it.
    ///
    /// # Errors
    /// See the API.
    pub async fn worktree_create(&self, body: WorktreeCreate) -> Result<Job> {
        self.inner.unconfirmed.refuse()?;
        let base = self.inner.index.entry(&body.base)?;
        if base.kind != manifest::Kind::Base {
            let detail = format!("{} is a worktree itself; name its base repo.", body.base);
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        let repo_dir = self.inner.tree(&body.base)?;
        car_git::check_branch_name(&body.branch)?;
        let id = manifest::worktree_id(&base.id, &body.branch);
        let repo: RepoId = id.parse().map_err(|e| Error::bad_request(format!("The id: {e}.")))?;
        let path = format!("{}/{id}", self.inner.config.worktrees_root);
        let dir = self.inner.config.root.join(&path);
        if self.inner.index.entry(&repo).is_ok() || dir.exists() {
            let detail = format!("The worktree {id} exists already.");
            return Err(Error::new(Code::AlreadyExists, detail));
        }
        let inner = Arc::clone(&self.inner);
        let kind = JobKind::WorktreeCreate;
        let act = self.act("worktree_create", &repo).detail(format!("branch {}", body.branch));
        jobs::start(self, kind, Some(repo.clone()), act, move |reporter| async move {
            reporter.at("checking out", None, None);
            if let Some(parent) = dir.parent() {
                tokio::fs::create_dir_all(parent).await.map_err(Error::internal)?;
            }
            let start = body.start_point.map_or(StartPoint::Default, StartPoint::Rev);
            let cancel = reporter.cancel.clone();
            let added =
                Git::at(&repo_dir).worktree_add_until(&dir, &body.branch, &start, cancel).await?;
            let kind = manifest::Kind::Worktree { of: Some(body.base.to_string()) };
            inner.register(&id, &path, kind, None, Vec::new()).await?;
            inherit(repo_dir, dir.clone()).await?;
            let prepared = match body.skip_setup {
                true => reporter.not_cancelled(),
                false => inner.set_up(&repo, &dir, &reporter).await,
            };
            if let Err(error) = prepared {
                if reporter.cancel.is_cancelled() {
                    inner.take_back(&repo, added.created_branch, &reporter).await;
                }
                return Err(error);
            }
            let result = JobResult::Repo { repo: Box::new(inner.index.repo(&repo)?) };
            Ok(Outcome { result: Some(result), note: added.note })
        })
        .await
    }

    /// Removes a worktree. What would be lost stops it, unless it is named.
    ///
    /// # Errors
    /// See the API.
    pub async fn worktree_cleanup(
        &self,
        repo: &RepoId,
        body: WorktreeCleanup,
    ) -> Result<RemovalReport> {
        self.inner.unconfirmed.refuse()?;
        if self.inner.index.entry(repo)?.kind == manifest::Kind::Base {
            let detail = format!("{repo} is a repo of its own; use `car hub remove {repo}`.");
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        let removal =
            if body.delete_branch { Removal::WorktreeAndBranch } else { Removal::Worktree };
        let act = self.act("worktree_cleanup", repo);
        let wish =
            RemovalWish { removal: Some(removal), drop: body.drop, dry_run: body.dry_run, act };
        self.inner.remove(repo, wish).await
    }

    /// What was kept of removed worktrees and repos, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn salvage_list(
        &self,
        repo: Option<RepoId>,
        page: PageQuery,
    ) -> Result<Page<Salvage>> {
        let limit = index::limit(&page)?;
        let before = cursor::read(&page)?;
        let items =
            self.inner.store.salvages(repo.as_ref(), before.as_ref(), index::more(limit)).await?;
        Ok(index::cut(items, limit, |salvage| salvage.id.to_string()))
    }

    /// Brings a removed worktree or repo back as it was.
    ///
    /// # Errors
    /// See the API.
    pub async fn salvage_restore(&self, salvage: &SalvageId) -> Result<Repo> {
        self.inner.unconfirmed.refuse()?;
        let inner = &self.inner;
        let kept = inner.store.salvage(salvage).await?;
        let kept = kept.ok_or_else(|| Error::not_found(format!("salvage `{salvage}`")))?;
        if inner.index.entry(&kept.repo).is_ok() {
            let detail = format!("The hub has a {} again; clean that up first.", kept.repo);
            return Err(Error::new(Code::AlreadyExists, detail));
        }
        let (path, kind, git) = match &kept.worktree_of {
            Some(base) => (
                format!("{}/{}", inner.config.worktrees_root, kept.repo),
                manifest::Kind::Worktree { of: Some(base.to_string()) },
                Git::at(inner.tree(base)?),
            ),
            None => (kept.repo.to_string(), manifest::Kind::Base, Git::at(&inner.config.root)),
        };
        let dir = inner.config.root.join(&path);
        let restored = git.restore(&inner.config.root.join(&kept.path), &dir).await?;
        if let Some(note) = restored.note {
            tracing::info!(repo = %kept.repo, note, "a worktree was restored");
        }
        inner.bring_back_archive(&kept.repo, &dir).await?;
        let act = self.act("salvage_restore", salvage).detail(kept.repo.as_str());
        inner.register(kept.repo.as_str(), &path, kind, None, vec![act.done()]).await
    }
}

impl Inner {
    /// Runs the base repo's set-up commands in a new worktree. The first that fails ends the rest;
    /// the worktree stays.
    async fn set_up(&self, repo: &RepoId, dir: &PathBuf, reporter: &jobs::Reporter) -> Result<()> {
        let mut environment = environment::for_command(&self.config, repo);
        let marker = format!("setup-{repo}");
        environment.push((car_shim::MARKER.into(), marker.clone().into()));
        let timeout = Duration::from_secs(self.config.flow.setup_timeout_s);
        for script in self.index.setup_commands(repo) {
            reporter.not_cancelled()?;
            reporter.at(&format!("set-up: {script}"), None, None);
            let shell =
                Shell { script: &script, dir, environment: &environment, timeout, max_tail: 4096 };
            let done = tokio::select! {
                done = shell::run(&shell, &marker, |text| reporter.output(text)) => {
                    done.map_err(Error::internal)?
                }
                // What the command started is ended with it.
                () = reporter.cancel.cancelled() => return Err(jobs::cancelled()),
            };
            reporter.output_ended();
            if done.exit_code != Some(0) {
                let how = match (done.timed_out, done.exit_code) {
                    (true, _) => format!("did not end within {} s", timeout.as_secs()),
                    (false, Some(code)) => format!("ended with exit code {code}"),
                    (false, None) => "was ended by a signal".to_owned(),
                };
                let detail = format!(
                    "The set-up command `{script}` {how}. The worktree {repo} stays. Its last words:\n{}",
                    self.config.redactor.redact(&done.tail)
                );
                return Err(Error::new(Code::GitState, detail));
            }
        }
        Ok(())
    }

    /// Removes a worktree whose creation was cancelled, with its branch if that is new. What is in
    /// it by now and nowhere else is kept as a salvage.
    async fn take_back(
        self: &Arc<Self>,
        repo: &RepoId,
        with_branch: bool,
        reporter: &jobs::Reporter,
    ) {
        reporter.at("cleaning up", None, None);
        let removal = if with_branch { Removal::WorktreeAndBranch } else { Removal::Worktree };
        let drop = UnsavedKind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
        let act = Act::of_hub("worktree_cleanup", repo).detail("its creation was cancelled");
        let wish = RemovalWish { removal: Some(removal), drop, dry_run: false, act };
        match self.remove(repo, wish).await {
            Ok(report) => {
                if let Some(salvage) = report.salvage {
                    reporter.say(&format!("what was in it is kept as {}", salvage.id));
                }
            }
            Err(error) => {
                tracing::warn!(%repo, %error, "a cancelled worktree could not be removed");
                reporter.say(&format!("the worktree stays: {error}"));
            }
        }
    }

    /// Copies the hub's own directory of a tree to the archive of its base repo.
    pub(crate) async fn archive(
        &self,
        repo: &RepoId,
        entry: &manifest::Repo,
    ) -> Result<Option<String>> {
        let source = self.config.root.join(&entry.path).join(CAR_DIR);
        // An agent may have put a link in its place: that is not ours to copy.
        if !std::fs::symlink_metadata(&source).is_ok_and(|meta| meta.is_dir()) {
            return Ok(None);
        }
        // To the microsecond, so that two of one second do not meet.
        let stamp = clock::now().to_string().replace([':', '-', '.', 'Z'], "");
        let place = format!("{CAR_DIR}/archive/worktrees/{repo}/{stamp}Z");
        let dest = self.config.root.join(&place);
        let meta = serde_json::json!({
            "schema_version": 1,
            "snapshot_id": format!("{stamp}Z"),
            "created_at": clock::now(),
            "status": "complete",
            "worktree_repo_id": repo,
            "branch": entry.branch,
        });
        blocking(move || {
            // Under another name until it is whole, so that a restore never takes half of one.
            let half = dest.with_extension("half");
            copy_dir(&source, &half, 0).map_err(|e| storage(&half, e))?;
            let text = serde_json::to_vec_pretty(&meta).map_err(Error::internal)?;
            std::fs::write(half.join("META.json"), text).map_err(|e| storage(&half, e))?;
            std::fs::rename(&half, &dest).map_err(|e| storage(&dest, e))
        })
        .await?;
        Ok(Some(place))
    }

    /// Copies the latest archive of a tree back into it.
    async fn bring_back_archive(&self, repo: &RepoId, dir: &std::path::Path) -> Result<()> {
        let archives = self.config.root.join(CAR_DIR).join("archive/worktrees").join(repo.as_str());
        let dest = dir.join(CAR_DIR);
        blocking(move || {
            let Ok(entries) = std::fs::read_dir(&archives) else { return Ok(()) };
            let whole = |path: &PathBuf| path.extension().is_none();
            let latest = entries.flatten().map(|entry| entry.path()).filter(whole).max();
            if let Some(latest) = latest.filter(|_| !dest.exists()) {
                copy_dir(&latest, &dest, 0).map_err(|e| storage(&dest, e))?;
                let _ = std::fs::remove_file(dest.join("META.json"));
            }
            Ok(())
        })
        .await
    }
}

/// A worktree begins with the settings of its base repo.
async fn inherit(base: PathBuf, tree: PathBuf) -> Result<()> {
    blocking(move || {
        for name in ["repo.override.yml", "prompt.md.j2"] {
            let (from, to) = (base.join(CAR_DIR).join(name), tree.join(CAR_DIR).join(name));
            // Links are followed on neither side: agents write here.
            let plain = std::fs::symlink_metadata(&from).is_ok_and(|meta| meta.is_file());
            if plain && std::fs::symlink_metadata(&to).is_err() {
                std::fs::copy(&from, &to).map_err(|error| storage(&to, error))?;
            }
        }
        Ok(())
    })
    .await
}

fn storage(path: &std::path::Path, error: std::io::Error) -> Error {
    Error::new(Code::Storage, format!("{}: {error}", path.display())).with_source(error)
}

/// Copies regular files and directories; symlinks and everything else are left out.
fn copy_dir(from: &std::path::Path, to: &std::path::Path, depth: u32) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let dest = to.join(entry.file_name());
        if kind.is_dir() && depth < 128 {
            copy_dir(&entry.path(), &dest, depth + 1)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &dest)?;
        }
    }
    Ok(())
}

/// Removes what was kept longer than promised.
pub(crate) async fn expire(hub: &Arc<Inner>) -> Result<()> {
    let now = clock::now();
    for salvage in hub.store.salvages(None, None, u32::MAX).await? {
        if salvage.keep_until < now {
            let dir = hub.config.root.join(&salvage.path);
            blocking(move || {
                let _ = std::fs::remove_dir_all(dir);
                Ok(())
            })
            .await?;
            let act = Act::of_hub("salvage_expire", &salvage.id).detail(salvage.repo.as_str());
            let also = vec![Write::SalvageGone(salvage.id), act.done()];
            let gone = EventKind::RepoRemoved { salvage: None };
            hub.log_with(Some(&salvage.repo), gone, also).await?;
        }
    }
    Ok(())
}
