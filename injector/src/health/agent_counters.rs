//! How often the agent did what.

use std::sync::atomic::{AtomicU64, Ordering};

use secret::Failure;

#[derive(Debug, Default)]
pub(crate) struct AgentCounters {
    /// Requests that were answered from the cache.
    pub(crate) hits: Count,
    /// Requests that KMS was asked for, with an answer.
    pub(crate) misses: Count,
    /// Requests that were answered from the cache after the answer had expired, because KMS could
    /// not be asked.
    pub(crate) stale: Count,
    /// Requests that KMS refused or did not answer.
    pub(crate) failures: Count,
    /// Questions that KMS did not answer, in the order of [`Failure::ALL`].
    unanswered: [Count; Failure::ALL.len()],
    /// Requests that are not answered with a secret, for their token, host, scope or form.
    pub(crate) refused: Count,
}

impl AgentCounters {
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = (Failure, &Count)> {
        Failure::ALL.into_iter().zip(&self.unanswered)
    }

    pub(crate) fn count_unanswered(&self, failing: Failure) {
        for (_, count) in self.unanswered().filter(|(of, _)| *of == failing) {
            count.add();
        }
    }
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
