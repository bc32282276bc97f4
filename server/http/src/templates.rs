//! `/templates`

use axum::http::StatusCode;
use car_api::{
    Page, RepoId, TemplateSourceId,
    job::Job,
    template::{
        Template, TemplateApply, TemplateSource, TemplateSourceCreate, TemplateSourceSync,
        TemplateSourceTrust, TemplateText, TemplateTrusted, TemplateUntrusted,
    },
    ticket::TicketText,
};
use car_hub::TemplateFilter;
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query, page},
    problem::Answer,
    version::Tagged,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TemplateQuery {
    /// Only templates of this source.
    source: Option<TemplateSourceId>,
    /// Only templates with all these words in their name, title or summary, whatever the case.
    q: Option<String>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TemplateName {
    /// Its name: `source:path`, or `source:path@ref` for another branch, tag or commit.
    template: String,
}

/// List sources of templates
#[utoipa::path(
    get, path = "/templates/sources", tag = "templates", operation_id = "template_source_list",
    params(Paging),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-limited" = json!("any")), ("x-problems" = json!(["turned_off"]))),
    responses((status = 200, description = "A page, by id", body = Page<TemplateSource>)),
)]
pub(crate) async fn sources(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<TemplateSource>>> {
    Ok(Json(hub.template_source_list(paging.page()?).await?))
}

/// Add a source of templates
///
/// It has no templates before it is fetched (`template_source_sync`). It is written into the hub's
/// own configuration file.
#[utoipa::path(
    post, path = "/templates/sources", tag = "templates", operation_id = "template_source_create",
    request_body = TemplateSourceCreate,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["turned_off", "already_exists", "unprocessable"]))),
    responses((status = 201, description = "The source", body = TemplateSource)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<TemplateSourceCreate>,
) -> Answer<(StatusCode, Json<TemplateSource>)> {
    Ok((StatusCode::CREATED, Json(hub.template_source_create(body).await?)))
}

/// Remove a source of templates
///
/// Its copy goes, and what was trusted of it. Tickets made of its templates stay.
#[utoipa::path(
    delete, path = "/templates/sources/{source}", tag = "templates", operation_id = "template_source_delete",
    params(("source" = TemplateSourceId, Path, description = "Source")),
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["turned_off", "illegal_transition", "unprocessable", "restore_unconfirmed"]))),
    responses((status = 204, description = "The source is gone")),
)]
pub(crate) async fn delete(
    Acting(hub): Acting,
    Path(source): Path<TemplateSourceId>,
) -> Answer<StatusCode> {
    hub.template_source_delete(&source).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Fetch a source of templates
///
/// A job. Its templates are from then on those of the commit its branch has; a rewritten history is
/// taken only when that is asked for. When the source cannot be reached, the copy from before goes on
/// being used, and the source says so.
#[utoipa::path(
    post, path = "/templates/sources/{source}/sync", tag = "templates", operation_id = "template_source_sync",
    params(("source" = TemplateSourceId, Path, description = "Source")), request_body = TemplateSourceSync,
    extensions(("x-scope" = json!("write")), ("x-limited" = json!("refused")), ("x-problems" = json!(["turned_off", "illegal_transition", "restore_unconfirmed"]))),
    responses((status = 202, description = "The job that fetches it", body = Job)),
)]
pub(crate) async fn sync(
    Acting(hub): Acting,
    Path(source): Path<TemplateSourceId>,
    Json(body): Json<TemplateSourceSync>,
) -> Answer<(StatusCode, Json<Job>)> {
    Ok((StatusCode::ACCEPTED, Json(hub.template_source_sync(&source, body).await?)))
}

/// Trust all templates of a source
///
/// As they are in the commit that is named. What changes later has to be trusted again.
#[utoipa::path(
    post, path = "/templates/sources/{source}/trust", tag = "templates", operation_id = "template_source_trust",
    params(("source" = TemplateSourceId, Path, description = "Source")), request_body = TemplateSourceTrust,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["turned_off", "stale", "git_failed", "unavailable"]))),
    responses((status = 200, description = "The source", body = TemplateSource)),
)]
pub(crate) async fn trust_source(
    Acting(hub): Acting,
    Path(source): Path<TemplateSourceId>,
    Json(body): Json<TemplateSourceTrust>,
) -> Answer<Json<TemplateSource>> {
    Ok(Json(hub.template_source_trust(&source, body).await?))
}

