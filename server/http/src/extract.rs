//! Path and query parameters that refuse with a problem.

use axum::{
    extract::{FromRequestParts, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use car_api::PageQuery;
use serde::{Deserialize, de::DeserializeOwned};

use crate::problem::ApiError;

/// The parameters of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failed)) => {
                let kind = failed.into_kind();
                let reason = if let ErrorKind::DeserializeError { key, message, .. } = &kind {
                    format!("`{key}`: {message}")
                } else {
                    kind.to_string()
                };
                Err(ApiError::bad_request(format!("The path is not valid: {reason}.")))
            }
            Err(other) => Err(ApiError::bad_request(other.body_text())),
        }
    }
}

/// The parameters of the query. Parameters an operation does not know are refused, also because a
/// credential must never stand in one.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|error| {
            let text = error.body_text();
            let reason = text.rsplit("query string: ").next().unwrap_or_default();
            ApiError::bad_request(format!("The query is not valid: {reason}."))
        })
    }
}

/// The query of a list without filters.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl Paging {
    pub(crate) fn page(self) -> Result<PageQuery, ApiError> {
        page(self.after, self.limit)
    }
}

/// Which page of a list is asked for.
pub(crate) fn page(after: Option<String>, limit: Option<u32>) -> Result<PageQuery, ApiError> {
    if limit.is_some_and(|limit| !(1..=500).contains(&limit)) {
        return Err(ApiError::bad_request("`limit` must be 1 to 500."));
    }
    // An empty cursor is none: the first page.
    Ok(PageQuery { after: after.filter(|after| !after.is_empty()), limit })
}
