//! How each source of the plan is at the moment, and each template: written by whoever fetches and
//! renders, read by the status file, the metrics and the probe.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secret::Failure;

/// Clones share state.
#[derive(Clone)]
pub(crate) struct HealthBoard(Arc<Mutex<Snapshot>>);

/// Everything at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// In the plan's order.
    pub(crate) sources: Vec<SourceHealth>,
    /// Templates that cannot be rendered from what their sources gave, by the names of their files.
    pub(crate) templates: Vec<(String, FailedTemplate)>,
    /// Files and variables that were taken away.
    pub(crate) removed: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceHealth {
    /// When it last gave a value, since boot; `None` where it has not yet.
    pub(crate) confirmed: Option<Duration>,
    pub(crate) failing: Option<Failure>,
    /// Its files were taken away.
    pub(crate) removed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailedTemplate {
    /// When it was last rendered, since boot.
    pub(crate) rendered: Duration,
    /// Its file was taken away.
    pub(crate) removed: bool,
}

impl HealthBoard {
    /// Nothing is known of any source.
    pub(crate) fn new(sources: usize) -> Self {
        let sources = vec![SourceHealth::default(); sources];
        Self(Arc::new(Mutex::new(Snapshot { sources, ..Snapshot::default() })))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    pub(crate) fn replace(&self, snapshot: Snapshot) {
        *self.lock() = snapshot;
    }

    pub(crate) fn sources(&self) -> Vec<SourceHealth> {
        self.lock().sources.clone()
    }

    pub(crate) fn set_sources(&self, sources: Vec<SourceHealth>) {
        self.lock().sources = sources;
    }

    /// A source that has not given a value yet fails.
    pub(crate) fn fails(&self, source: usize, failing: Failure) {
        if let Some(health) = self.lock().sources.get_mut(source) {
            health.failing = Some(failing);
        }
    }

    pub(crate) fn confirmed(&self, source: usize, confirmed: Duration) {
        if let Some(health) = self.lock().sources.get_mut(source) {
            *health = SourceHealth { confirmed: Some(confirmed), ..SourceHealth::default() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
