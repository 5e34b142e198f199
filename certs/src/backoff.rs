//! How long to pause before the same thing is done again. Pure: time and randomness go in.

use std::time::Duration;

/// Numbers from 0 to 1, another series for every seed (SplitMix64). Nothing secret depends on
/// them: they keep replicas apart.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let drawn = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default();
        f64::from(drawn) / f64::from(u32::MAX)
    }
}

/// The first time is at once; each one that follows waits twice as long as the one before, up
/// to the most, until there has been calm for a while.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    calm: Duration,
    times: u32,
    /// Not before this.
    at: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration, calm: Duration) -> Self {
        Self { first, most, calm, times: 0, at: Duration::ZERO }
    }

    /// It was done. `up` is any clock that is never set.
    pub(crate) fn done(&mut self, up: Duration, random: f64) {
        if up >= self.at + self.calm {
            self.times = 0;
        }
        let pause = self.first.saturating_mul(1 << self.times.min(20)).min(self.most);
        self.times += 1;
        self.at = up + pause.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
    }

    /// How long it must wait yet.
    pub(crate) fn pause(&self, up: Duration) -> Duration {
        self.at.saturating_sub(up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn backoff() -> Backoff {
        Backoff::new(SECOND, 60 * SECOND, 30 * SECOND)
    }

    #[test]
    fn the_first_time_is_at_once_and_pauses_double_up_to_the_most() {
        let (mut backoff, mut up) = (backoff(), Duration::ZERO);
        assert_eq!(backoff.pause(up), Duration::ZERO);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            backoff.done(up, 1.0);
            assert_eq!(backoff.pause(up), seconds * SECOND);
            up += backoff.pause(up);
        }
    }

    #[test]
    fn after_calm_it_begins_anew() {
        let mut backoff = backoff();
        backoff.done(Duration::ZERO, 1.0);
        backoff.done(SECOND, 1.0);
        assert_eq!(backoff.pause(SECOND), 2 * SECOND);
        backoff.done(33 * SECOND, 1.0);
        assert_eq!(backoff.pause(33 * SECOND), SECOND);
    }

    #[test]
    fn a_fight_of_a_day_is_a_few_attempts_a_minute() {
        let (mut backoff, mut up, mut times) = (backoff(), Duration::ZERO, 0);
        while up < 24 * 3600 * SECOND {
            backoff.done(up, 0.0);
            up += backoff.pause(up);
            times += 1;
        }
        assert!(times < 2 * 24 * 60 + 10, "{times}");
    }

    #[test]
    fn replicas_with_other_seeds_draw_other_numbers_within_bounds() {
        let draw = |seed| {
            let mut jitter = Jitter::new(seed);
            std::array::from_fn::<f64, 100, _>(|_| jitter.draw())
        };
        assert_ne!(draw(1), draw(2));
        let all = draw(3);
        assert!(all.iter().all(|number| (0.0..=1.0).contains(number)));
        assert!(all.iter().any(|number| *number < 0.1) && all.iter().any(|number| *number > 0.9));
    }
}
