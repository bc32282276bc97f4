//! `/download/{link}`: files by a link a browser can follow. A link carries no headers, and the
//! cookie alone opens nothing, so a page asks for an address that gives one file, once, soon, and
//! to nobody but whoever asked for it.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use car_api::{
    BoxFileName, Code, RepoId,
    filebox::{FileBox, FileLink},
};
use car_hub::Grant;

use crate::{
    App,
    body::Json,
    caller::{self, Caller, Once},
    extract::Path,
    files,
    problem::{Answer, ApiError},
};

/// How long a link can be followed.
const LIFE: Duration = Duration::from_secs(60);

/// Every link that was not followed yet.
pub(crate) type Links = Once<Link>;

/// No links yet.
pub(crate) fn none() -> Links {
    Once::new(LIFE)
}

/// The file behind a link, and whose it is.
pub(crate) struct Link {
    grant: Grant,
    repo: Option<RepoId>,
    r#box: FileBox,
    name: BoxFileName,
}

/// Get a link to a file of the hub's own boxes
///
/// For browsers: the link can be followed once within 60 seconds, with the cookie or the token that
/// asked for it.
#[utoipa::path(
    post, path = "/files/{box}/{name}/link", tag = "files", operation_id = "file_link",
    params(("box" = FileBox, Path, description = "Box"), ("name" = BoxFileName, Path, description = "File")),
    extensions(("x-scope" = json!("read")), ("x-secret" = json!(true))),
    responses((status = 201, description = "Where the file can be had", body = FileLink)),
)]
pub(crate) async fn link(
    State(app): State<App>,
    caller: Caller,
    Path((r#box, name)): Path<(FileBox, BoxFileName)>,
) -> Answer<(StatusCode, Json<FileLink>)> {
    made(&app, &caller, None, r#box, name).await
}

/// Get a link to a file of a repo's boxes
///
/// For browsers: the link can be followed once within 60 seconds, with the cookie or the token that
/// asked for it.
#[utoipa::path(
    post, path = "/repos/{repo}/files/{box}/{name}/link", tag = "files", operation_id = "repo_file_link",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("box" = FileBox, Path, description = "Box"),
        ("name" = BoxFileName, Path, description = "File"),
    ),
    extensions(("x-scope" = json!("read")), ("x-secret" = json!(true))),
    responses((status = 201, description = "Where the file can be had", body = FileLink)),
)]
pub(crate) async fn repo_link(
    State(app): State<App>,
    caller: Caller,
    Path((repo, r#box, name)): Path<(RepoId, FileBox, BoxFileName)>,
) -> Answer<(StatusCode, Json<FileLink>)> {
    made(&app, &caller, Some(repo), r#box, name).await
}

async fn made(
    app: &App,
    caller: &Caller,
    repo: Option<RepoId>,
    r#box: FileBox,
    name: BoxFileName,
) -> Answer<(StatusCode, Json<FileLink>)> {
    // What is not there is said now, where the page can show it.
    drop(caller.acting().file_get(&repo, r#box, &name).await?);
    let grant = caller.grant().clone();
    let secret = app.links.make(Link { grant, repo, r#box, name })?;
    let path = format!("{}/download/{secret}", app.config.base_path);
    let life = i64::try_from(LIFE.as_millis()).unwrap_or(0);
    let expires_at = car_hub::now().plus_millis(life);
    Ok((StatusCode::CREATED, Json(FileLink { path, expires_at })))
}

/// Get the file behind a link
///
/// The links of `file_link` and `repo_file_link`, each once, with the cookie (its proof is not
/// needed) or the token it was made for.
#[utoipa::path(
    get, path = "/download/{link}", tag = "files", operation_id = "download_get", security(()),
    params(("link" = String, Path, description = "From the link")),
    extensions(("x-problems" = json!(["not_found"]))),
    responses((status = 200, description = "Its bytes, to be kept as a file", body = String, content_type = "application/octet-stream", headers(("Content-Disposition" = String, description = "`attachment` with its name"), ("Car-Media-Type" = String, description = "What it is, by its name")))),
)]
pub(crate) async fn get(
    State(app): State<App>,
    Path(secret): Path<String>,
    request: Request,
) -> Answer<Response> {
    let (parts, _) = request.into_parts();
    let link = app.links.take(&secret).filter(|link| caller::is_of(&parts, &app, &link.grant));
    let Some(Link { grant, repo, r#box, name }) = link else {
        let detail = "This link was followed already, has run out, or is somebody else's; get the \
                      file again from the page.";
        return Err(ApiError::new(Code::NotFound, detail));
    };
    let hub = app.hub.acting(&grant);
    Ok(files::download(hub.file_get(&repo, r#box, &name).await?))
}
