//! What the server counts. No label takes a value that the author of a Pod controls.

mod cluster;
mod label;

use std::fmt;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub(crate) use self::cluster::{ClusterMetrics, ObjectRead};
use self::label::{Reason, seconds};
use crate::wire::reply::Outcome;

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    admissions: Family<OutcomeLabel, Counter>,
    admission_seconds: Histogram,
    rejected: Family<ReasonLabel, Counter>,
    closed: Family<ReasonLabel, Counter>,
    pub(crate) connections: Gauge,
    /// Connections that wait for a place.
    pub(crate) queued: Gauge,
    pub(crate) waiting: Gauge,
    pub(crate) held: Gauge,
    certificate_not_after: Gauge,
    pub(crate) settings: Reloads,
    pub(crate) certificate: Reloads,
    pub(crate) client_ca: Reloads,
    pub(crate) cluster: ClusterMetrics,
}

/// How often a file that changed could not be used, and whether that is so now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reloads {
    failures: Counter,
    stale: Gauge,
}

/// Why a request got no admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rejection {
    Path,
    Method,
    ContentType,
    TooLarge,
    TooSlow,
    Empty,
    Busy,
    Disconnected,
    Failed,
}

/// Why the server ended a connection that its client did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Closed {
    Refused,
    Displaced,
    HandshakeTimeout,
    HandshakeFailed,
    HeaderTimeout,
    Idle,
    AnswerTimeout,
    EmptyRecords,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: Reason,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("secrets_webhook");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of this webhook", build);
        let metrics = Self {
            admissions: Family::default(),
            admission_seconds: Histogram::new(BUCKETS),
            rejected: Family::default(),
            closed: Family::default(),
            connections: Gauge::default(),
            queued: Gauge::default(),
            waiting: Gauge::default(),
            held: Gauge::default(),
            certificate_not_after: Gauge::default(),
            settings: Reloads::default(),
            certificate: Reloads::default(),
            client_ca: Reloads::default(),
            cluster: ClusterMetrics::default(),
            registry,
        };
        metrics.registered()
    }

    pub(crate) fn admitted(&self, outcome: Outcome, took: Duration) {
        self.admissions.get_or_create(&OutcomeLabel { outcome }).inc();
        self.admission_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn rejected(&self, rejection: Rejection) {
        let reason = Reason(match rejection {
            Rejection::Path => "path",
            Rejection::Method => "method",
            Rejection::ContentType => "content_type",
            Rejection::TooLarge => "too_large",
            Rejection::TooSlow => "too_slow",
            Rejection::Empty => "empty",
            Rejection::Busy => "busy",
            Rejection::Disconnected => "disconnected",
            Rejection::Failed => "failed",
        });
        self.rejected.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn closed(&self, closed: Closed) {
        let reason = Reason(match closed {
            Closed::Refused => "refused",
            Closed::Displaced => "displaced",
            Closed::HandshakeTimeout => "handshake_timeout",
            Closed::HandshakeFailed => "handshake_failed",
            Closed::HeaderTimeout => "header_timeout",
            Closed::Idle => "idle",
            Closed::AnswerTimeout => "answer_timeout",
            Closed::EmptyRecords => "empty_records",
        });
        self.closed.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn certificate_ends(&self, not_after: SystemTime) {
        self.certificate_not_after.set(seconds(not_after));
    }

    /// Counts of a server that asks the Kubernetes API. Without, they would only say zero.
    pub fn in_cluster() -> Self {
        let mut metrics = Self::new();
        metrics.cluster.register(&mut metrics.registry);
        metrics
    }

    /// All of it in the OpenMetrics text format.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("admissions", "Reviews answered, by outcome", self.admissions.clone());
        registry.register(
            "admission_seconds",
            "Time to decide a review whose bytes have arrived",
            self.admission_seconds.clone(),
        );
        registry.register(
            "rejected_requests",
            "HTTP requests that were refused and got no admission, by reason",
            self.rejected.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "waiting_connections",
            "Connections that wait for a place among the open ones",
            self.queued.clone(),
        );
        registry.register(
            "waiting_reviews",
            "Reviews of large Pods that wait for their turn",
            self.waiting.clone(),
        );
        registry.register(
            "held_bytes",
            "Bytes of reviews and answers in memory",
            self.held.clone(),
        );
        registry.register(
            "closed_connections",
            "Connections that the server ended, by reason",
            self.closed.clone(),
        );
        registry.register(
            "certificate_not_after",
            "End of the served certificate, in seconds since 1970",
            self.certificate_not_after.clone(),
        );
        registry.register(
            "settings_reload_failures",
            "Changes of the settings file that could not be used",
            self.settings.failures.clone(),
        );
        registry.register(
            "settings_stale",
            "1 while the settings in use are older than the file",
            self.settings.stale.clone(),
        );
        registry.register(
            "certificate_reload_failures",
            "Changes of the certificate files that could not be used",
            self.certificate.failures.clone(),
        );
        registry.register(
            "certificate_stale",
            "1 while the certificate in use is older than its files",
            self.certificate.stale.clone(),
        );
        registry.register(
            "client_ca_reload_failures",
            "Changes of the file of the CA of clients that could not be used",
            self.client_ca.failures.clone(),
        );
        registry.register(
            "client_ca_stale",
            "1 while the CA of clients in use is older than its file",
            self.client_ca.stale.clone(),
        );
        self
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Reloads {
    pub(crate) fn succeeded(&self) {
        self.stale.set(0);
    }

    pub(crate) fn failed(&self) {
        self.failures.inc();
        self.stale.set(1);
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}

/// From a tenth of what a typical Pod takes to more than the API server waits for.
const BUCKETS: [f64; 11] =
    [10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 5e-3, 25e-3, 100e-3, 1.0];
