//! Operations on runs.

use car_api::{
    ApprovalId, Page, PageQuery, RepoId, RunId, TurnId,
    dispatch::{Dispatch, Reply, ReplyCreate},
    item::Approval,
    run::{ApprovalDecide, Explain, Run, RunResume, RunStart, RunStatus},
    turn::{Turn, TurnDetail},
    verify::Evidence,
};

use crate::{Error, Hub, Result};

impl Hub {
    /// run_start
    ///
    /// # Errors
    /// See the API.
    pub async fn run_start(&self, repo: &RepoId, body: RunStart) -> Result<Run> {
        let _ = (repo, body);
        Err(Error::not_found("run_start"))
    }

    /// run_list
    ///
    /// # Errors
    /// See the API.
    pub async fn run_list(
        &self,
        repo: Option<RepoId>,
        status: Option<RunStatus>,
        page: PageQuery,
    ) -> Result<Page<Run>> {
        let _ = (repo, status, page);
        Err(Error::not_found("run_list"))
    }

    /// run_get
    ///
    /// # Errors
    /// See the API.
    pub async fn run_get(&self, run: &RunId) -> Result<Run> {
        let _ = (run,);
        Err(Error::not_found("run_get"))
    }

    /// run_explain
    ///
    /// # Errors
    /// See the API.
    pub async fn run_explain(&self, run: &RunId) -> Result<Explain> {
        let _ = (run,);
        Err(Error::not_found("run_explain"))
    }

    /// run_resume
    ///
    /// # Errors
    /// See the API.
    pub async fn run_resume(&self, run: &RunId, body: RunResume) -> Result<Run> {
        let _ = (run, body);
        Err(Error::not_found("run_resume"))
    }

    /// run_pause
    ///
    /// # Errors
    /// See the API.
    pub async fn run_pause(&self, run: &RunId) -> Result<Run> {
        let _ = (run,);
        Err(Error::not_found("run_pause"))
    }

    /// run_stop
    ///
    /// # Errors
    /// See the API.
    pub async fn run_stop(&self, run: &RunId) -> Result<Run> {
        let _ = (run,);
        Err(Error::not_found("run_stop"))
    }

    /// run_reply
    ///
    /// # Errors
    /// See the API.
    pub async fn run_reply(&self, run: &RunId, body: ReplyCreate) -> Result<Reply> {
        let _ = (run, body);
        Err(Error::not_found("run_reply"))
    }

    /// run_turns
    ///
    /// # Errors
    /// See the API.
    pub async fn run_turns(&self, run: &RunId, page: PageQuery) -> Result<Page<Turn>> {
        let _ = (run, page);
        Err(Error::not_found("run_turns"))
    }

    /// turn_get
    ///
    /// # Errors
    /// See the API.
    pub async fn turn_get(&self, turn: &TurnId) -> Result<TurnDetail> {
        let _ = (turn,);
        Err(Error::not_found("turn_get"))
    }

    /// run_dispatches
    ///
    /// # Errors
    /// See the API.
    pub async fn run_dispatches(&self, run: &RunId) -> Result<Page<Dispatch>> {
        let _ = (run,);
        Err(Error::not_found("run_dispatches"))
    }

    /// run_replies
    ///
    /// # Errors
    /// See the API.
    pub async fn run_replies(&self, run: &RunId) -> Result<Page<Reply>> {
        let _ = (run,);
        Err(Error::not_found("run_replies"))
    }

    /// run_evidence
    ///
    /// # Errors
    /// See the API.
    pub async fn run_evidence(&self, run: &RunId) -> Result<Page<Evidence>> {
        let _ = (run,);
        Err(Error::not_found("run_evidence"))
    }

    /// approval_decide
    ///
    /// # Errors
    /// See the API.
    pub async fn approval_decide(
        &self,
        run: &RunId,
        approval: &ApprovalId,
        body: ApprovalDecide,
    ) -> Result<Approval> {
        let _ = (run, approval, body);
        Err(Error::not_found("approval_decide"))
    }
}
