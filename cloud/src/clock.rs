//! The time as the service sees it: our clock, corrected by what its answers say.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) struct Clock {
    source: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// Seconds by which the service is ahead of us.
    ahead: AtomicI64,
}

impl Clock {
    pub(crate) fn new(source: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source), ahead: AtomicI64::new(0) }
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.local().saturating_add_signed(self.ahead.load(Ordering::Relaxed))
    }

    /// Takes over the time that the service has just told.
    pub(crate) fn correct(&self, told: u64) {
        let ahead = i64::try_from(i128::from(told) - i128::from(self.local())).unwrap_or(0);
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    fn local(&self) -> u64 {
        (self.source)().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
