//! How long one peer's small reviews are decided in one round of the server's thread. It is pure.
//!
//! Who yields goes on in the next round, behind what arrived meanwhile. All who go on in one round do so
//! one after another, so that the first of them knows by the number of the round that it yielded in.

use std::time::Duration;

/// Nobody waits behind more of each peer in a round, and one review.
const LONGEST: Duration = Duration::from_micros(1500);

#[derive(Debug, Default)]
pub(super) struct Pace {
    round: u64,
    spent: Duration,
}

impl Pace {
    /// The round that is under way.
    pub(super) fn round(&self) -> u64 {
        self.round
    }

    /// Whether one who yielded in a round may decide now, or yields once more.
    pub(super) fn goes_on(&mut self, yielded_in: u64) -> bool {
        if yielded_in == self.round {
            self.round = self.round.wrapping_add(1);
            self.spent = Duration::ZERO;
        }
        self.spent < LONGEST
    }

    pub(super) fn spend(&mut self, time: Duration) {
        self.spent = self.spent.saturating_add(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of those that yielded in one round decide in the next, each of which takes so long.
    fn decide(pace: &mut Pace, yielded: usize, time: Duration) -> usize {
        let round = pace.round();
        let decides = |_: &usize| {
            let goes_on = pace.goes_on(round);
            if goes_on {
                pace.spend(time);
            }
            goes_on
        };
        (0..yielded).filter(decides).count()
    }

    #[test]
    fn those_that_take_long_are_decided_over_several_rounds() {
        let mut pace = Pace::default();
        for (time, of_eight) in [(10, 8), (187, 8), (300, 5), (1499, 2), (1500, 1), (100_000, 1)] {
            let time = Duration::from_micros(time);
            assert_eq!(decide(&mut pace, 8, time), of_eight, "{time:?}");
        }
    }

    #[test]
    fn in_each_round_one_decides_whatever_was_spent_before() {
        let mut pace = Pace::default();
        for _ in 0..3 {
            assert_eq!(decide(&mut pace, 2, Duration::from_secs(1)), 1);
        }
    }
}
