//! `/jobs`

use car_api::{
    JobId, Page, RepoId,
    job::{Job, JobKind, JobLine, JobStatus},
};
use car_hub::JobFilter;
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query, page},
    problem::Answer,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Only jobs that stand so.
    status: Option<JobStatus>,
    /// Only jobs of this kind.
    kind: Option<JobKind>,
    /// Only jobs that make or change this repo or worktree.
    repo: Option<RepoId>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List jobs
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", operation_id = "job_list", params(JobsQuery),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "One page, newest first", body = Page<Job>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<JobsQuery>,
) -> Answer<Json<Page<Job>>> {
    let JobsQuery { status, kind, repo, after, limit } = query;
    Ok(Json(hub.job_list(JobFilter { status, kind, repo }, page(after, limit)?).await?))
}

/// Get a job
#[utoipa::path(
    get, path = "/jobs/{job}", tag = "jobs", operation_id = "job_get",
    params(("job" = JobId, Path, description = "Job")),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The job", body = Job)),
)]
pub(crate) async fn get(Acting(hub): Acting, Path(job): Path<JobId>) -> Answer<Json<Job>> {
    Ok(Json(hub.job_get(&job).await?))
}

/// Read a job's log
///
/// Phases, what programs it ran had to say, and how it ended. Ask again with the last `next`, or
/// follow `job_updated` in the events.
#[utoipa::path(
    get, path = "/jobs/{job}/log", tag = "jobs", operation_id = "job_log",
    params(("job" = JobId, Path, description = "Job"), Paging),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "One page, oldest first", body = Page<JobLine>)),
)]
pub(crate) async fn log(
    Acting(hub): Acting,
    Path(job): Path<JobId>,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<JobLine>>> {
    Ok(Json(hub.job_log(&job, paging.page()?).await?))
}

/// End a job
///
/// It ends a moment later, once what it had begun is cleaned up: a half-made clone or worktree goes.
#[utoipa::path(
    post, path = "/jobs/{job}/cancel", tag = "jobs", operation_id = "job_cancel",
    params(("job" = JobId, Path, description = "Job")),
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 200, description = "The job, which ends in a moment", body = Job)),
)]
pub(crate) async fn cancel(Acting(hub): Acting, Path(job): Path<JobId>) -> Answer<Json<Job>> {
    Ok(Json(hub.job_cancel(&job).await?))
}
