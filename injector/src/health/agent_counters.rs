//! What the agent did, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use secret::Failure;

#[derive(Debug, Default)]
pub(crate) struct AgentCounters {
    /// Answered from the cache.
    pub(crate) hits: Count,
    /// Asked of KMS, with an answer.
    pub(crate) misses: Count,
    /// Answered from the cache although it is over, because KMS could not be asked.
    pub(crate) stale: Count,
    /// KMS said no, or nothing.
    pub(crate) failures: Count,
    /// Questions to KMS that came to that, by the order of [`Failure::ALL`].
    unanswered: [Count; Failure::ALL.len()],
    /// Not a request that is answered with a secret: token, host, scope, form.
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
