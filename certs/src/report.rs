//! Tells the rest of the program, and the log, what happens to the certificate.

use std::fmt::Display;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

use crate::pair::Pair;
use crate::state::{Counts, State};

pub(crate) struct Report(watch::Sender<State>);

impl Report {
    pub(crate) fn new() -> (Self, watch::Receiver<State>) {
        let (state, states) = watch::channel(State::default());
        (Self(state), states)
    }

    /// What could not be done, and will be tried again.
    pub(crate) fn failed(&self, error: &dyn Display) {
        tracing::warn!(%error, "certificate: trying again");
        self.count(|counts| counts.errors += 1);
    }

    pub(crate) fn count(&self, add: impl FnOnce(&mut Counts)) {
        self.0.send_modify(|state| add(&mut state.counts));
    }

    /// Wakes nobody up if it is as before.
    pub(crate) fn is(
        &self,
        serving: Option<&Pair>,
        covered: bool,
        conditions: bool,
        rotates_at: Option<SystemTime>,
    ) {
        let serving = serving.map(|pair| Arc::clone(&pair.serving));
        self.0.send_if_modified(|state| {
            let same = match (&state.serving, &serving) {
                (Some(before), Some(now)) => Arc::ptr_eq(before, now),
                (before, now) => before.is_none() && now.is_none(),
            };
            let before = (state.covered, state.conditions, state.rotates_at);
            let now = (covered, conditions, rotates_at);
            if same && before == now {
                return false;
            }
            if (before.0, before.1) != (now.0, now.1) {
                tracing::info!(covered, conditions, "certificate");
            }
            state.serving = serving;
            (state.covered, state.conditions, state.rotates_at) = now;
            true
        });
    }
}
