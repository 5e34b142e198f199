//! The pages for those who watch the fetcher: `/metrics` and `/readyz`.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tracing::{error, info};

use super::text::{self, Now};
use super::{Metrics, now};
use crate::http::handler::{Answer, Handler, HttpRequest};
use crate::http::limits::Limits;
use crate::http::server;
use crate::process::clock::since_boot;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// A collector or two and a probe connect.
const CONNECTIONS: usize = 8;
/// Anybody in the cluster's network may ask, so nobody keeps a place for long.
const IDLE: Duration = Duration::from_secs(5);
/// The pause between attempts to listen, where something else has the port.
const PAUSE: Duration = Duration::from_secs(30);

/// Serves on every address of the Pod, until it is dropped. If something else has the port, the
/// application gets its secrets all the same.
pub(crate) async fn serve(port: u16, metrics: Metrics) -> Infallible {
    let listener = loop {
        match bind(port) {
            Ok(listener) => break listener,
            Err(error) => {
                let kind = error.kind();
                error!(
                    port,
                    "metrics are not served, the port cannot be had (metrics-port): {kind}"
                );
            }
        }
        sleep(PAUSE).await;
    };
    info!(port, "serving metrics");
    let limits = Limits { idle: IDLE, ..Limits::new(CONNECTIONS) };
    server::serve(&[listener], limits, Arc::new(metrics)).await
}

/// A socket of IPv6 takes IPv4 too, where there is IPv6.
fn bind(port: u16) -> std::io::Result<TcpListener> {
    match server::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) {
        Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
            server::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
        }
        bound => bound,
    }
}

impl Handler for Metrics {
    async fn answer(&self, asked: HttpRequest) -> Answer {
        // A probe costs nothing, and must not fail because others ask too.
        if asked.crowded && asked.head.uri.path() != "/readyz" {
            return Answer::text(StatusCode::TOO_MANY_REQUESTS, "too many connections\n");
        }
        let Some(page) = Page::at(asked.head.uri.path()) else {
            return Answer::text(StatusCode::NOT_FOUND, "there are /metrics and /readyz\n");
        };
        if !matches!(asked.head.method, Method::GET | Method::HEAD) || asked.has_body {
            return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
        }
        self.page(page)
    }
}

/// The pages that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Metrics,
    Ready,
}

impl Page {
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            "/metrics" => Some(Self::Metrics),
            "/readyz" => Some(Self::Ready),
            _ => None,
        }
    }
}

impl Metrics {
    pub(crate) fn page(&self, page: Page) -> Answer {
        let (counts, snapshot) = (self.with(|counts| counts.clone()), self.health.snapshot());
        if page == Page::Ready {
            return match text::unready(counts.generation.is_some(), &snapshot) {
                None => Answer::text(StatusCode::OK, "ok\n"),
                Some(reasons) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, reasons),
            };
        }
        let now = Now { calendar: now(), uptime: since_boot() };
        let agent = self.agent.as_deref();
        let body = text::metrics(&counts, &snapshot, &self.backends.requests(), agent, now);
        Answer {
            status: StatusCode::OK,
            content_type: CONTENT_TYPE,
            body: body.into(),
            is_anybodys: false,
        }
    }
}
