//! The HTTP side.

use std::{io, net::TcpListener, sync::Arc, thread::JoinHandle};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{log::Log, responses};

/// The endpoint's routes.
pub fn router() -> Router {
    Router::new()
        .route("/v1/responses", post(respond))
        .route("/v1/models", get(models))
        .route("/_ctl/log", get(read_log))
        .route("/_ctl/reset", post(reset))
        .with_state(Arc::new(Log::default()))
}

/// An endpoint that serves from a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Endpoint {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Serves on an address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn start(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    result = axum::serve(listener, router()) => drop(result),
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { url, stop: Some(stop), thread: Some(thread) })
    }

    /// Its URL, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn respond(State(log): State<Arc<Log>>, body: Bytes) -> Response {
    // Not axum's extractor: a body of another shape is an answer of the model, not of the framework.
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    responses::respond(&log, &request)
}

async fn models() -> Json<Value> {
    let model = json!({ "id": crate::codex::MODEL, "object": "model", "owned_by": "car" });
    Json(json!({ "object": "list", "data": [model] }))
}

async fn read_log(State(log): State<Arc<Log>>) -> Json<Vec<Value>> {
    Json(log.entries())
}

async fn reset(State(log): State<Arc<Log>>) {
    log.reset();
}
