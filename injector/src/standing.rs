//! How each source of the plan stands at the moment: shared by who asks for it, who writes that
//! down, and who is asked about it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::status::Failing;

/// By lookup; a clone is the same.
#[derive(Clone)]
pub(crate) struct Standing(Arc<Mutex<Vec<Stand>>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stand {
    /// When it last gave a value, since boot; `None` where it has not yet.
    pub(crate) confirmed: Option<Duration>,
    pub(crate) failing: Option<Failing>,
    /// Its files were taken away.
    pub(crate) removed: bool,
}

impl Standing {
    /// Nothing is known of any of them.
    pub(crate) fn new(sources: usize) -> Self {
        Self(Arc::new(Mutex::new(vec![Stand::default(); sources])))
    }

    pub(crate) fn all(&self) -> Vec<Stand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, all: Vec<Stand>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }

    /// One that has not given a value yet.
    pub(crate) fn fails(&self, source: usize, failing: Failing) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stand) = all.get_mut(source) {
            stand.failing = Some(failing);
        }
    }

    pub(crate) fn confirmed(&self, source: usize, confirmed: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stand) = all.get_mut(source) {
            *stand = Stand { confirmed: Some(confirmed), ..Stand::default() };
        }
    }
}
