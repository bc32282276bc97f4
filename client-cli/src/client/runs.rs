//! Runs, their turns, and what people and agents say to each other in them.

use car_api::{
    ApprovalId, Page, PageQuery, RepoId, RunId, Timestamp, TurnId,
    diff::{FileDiff, RunDiff},
    dispatch::{Dispatch, DispatchCreate, Reply, ReplyCreate},
    item::Approval,
    run::{ApprovalDecide, Explain, Run, RunResume, RunStart, RunStatus},
    turn::{Turn, TurnDetail},
    verify::Evidence,
};

use super::Client;
use crate::ClientError;

/// Which runs are wanted.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only those of this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only those that stand so.
    pub status: Option<RunStatus>,
    /// Only those asked for at or after this time.
    pub since: Option<Timestamp>,
    /// Only those asked for before this time.
    pub until: Option<Timestamp>,
}

impl Client {
    /// Starts a run over a repo's queue.
    ///
    /// # Errors
    /// `run_active`, `tickets_invalid`, `agent_unavailable`, `git_state`.
    pub async fn run_start(&self, repo: &RepoId, body: &RunStart) -> Result<Run, ClientError> {
        self.post("run_start", &["repos", repo.as_str(), "runs"]).body(body).json().await
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn run_list(
        &self,
        repo: Option<&RepoId>,
        status: Option<RunStatus>,
        page: &PageQuery,
    ) -> Result<Page<Run>, ClientError> {
        let repo = repo.cloned();
        self.run_list_of(&RunFilter { repo, status, ..RunFilter::default() }, page).await
    }

    /// Some runs, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn run_list_of(
        &self,
        filter: &RunFilter,
        page: &PageQuery,
    ) -> Result<Page<Run>, ClientError> {
        self.get("run_list", &["runs"])
            .query("repo", filter.repo.as_ref())
            .query("status", filter.status)
            .query("since", filter.since)
            .query("until", filter.until)
            .page(page)
            .json()
            .await
    }

    /// One run.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn run_get(&self, run: &RunId) -> Result<Run, ClientError> {
        self.get("run_get", &["runs", run.as_str()]).json().await
    }

    /// Why a run stands as it does, who acts next, and when.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn run_explain(&self, run: &RunId) -> Result<Explain, ClientError> {
        self.get("run_explain", &["runs", run.as_str(), "explain"]).json().await
    }

    /// Says something to people for a run's agent; the end of its turn takes it up.
    ///
    /// # Errors
    /// `already_exists` when something waits there already.
    pub async fn dispatch_create(
        &self,
        run: &RunId,
        body: &DispatchCreate,
    ) -> Result<(), ClientError> {
        let path = ["runs", run.as_str(), "dispatches"];
        self.post("dispatch_create", &path).body(body).done().await
    }

    /// Lets a paused or parked run go on.
    ///
    /// # Errors
    /// `illegal_transition`.
    pub async fn run_resume(&self, run: &RunId, body: &RunResume) -> Result<Run, ClientError> {
        self.post("run_resume", &["runs", run.as_str(), "resume"]).body(body).json().await
    }

    /// Pauses a run after its present turn.
    ///
    /// # Errors
    /// `illegal_transition`.
    pub async fn run_pause(&self, run: &RunId) -> Result<Run, ClientError> {
        self.post("run_pause", &["runs", run.as_str(), "pause"]).json().await
    }

    /// Stops a run and its agent.
    ///
    /// # Errors
    /// `illegal_transition`.
    pub async fn run_stop(&self, run: &RunId) -> Result<Run, ClientError> {
        self.post("run_stop", &["runs", run.as_str(), "stop"]).json().await
    }

    /// Answers a run; the text will be in the next prompt.
    ///
    /// # Errors
    /// `not_found`, `illegal_transition`.
    pub async fn run_reply(&self, run: &RunId, body: &ReplyCreate) -> Result<Reply, ClientError> {
        self.post("run_reply", &["runs", run.as_str(), "reply"]).body(body).json().await
    }

    /// Turns of a run, in order.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn run_turns(
        &self,
        run: &RunId,
        page: &PageQuery,
    ) -> Result<Page<Turn>, ClientError> {
        self.get("run_turns", &["runs", run.as_str(), "turns"]).page(page).json().await
    }

    /// One turn with everything the agent did in it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn turn_get(&self, turn: &TurnId) -> Result<TurnDetail, ClientError> {
        self.get("turn_get", &["turns", turn.as_str()]).json().await
    }

    /// What the agents of a run had to say, in order.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn run_dispatches(&self, run: &RunId) -> Result<Page<Dispatch>, ClientError> {
        self.get("run_dispatches", &["runs", run.as_str(), "dispatches"]).all().await
    }

    /// What people answered, in order.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn run_replies(&self, run: &RunId) -> Result<Page<Reply>, ClientError> {
        self.get("run_replies", &["runs", run.as_str(), "replies"]).all().await
    }

    /// The hub's verdicts on a run's tickets, in order.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn run_evidence(&self, run: &RunId) -> Result<Page<Evidence>, ClientError> {
        self.get("run_evidence", &["runs", run.as_str(), "evidence"]).all().await
    }

    /// A page of the files a run, or one of its turns, changed.
    ///
    /// # Errors
    /// `not_found`, `git_state` when a commit it is compared with is not known.
    pub async fn run_diff(
        &self,
        run: &RunId,
        turn: Option<&TurnId>,
        page: &PageQuery,
    ) -> Result<RunDiff, ClientError> {
        let call = self.get("run_diff", &["runs", run.as_str(), "diff"]);
        call.query("turn", turn).page(page).json().await
    }

    /// A page of the lines of one file a run, or one of its turns, changed.
    ///
    /// # Errors
    /// `not_found`, also when the file did not change.
    pub async fn run_diff_file(
        &self,
        run: &RunId,
        turn: Option<&TurnId>,
        path: &str,
        page: &PageQuery,
    ) -> Result<FileDiff, ClientError> {
        let call = self.get("run_diff_file", &["runs", run.as_str(), "diff", "file"]);
        call.query("path", Some(path)).query("turn", turn).page(page).json().await
    }

    /// Answers a question of a run's agent.
    ///
    /// # Errors
    /// `not_found`, `illegal_transition` when it was answered or is void.
    pub async fn approval_decide(
        &self,
        run: &RunId,
        approval: &ApprovalId,
        body: &ApprovalDecide,
    ) -> Result<Approval, ClientError> {
        self.post("approval_decide", &["runs", run.as_str(), "approvals", approval.as_str()])
            .body(body)
            .json()
            .await
    }
}
