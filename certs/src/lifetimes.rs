//! How long certificates last and how long a rotation takes.

use std::time::Duration;

/// All that depends on how long a certificate lasts. A certificate is replaced after two thirds
/// of its time: with 90 days there are 30 in which the API may refuse us before anything ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    pub(crate) leaf: Duration,
    /// A CA is in `caBundle` this long before its certificate is served: API servers watch the
    /// configuration and are a little behind.
    pub(crate) settle: Duration,
    /// The same where nothing is stored that could be served meanwhile.
    pub(crate) settle_first: Duration,
    /// By how much clocks may differ: a CA stays this much longer than its certificate.
    pub(crate) skew: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("a certificate must last from {}s to {} days, not {}s", SHORTEST.as_secs(), LONGEST.as_secs() / DAY, .0.as_secs())]
pub struct BadLifetime(Duration);

impl Lifetimes {
    /// For certificates that last for `leaf`. Short ones, as in tests, settle faster.
    pub fn of(leaf: Duration) -> Result<Self, BadLifetime> {
        if !(SHORTEST..=LONGEST).contains(&leaf) {
            return Err(BadLifetime(leaf));
        }
        let settle = SETTLE.min(leaf / 20);
        Ok(Self { leaf, settle, settle_first: SETTLE_FIRST.min(settle), skew: SKEW.min(leaf / 10) })
    }
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { leaf: DEFAULT, settle: SETTLE, settle_first: SETTLE_FIRST, skew: SKEW }
    }
}

const DAY: u64 = 24 * 60 * 60;
const SHORTEST: Duration = Duration::from_secs(20);
const LONGEST: Duration = Duration::from_secs(3650 * DAY);
/// Long enough for a chart to be left alone for weeks, short enough for a stolen key to end.
const DEFAULT: Duration = Duration::from_secs(90 * DAY);
const SETTLE: Duration = Duration::from_secs(60);
const SETTLE_FIRST: Duration = Duration::from_secs(2);
const SKEW: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_ninety_days() {
        assert_eq!(Lifetimes::default(), Lifetimes::of(Duration::from_secs(90 * DAY)).unwrap());
    }

    #[test]
    fn a_lifetime_of_seconds_settles_within_its_last_third() {
        for seconds in [20, 30, 60, 3600] {
            let leaf = Duration::from_secs(seconds);
            let lifetimes = Lifetimes::of(leaf).unwrap();
            assert!(lifetimes.settle + lifetimes.skew < leaf / 3, "{lifetimes:?}");
        }
    }

    #[test]
    fn absurd_lifetimes_are_refused() {
        let problem = Lifetimes::of(Duration::from_secs(1)).unwrap_err().to_string();
        assert_eq!(problem, "a certificate must last from 20s to 3650 days, not 1s");
        assert!(Lifetimes::of(Duration::MAX).is_err());
    }
}
