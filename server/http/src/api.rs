//! The API on one screen.

use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App, agents, caller, contextspace, docs, document, events, hub, idempotency, jobs, metrics,
    problem, public, repos, runs, tickets, tokens, version, worktrees,
};

/// Every operation, with its documentation.
pub(crate) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document::frame())
        .route("/", axum::routing::get(public::root))
        .routes(routes!(public::live))
        .routes(routes!(hub::ready))
        .routes(routes!(metrics::get))
        .nest("/api/v1", v1())
}

fn v1() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(hub::get))
        .routes(routes!(hub::snapshot))
        .routes(routes!(hub::scan))
        .routes(routes!(document::get))
        .routes(routes!(docs::page))
        .routes(routes!(docs::style))
        // Repos, worktrees and what is kept of removed ones.
        .routes(routes!(repos::list, repos::create))
        .routes(routes!(repos::clone))
        .routes(routes!(repos::get, repos::update))
        .routes(routes!(repos::init))
        .routes(routes!(repos::setup_get, repos::setup_update))
        .routes(routes!(repos::remove))
        .routes(routes!(worktrees::list, worktrees::create))
        .routes(routes!(worktrees::cleanup))
        .routes(routes!(worktrees::salvages))
        .routes(routes!(worktrees::restore))
        // The queue and the documents beside it.
        .routes(routes!(tickets::list, tickets::create))
        .routes(routes!(tickets::list_all))
        .routes(routes!(tickets::get, tickets::update, tickets::patch))
        .routes(routes!(tickets::done))
        .routes(routes!(tickets::r#move))
        .routes(routes!(tickets::renumber))
        .routes(routes!(tickets::lint))
        .routes(routes!(contextspace::list))
        .routes(routes!(contextspace::get, contextspace::update))
        // Runs and what happens in them.
        .routes(routes!(runs::start))
        .routes(routes!(runs::list))
        .routes(routes!(runs::get))
        .routes(routes!(runs::explain))
        .routes(routes!(runs::resume))
        .routes(routes!(runs::pause))
        .routes(routes!(runs::stop))
        .routes(routes!(runs::reply))
        .routes(routes!(runs::turns))
        .routes(routes!(runs::turn))
        .routes(routes!(runs::dispatches))
        .routes(routes!(runs::replies))
        .routes(routes!(runs::evidence))
        .routes(routes!(runs::decide))
        .routes(routes!(events::list))
        // The machinery.
        .routes(routes!(agents::list))
        .routes(routes!(agents::models))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::log))
        .routes(routes!(jobs::cancel))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
}

/// The operations behind the credential; paths that do not exist are behind it too.
pub(crate) fn router(app: App) -> axum::Router {
    operations()
        .split_for_parts()
        .0
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn(version::unchanged))
        .layer(from_fn_with_state(app.clone(), idempotency::once))
        .layer(from_fn_with_state(app.clone(), caller::required))
        .layer(from_fn_with_state(app.clone(), metrics::observe))
        .with_state(app)
}
