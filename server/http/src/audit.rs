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
    #[param(minimum = 1, maximum = 500)]
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

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HeadOf {
    /// Where the chain ended with this line; the last one when absent.
    #[param(minimum = 1)]
    line: Option<u32>,
}

/// Get the end of the audit chain
///
/// Keep it: with its number this operation tells later whether the same line is still there, and
/// `audit_verify` whether the whole chain up to it is.
#[utoipa::path(
    get, path = "/audit/head", tag = "audit", operation_id = "audit_head", params(HeadOf),
    extensions(("x-scope" = json!("read")), ("x-problems" = json!(["not_found"]))),
    responses((status = 200, description = "Number and hash of the line", body = AuditHead)),
)]
pub(crate) async fn head(Acting(hub): Acting, Query(of): Query<HeadOf>) -> Answer<Json<AuditHead>> {
    Ok(Json(hub.audit_head(of.line.map(i64::from)).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Kept {
    /// A head that was kept: its number, a dash and its hash.
    #[param(pattern = "^[0-9]{1,18}-[0-9a-f]{64}$")]
    kept: Option<String>,
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
    let head = |text: String| {
        let detail = "`kept` is the number of a head that was kept, a dash, and its hash.";
        head_of(&text).ok_or_else(|| ApiError::bad_request(detail))
    };
    Ok(Json(hub.audit_verify(kept.kept.map(head).transpose()?).await?))
}

fn head_of(text: &str) -> Option<AuditHead> {
    let (seq, hash) = text.split_once('-')?;
    let digits = (1..=18).contains(&seq.len()) && seq.bytes().all(|b| b.is_ascii_digit());
    let hex = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let seq = seq.parse().ok().filter(|_| digits && hex)?;
    Some(AuditHead { seq, hash: hash.to_owned() })
}
