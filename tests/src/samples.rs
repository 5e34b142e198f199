//! Repeated measurements, reduced to what is worth printing.

use std::time::Duration;

/// Durations of the same thing, sorted.
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The value below which `part` of a hundred lie.
    pub(crate) fn percentile(&self, part: usize) -> Duration {
        let index = (self.0.len() * part / 100).min(self.0.len().saturating_sub(1));
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }
}
