//! `/pma`

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use car_api::{
    Page,
    pma::{PmaDoc, PmaDocName, PmaDocUpdate, PmaInfo},
};

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query},
    problem::Answer,
    version::{MustMatch, Tagged},
};

/// Get how the project manager stands
///
/// Its thread, how far its limits are used, and what every thread with something to do is at.
#[utoipa::path(
    get, path = "/pma", tag = "pma", operation_id = "pma_get",
    extensions(("x-scope" = json!("read")), ("x-problems" = json!(["not_found"]))),
    responses((status = 200, description = "How it stands", body = PmaInfo)),
)]
pub(crate) async fn get(Acting(hub): Acting) -> Answer<Json<PmaInfo>> {
    Ok(Json(hub.pma_get().await?))
}

/// Close the circuit breaker
///
/// Of every thread: the failures counted so far are forgotten, and what is held goes on.
#[utoipa::path(
    post, path = "/pma/breaker/reset", tag = "pma", operation_id = "pma_breaker_reset",
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["not_found"]))),
    responses((status = 200, description = "How it stands now", body = PmaInfo)),
)]
pub(crate) async fn reset(Acting(hub): Acting) -> Answer<Json<PmaInfo>> {
    Ok(Json(hub.pma_breaker_reset().await?))
}

/// List the documents of the project manager with their texts
#[utoipa::path(
    get, path = "/pma/docs", tag = "pma", operation_id = "pma_doc_list",
    params(Paging),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "One page, in their usual order", body = Page<PmaDoc>)),
)]
pub(crate) async fn docs(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<PmaDoc>>> {
    Ok(Json(hub.pma_doc_list(paging.page()?).await?))
}

/// Get a document of the project manager
#[utoipa::path(
    get, path = "/pma/docs/{name}", tag = "pma", operation_id = "pma_doc_get",
    params(("name" = PmaDocName, Path, description = "Document")),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The document; empty when its file is missing", body = PmaDoc, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn doc(
    Acting(hub): Acting,
    Path(name): Path<PmaDocName>,
) -> Answer<Tagged<PmaDoc>> {
    Ok(tagged(hub.pma_doc_get(name).await?))
}

/// Replace a document of the project manager
#[utoipa::path(
    put, path = "/pma/docs/{name}", tag = "pma", operation_id = "pma_doc_update",
    params(
        ("name" = PmaDocName, Path, description = "Document"),
        ("If-Match" = String, Header, description = "The `etag` of the version that was changed, or `*`"),
    ),
    request_body = PmaDocUpdate,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["stale", "precondition_required"]))),
    responses((status = 200, description = "The document as it is now", body = PmaDoc, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    Path(name): Path<PmaDocName>,
    MustMatch(version): MustMatch,
    Json(body): Json<PmaDocUpdate>,
) -> Answer<Tagged<PmaDoc>> {
    Ok(tagged(hub.pma_doc_update(name, body, Some(version)).await?))
}

/// Move the project manager's working set into its log
///
/// The whole of `active_context` is added to `context_log`, and its beginning stays. The hub does so
/// by itself before a turn when it is over its budget of lines.
#[utoipa::path(
    post, path = "/pma/docs/active_context/prune", tag = "pma", operation_id = "pma_doc_prune",
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["stale"]))),
    responses((status = 200, description = "`active_context` as it is now", body = PmaDoc)),
)]
pub(crate) async fn prune(Acting(hub): Acting) -> Answer<Json<PmaDoc>> {
    Ok(Json(hub.pma_doc_prune().await?))
}

/// Get what the project manager is shown of the hub
///
/// A few lines, the most pressing first: at most 2 KB when little happens, never more than 8 KB.
#[utoipa::path(
    get, path = "/pma/packet", tag = "pma", operation_id = "pma_packet",
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The text", body = String, content_type = "text/plain")),
)]
pub(crate) async fn packet(Acting(hub): Acting) -> Answer<Response> {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, hub.pma_packet().await?).into_response())
}

fn tagged(doc: PmaDoc) -> Tagged<PmaDoc> {
    Tagged { etag: doc.etag.clone(), body: doc }
}
