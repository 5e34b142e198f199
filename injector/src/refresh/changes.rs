//! Which generation applications see, and of which one they were notified.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Generations are named.
pub(crate) struct Changes {
    shown: watch::Sender<String>,
    notified: Mutex<String>,
}

impl Changes {
    /// `notified` is what an earlier process of this Pod left behind, if one did. Applications that
    /// start with `shown` need not be notified of it.
    pub(crate) fn new(shown: Option<String>, notified: Option<String>) -> Self {
        let shown = shown.unwrap_or_default();
        let notified = notified.unwrap_or_else(|| shown.clone());
        Self { shown: watch::Sender::new(shown), notified: Mutex::new(notified) }
    }

    /// Shows a generation. Returns whether it is another one than before.
    pub(crate) fn show(&self, generation: Option<String>) -> bool {
        let Some(generation) = generation else { return false };
        self.shown.send_if_modified(|shown| {
            let differs = *shown != generation;
            *shown = generation;
            differs
        })
    }

    pub(crate) fn follow(&self) -> watch::Receiver<String> {
        self.shown.subscribe()
    }

    pub(crate) fn notified_generation(&self) -> String {
        self.notified.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_notified(&self, generation: &str) {
        *self.notified.lock().unwrap_or_else(PoisonError::into_inner) = generation.to_owned();
    }
}
