//! Fetches values as one identity: credentials are exchanged once and shared.

use std::sync::Arc;
use std::time::SystemTime;

use secret::{Fetched, Requests, RetryPolicy};
use tokio::time::Instant;

use crate::call::{self, Call};
use crate::credentials::provider::CredentialsProvider;
use crate::credentials::store::CredentialStore;
use crate::error::Error;
use crate::lookup::Lookup;
use crate::sender::Sender;
use crate::transport::Transport;

/// Shared by all fetches of one process; a clone has the same credentials.
#[derive(Clone)]
pub struct Session {
    credentials: Arc<CredentialStore>,
    sender: Sender,
}

impl Session {
    pub fn new(
        transport: Arc<Transport>,
        provider: CredentialsProvider,
        retry: RetryPolicy,
    ) -> Self {
        let credentials = Arc::new(CredentialStore::new(provider));
        Self { credentials, sender: Sender::new(transport, retry) }
    }

    /// The same session with another policy, beside this one.
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        Self { sender: self.sender.with_retry(retry), ..self.clone() }
    }

    /// The same session, and `observer` hears of each failed attempt after which another one follows.
    #[must_use]
    pub fn with_observer(self, observer: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        Self { sender: self.sender.with_observer(observer), ..self }
    }

    /// The same session with another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { sender: self.sender.with_clock(clock), ..self }
    }

    /// The value of `lookup`, or the last real error when `deadline` is reached.
    pub async fn fetch(&self, lookup: &Lookup, deadline: Instant) -> Result<Fetched, Error> {
        let started = Instant::now();
        let Self { credentials, sender } = self;
        let role = lookup.assume.as_ref();
        let read = |body: &[u8], _| call::read(&lookup.subject, body);

        let mut with = credentials.obtain(sender, role, None, deadline).await?;
        let first = sender.send(&Call::Fetch { lookup, with: &with }, deadline, read).await;
        let (reply, earlier) = match first {
            Ok(reply) => (reply, 0),
            Err(error) if error.wants_new_credentials() => {
                let refused = with;
                with = credentials.obtain(sender, role, Some(&refused), deadline).await?;
                if Arc::ptr_eq(&with, &refused) {
                    return Err(error);
                }
                let again = sender.send(&Call::Fetch { lookup, with: &with }, deadline, read).await;
                let earlier = error.attempts();
                (again.map_err(|error| error.after(earlier))?, earlier)
            }
            Err(error) => return Err(error),
        };
        Ok(Fetched {
            value: reply.content.bytes,
            version: reply.content.version,
            metadata: reply.content.metadata,
            request_id: reply.request_id.unwrap_or_default(),
            caller: with.caller().to_owned(),
            attempts: earlier + reply.attempts,
            elapsed: started.elapsed(),
        })
    }

    /// The assumed role that we are; exchanges the token when that has not happened yet.
    pub async fn caller(&self, deadline: Instant) -> Result<String, Error> {
        let own = self.credentials.obtain(&self.sender, None, None, deadline).await?;
        Ok(own.caller().to_owned())
    }

    /// What came of all requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Requests> {
        self.sender.requests()
    }

    /// Requests to STS so far, failed ones too.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        let to_sts = |of: &Requests| of.operation.starts_with("STS ");
        self.requests().iter().filter(|of| to_sts(of)).map(|of| of.count).sum()
    }
}
