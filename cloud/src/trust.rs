//! Which certificate authorities are trusted for which hosts of the cloud, and how requests go there.

use std::net::SocketAddr;
use std::time::Duration;

use secret::Sensitive;
use tokio::time::Instant;
use transport::header::HeaderMap;
use transport::{
    Answer, AttemptError, Method, NotAProxy, Origin, Proxy, Request, Roots, RootsError,
};

use crate::cause::FailedAttempt;
use crate::pool_key::PoolKey;

pub struct TransportConfig {
    /// PEM. Trusted for the gateways of dedicated KMS instances alone, which trust nothing else.
    /// An intermediate may be the anchor.
    pub private_ca: Option<Vec<u8>>,
    /// PEM, trusted beside the public roots for all other hosts.
    pub extra_ca: Option<Vec<u8>>,
    /// Host name, `*.suffix` or `*`, and the address to dial instead of asking DNS; the first
    /// match counts. The server still has to show a certificate for the real name.
    pub connect_to: Vec<(String, SocketAddr)>,
    /// `HOST:PORT` of the proxy that opens all connections, where there is one.
    pub proxy: Option<String>,
    pub connect_timeout: Duration,
    /// From the established connection to the last byte of the answer.
    pub read_timeout: Duration,
}

impl Default for TransportConfig {
    fn default() -> Self {
        let transport::TransportConfig { connect_timeout, read_timeout, .. } = Default::default();
        Self {
            private_ca: None,
            extra_ca: None,
            connect_to: Vec::new(),
            proxy: None,
            connect_timeout,
            read_timeout,
        }
    }
}

/// What of a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error(transparent)]
    Roots(#[from] RootsError),
    #[error(transparent)]
    Proxy(#[from] NotAProxy),
}

/// The way to the services. Cheap to share, never copied.
pub struct Transport(transport::Transport<PoolKey>);

impl Transport {
    pub fn new(config: TransportConfig) -> Result<Self, TransportError> {
        let dedicated = config.private_ca.as_deref().map(Roots::private).transpose()?;
        let public = Roots::public(config.extra_ca.as_deref())?;
        let roots =
            vec![(DEDICATED_GATEWAYS.to_owned(), dedicated), ("*".to_owned(), Some(public))];
        let transport = transport::Transport::new(transport::TransportConfig {
            roots,
            connect_to: config.connect_to,
            proxy: config.proxy.map(|authority| Proxy { authority }),
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
        })?;
        Ok(Self(transport))
    }

    pub(crate) async fn send<T>(
        &self,
        request: Request,
        pool_key: PoolKey,
        deadline: Instant,
        read: impl FnOnce(Answer) -> Result<T, FailedAttempt>,
    ) -> Result<T, FailedAttempt> {
        self.0.send(request, pool_key, deadline, read).await
    }

    pub(crate) async fn open_ahead(&self, host: &str) {
        self.0.open_ahead(&Origin::https(host)).await;
    }
}

impl AttemptError for FailedAttempt {
    fn ends_connection(&self) -> bool {
        self.is_out_of_step()
    }
}

/// `POST https://HOST/?QUERY`, which is the form of all calls. The body is that of a form.
pub(crate) fn post(
    host: &str,
    query: &str,
    headers: HeaderMap,
    body: Option<Sensitive>,
) -> Request {
    let target = format!("/?{query}");
    Request { method: Method::POST, origin: Origin::https(host), target, headers, body }
}

/// The hosts of which `endpoint.rs` says that a private CA signs their certificates.
const DEDICATED_GATEWAYS: &str = "*.cryptoservice.kms.aliyuncs.com";
