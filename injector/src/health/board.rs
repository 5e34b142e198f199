//! How each source of the plan stands at the moment, and what was made of them: shared by who asks
//! for them, who writes that down, and who is asked about it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secret::Failure;

use crate::refresh::Failed;

/// A clone is the same.
#[derive(Clone)]
pub(crate) struct Standing(Arc<Mutex<Stands>>);

/// All of one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stands {
    /// By lookup.
    pub(crate) sources: Vec<Stand>,
    /// Those that cannot be rendered from what their sources gave, by the names of their files.
    pub(crate) templates: Vec<(String, Failed)>,
    /// Files and variables that were taken away.
    pub(crate) removed: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stand {
    /// When it last gave a value, since boot; `None` where it has not yet.
    pub(crate) confirmed: Option<Duration>,
    pub(crate) failing: Option<Failure>,
    /// Its files were taken away.
    pub(crate) removed: bool,
}

impl Standing {
    /// Nothing is known of any of them.
    pub(crate) fn new(sources: usize) -> Self {
        let sources = vec![Stand::default(); sources];
        Self(Arc::new(Mutex::new(Stands { sources, ..Stands::default() })))
    }

    pub(crate) fn stands(&self) -> Stands {
        self.lock().clone()
    }

    pub(crate) fn keep(&self, stands: Stands) {
        *self.lock() = stands;
    }

    /// Of all sources.
    pub(crate) fn all(&self) -> Vec<Stand> {
        self.lock().sources.clone()
    }

    pub(crate) fn set(&self, all: Vec<Stand>) {
        self.lock().sources = all;
    }

    /// One that has not given a value yet.
    pub(crate) fn fails(&self, source: usize, failing: Failure) {
        if let Some(stand) = self.lock().sources.get_mut(source) {
            stand.failing = Some(failing);
        }
    }

    pub(crate) fn confirmed(&self, source: usize, confirmed: Duration) {
        if let Some(stand) = self.lock().sources.get_mut(source) {
            *stand = Stand { confirmed: Some(confirmed), ..Stand::default() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
