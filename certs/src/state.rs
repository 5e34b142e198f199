//! What a replica knows and serves: for readiness, for TLS and for metrics.

use std::sync::Arc;
use std::time::SystemTime;

use crate::private_key::PrivateKey;

/// Published at every change. Begins as "nothing read yet": not ready.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What this replica must serve now. An observer never sets it.
    pub serving: Option<Arc<Serving>>,
    /// API servers accept what is served, by the last configuration that was read: an error of
    /// the API does not change this.
    pub covered: bool,
    /// That configuration has our webhook with our match condition.
    pub conditions: bool,
    /// When this replica would replace the newest certificate.
    pub rotates_at: Option<SystemTime>,
    pub counts: Counts,
}

/// A certificate in use.
#[derive(Debug)]
pub struct Serving {
    pub cert_pem: String,
    pub key: PrivateKey,
    pub not_after: SystemTime,
}

/// What was done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New certificates stored.
    pub issued: u64,
    /// `caBundle` written: for a new CA, or put back.
    pub published: u64,
    /// New certificates declared as the ones to serve.
    pub promoted: u64,
    /// Ended CAs removed from the Secret.
    pub pruned: u64,
    /// Writes that another replica, or a person, was faster with.
    pub conflicts: u64,
    /// Calls to the API that failed otherwise.
    pub errors: u64,
}

impl State {
    pub fn ready(&self) -> bool {
        self.covered && self.conditions
    }
}
