//! What the fetcher counts, as OpenMetrics text: operations and kinds of failure, no name of a
//! secret and no value, because whoever reaches the Pod may read it.

pub(crate) mod serve;
mod text;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use secret::Failure;

use crate::backends::Backends;
use crate::health::agent_counters::AgentCounters;
use crate::health::health_board::HealthBoard;

/// Clones share state.
#[derive(Clone)]
pub(crate) struct Metrics {
    counts: Arc<Mutex<Counts>>,
    health: HealthBoard,
    backends: Arc<Backends>,
    /// Only an agent has counters.
    agent: Option<Arc<AgentCounters>>,
}

/// How one attempt to tell the application of a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HookOutcome {
    Delivered,
    Failed,
    /// No try follows.
    GivenUp,
}

#[derive(Clone, Default)]
struct Counts {
    /// The number of generations that replaced another one.
    changes: u64,
    /// When the generation that applications see was published, in seconds since 1970.
    generation: Option<u64>,
    failures: BTreeMap<Failure, u64>,
    hooks: BTreeMap<HookOutcome, u64>,
}

impl Metrics {
    pub(crate) fn new(health: HealthBoard, backends: Arc<Backends>) -> Self {
        Self { counts: Arc::default(), health, backends, agent: None }
    }

    /// The counters of an agent, which are shown too from now on.
    pub(crate) fn agent_counters(&mut self) -> Arc<AgentCounters> {
        Arc::clone(self.agent.get_or_insert_default())
    }

    /// The files were there at the start, or are there now.
    pub(crate) fn mark_filled(&self) {
        self.with(|counts| counts.generation = Some(now()));
    }

    pub(crate) fn count_change(&self) {
        self.with(|counts| {
            counts.changes += 1;
            counts.generation = Some(now());
        });
    }

    /// A source could not be confirmed.
    pub(crate) fn count_failure(&self, failing: Failure) {
        self.with(|counts| *counts.failures.entry(failing).or_default() += 1);
    }

    pub(crate) fn count_hook(&self, outcome: HookOutcome) {
        self.with(|counts| *counts.hooks.entry(outcome).or_default() += 1);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
