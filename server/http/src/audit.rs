//! `/audit`

use car_api::{
    Page, Timestamp,
    audit::{AuditHead, AuditLine, AuditReport},
};
use car_hub::AuditFilter;
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Query, page},
    problem::{Answer, ApiError},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Only of this actor: the id of a credential or run, or a kind of actor.
    actor: Option<String>,
    /// Only of this verb.
    verb: Option<String>,
    /// Only to this object.
    object: Option<String>,
    /// Only from this time on.
    since: Option<Timestamp>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    limit: Option<u32>,
}

/// List what was done
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "audit_list", params(Listing),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "One page, newest first", body = Page<AuditLine>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(listing): Query<Listing>,
) -> Answer<Json<Page<AuditLine>>> {
    let Listing { actor, verb, object, since, after, limit } = listing;
    let filter = AuditFilter { actor, verb, object, since };
    Ok(Json(hub.audit_list(filter, page(after, limit)?).await?))
}

/// Get the end of the audit chain
///
/// Keep it: `audit_verify` tells later whether it is still part of the chain.
#[utoipa::path(
    get, path = "/audit/head", tag = "audit", operation_id = "audit_head",
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "Number and hash of the last line", body = AuditHead)),
)]
pub(crate) async fn head(Acting(hub): Acting) -> Answer<Json<AuditHead>> {
    Ok(Json(hub.audit_head().await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Kept {
    /// Number of a head that was kept.
    #[param(minimum = 0)]
    seq: Option<i64>,
    /// Its hash.
    hash: Option<String>,
}

/// Walk the audit chain
///
/// Says which line is the first that was edited, moved or removed; with a head that was kept also
/// whether the chain was cut off or made anew since.
#[utoipa::path(
    get, path = "/audit/verify", tag = "audit", operation_id = "audit_verify", params(Kept),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "What was found", body = AuditReport)),
)]
pub(crate) async fn verify(
    Acting(hub): Acting,
    Query(kept): Query<Kept>,
) -> Answer<Json<AuditReport>> {
    let kept = match (kept.seq, kept.hash) {
        (Some(seq), Some(hash)) if seq >= 0 => Some(AuditHead { seq, hash }),
        (None, None) => None,
        (Some(_), Some(_) | None) | (None, Some(_)) => {
            let detail = "Send `seq` and `hash` of a head that was kept, or neither.";
            return Err(ApiError::bad_request(detail));
        }
    };
    Ok(Json(hub.audit_verify(kept).await?))
}
