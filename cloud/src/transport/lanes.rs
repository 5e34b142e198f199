//! The lanes to one host: at most four, opened when they are needed, the latest used first. Each
//! is of one kind of question as long as it lives.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::body::Share;
use super::lane::Lane;
use crate::cause::Unreachable;
use crate::untold::Untold;

pub(super) struct Lanes {
    /// Those that were used last come last.
    idle: Mutex<Vec<Owned>>,
    permits: Semaphore,
    pub(super) share: Share,
}

#[derive(Clone)]
struct Owned {
    lane: Lane,
    of: Untold,
}

/// A lane on loan; it goes back when dropped.
pub(super) struct Taken<'a> {
    owned: Owned,
    trusted: bool,
    lanes: &'a Lanes,
    _permit: SemaphorePermit<'a>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(MOST),
            share: Share::default(),
        }
    }

    /// Waits for a free lane, or opens one while there are fewer than allowed: a lane is either
    /// idle or in the hands of a permit's holder. One of other questions makes room.
    pub(super) async fn take(
        &self,
        of: Untold,
        open: impl FnOnce() -> reqwest::Result<Lane>,
    ) -> Result<Taken<'_>, Unreachable> {
        let permit = self.permits.acquire().await.map_err(|_| Unreachable::Client)?;
        let (found, over) = self.find(&of);
        let lane = match found {
            Some(lane) => lane,
            None => {
                if over.is_some() {
                    // A connection ends with the last one who knows its lane, in a task of the
                    // client's; the next one is opened after it.
                    drop(over);
                    tokio::task::yield_now().await;
                }
                open().map_err(|_| Unreachable::Client)?
            }
        };
        Ok(Taken { owned: Owned { lane, of }, trusted: true, lanes: self, _permit: permit })
    }

    /// The lane to use, and one to end instead where a new one would be too many.
    fn find(&self, of: &Untold) -> (Option<Lane>, Option<Owned>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = idle.iter().rposition(|owned| owned.of == *of) {
            return (Some(idle.remove(place).lane), None);
        }
        // Ours is among those in use.
        let in_use = MOST.saturating_sub(self.permits.available_permits());
        let too_many = !idle.is_empty() && idle.len() + in_use > MOST;
        (None, too_many.then(|| idle.remove(0)))
    }
}

impl Taken<'_> {
    pub(super) fn lane(&self) -> &Lane {
        &self.owned.lane
    }

    /// Ends this connection, and those that nobody uses at the moment: what answers there may be
    /// as far out of step.
    pub(super) fn end(mut self) {
        self.trusted = false;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut idle = self.lanes.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match self.trusted {
            true => idle.push(self.owned.clone()),
            // A connection ends with the last one who knows its lane.
            false => idle.clear(),
        }
    }
}

/// A few connections hide the latency of a service; each costs a handshake on both sides.
const MOST: usize = 4;
