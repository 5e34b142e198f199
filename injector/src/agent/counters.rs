//! What the agent did, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Answered from the cache.
    pub(crate) hits: Count,
    /// Asked of KMS, with an answer.
    pub(crate) misses: Count,
    /// Answered from the cache although it is over, because KMS could not be asked.
    pub(crate) stale: Count,
    /// KMS said no, or nothing.
    pub(crate) failures: Count,
    /// Not a request that is answered with a secret: token, host, scope, form.
    pub(crate) refused: Count,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
