//! What all connections of a server use.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use hyper::server::conn::http1;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::limits::Limits;
use super::peers::Shares;
use crate::metrics::Metrics;

pub(super) struct Shared {
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) router: Router,
    pub(super) http: http1::Builder,
    pub(super) limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    /// How many connections each peer has open.
    pub(super) peers: Arc<Shares>,
    /// How many the peer has who waits for a place and has fewest. Whoever has no fewer ends a
    /// connection with its answer.
    pub(super) fewest: Arc<AtomicUsize>,
    /// Told of each request that comes when clients are already asked to go elsewhere.
    pub(super) late: Arc<Notify>,
}
