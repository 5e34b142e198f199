//! When a failed request is sent again: back-off, the server's own hint, and the deadline. It is
//! pure: attempt, hint and randomness go in, a pause comes out.

use std::time::Duration;

use crate::backoff::{Backoff, share};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    base: Duration,
    cap: Duration,
}

/// What an attempt failed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There are too many requests: the pause is longer, and never short.
    Throttled(Strain),
    Other,
}

/// How a caller fares that is throttled. Whoever has most of what it needs pauses least, and so is done
/// first and out of the others' way; and the longer it lasts, the more rarely everybody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strain {
    /// Since the first throttling of what is asked for.
    pub lasts: Duration,
    /// Questions that were answered since anything was asked.
    pub answered: u32,
    /// Those that are not.
    pub open: u32,
}

impl Strain {
    /// The share of all questions that is not answered.
    fn missing(&self) -> f64 {
        let all = f64::from(self.answered) + f64::from(self.open);
        if all > 0.0 { f64::from(self.open) / all } else { 1.0 }
    }
}

/// What comes after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    pub pause: Duration,
    /// Whether the attempt after the pause is the last one.
    pub last: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("retry base {base:?} must be above zero and at most the cap {cap:?}")]
pub struct InvalidRetryPolicy {
    base: Duration,
    cap: Duration,
}

impl RetryPolicy {
    pub fn new(base: Duration, cap: Duration) -> Result<Self, InvalidRetryPolicy> {
        if base.is_zero() || base > cap {
            return Err(InvalidRetryPolicy { base, cap });
        }
        Ok(Self { base, cap })
    }

    /// What comes after `attempt` (the first is 1) with `left` until the deadline. A pause that
    /// leaves too little is cut short, for one last attempt. `roll` is uniform over u32.
    #[must_use]
    pub fn next(
        &self,
        attempt: u32,
        trouble: Trouble,
        hint: Option<Duration>,
        left: Duration,
        roll: u32,
    ) -> Next {
        let pause = self.pause(attempt, trouble, hint, roll);
        let room = LAST_ATTEMPT.min(left / 2);
        let latest = left.saturating_sub(room);
        if pause <= latest {
            return Next { pause, last: false };
        }
        // Deadlines of a fleet that started together are the same moment too.
        Next { pause: latest + share(room / 2, roll), last: true }
    }

    fn pause(&self, attempt: u32, trouble: Trouble, hint: Option<Duration>, roll: u32) -> Duration {
        if let Some(hint) = hint {
            // A fleet that got the same hint must not come back in the same moment.
            return hint.clamp(self.base, self.cap) + share(self.base, roll);
        }
        match trouble {
            Trouble::Other => Backoff::new(self.base, self.cap).full_jitter(attempt, roll),
            Trouble::Throttled(strain) => {
                // By default a second, up to 16, and up to 64 where it lasts. Without at least half of it
                // the quickest of a fleet would ask ten times for each answer that there is.
                let shortest = self.base.saturating_mul(5);
                let cap = self.cap * 8 / 5;
                let cap = cap.max(strain.lasts / 2).min(cap * 4);
                let longest = cap.mul_f64(strain.missing().powi(3)).max(shortest);
                Backoff::new(shortest, longest).equal_jitter(attempt, roll)
            }
        }
    }
}

/// 200 ms and doubling is the official advice; 10 s keeps a start responsive.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self { base: Duration::from_millis(200), cap: Duration::from_secs(10) }
    }
}

