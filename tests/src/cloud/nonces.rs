//! Nonces that were used: a signature counts once.

use std::collections::{HashSet, VecDeque};

use time::{Duration, OffsetDateTime};

/// A signature is good for this long, in both directions.
pub(crate) const LARGEST_SKEW: Duration = Duration::minutes(15);

/// At the rates of a test this covers the window; beyond it the oldest are forgotten.
const MOST_NONCES: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Nonces {
    used: HashSet<(String, String)>,
    order: VecDeque<(OffsetDateTime, (String, String))>,
}

impl Nonces {
    /// False when this key has used this nonce before. Older than the window, a signature is refused
    /// by its date anyway.
    pub(crate) fn first_use(
        &mut self,
        access_key_id: &str,
        nonce: &str,
        now: OffsetDateTime,
    ) -> bool {
        self.forget(now);
        let pair = (access_key_id.to_owned(), nonce.to_owned());
        if !self.used.insert(pair.clone()) {
            return false;
        }
        self.order.push_back((now, pair));
        true
    }

    fn forget(&mut self, now: OffsetDateTime) {
        while let Some((when, pair)) = self.order.front() {
            let fresh = now - *when <= LARGEST_SKEW * 2;
            if fresh && self.order.len() < MOST_NONCES {
                return;
            }
            self.used.remove(pair);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_counts_once_for_each_key() {
        let mut nonces = Nonces::default();
        let now = OffsetDateTime::UNIX_EPOCH;
        assert!(nonces.first_use("a", "1", now));
        assert!(!nonces.first_use("a", "1", now));
        assert!(nonces.first_use("b", "1", now));
        assert!(nonces.first_use("a", "1", now + time::Duration::hours(1)));
    }
}
