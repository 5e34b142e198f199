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
use crate::server::Phase;

#[derive(Clone)]
struct Admin {
    phase: watch::Receiver<Phase>,
    metrics: Arc<Metrics>,
}

/// `/healthz`, `/readyz` and `/metrics`. A server that exists has a certificate, so readiness
/// is its phase.
pub fn router(phase: watch::Receiver<Phase>, metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(text))
        .with_state(Admin { phase, metrics })
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    match *admin.phase.borrow() {
        Phase::Serving => (StatusCode::OK, "ready\n"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "not ready: draining\n"),
        Phase::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "not ready: stopping\n"),
    }
}

async fn text(State(admin): State<Admin>) -> Response {
    let kind = HeaderValue::from_static(OPEN_METRICS);
    match admin.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
