//! The administrative port: is it alive, is it ready, what did it count.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::serve::server::Phase;

/// What the administrative port tells of.
#[derive(Clone)]
pub struct Health {
    pub phase: watch::Receiver<Phase>,
    /// The first background task that has ended.
    pub ended: watch::Receiver<Option<&'static str>>,
    /// Every reason not to be ready, beside the phase.
    pub reasons: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    pub metrics: Arc<Metrics>,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(text))
        .with_state(health)
}

async fn healthz(State(health): State<Health>) -> (StatusCode, String) {
    match *health.ended.borrow() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(task) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not alive: the task that {task} has ended; start the process anew\n"),
        ),
    }
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let reasons = match *health.phase.borrow() {
        Phase::Serving => (health.reasons)(),
        Phase::Draining => vec!["draining".to_owned()],
        Phase::Stopping => vec!["stopping".to_owned()],
    };
    if reasons.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let lines = reasons.iter().map(|reason| format!("not ready: {reason}\n"));
    (StatusCode::SERVICE_UNAVAILABLE, lines.collect())
}

async fn text(State(health): State<Health>) -> Response {
    let kind = HeaderValue::from_static(OPEN_METRICS);
    match health.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