/// Kept free before the deadline for the last attempt; its jitter takes up to half of it.
const LAST_ATTEMPT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Next, RetryPolicy, Strain, Trouble};

    const MAX: u32 = u32::MAX;

    /// After so many seconds, with so many of ten questions answered.
    fn throttled(seconds: u64, answered: u32) -> Trouble {
        let lasts = Duration::from_secs(seconds);
        Trouble::Throttled(Strain { lasts, answered, open: 10 - answered })
    }

    #[test]
    fn the_longest_pause_doubles_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let longest: Vec<u128> = (1..=8)
            .map(|attempt| policy.pause(attempt, Trouble::Other, None, MAX).as_millis())
            .collect();
        assert_eq!(longest, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(policy.pause(MAX, Trouble::Other, None, MAX), Duration::from_secs(10));
    }

    #[test]
    fn who_is_throttled_waits_longer_and_never_for_a_moment_only() {
        let policy = RetryPolicy::default();
        let pauses = |roll, lasts| {
            let pause =
                |attempt| policy.pause(attempt, throttled(lasts, 0), None, roll).as_millis();
            (1..=8).map(pause).collect::<Vec<_>>()
        };
        assert_eq!(pauses(0, 0), [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
        assert_eq!(pauses(MAX, 0), [1000, 2000, 4000, 8000, 16_000, 16_000, 16_000, 16_000]);
        assert_eq!(pauses(MAX, 64), [1000, 2000, 4000, 8000, 16_000, 32_000, 32_000, 32_000]);
        let longest = [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000];
        assert_eq!(pauses(MAX, 3600), longest);
    }

    #[test]
    fn who_has_most_of_what_it_needs_pauses_least() {
        let policy = RetryPolicy::default();
        let pause = |answered| policy.pause(9, throttled(60, answered), None, MAX).as_millis();
        assert_eq!([0, 1, 5, 8, 9].map(pause), [30_000, 21_870, 3750, 1000, 1000]);
        // It makes nothing longer: a first throttling is a short matter for everybody.
        let first = |answered| policy.pause(1, throttled(0, answered), None, MAX).as_millis();
        assert_eq!([0, 5, 9].map(first), [1000; 3]);
        let none = Trouble::Throttled(Strain { lasts: Duration::ZERO, answered: 0, open: 0 });
        assert_eq!(policy.pause(9, none, None, MAX).as_millis(), 16_000);
    }

    #[test]
    fn jitter_covers_everything_from_zero() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.pause(5, Trouble::Other, None, 0), Duration::ZERO);
        let half = policy.pause(5, Trouble::Other, None, MAX / 2).as_millis();
        assert!((1599..=1600).contains(&half), "{half}");
    }

    #[test]
    fn a_hint_is_honoured_and_clamped() {
        let policy = RetryPolicy::default();
        let pause = |ms, roll| {
            let hint = Some(Duration::from_millis(ms));
            policy.pause(1, throttled(0, 0), hint, roll).as_millis()
        };
        assert_eq!(pause(1500, 0), 1500);
        assert_eq!(pause(1500, MAX), 1700);
        assert_eq!(pause(0, 0), 200);
        assert_eq!(pause(86_400_000, 0), 10_000);
    }

    #[test]
    fn a_pause_that_fits_is_kept_and_one_that_does_not_leaves_room_for_a_last_attempt() {
        let policy = RetryPolicy::default();
        let next = |hint_ms, left_ms, roll| {
            let hint = Some(Duration::from_millis(hint_ms));
            let left = Duration::from_millis(left_ms);
            let next = policy.next(1, Trouble::Other, hint, left, roll);
            (next.pause.as_millis(), next.last)
        };
        assert_eq!(next(3000, 5000, 0), (3000, false));
        assert_eq!(next(4000, 5000, 0), (4000, false));
        assert_eq!(next(4001, 5000, 0), (4000, true));
        assert_eq!(next(20_000, 5000, 0), (4000, true));
        assert_eq!(next(20_000, 5000, MAX), (4500, true));
        assert_eq!(next(20_000, 800, 0), (400, true));
        assert_eq!(next(20_000, 800, MAX), (600, true));
        assert_eq!(next(20_000, 0, MAX), (0, true));
    }

    #[test]
    fn whatever_the_dice_say_attempts_go_on_until_shortly_before_the_deadline() {
        let policy = RetryPolicy::default();
        let failing = Duration::from_millis(5);
        for timeout in [2, 5, 300].map(Duration::from_secs) {
            for roll in [MAX / 10, MAX / 3, MAX / 2, MAX] {
                for hint in [None, Some(Duration::from_secs(20))] {
                    let (mut now, mut attempt) = (Duration::ZERO, 1);
                    loop {
                        now += failing;
                        let left = timeout.saturating_sub(now);
                        let Next { pause, last } =
                            policy.next(attempt, Trouble::Other, hint, left, roll);
                        (now, attempt) = (now + pause, attempt + 1);
                        if last {
                            break;
                        }
                    }
                    let left = timeout.saturating_sub(now);
                    assert!(!left.is_zero(), "{timeout:?} {roll} {hint:?}");
                    assert!(left <= Duration::from_secs(1), "{left:?} {roll} {hint:?}");
                    assert!(attempt < 1000, "{timeout:?} {roll} {hint:?}");
                }
            }
        }
    }

    #[test]
    fn a_policy_without_a_pause_is_refused() {
        assert!(RetryPolicy::new(Duration::ZERO, Duration::from_secs(1)).is_err());
        assert!(RetryPolicy::new(Duration::from_secs(2), Duration::from_secs(1)).is_err());
    }
}
