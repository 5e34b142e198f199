//! When a failed request is sent again: exponential backoff with full jitter, and the server's
//! own hint. Pure: attempt, hint and randomness go in, a pause comes out.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    base: Duration,
    cap: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("retry base {base:?} must be above zero and at most the cap {cap:?}")]
pub struct BadRetryPolicy {
    base: Duration,
    cap: Duration,
}

impl RetryPolicy {
    pub fn new(base: Duration, cap: Duration) -> Result<Self, BadRetryPolicy> {
        if base.is_zero() || base > cap {
            return Err(BadRetryPolicy { base, cap });
        }
        Ok(Self { base, cap })
    }

    /// The pause before the attempt after `attempt` (the first is 1). `roll` is uniform over u32.
    pub(crate) fn pause(&self, attempt: u32, hint: Option<Duration>, roll: u32) -> Duration {
        if let Some(hint) = hint {
            // A fleet that was told the same moment must not come back in the same moment.
            return hint.clamp(self.base, self.cap) + share(self.base, roll);
        }
        let doublings = attempt.saturating_sub(1).min(31);
        share(self.base.saturating_mul(1 << doublings).min(self.cap), roll)
    }
}

/// 200 ms and doubling is the official advice for throttling; 10 s keeps a start responsive.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self { base: Duration::from_millis(200), cap: Duration::from_secs(10) }
    }
}

fn share(whole: Duration, roll: u32) -> Duration {
    whole.mul_f64(f64::from(roll) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RetryPolicy;

    const MAX: u32 = u32::MAX;

    #[test]
    fn the_longest_pause_doubles_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let longest: Vec<u128> =
            (1..=8).map(|attempt| policy.pause(attempt, None, MAX).as_millis()).collect();
        assert_eq!(longest, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(policy.pause(MAX, None, MAX), Duration::from_secs(10));
    }

    #[test]
    fn jitter_covers_everything_from_zero() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.pause(5, None, 0), Duration::ZERO);
        let half = policy.pause(5, None, MAX / 2).as_millis();
        assert!((1599..=1600).contains(&half), "{half}");
    }

    #[test]
    fn a_hint_is_honoured_and_clamped() {
        let policy = RetryPolicy::default();
        let pause = |ms, roll| policy.pause(1, Some(Duration::from_millis(ms)), roll).as_millis();
        assert_eq!(pause(1500, 0), 1500);
        assert_eq!(pause(1500, MAX), 1700);
        assert_eq!(pause(0, 0), 200);
        assert_eq!(pause(86_400_000, 0), 10_000);
    }

    #[test]
    fn a_policy_without_a_pause_is_refused() {
        assert!(RetryPolicy::new(Duration::ZERO, Duration::from_secs(1)).is_err());
        assert!(RetryPolicy::new(Duration::from_secs(2), Duration::from_secs(1)).is_err());
    }
}
