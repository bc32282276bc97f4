//! `/budgets`

use car_api::budget::{BudgetLimits, Budgets};

use crate::{
    body::Json,
    caller::Acting,
    problem::Answer,
    version::{MustMatch, Tagged},
};

/// Get the budgets, and how much of the day's is used
#[utoipa::path(
    get, path = "/budgets", tag = "usage", operation_id = "budgets_get",
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "Limits and use", body = Budgets, headers(("ETag" = String, description = "The version of the limits")))),
)]
pub(crate) async fn get(Acting(hub): Acting) -> Answer<Tagged<Budgets>> {
    Ok(tagged(hub.budgets_get().await?))
}

/// Set the budgets
///
/// They hold at once, for turns that begin and for those under way, and are kept in the hub's
/// configuration. Limits of a run are those of new runs. What is left out has no limit.
#[utoipa::path(
    put, path = "/budgets", tag = "usage", operation_id = "budgets_update",
    params(("If-Match" = String, Header, description = "The `etag` of the version that was changed, or `*`")),
    request_body = BudgetLimits,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["stale", "precondition_required"]))),
    responses((status = 200, description = "The budgets as they are now", body = Budgets, headers(("ETag" = String, description = "The version of the limits")))),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    MustMatch(version): MustMatch,
    Json(body): Json<BudgetLimits>,
) -> Answer<Tagged<Budgets>> {
    Ok(tagged(hub.budgets_update(body, Some(&version)).await?))
}

fn tagged(budgets: Budgets) -> Tagged<Budgets> {
    Tagged { etag: budgets.etag.clone(), body: budgets }
}
