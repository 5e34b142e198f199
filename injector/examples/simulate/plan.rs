//! What a simulation is of: a fleet, its services, and what the limits allow.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) pods: u64,
    pub(crate) secrets: u64,
    pub(crate) interval: Duration,
    pub(crate) batches: Batches,
    /// Requests a second.
    pub(crate) kms: u64,
    pub(crate) sts: Limit,
    /// Until a start is given up.
    pub(crate) timeout: Duration,
    /// A container whose start was given up starts again, and goes on with what it got.
    pub(crate) restarts: bool,
    pub(crate) outage: Option<(Duration, Duration)>,
}

/// How several secrets of one call count, which nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batches {
    AsOne,
    AsMany,
    /// Each secret is asked for by itself.
    Never,
}

/// Requests in a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) requests: u64,
    pub(crate) per: Duration,
}

/// Secrets of one call.
const MOST_TOGETHER: u64 = 20;
const FEWEST_TOGETHER: u64 = 3;

impl Plan {
    /// What the limits allow at best.
    pub(crate) fn least(&self) -> Duration {
        let time = |requests: u64, limit: u64, per: Duration| {
            // As much as the limit is for is answered at once.
            per.mul_f64(super::ratio(requests.saturating_sub(limit), limit.max(1)))
        };
        let calls = match self.batches {
            Batches::AsOne => self.questions().len() as u64,
            Batches::AsMany | Batches::Never => self.secrets,
        };
        let kms = time(self.pods * calls, self.kms, Duration::from_secs(1));
        time(self.pods, self.sts.requests, self.sts.per).max(kms)
    }

    /// Credentials and values that all need.
    pub(crate) fn answers(&self) -> u64 {
        self.pods * (1 + self.secrets)
    }

    /// Secrets of each question to KMS.
    pub(crate) fn questions(&self) -> Vec<u32> {
        let calls = match self.batches {
            Batches::AsOne | Batches::AsMany if self.secrets >= FEWEST_TOGETHER => {
                self.secrets.div_ceil(MOST_TOGETHER)
            }
            _ => self.secrets,
        };
        let share = |call| (self.secrets / calls + u64::from(call < self.secrets % calls)) as u32;
        (0..calls).map(share).collect()
    }
}
