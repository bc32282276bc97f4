//! The API on one screen.

use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    App, agents, audit, backups, budgets, caller, channels, contextspace, credential, devices,
    diff, docs, document, downloads, events, files, hub, idempotency, identity, inbox, jobs, keys,
    metrics, notifications, pairings, pma, problem, public, push, repos,
    routes::{Routes, routes},
    runs, templates, terminals, threads, tickets, tokens, ui, usage, version, voice, webhooks,
    worktrees,
};

/// Every operation.
fn operations<R: Routes>() -> R {
    R::empty()
        .routes(routes!(public::live))
        .routes(routes!(hub::ready))
        .routes(routes!(metrics::get))
        .routes(routes!(downloads::get))
        .nest("/api/v1", v1())
}

/// What serves them, and the page.
fn served() -> axum::Router<App> {
    operations::<axum::Router<App>>()
        .route("/", axum::routing::get(ui::page))
        .route("/pair", axum::routing::get(ui::page))
        .route("/assets/{*file}", axum::routing::get(ui::file))
}

/// The document of every operation. Its largest types need more stack to be described than a worker
/// has in a build without optimisation, so that is done on a thread of its own.
pub(crate) fn documented() -> utoipa::openapi::OpenApi {
    let make = || {
        let described: OpenApiRouter<App> = operations();
        let mut document = document::frame();
        document.merge(described.into_openapi());
        document
    };
    let apart = std::thread::Builder::new().stack_size(16 << 20).spawn(make);
    match apart.map(std::thread::JoinHandle::join) {
        Ok(Ok(document)) => document,
        Ok(Err(_)) | Err(_) => make(),
    }
}

/// One function for each part: unoptimised, each route takes a place of its own on the stack.
fn v1<R: Routes>() -> R {
    R::empty()
        .merge(hub_itself())
        .merge(trees())
        .merge(queue())
        .merge(project_manager())
        .merge(work())
        .merge(people())
        .merge(conversations())
        .merge(machinery())
        .merge(access())
}

/// The hub as a whole.
fn hub_itself<R: Routes>() -> R {
    R::empty()
        .routes(routes!(hub::get))
        .routes(routes!(hub::snapshot))
        .routes(routes!(hub::scan))
        .routes(routes!(hub::doctor))
        .routes(routes!(usage::get))
        .routes(routes!(budgets::get, budgets::update))
        .routes(routes!(document::get))
        .routes(routes!(docs::page))
        .routes(routes!(docs::style))
        .routes(routes!(backups::list, backups::create))
        .routes(routes!(backups::confirm))
}

/// Repos, worktrees and what is kept of removed ones.
fn trees<R: Routes>() -> R {
    R::empty()
        .routes(routes!(repos::list, repos::create))
        .routes(routes!(repos::clone))
        .routes(routes!(repos::get, repos::update))
        .routes(routes!(repos::git))
        .routes(routes!(repos::init))
        .routes(routes!(repos::sync))
        .routes(routes!(repos::setup_get, repos::setup_update))
        .routes(routes!(repos::remove))
        .routes(routes!(worktrees::list, worktrees::create))
        .routes(routes!(worktrees::cleanup))
        .routes(routes!(worktrees::salvages))
        .routes(routes!(worktrees::restore))
}

/// The queue and the documents beside it.
fn queue<R: Routes>() -> R {
    R::empty()
        .routes(routes!(tickets::list, tickets::create))
        .routes(routes!(tickets::list_all))
        .routes(routes!(tickets::get, tickets::update, tickets::patch))
        .routes(routes!(tickets::done))
        .routes(routes!(tickets::verify))
        .routes(routes!(tickets::r#move))
        .routes(routes!(tickets::renumber))
        .routes(routes!(tickets::lint))
        .routes(routes!(templates::apply))
        .routes(routes!(templates::list))
        .routes(routes!(templates::get))
        .routes(routes!(templates::trust))
        .routes(routes!(templates::untrust))
        .routes(routes!(templates::sources, templates::create))
        .routes(routes!(templates::delete))
        .routes(routes!(templates::sync))
        .routes(routes!(templates::trust_source))
        .routes(routes!(templates::untrust_source))
        .routes(routes!(contextspace::list))
        .routes(routes!(contextspace::get, contextspace::update))
}

/// The project manager, and files from person to agent and back.
fn project_manager<R: Routes>() -> R {
    R::empty()
        .routes(routes!(files::list))
        .routes(routes!(files::get, files::put, files::delete))
        .routes(routes!(downloads::link))
        .routes(routes!(files::repo_list))
        .routes(routes!(files::repo_get, files::repo_put, files::repo_delete))
        .routes(routes!(downloads::repo_link))
        .routes(routes!(pma::get))
        .routes(routes!(pma::reset))
        .routes(routes!(pma::docs))
        .routes(routes!(pma::doc, pma::update))
        .routes(routes!(pma::prune))
        .routes(routes!(pma::packet))
}

/// Runs and what happens in them.
fn work<R: Routes>() -> R {
    R::empty()
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
        .routes(routes!(runs::dispatches, runs::ask))
        .routes(routes!(runs::replies))
        .routes(routes!(runs::evidence))
        .routes(routes!(diff::list))
        .routes(routes!(diff::file))
        .routes(routes!(runs::decide))
        .routes(routes!(events::list))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::get, webhooks::update, webhooks::delete))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::redeliver))
}

