//! When sources are asked again. It is pure: times since boot and randomness go in, times come out.

use std::time::Duration;

use secret::{Backoff, share};

/// The schedule of one Pod. Sources that are well are asked together, so that what changes together is seen
/// together; those that failed are asked again sooner, by themselves.
#[derive(Clone, Debug)]
pub struct Schedule {
    interval: Duration,
    round: Duration,
    retry: Option<Duration>,
    /// The number of rounds in a row in which one source at least failed.
    failures: u32,
}

/// Which sources are asked in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    All,
    /// Only sources whose last answer was a failure are asked.
    Failed,
}

/// The pause after a first failure; the next ones are longer.
const RETRY: Duration = Duration::from_secs(30);
const RETRIES: Backoff = Backoff::new(RETRY, RETRY.saturating_mul(1 << 16));

impl Schedule {
    /// `confirmed` is when the source that was fetched longest ago was; `failing` whether one could
    /// not be had since. Pods that were started together begin anywhere in their interval. `roll` is
    /// uniform over u32.
    #[must_use]
    pub fn new(
        interval: Duration,
        now: Duration,
        confirmed: Duration,
        failing: bool,
        roll: u32,
    ) -> Self {
        // Even after a restart a round is no later than if there had been none, and not sooner than
        // those of other Pods.
        let latest = (confirmed + interval).max(now + share(RETRY.min(interval), roll));
        // Spread over the mean interval; a shorter window would bunch the calls.
        let round = latest.min(now + share(interval - interval / 20, roll));
        let retry = failing.then(|| now + share(RETRY.min(interval), roll));
        Self { interval, round, retry, failures: failing.into() }
    }

    /// The moment of the next round, and which sources it asks.
    #[must_use]
    pub fn due(&self) -> (Duration, Round) {
        match self.retry {
            Some(retry) if retry < self.round => (retry, Round::Failed),
            _ => (self.round, Round::All),
        }
    }

    /// A round was over at `now`.
    pub fn done(&mut self, round: Round, failed: bool, now: Duration, roll: u32) {
        if round == Round::All {
            // A pause is at most the interval, so that it can be relied on; it may be less, so that
            // Pods which met by chance, or in an outage, part again.
            self.round = now + self.interval - share(self.interval / 10, roll);
        }
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        // Later retries are not needed: the rounds are enough.
        let sooner = failed && RETRIES.longest(self.failures) < self.interval;
        self.retry = sooner.then(|| now + RETRIES.equal_jitter(self.failures, roll));
    }

    /// How long one round may last, with everything that is sent again.
    #[must_use]
    pub fn window(&self) -> Duration {
        (self.interval / 4).min(WINDOW)
    }
}

const WINDOW: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(300);
    const HALF: u32 = u32::MAX / 2 + 1;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Everything was fetched at this second.
    fn new(interval: Duration, now: u64, roll: u32) -> Schedule {
        Schedule::new(interval, seconds(now), seconds(now), false, roll)
    }

    /// In whole seconds, the nearest ones.
    fn due(schedule: &Schedule) -> (u64, Round) {
        let (at, asked) = schedule.due();
        ((at + Duration::from_millis(500)).as_secs(), asked)
    }

    #[test]
    fn a_fleet_that_starts_together_begins_anywhere_in_its_interval() {
        for (roll, at) in [(0, 1000), (HALF, 1143), (u32::MAX, 1285)] {
            let schedule = new(INTERVAL, 1000, roll);
            assert_eq!(due(&schedule), (at, Round::All));
        }
    }

    #[test]
    fn rounds_follow_within_the_interval_and_not_much_sooner() {
        let mut schedule = new(INTERVAL, 0, 0);
        for (roll, at) in [(0, 300), (HALF, 285), (u32::MAX, 270)] {
            schedule.done(Round::All, false, seconds(0), roll);
            assert_eq!(due(&schedule), (at, Round::All));
        }
    }

    #[test]
    fn failed_sources_are_asked_by_themselves_ever_more_rarely() {
        let mut schedule = new(seconds(3600), 0, u32::MAX);
        let mut pauses = Vec::new();
        let mut now = seconds(0);
        for _ in 0..6 {
            schedule.done(Round::Failed, true, now, u32::MAX);
            let (at, asked) = schedule.due();
            assert_eq!(asked, Round::Failed);
            pauses.push((at - now).as_secs());
            now = at;
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960]);
        schedule.done(Round::Failed, false, now, 0);
        assert_eq!(due(&schedule), (3420, Round::All));
        schedule.done(Round::Failed, true, now, u32::MAX);
        assert_eq!(schedule.due().0 - now, seconds(30));
    }

    #[test]
    fn who_starts_again_asks_no_later_than_without_and_soon_where_something_failed() {
        let resumed = |confirmed, failing, roll| {
            Schedule::new(INTERVAL, seconds(1000), seconds(confirmed), failing, roll)
        };
        assert_eq!(due(&resumed(900, false, u32::MAX)), (1200, Round::All));
        assert_eq!(due(&resumed(900, false, HALF)), (1143, Round::All));
        // Overdue: spread all the same, a node's Pods start again together.
        assert_eq!(due(&resumed(100, false, HALF)), (1015, Round::All));
        assert_eq!(due(&resumed(900, true, HALF)), (1015, Round::Failed));
    }

    #[test]
    fn a_source_that_fails_for_good_is_asked_no_more_than_once_an_interval() {
        let mut schedule = new(INTERVAL, 0, u32::MAX);
        let mut asks = Vec::new();
        for _ in 0..20 {
            let (at, asked) = schedule.due();
            asks.push(at.as_secs());
            schedule.done(asked, true, at, 0);
        }
        // 30, 60, 120 and 240 s at most, then rounds.
        let settled = asks.iter().skip(8).zip(asks.iter().skip(9));
        assert!(settled.clone().all(|(one, next)| next - one >= 270), "{asks:?}");
    }

    #[test]
    fn a_round_asks_all_and_moves_the_retry_behind_it() {
        let mut schedule = new(seconds(10), 0, u32::MAX);
        for _ in 0..40 {
            let (at, asked) = schedule.due();
            schedule.done(asked, true, at, HALF);
            let (next, _) = schedule.due();
            assert!(next > at && next - at <= seconds(10), "{at:?} {next:?}");
        }
    }

    #[test]
    fn an_ask_ends_well_before_the_next_round() {
        for (interval, window) in [(10, 2500), (60, 15_000), (300, 15_000), (86_400, 15_000)] {
            let schedule = new(seconds(interval), 0, 0);
            assert_eq!(schedule.window().as_millis(), window);
        }
    }
}
