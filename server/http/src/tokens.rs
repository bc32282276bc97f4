//! `/tokens`

use axum::{extract::State, http::StatusCode};
use car_api::{
    Page, TokenId,
    token::{Token, TokenCreate, TokenCreated},
};

use crate::{
    App,
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query},
    problem::Answer,
};

/// List tokens, without their secrets
#[utoipa::path(
    get, path = "/tokens", tag = "tokens", operation_id = "token_list", params(Paging),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "One page, oldest first", body = Page<Token>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Token>>> {
    Ok(Json(hub.token_list(paging.page()?).await?))
}

/// Create a token
///
/// The only time its secret is shown.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", operation_id = "token_create", request_body = TokenCreate,
    extensions(("x-scope" = json!("admin")), ("x-secret" = json!(true))),
    responses((status = 201, description = "The token with its secret", body = TokenCreated)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<TokenCreate>,
) -> Answer<(StatusCode, Json<TokenCreated>)> {
    Ok((StatusCode::CREATED, Json(hub.token_create(body).await?)))
}

/// Delete a token
///
/// It stops working at once; streams opened with it are closed.
#[utoipa::path(
    delete, path = "/tokens/{token}", tag = "tokens", operation_id = "token_delete",
    params(("token" = TokenId, Path, description = "Token")),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 204, description = "The token is gone")),
)]
pub(crate) async fn delete(
    State(app): State<App>,
    Path(token): Path<TokenId>,
) -> Answer<StatusCode> {
    app.hub.token_delete(&token).await?;
    app.revoked.send_modify(|count| *count += 1);
    Ok(StatusCode::NO_CONTENT)
}
