//! Fetches values as one identity: credentials are exchanged once and shared.

use std::sync::Arc;
use std::time::SystemTime;

use secret::{Fetched, Requests, RetryPolicy};
use tokio::time::Instant;

use crate::asking::Asking;
use crate::batch::Batching;
use crate::credentials::provider::CredentialsProvider;
use crate::credentials::store::CredentialStore;
use crate::error::Error;
use crate::keys::Credentials;
use crate::lookup::Lookup;
use crate::refusers::Refusers;
use crate::sender::{Sender, ServiceReply};
use crate::trust::Transport;
use crate::value::Value;

/// Shared by all fetches of one process; a clone has the same credentials.
#[derive(Clone)]
pub struct Session {
    credentials: Arc<CredentialStore>,
    sender: Sender,
    batching: Batching,
    refusers: Arc<Refusers>,
}

impl Session {
    pub fn new(
        transport: Arc<Transport>,
        provider: CredentialsProvider,
        retry: RetryPolicy,
    ) -> Self {
        let credentials = Arc::new(CredentialStore::new(provider));
        let (batching, refusers) = (Batching::default(), Arc::default());
        Self { credentials, sender: Sender::new(transport, retry), batching, refusers }
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

    /// The same session, and these values may be asked for together.
    #[must_use]
    pub fn with_batching(self, batching: Batching) -> Self {
        Self { batching, ..self }
    }

    /// The value of `lookup`, or the last real error when `deadline` is reached.
    pub async fn fetch(&self, lookup: &Lookup, deadline: Instant) -> Result<Fetched, Error> {
        let started = Instant::now();
        let (reply, with) = self.send(lookup, deadline).await?;
        let request_id = reply.request_id.unwrap_or_default();
        Ok(fetched(reply.content, &request_id, &with, reply.attempts, started))
    }

    /// Asks with credentials that the service accepts: where it refuses them, once more with new ones.
    pub(crate) async fn send<W: Asking>(
        &self,
        asking: &W,
        deadline: Instant,
    ) -> Result<(ServiceReply<W::Content>, Arc<Credentials>), Error> {
        let Self { credentials, sender, .. } = self;
        let role = asking.role();
        let mut obtaining = std::pin::pin!(credentials.obtain(sender, role, None, deadline));
        let with = tokio::select! {
            biased;
            with = &mut obtaining => with?,
            // They are asked for: whoever will be asked next can be connected to meanwhile.
            () = std::future::ready(()) => {
                // All who wait would have room for it otherwise.
                Box::pin(sender.open_ahead(asking.host())).await;
                obtaining.await?
            }
        };
        let first = ask(sender, asking, &with, deadline).await;
        match first {
            Err(error) if error.wants_new_credentials() => {
                let refused = with;
                let with = credentials.obtain(sender, role, Some(&refused), deadline).await?;
                if Arc::ptr_eq(&with, &refused) {
                    return Err(error);
                }
                let again = ask(sender, asking, &with, deadline).await;
                let mut reply = again.map_err(|again| again.after(error.attempts()))?;
                reply.attempts += error.attempts();
                Ok((reply, with))
            }
            first => Ok((first?, with)),
        }
    }

    pub(crate) fn batching(&self) -> Batching {
        self.batching
    }

    pub(crate) fn refusers(&self) -> &Refusers {
        &self.refusers
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

async fn ask<W: Asking>(
    sender: &Sender,
    asking: &W,
    with: &Credentials,
    deadline: Instant,
) -> Result<ServiceReply<W::Content>, Error> {
    let read = |body: &[u8], _| asking.read(body, with);
    sender.send(&asking.call(with), deadline, read).await
}

pub(crate) fn fetched(
    value: Value,
    request_id: &str,
    with: &Credentials,
    attempts: u32,
    started: Instant,
) -> Fetched {
    Fetched {
        value: value.bytes,
        version: value.version,
        metadata: value.metadata,
        request_id: request_id.to_owned(),
        caller: with.caller().to_owned(),
        attempts,
        elapsed: started.elapsed(),
    }
}
