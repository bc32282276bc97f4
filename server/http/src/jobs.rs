//! `/jobs`

use car_api::{JobId, Page, job::Job};

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query},
    problem::Answer,
};

/// List jobs
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", operation_id = "job_list", params(Paging),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "One page, newest first", body = Page<Job>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Job>>> {
    Ok(Json(hub.job_list(paging.page()?).await?))
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

/// End a job
#[utoipa::path(
    post, path = "/jobs/{job}/cancel", tag = "jobs", operation_id = "job_cancel",
    params(("job" = JobId, Path, description = "Job")),
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 200, description = "The job", body = Job)),
)]
pub(crate) async fn cancel(Acting(hub): Acting, Path(job): Path<JobId>) -> Answer<Json<Job>> {
    Ok(Json(hub.job_cancel(&job).await?))
}
