//! How long to wait before something is tried again: exponential back-off with jitter. It is pure:
//! attempt and randomness go in, a pause comes out.

use std::time::Duration;

/// Pauses whose longest doubles from `base` with each attempt, up to `cap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The longest pause after `attempt`; the first attempt is 1.
    #[must_use]
    pub fn longest(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    /// Anything from no pause to the longest one. `roll` is uniform over u32.
    #[must_use]
    pub fn full_jitter(&self, attempt: u32, roll: u32) -> Duration {
        share(self.longest(attempt), roll)
    }

    /// At least half of the longest pause. `roll` is uniform over u32.
    #[must_use]
    pub fn equal_jitter(&self, attempt: u32, roll: u32) -> Duration {
        let half = self.longest(attempt) / 2;
        half + share(half, roll)
    }
}

/// The part of `whole` that `roll` is of all of u32.
#[must_use]
pub fn share(whole: Duration, roll: u32) -> Duration {
    whole.mul_f64(f64::from(roll) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(16));

    #[test]
    fn the_longest_pause_doubles_up_to_the_cap() {
        let longest: Vec<u64> = (0..=6).map(|attempt| BACKOFF.longest(attempt).as_secs()).collect();
        assert_eq!(longest, [2, 2, 4, 8, 16, 16, 16]);
        assert_eq!(BACKOFF.longest(u32::MAX), Duration::from_secs(16));
    }

    #[test]
    fn full_jitter_begins_at_nothing_and_equal_jitter_at_half() {
        for (roll, full, equal) in [(0, 0, 4), (u32::MAX, 8, 8)] {
            assert_eq!(BACKOFF.full_jitter(3, roll), Duration::from_secs(full));
            assert_eq!(BACKOFF.equal_jitter(3, roll), Duration::from_secs(equal));
        }
    }
}
