//! A service with a limit on requests a second, for a whole account and region.

use std::time::Duration;

pub(crate) struct Service {
    per_second: u64,
    /// Nanoseconds' worth of requests that could be answered now; a second's at most.
    credit: Duration,
    last: Duration,
    /// By second.
    pub(crate) offered: Vec<u64>,
    pub(crate) throttled: Vec<u64>,
}

impl Service {
    pub(crate) fn new(per_second: u64) -> Self {
        let credit = Duration::from_secs(1);
        Self {
            per_second,
            credit,
            last: Duration::ZERO,
            offered: Vec::new(),
            throttled: Vec::new(),
        }
    }

    /// Whether a request at this moment is answered. Moments only grow.
    pub(crate) fn answers(&mut self, now: Duration) -> bool {
        count(&mut self.offered, now);
        self.credit = (self.credit + now.saturating_sub(self.last)).min(Duration::from_secs(1));
        self.last = now;
        let price = Duration::from_nanos(1_000_000_000 / self.per_second.max(1));
        match self.credit.checked_sub(price) {
            Some(rest) => {
                self.credit = rest;
                true
            }
            None => {
                count(&mut self.throttled, now);
                false
            }
        }
    }

    /// A request that nobody answers.
    pub(crate) fn lost(&mut self, now: Duration) {
        count(&mut self.offered, now);
    }
}

fn count(seconds: &mut Vec<u64>, now: Duration) {
    let second = usize::try_from(now.as_secs()).unwrap_or(usize::MAX);
    if seconds.len() <= second {
        seconds.resize(second + 1, 0);
    }
    if let Some(count) = seconds.get_mut(second) {
        *count += 1;
    }
}
