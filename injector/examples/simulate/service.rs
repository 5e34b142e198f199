//! A service with a limit on requests in some time, for a whole account and region.

use std::time::Duration;

pub(crate) struct Service {
    /// The time in which one request more may be answered.
    price: Duration,
    /// So much of that has passed unused, at most what the limit is for.
    credit: Duration,
    most: Duration,
    last: Duration,
    /// By second.
    pub(crate) offered: Vec<u64>,
    pub(crate) throttled: Vec<u64>,
}

impl Service {
    /// So many requests in that time.
    pub(crate) fn new(requests: u64, most: Duration) -> Self {
        let requests = u32::try_from(requests.max(1)).unwrap_or(u32::MAX);
        Self {
            price: most / requests,
            credit: most,
            most,
            last: Duration::ZERO,
            offered: Vec::new(),
            throttled: Vec::new(),
        }
    }

    /// Whether a request at this moment is answered, which counts as so many. Moments only grow.
    pub(crate) fn answers(&mut self, now: Duration, counts: u32) -> bool {
        count(&mut self.offered, now);
        self.credit = (self.credit + now.saturating_sub(self.last)).min(self.most);
        self.last = now;
        match self.credit.checked_sub(self.price * counts) {
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
