//! The time as each service sees it: our clock, corrected by what its own answers say. What one
//! host says counts for that host alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) struct Clock {
    source: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// Seconds by which a host is ahead of us; there are as many hosts as lookups and identities name.
    ahead: Mutex<HashMap<String, i64>>,
}

impl Clock {
    pub(crate) fn new(source: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source), ahead: Mutex::new(HashMap::new()) }
    }

    /// The time by our clock, in seconds since 1970.
    pub(crate) fn here(&self) -> u64 {
        (self.source)().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    pub(crate) fn at(&self, host: &str) -> u64 {
        let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        self.here().saturating_add_signed(ahead.get(host).copied().unwrap_or(0))
    }

    /// Takes over the time of an answer that a host has just given.
    pub(crate) fn correct(&self, host: &str, date: u64) {
        let ahead = i64::try_from(i128::from(date) - i128::from(self.here())).unwrap_or(0);
        let mut known = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(host.to_owned(), ahead);
    }
}