/// Trust nothing of a source any more
#[utoipa::path(
    post, path = "/templates/sources/{source}/untrust", tag = "templates", operation_id = "template_source_untrust",
    params(("source" = TemplateSourceId, Path, description = "Source")),
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["turned_off", "unprocessable"]))),
    responses((status = 200, description = "The source", body = TemplateSource)),
)]
pub(crate) async fn untrust_source(
    Acting(hub): Acting,
    Path(source): Path<TemplateSourceId>,
) -> Answer<Json<TemplateSource>> {
    Ok(Json(hub.template_source_untrust(&source).await?))
}

/// List templates
#[utoipa::path(
    get, path = "/templates", tag = "templates", operation_id = "template_list", params(TemplateQuery),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-limited" = json!("any")), ("x-problems" = json!(["turned_off", "not_found"]))),
    responses((status = 200, description = "A page, by name", body = Page<Template>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<TemplateQuery>,
) -> Answer<Json<Page<Template>>> {
    let TemplateQuery { source, q, after, limit } = query;
    Ok(Json(hub.template_list(TemplateFilter { source, q }, page(after, limit)?).await?))
}

/// Get a template with its text
///
/// With what in it deserves a look, and, when it was trusted before and has changed, the difference.
#[utoipa::path(
    get, path = "/templates/text", tag = "templates", operation_id = "template_get", params(TemplateName),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-limited" = json!("any")), ("x-problems" = json!(["turned_off", "not_found", "unprocessable", "git_failed", "unavailable"]))),
    responses((status = 200, description = "The template", body = TemplateText)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Query(query): Query<TemplateName>,
) -> Answer<Json<TemplateText>> {
    Ok(Json(hub.template_get(&query.template).await?))
}

/// Trust a template
///
/// Trust is in the file as it is, by its SHA-256: another version has to be trusted again.
#[utoipa::path(
    post, path = "/templates/trust", tag = "templates", operation_id = "template_trust",
    request_body = TemplateTrusted,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["turned_off", "not_found", "unprocessable", "stale", "git_failed", "unavailable"]))),
    responses((status = 200, description = "The template", body = Template)),
)]
pub(crate) async fn trust(
    Acting(hub): Acting,
    Json(body): Json<TemplateTrusted>,
) -> Answer<Json<Template>> {
    Ok(Json(hub.template_trust(body).await?))
}

/// Trust a template no longer
#[utoipa::path(
    post, path = "/templates/untrust", tag = "templates", operation_id = "template_untrust",
    request_body = TemplateUntrusted,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["turned_off", "not_found", "unprocessable", "git_failed", "unavailable"]))),
    responses((status = 200, description = "The template", body = Template)),
)]
pub(crate) async fn untrust(
    Acting(hub): Acting,
    Json(body): Json<TemplateUntrusted>,
) -> Answer<Json<Template>> {
    Ok(Json(hub.template_untrust(body).await?))
}

/// Make a ticket of a template
///
/// It takes over title, goal, text and context, and notes where they are from. Whatever else the
/// template sets is left out; its warnings name it. A template nobody trusts needs `accept_sha256`,
/// and is refused to agents.
#[utoipa::path(
    post, path = "/repos/{repo}/tickets/from-template", tag = "templates", operation_id = "template_apply",
    params(("repo" = RepoId, Path, description = "Repo or worktree")), request_body = TemplateApply,
    extensions(("x-scope" = json!("write")), ("x-agents" = json!(true)), ("x-problems" = json!(["turned_off", "forbidden", "precondition_required", "stale", "unprocessable", "agent_unavailable", "run_active", "git_failed", "unavailable"]))),
    responses((status = 201, description = "The new ticket", body = TicketText, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn apply(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Json(body): Json<TemplateApply>,
) -> Answer<(StatusCode, Tagged<TicketText>)> {
    let text = hub.template_apply(&repo, body).await?;
    Ok((StatusCode::CREATED, Tagged { etag: text.ticket.etag.clone(), body: text }))
}
