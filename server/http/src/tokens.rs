//! `/tokens`

use axum::http::StatusCode;
use car_api::{
    Page, TokenId,
    token::{AccessToken, LoggedOut, Token, TokenCreate, TokenCreated, TokenExchange},
};

use crate::{
    body::Json,
    caller::{Acting, Caller},
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
/// The only time its secret is shown. It may get no scope and no repo the caller does not have.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", operation_id = "token_create", request_body = TokenCreate,
    extensions(("x-problems" = json!(["not_found", "unprocessable"])), ("x-scope" = json!("admin")), ("x-secret" = json!(true))),
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
pub(crate) async fn delete(Acting(hub): Acting, Path(token): Path<TokenId>) -> Answer<StatusCode> {
    hub.token_delete(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Log out everywhere else
///
/// Every token and every browser but the caller's own stops working at once, and so does every
/// short-lived token. Agents at work get new ones.
#[utoipa::path(
    post, path = "/tokens/delete-others", tag = "tokens", operation_id = "token_delete_others",
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "What was ended", body = LoggedOut)),
)]
pub(crate) async fn delete_others(Acting(hub): Acting) -> Answer<Json<LoggedOut>> {
    Ok(Json(hub.token_delete_others().await?))
}

/// Exchange a personal token for one of ten minutes
///
/// For scripts that hand a credential on: it is signed, kept nowhere, and runs out by itself, at
/// the latest with the token it was exchanged for.
#[utoipa::path(
    post, path = "/tokens/exchange", tag = "tokens", operation_id = "token_exchange",
    request_body = TokenExchange,
    extensions(("x-secret" = json!(true)), ("x-scope" = json!("read")), ("x-limited" = json!("any"))),
    responses((status = 201, description = "The short-lived token", body = AccessToken)),
)]
pub(crate) async fn exchange(
    caller: Caller,
    Json(body): Json<TokenExchange>,
) -> Answer<(StatusCode, Json<AccessToken>)> {
    let made = caller.acting().token_exchange(caller.grant(), body)?;
    Ok((StatusCode::CREATED, Json(made)))
}
