//! `/usage`

use car_api::{
    RepoId,
    usage::{UsageBy, UsageReport},
};
use car_hub::UsageFilter;
use serde::Deserialize;

use crate::{body::Json, caller::Acting, extract::Query, problem::Answer};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Counting {
    /// What a row stands for; `repo` when absent.
    by: Option<UsageBy>,
    /// Only turns that ended on this day or later.
    #[param(format = Date)]
    since: Option<String>,
    /// Only turns that ended on this day or earlier.
    #[param(format = Date)]
    until: Option<String>,
    /// Only turns in this repo or worktree.
    repo: Option<RepoId>,
    /// How far the clocks by which these days begin are ahead of UTC, as in `+02:00`; UTC when
    /// absent. One difference holds for all the days.
    #[param(pattern = "^(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)$")]
    utc_offset: Option<String>,
    /// At most so many rows, 1 to 500; 100 when absent. `total` counts also what is left off.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Count what agents have used
///
/// Tokens, agents' time and money of turns that have ended, of runs and of threads. What a turn
/// cost was fixed when it ended; without a price its tokens are counted as not priced.
#[utoipa::path(
    get, path = "/usage", tag = "usage", operation_id = "usage_get", params(Counting),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-agents" = json!(true)), ("x-problems" = json!(["forbidden"]))),
    responses((status = 200, description = "The rows and their total", body = UsageReport)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Query(counting): Query<Counting>,
) -> Answer<Json<UsageReport>> {
    let Counting { by, since, until, repo, utc_offset, limit } = counting;
    let by = by.unwrap_or(UsageBy::Repo);
    let filter = UsageFilter { by, since, until, repo, utc_offset, limit };
    Ok(Json(hub.usage_get(filter).await?))
}