/// What waits for a person, and how they are told.
fn people<R: Routes>() -> R {
    R::empty()
        .routes(routes!(inbox::list))
        .routes(routes!(inbox::counts))
        .routes(routes!(inbox::seen))
        .routes(routes!(inbox::get))
        .routes(routes!(inbox::act))
        .routes(routes!(notifications::list))
        .routes(routes!(push::key))
        .routes(routes!(push::get, push::subscribe, push::unsubscribe))
        .routes(routes!(push::test))
        .routes(routes!(push::act))
        .routes(routes!(notifications::get))
        .routes(routes!(notifications::seen))
        .routes(routes!(notifications::retry))
        .routes(routes!(channels::list, channels::create))
        .routes(routes!(channels::get, channels::update, channels::delete))
        .routes(routes!(channels::test))
}

/// Conversations outside runs.
fn conversations<R: Routes>() -> R {
    R::empty()
        .routes(routes!(threads::list, threads::create))
        .routes(routes!(threads::get, threads::update))
        .routes(routes!(threads::messages, threads::post))
        .routes(routes!(threads::message, threads::cancel))
        .routes(routes!(threads::go_on))
        .routes(routes!(threads::interrupt))
        .routes(routes!(threads::stop))
        .routes(routes!(threads::resume))
        .routes(routes!(threads::reset))
        .routes(routes!(threads::compact))
        .routes(routes!(threads::fork))
        .routes(routes!(threads::decide))
        .routes(routes!(threads::search))
        .routes(routes!(voice::get))
        .routes(routes!(voice::transcribe))
}

/// The machinery.
fn machinery<R: Routes>() -> R {
    R::empty()
        .routes(routes!(agents::list))
        .routes(routes!(agents::models))
        .routes(routes!(terminals::list, terminals::create))
        .routes(routes!(terminals::get, terminals::end))
        .routes(routes!(terminals::attach))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::log))
        .routes(routes!(jobs::cancel))
        .routes(routes!(audit::list))
        .routes(routes!(audit::head))
        .routes(routes!(audit::verify))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
        .routes(routes!(tokens::delete_others))
        .routes(routes!(tokens::exchange))
}

/// Who may do what.
fn access<R: Routes>() -> R {
    R::empty()
        .routes(routes!(credential::get, credential::delete))
        .routes(routes!(credential::ws_ticket))
        .routes(routes!(devices::list))
        .routes(routes!(devices::delete))
        .routes(routes!(pairings::list, pairings::create))
        .routes(routes!(pairings::get))
        .routes(routes!(pairings::decide))
        .routes(routes!(pairings::request))
        .routes(routes!(pairings::finish))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
}

/// The operations behind the credential; paths that do not exist are behind it too.
pub(crate) fn router(app: App) -> axum::Router {
    served()
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn_with_state(app.clone(), pass))
        .with_state(app)
}

/// What a request goes through to its operation, from without to within. One layer for all of it: each
/// layer of a router copies those within it for every request.
async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let app = &app;
    let unchanged = |request| version::unchanged(request, |request| next.run(request));
    let once = |request| idempotency::once(app, request, unchanged);
    let stamp = |request| identity::stamp(app, request, once);
    let required = |request| caller::required(app, request, stamp);
    metrics::observe(app, request, required).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::Method;

    use super::*;
    use crate::operations;

    /// The paths a router really takes, each with its methods. There is no list of them to ask for,
    /// so it is read from what the router prints of itself.
    fn routes(printed: &str) -> BTreeSet<(String, String)> {
        let paths = &printed[printed.find("paths: {").unwrap()..];
        let mut all = BTreeSet::new();
        for part in paths.split("RouteId(").skip(1) {
            let (id, rest) = part.split_once(')').unwrap();
            let Some(path) = rest.split('"').nth(1) else { continue };
            if path.contains("__private__axum") {
                continue;
            }
            let start = format!("RouteId({id}): MethodRouter(MethodRouter {{ ");
            let methods = match printed.split(&start).nth(1) {
                Some(methods) => methods,
                None => panic!("no methods of {path}: {printed}"),
            };
            for method in
                ["get", "head", "delete", "options", "patch", "post", "put", "trace", "connect"]
            {
                let field = methods.split(&format!("{method}: ")).nth(1).unwrap();
                if !field.starts_with("None") {
                    all.insert((path.to_owned(), method.to_uppercase()));
                }
            }
        }
        all
    }

    #[test]
    fn every_route_is_an_operation_that_names_its_scope_or_is_public() {
        let document = documented();
        let routes = routes(&format!("{:?}", served()));
        assert!(routes.len() > 60, "{routes:?}");
        let mut documented = BTreeSet::new();
        for (path, item) in &document.paths.paths {
            for (method, _) in document::methods(item) {
                documented.insert((path.clone(), method.to_string()));
            }
        }
        for (path, method) in &routes {
            if caller::PUBLIC.contains(&path.as_str()) {
                continue;
            }
            assert!(documented.contains(&(path.clone(), method.clone())), "{method} {path}");
            let method: Method = method.parse().unwrap();
            let operation = operations::named(&method, path).unwrap();
            assert!(operation.rule.is_some(), "{method} {path} names no scope");
        }
        for route in &documented {
            assert!(routes.contains(route), "{route:?} is not in the router");
        }
    }

    #[test]
    fn a_route_outside_the_document_would_be_seen() {
        let router = served();
        let before = routes(&format!("{router:?}"));
        let router = router.route("/secret", axum::routing::delete(ui::page));
        let after = routes(&format!("{router:?}"));
        let more: Vec<_> = after.difference(&before).collect();
        assert_eq!(more, [&("/secret".to_owned(), "DELETE".to_owned())]);
    }
}
