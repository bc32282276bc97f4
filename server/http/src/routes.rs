//! Where operations are put: into the router that serves them, or into the document that describes
//! them. Both come from one list ([`crate::api`]), and who serves does not pay for describing.

use axum::routing::MethodRouter;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::App;

/// The operations of one path, in both forms; [`routes!`] makes it.
pub(crate) struct Operations<S, D> {
    /// The path, and a handler for each method.
    pub(crate) serve: S,
    /// The same with its documentation.
    pub(crate) describe: D,
}

/// What operations are put into.
pub(crate) trait Routes: Sized {
    /// Nothing yet.
    fn empty() -> Self;

    /// With the operations of one path.
    fn routes<S, D>(self, operations: Operations<S, D>) -> Self
    where
        S: FnOnce() -> (String, MethodRouter<App>),
        D: FnOnce() -> UtoipaMethodRouter<App>;

    /// With all of another part.
    fn merge(self, other: Self) -> Self;

    /// With all of another part under a prefix.
    fn nest(self, prefix: &str, other: Self) -> Self;
}

impl Routes for axum::Router<App> {
    fn empty() -> Self {
        Self::new()
    }

    fn routes<S, D>(self, operations: Operations<S, D>) -> Self
    where
        S: FnOnce() -> (String, MethodRouter<App>),
        D: FnOnce() -> UtoipaMethodRouter<App>,
    {
        let (path, methods) = (operations.serve)();
        self.route(&path, methods)
    }

    fn merge(self, other: Self) -> Self {
        self.merge(other)
    }

    fn nest(self, prefix: &str, other: Self) -> Self {
        self.nest(prefix, other)
    }
}

impl Routes for OpenApiRouter<App> {
    fn empty() -> Self {
        Self::new()
    }

    fn routes<S, D>(self, operations: Operations<S, D>) -> Self
    where
        S: FnOnce() -> (String, MethodRouter<App>),
        D: FnOnce() -> UtoipaMethodRouter<App>,
    {
        self.routes((operations.describe)())
    }

    fn merge(self, other: Self) -> Self {
        self.merge(other)
    }

    fn nest(self, prefix: &str, other: Self) -> Self {
        self.nest(prefix, other)
    }
}

/// The [`Operations`] of the handlers of one path.
macro_rules! routes {
    ($($module:ident::$handler:ident),+ $(,)?) => {
        $crate::routes::Operations {
            serve: || {
                use utoipa::Path as _;
                use utoipa_axum::PathItemExt as _;
                utoipa_axum::paste! {
                    let methods = axum::routing::MethodRouter::new();
                    $(let methods = $module::[<__path_ $handler>]::methods().into_iter().fold(
                        methods,
                        |methods, method| methods.on(method.to_method_filter(), $module::$handler),
                    );)+
                    let paths = [$($module::[<__path_ $handler>]::path()),+];
                }
                let [path, ..] = paths;
                (path, methods)
            },
            describe: || utoipa_axum::routes!($($module::$handler),+),
        }
    };
}
pub(crate) use routes;
