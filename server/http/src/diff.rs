//! `/runs/{run}/diff`

use car_api::{
    RunId, TurnId,
    diff::{FileDiff, RunDiff},
};
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Path, Query, page},
    problem::Answer,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DiffQuery {
    /// Only what this turn of the run changed.
    turn: Option<TurnId>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List the files a run changed
///
/// From the commit the run began at to the tree as it is now; of a run that has ended, to the
/// commit the next one began at. Pages after the first show what the first one saw.
#[utoipa::path(
    get, path = "/runs/{run}/diff", tag = "runs", operation_id = "run_diff",
    params(("run" = RunId, Path, description = "Run"), DiffQuery),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-problems" = json!(["git_state", "git_failed"]))),
    responses((status = 200, description = "One page of the files, by path, and the totals of all", body = RunDiff)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Query(query): Query<DiffQuery>,
) -> Answer<Json<RunDiff>> {
    let DiffQuery { turn, after, limit } = query;
    Ok(Json(hub.run_diff(&run, turn.as_ref(), page(after, limit)?).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileQuery {
    /// The file's `path` in the list.
    #[param(min_length = 1, max_length = 4096)]
    path: String,
    /// Only what this turn of the run changed.
    turn: Option<TurnId>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Get the lines of one file a run changed
#[utoipa::path(
    get, path = "/runs/{run}/diff/file", tag = "runs", operation_id = "run_diff_file",
    params(("run" = RunId, Path, description = "Run"), FileQuery),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-problems" = json!(["git_state", "git_failed"]))),
    responses((status = 200, description = "One page of its lines, in order", body = FileDiff)),
)]
pub(crate) async fn file(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Query(query): Query<FileQuery>,
) -> Answer<Json<FileDiff>> {
    let FileQuery { path, turn, after, limit } = query;
    if path.is_empty() || path.len() > 4096 {
        return Err(crate::problem::ApiError::bad_request("`path` has 1 to 4096 bytes."));
    }
    Ok(Json(hub.run_diff_file(&run, turn.as_ref(), &path, page(after, limit)?).await?))
}
