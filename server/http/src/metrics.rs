//! `/metrics`: numbers for Prometheus, and the counting of requests.

mod process;
mod text;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use car_hub::measure::{Durations, Measures};

use crate::{App, caller::Acting, operations, problem::Answer};
use text::{Kind, Text};

/// The text exposition format, version 0.0.4.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counts of one service. Cheap to clone; every clone counts into the same.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    requests: BTreeMap<(&'static str, u16), u64>,
    durations: BTreeMap<&'static str, Durations>,
    streams: i64,
}

impl Metrics {
    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream is open for as long as what this gives is kept.
    pub(crate) fn stream(&self) -> OpenStream {
        self.lock().streams += 1;
        OpenStream(self.clone())
    }
}

/// An open stream, while it is counted.
pub(crate) struct OpenStream(Metrics);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.lock().streams -= 1;
    }
}

/// Counts a request by its operation. What is no operation counts as one, so that nobody can make
/// names here.
pub(crate) async fn observe<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let operation = operations::of(&request).map_or("none", |operation| operation.id);
    let began = Instant::now();
    let answer = next(request).await;
    let took = began.elapsed();
    let mut counts = app.metrics.lock();
    *counts.requests.entry((operation, answer.status().as_u16())).or_default() += 1;
    counts.durations.entry(operation).or_default().add(took);
    drop(counts);
    answer
}

/// Get numbers for Prometheus
///
/// The text exposition format, version 0.0.4. Counters begin with the process.
#[utoipa::path(
    get, path = "/metrics", tag = "health", operation_id = "metrics_get",
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The numbers", body = String, content_type = "text/plain")),
)]
pub(crate) async fn get(State(app): State<App>, Acting(hub): Acting) -> Answer<Response> {
    let measures = hub.measures().await?;
    let mut text = Text::default();
    hub_numbers(&mut text, &measures);
    writer_numbers(&mut text, &measures);
    request_numbers(&mut text, &app.metrics.lock());
    process::numbers(&mut text);
    let format = HeaderValue::from_static(FORMAT);
    Ok(([(header::CONTENT_TYPE, format)], text.finish()).into_response())
}

fn hub_numbers(text: &mut Text, measures: &Measures) {
    let mut one = |name, help, value: f64| {
        text.family(name, Kind::Gauge, help).sample(&[], value);
    };
    one("car_hub_uptime_seconds", "Seconds since the hub was opened.", measures.uptime);
    one("car_hub_repos", "Base repos of the hub.", float(measures.repos));
    one("car_hub_worktrees", "Worktrees of the hub.", float(measures.worktrees));
    one("car_hub_jobs_running", "Jobs at work.", float(measures.jobs));
    one(
        "car_hub_accounts_held",
        "Accounts of agents whose quota is used up.",
        float(measures.held_accounts),
    );
    let tickets = measures.tickets;
    let open = tickets.total.saturating_sub(tickets.done).saturating_sub(tickets.invalid);
    let family = text.family("car_tickets", Kind::Gauge, "Tickets of all queues, by state.");
    for (state, many) in [("open", open), ("done", tickets.done), ("invalid", tickets.invalid)] {
        family.sample(&[("state", state)], float(many));
    }
    let family = text.family("car_runs", Kind::Gauge, "Runs in the hub's memory, by status.");
    for (status, many) in &measures.runs {
        family.sample(&[("status", status.as_str())], float(*many));
    }
    let written = &measures.written;
    let family = text.family("car_turns_total", Kind::Counter, "Turns that ended, by how.");
    for status in car_api::turn::TurnStatus::ALL {
        let many = written.turns.get(status).copied().unwrap_or(0);
        family.sample(&[("status", status.as_str())], float(many));
    }
    let usage = written.usage;
    let family = text.family("car_tokens_total", Kind::Counter, "Tokens used by turns that ended.");
    for (kind, many) in [
        ("input", usage.input_tokens.saturating_sub(usage.cached_input_tokens)),
        ("input_cached", usage.cached_input_tokens),
        ("output", usage.output_tokens.saturating_sub(usage.reasoning_tokens)),
        ("output_reasoning", usage.reasoning_tokens),
    ] {
        family.sample(&[("kind", kind)], float(u64::try_from(many).unwrap_or(0)));
    }
    let help = "Verdicts of the hub on claims of being done.";
    let family = text.family("car_verdicts_total", Kind::Counter, help);
    for verdict in car_api::verify::Verdict::ALL {
        let many = written.verdicts.get(verdict).copied().unwrap_or(0);
        family.sample(&[("verdict", verdict.as_str())], float(many));
    }
}

fn writer_numbers(text: &mut Text, measures: &Measures) {
    let written = &measures.written;
    let help = "Number of the newest event of the log.";
    text.family("car_events_last_seq", Kind::Gauge, help)
        .sample(&[], float(u64::try_from(measures.last_event).unwrap_or(0)));
    let family = text.family("car_events_total", Kind::Counter, "Events appended, by kind.");
    for (kind, many) in &written.events {
        family.sample(&[("kind", kind)], float(*many));
    }
    let help = "Changes that wait for the database's writer.";
    text.family("car_store_queue", Kind::Gauge, help).sample(&[], float(written.queued));
    let help = "Changes the database acknowledged.";
    text.family("car_store_commits_total", Kind::Counter, help).sample(&[], float(written.commits));
    let help = "Time of the database's transactions, each of one or more changes.";
    text.family("car_store_transaction_seconds", Kind::Histogram, help)
        .durations(&[], &written.transactions);
}

fn request_numbers(text: &mut Text, counts: &Counts) {
    let help = "Requests that were answered, by operation and status.";
    let family = text.family("car_http_requests_total", Kind::Counter, help);
    for ((operation, status), many) in &counts.requests {
        let labels = [("operation", *operation), ("status", &status.to_string())];
        family.sample(&labels, float(*many));
    }
    let help = "Time from a request's head to the head of its answer, by operation.";
    let family = text.family("car_http_request_seconds", Kind::Histogram, help);
    for (operation, durations) in &counts.durations {
        family.durations(&[("operation", *operation)], durations);
    }
    let open = u64::try_from(counts.streams).unwrap_or(0);
    text.family("car_http_streams", Kind::Gauge, "Event streams that are open.")
        .sample(&[], float(open));
}

/// A count as Prometheus has it. Above 2^53 it is rounded.
fn float(many: u64) -> f64 {
    // Two halves are exact, and so is their sum as far as a float can be.
    let (high, low) = (many >> 32, many & u64::from(u32::MAX));
    let half = |half: u64| f64::from(u32::try_from(half).unwrap_or(u32::MAX));
    half(high) * 4_294_967_296.0 + half(low)
}
