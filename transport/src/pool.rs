//! The connections to one host: at most four, opened when they are needed, the latest used first.
//! Each keeps its key as long as it lives, which is a minute: its buffers may hold an answer from before.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::body::Share;
use crate::connection::Connection;
use crate::failure::Unreachable;

pub(crate) struct Pool<K> {
    /// Connections that were used last come last.
    idle: Mutex<Vec<Owned<K>>>,
    /// A connection that has carried nothing yet.
    fresh: Mutex<Fresh>,
    permits: Semaphore,
    pub(crate) share: Share,
}

/// The first connection to a host may be opened before there is anything to send.
#[derive(Default)]
enum Fresh {
    #[default]
    Untouched,
    Opened(Connection, Instant),
    /// There was a connection, or is one being opened.
    Past,
}

/// The place of the first connection.
pub(crate) struct FirstPlace<'a, K>(&'a Pool<K>);

impl<K> FirstPlace<'_, K> {
    pub(crate) fn fill(self, connection: Connection) {
        *self.0.fresh.lock().unwrap_or_else(PoisonError::into_inner) =
            Fresh::Opened(connection, Instant::now());
    }
}

#[derive(Clone)]
struct Owned<K> {
    connection: Connection,
    key: K,
    since: Instant,
}

/// A connection on loan; it goes back when dropped.
pub(crate) struct Taken<'a, K: Clone> {
    owned: Owned<K>,
    trusted: bool,
    pool: &'a Pool<K>,
    _permit: SemaphorePermit<'a>,
}

impl<K: Clone + PartialEq> Pool<K> {
    pub(crate) fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            fresh: Mutex::default(),
            permits: Semaphore::new(MOST),
            share: Share::default(),
        }
    }

    /// Once, where there was no connection yet.
    pub(crate) fn first(&self) -> Option<FirstPlace<'_, K>> {
        let mut fresh = self.fresh();
        matches!(*fresh, Fresh::Untouched).then(|| {
            *fresh = Fresh::Past;
            FirstPlace(self)
        })
    }

    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was opened ahead, where it is still of use.
    fn opened(&self) -> Option<Connection> {
        match std::mem::replace(&mut *self.fresh(), Fresh::Past) {
            Fresh::Opened(connection, since) if since.elapsed() < UNUSED => Some(connection),
            Fresh::Opened(..) | Fresh::Untouched | Fresh::Past => None,
        }
    }

    /// Waits for a free connection, or opens one while there are fewer than allowed: each is either
    /// idle or in the hands of a permit's holder. One with another key makes room.
    pub(crate) async fn take(
        &self,
        key: K,
        open: impl FnOnce() -> reqwest::Result<Connection>,
    ) -> Result<Taken<'_, K>, Unreachable> {
        let permit = self.permits.acquire().await.map_err(|_| Unreachable::Client)?;
        let (found, over) = self.find(&key);
        let owned = match found {
            Some(owned) => owned,
            None => {
                if over.is_some() {
                    // A connection ends when its last handle is dropped, in a task of the client's;
                    // the next one is opened after it.
                    drop(over);
                    tokio::task::yield_now().await;
                }
                let connection = match self.opened() {
                    Some(connection) => connection,
                    None => open().map_err(|_| Unreachable::Client)?,
                };
                Owned { connection, key, since: Instant::now() }
            }
        };
        Ok(Taken { owned, trusted: true, pool: self, _permit: permit })
    }

    /// The connection to use, and one to end instead where a new one would be too many.
    fn find(&self, key: &K) -> (Option<Owned<K>>, Option<Owned<K>>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Owned::is_young);
        if let Some(place) = idle.iter().rposition(|owned| owned.key == *key) {
            return (Some(idle.remove(place)), None);
        }
        // Our own permit is among those in use.
        let in_use = MOST.saturating_sub(self.permits.available_permits());
        let too_many = !idle.is_empty() && idle.len() + in_use > MOST;
        (None, too_many.then(|| idle.remove(0)))
    }
}

impl<K> Owned<K> {
    fn is_young(&self) -> bool {
        self.since.elapsed() < LIFETIME
    }
}

impl<K: Clone> Taken<'_, K> {
    pub(crate) fn connection(&self) -> &Connection {
        &self.owned.connection
    }

    /// Ends this connection, and those that nobody uses at the moment: what answers there may be
    /// as far out of step.
    pub(crate) fn end(mut self) {
        self.trusted = false;
    }
}

impl<K: Clone> Drop for Taken<'_, K> {
    fn drop(&mut self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match self.trusted {
            // A connection ends when its last handle is dropped.
            true if !self.owned.is_young() => {}
            true => idle.push(self.owned.clone()),
            false => idle.clear(),
        }
    }
}

/// A few connections hide the latency of a service; each costs a handshake on both sides.
const MOST: usize = 4;

/// A short answer leaves most of a longer one in the buffers of its connection, which are wiped when
/// they are freed. One that is looked at all the time would keep a value that was replaced long ago.
const LIFETIME: Duration = Duration::from_secs(60);

/// A host may have ended one that nothing was sent on for longer.
const UNUSED: Duration = Duration::from_secs(10);
