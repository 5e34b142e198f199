//! The lanes to one host: at most four, opened when they are needed, the latest used first.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::lane::Lane;
use crate::cause::Unreachable;

pub(super) struct Lanes {
    idle: Mutex<Vec<Lane>>,
    permits: Semaphore,
}

/// A lane on loan; it goes back when dropped.
pub(super) struct Taken<'a> {
    pub(super) lane: Lane,
    lanes: &'a Lanes,
    _permit: SemaphorePermit<'a>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self { idle: Mutex::new(Vec::new()), permits: Semaphore::new(MOST) }
    }

    /// Waits for a free lane, or opens one while there are fewer than allowed: a lane is either
    /// idle or in the hands of a permit's holder.
    pub(super) async fn take(
        &self,
        open: impl FnOnce() -> reqwest::Result<Lane>,
    ) -> Result<Taken<'_>, Unreachable> {
        let permit = self.permits.acquire().await.map_err(|_| Unreachable::Client)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let lane = match idle {
            Some(lane) => lane,
            None => open().map_err(|_| Unreachable::Client)?,
        };
        Ok(Taken { lane, lanes: self, _permit: permit })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut idle = self.lanes.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self.lane.clone());
    }
}

/// A few connections hide the latency of a service; each costs a handshake on both sides.
const MOST: usize = 4;
