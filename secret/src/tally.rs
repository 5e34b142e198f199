//! How many requests were sent: by operation, and by what came of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::failure::Failure;

/// Requests with the same outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// As the backend calls it, for instance `KMS GetSecretValue`.
    pub operation: &'static str,
    /// What kind of failure they were, if they were one.
    pub failed: Option<Failure>,
    pub count: u64,
}

/// There are as many entries as operations and kinds of failure.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<(&'static str, Option<Failure>), u64>>);

impl Tally {
    pub fn add(&self, operation: &'static str, failed: Option<Failure>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((operation, failed)).or_default() += 1;
    }

    #[must_use]
    pub fn all(&self) -> Vec<Requests> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = |(&(operation, failed), &count): (&(&'static str, _), &u64)| Requests {
            operation,
            failed,
            count,
        };
        counts.iter().map(requests).collect()
    }
}
