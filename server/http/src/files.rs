//! `/files` and `/repos/{repo}/files`

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use car_api::{
    BoxFileName, Page, RepoId,
    filebox::{BoxFile, FileBox},
};
use car_hub::Download;
use futures_util::stream;
use serde::Deserialize;

use crate::{
    body::{self, Json},
    caller::Acting,
    extract::{Path, Query, page},
    problem::Answer,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileQuery {
    /// Only of this box.
    r#box: Option<FileBox>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List the files of the hub's own boxes
///
/// The inbox holds files for the project manager, the outbox files of it.
#[utoipa::path(
    get, path = "/files", tag = "files", operation_id = "file_list",
    params(FileQuery),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "One page, by box and name", body = Page<BoxFile>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<FileQuery>,
) -> Answer<Json<Page<BoxFile>>> {
    let page = page(query.after, query.limit)?;
    Ok(Json(hub.file_list(&None, query.r#box, page).await?))
}

/// Get a file of the hub's own boxes
#[utoipa::path(
    get, path = "/files/{box}/{name}", tag = "files", operation_id = "file_get",
    params(("box" = FileBox, Path, description = "Box"), ("name" = BoxFileName, Path, description = "File")),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "Its bytes, to be kept as a file", body = String, content_type = "application/octet-stream", headers(("Content-Disposition" = String, description = "`attachment` with its name"), ("Car-Media-Type" = String, description = "What it is, by its name")))),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path((r#box, name)): Path<(FileBox, BoxFileName)>,
) -> Answer<Response> {
    Ok(download(hub.file_get(&None, r#box, &name).await?))
}

/// Put a file into one of the hub's own boxes
///
/// A file of that name is replaced. The body is the file, at most `pma.max_upload_bytes` long; it is
/// there whole or not at all.
#[utoipa::path(
    put, path = "/files/{box}/{name}", tag = "files", operation_id = "file_put",
    params(("box" = FileBox, Path, description = "Box"), ("name" = BoxFileName, Path, description = "File")),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    extensions(("x-scope" = json!("write")), ("x-raw" = json!(true)), ("x-problems" = json!(["unprocessable"]))),
    responses((status = 200, description = "The file as it is now", body = BoxFile)),
)]
pub(crate) async fn put(
    Acting(hub): Acting,
    Path((r#box, name)): Path<(FileBox, BoxFileName)>,
    request: Request,
) -> Answer<Json<BoxFile>> {
    let pieces = body::pieces(request)?;
    Ok(Json(hub.file_put(&None, r#box, &name, pieces).await?))
}

/// Delete a file of the hub's own boxes
#[utoipa::path(
    delete, path = "/files/{box}/{name}", tag = "files", operation_id = "file_delete",
    params(("box" = FileBox, Path, description = "Box"), ("name" = BoxFileName, Path, description = "File")),
    extensions(("x-scope" = json!("write"))),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    Acting(hub): Acting,
    Path((r#box, name)): Path<(FileBox, BoxFileName)>,
) -> Answer<StatusCode> {
    hub.file_delete(&None, r#box, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the files of a repo's boxes
///
/// The inbox holds files for agents, the outbox files of them.
#[utoipa::path(
    get, path = "/repos/{repo}/files", tag = "files", operation_id = "repo_file_list",
    params(("repo" = RepoId, Path, description = "Repo or worktree"), FileQuery),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, by box and name", body = Page<BoxFile>)),
)]
pub(crate) async fn repo_list(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Query(query): Query<FileQuery>,
) -> Answer<Json<Page<BoxFile>>> {
    let page = page(query.after, query.limit)?;
    Ok(Json(hub.file_list(&Some(repo), query.r#box, page).await?))
}

/// Get a file of a repo's boxes
#[utoipa::path(
    get, path = "/repos/{repo}/files/{box}/{name}", tag = "files", operation_id = "repo_file_get",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("box" = FileBox, Path, description = "Box"),
        ("name" = BoxFileName, Path, description = "File"),
    ),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "Its bytes, to be kept as a file", body = String, content_type = "application/octet-stream", headers(("Content-Disposition" = String, description = "`attachment` with its name"), ("Car-Media-Type" = String, description = "What it is, by its name")))),
)]
pub(crate) async fn repo_get(
    Acting(hub): Acting,
    Path((repo, r#box, name)): Path<(RepoId, FileBox, BoxFileName)>,
) -> Answer<Response> {
    Ok(download(hub.file_get(&Some(repo), r#box, &name).await?))
}

/// Put a file into one of a repo's boxes
///
/// A file of that name is replaced. The body is the file, at most `pma.max_upload_bytes` long; it is
/// there whole or not at all.
#[utoipa::path(
    put, path = "/repos/{repo}/files/{box}/{name}", tag = "files", operation_id = "repo_file_put",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("box" = FileBox, Path, description = "Box"),
        ("name" = BoxFileName, Path, description = "File"),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    extensions(("x-scope" = json!("write")), ("x-raw" = json!(true)), ("x-agents" = json!(true)), ("x-problems" = json!(["unprocessable"]))),
    responses((status = 200, description = "The file as it is now", body = BoxFile)),
)]
pub(crate) async fn repo_put(
    Acting(hub): Acting,
    Path((repo, r#box, name)): Path<(RepoId, FileBox, BoxFileName)>,
    request: Request,
) -> Answer<Json<BoxFile>> {
    let pieces = body::pieces(request)?;
    Ok(Json(hub.file_put(&Some(repo), r#box, &name, pieces).await?))
}

/// Delete a file of a repo's boxes
#[utoipa::path(
    delete, path = "/repos/{repo}/files/{box}/{name}", tag = "files", operation_id = "repo_file_delete",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("box" = FileBox, Path, description = "Box"),
        ("name" = BoxFileName, Path, description = "File"),
    ),
    extensions(("x-scope" = json!("write"))),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn repo_delete(
    Acting(hub): Acting,
    Path((repo, r#box, name)): Path<(RepoId, FileBox, BoxFileName)>,
) -> Answer<StatusCode> {
    hub.file_delete(&Some(repo), r#box, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file as a browser has to take it: as one to keep, whatever it holds. What it is by its name is
/// in a header of its own, so that no browser comes to show or run it.
pub(crate) fn download(Download { file, pieces }: Download) -> Response {
    let body = stream::unfold(pieces, async |mut pieces| Some((pieces.recv().await?, pieces)));
    let mut answer = Body::from_stream(body).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.size));
    headers.insert(header::CONTENT_DISPOSITION, disposition(file.name.as_str()));
    if let Ok(kind) = HeaderValue::from_str(&file.media_type) {
        headers.insert("car-media-type", kind);
    }
    let version = format!("W/\"{:x}-{:x}\"", file.size, file.modified_at.micros());
    if let Ok(tag) = HeaderValue::from_str(&version) {
        headers.insert(header::ETAG, tag);
    }
    answer
}

/// RFC 6266: the name as ASCII for old programs, and as it is.
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' })
        .collect();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_said_safely() {
        assert_eq!(disposition("a.txt"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
        assert_eq!(
            disposition("ä\";x=\"\\.md"),
            "attachment; filename=\"___x=__.md\"; filename*=UTF-8''%C3%A4%22%3Bx%3D%22%5C.md"
        );
    }
}
