//! The connections of a server: who gets in, who waits, and who must go.
//!
//! One peer may have all places that nobody else wants, since an API server is one and calls as often
//! as Pods come. When there is none left, one who has fewer gets the place of one who has more, and
//! whoever has most waits for its own: as an API server does, for some seconds.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;

use super::activity::Activity;
use super::connection;
use super::displace::{Idle, Newcomer, most_dispensable};
use super::peers::Peer;
use super::phase::Phase;
use super::shared::Shared;
use super::silence;
use crate::metrics::Closed;

/// Dropping it ends all connections.
pub(super) struct Crowd {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    tasks: JoinSet<()>,
    open: HashMap<Id, OpenConnection>,
    /// The oldest first.
    waiting: VecDeque<WaitingConnection>,
}

struct OpenConnection {
    peer: Peer,
    activity: Activity,
    handle: AbortHandle,
}

/// Accepted, and nothing read of it.
struct WaitingConnection {
    tcp: TcpStream,
    peer: Peer,
    since: Instant,
    until: Instant,
}

impl WaitingConnection {
    fn is_silent(&self) -> bool {
        silence::is_over(self.since) && silence::is_empty(&self.tcp)
    }
}

impl Crowd {
    pub(super) fn new(shared: Arc<Shared>, phase: watch::Receiver<Phase>) -> Self {
        Self {
            shared,
            phase,
            tasks: JoinSet::new(),
            open: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn admit(&mut self, tcp: TcpStream, peer: Peer) {
        // An answer is one write; there is nothing to gather.
        let _ = tcp.set_nodelay(true);
        // What a client has not taken when its connection ends goes with it: the kernel would keep
        // it for minutes, on our account and in any number. An orderly end waits for the client.
        let _ = tcp.set_zero_linger();
        if self.has_room_for(peer) {
            self.serve(tcp, peer);
        } else {
            self.wait(tcp, peer);
        }
        self.tell();
    }

    /// Gives free places to those who wait, and takes leave of those who have waited long enough.
    pub(super) fn settle(&mut self) {
        let now = Instant::now();
        while self.waiting.front().is_some_and(|first| first.until <= now) {
            self.waiting.pop_front();
            self.shared.metrics.closed(Closed::Refused);
        }
        while let Some((at, peer)) = self.next() {
            if !self.has_room_for(peer) {
                break;
            }
            if let Some(WaitingConnection { tcp, .. }) = self.waiting.remove(at) {
                self.serve(tcp, peer);
            }
        }
        self.tell();
    }

    pub(super) fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns when a connection has ended; `false` where there is none.
    pub(super) async fn ended(&mut self) -> bool {
        let Some(ended) = self.tasks.join_next_with_id().await else { return false };
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.remove(id);
        true
    }

    /// Ends so many connections, first of those that wait and then of those that do not work.
    pub(super) fn make_room(&mut self, places: usize) {
        for _ in 0..places {
            if self.waiting.pop_back().is_some() {
                self.shared.metrics.closed(Closed::Refused);
            } else if let Some(id) = most_dispensable(&self.idle()) {
                self.displace(id);
            }
        }
        self.tell();
    }

    /// The oldest one of those whose peer has the fewest connections, and of silent ones last.
    fn next(&self) -> Option<(usize, Peer)> {
        let waiting = self.waiting.iter().enumerate();
        let key = |(at, next): &(usize, &WaitingConnection)| {
            (next.is_silent(), self.shared.peers.of(next.peer), *at)
        };
        let (at, next) = waiting.min_by_key(key)?;
        Some((at, next.peer))
    }

    fn has_room_for(&mut self, peer: Peer) -> bool {
        if self.open.len() < self.shared.limits.connections {
            return true;
        }
        let places = self.shared.peers.of(peer);
        let all = self.shared.peers.count() + usize::from(places == 0);
        let share = self.shared.limits.connections / all.max(1);
        let newcomer = Newcomer { peer, places, share };
        let Some(id) = newcomer.gets_place_of(&self.idle(), Instant::now()) else { return false };
        self.displace(id);
        true
    }

    /// The connections that do not work.
    fn idle(&self) -> Vec<Idle<Id>> {
        let idle = |(id, OpenConnection { peer, activity, .. }): (&Id, &OpenConnection)| {
            let (idleness, since) = activity.rank()?;
            let (peer, places) = (*peer, self.shared.peers.of(*peer));
            Some(Idle { id: *id, peer, places, idleness, since })
        };
        self.open.iter().filter_map(idle).collect()
    }

    fn serve(&mut self, tcp: TcpStream, peer: Peer) {
        let tcp = Arc::new(tcp);
        let activity = Activity::new(Arc::downgrade(&tcp));
        let (shared, phase) = (Arc::clone(&self.shared), self.phase.clone());
        let handle =
            self.tasks.spawn(connection::serve(tcp, peer, activity.clone(), shared, phase));
        self.shared.peers.take(peer, 1, usize::MAX);
        self.open.insert(handle.id(), OpenConnection { peer, activity, handle });
        self.shared.metrics.connections.inc();
    }

    /// Where too many wait, one goes that is silent, of who has most connections, open and waiting.
    fn wait(&mut self, tcp: TcpStream, peer: Peer) {
        let now = Instant::now();
        let until = now + self.shared.limits.wait;
        self.waiting.push_back(WaitingConnection { tcp, peer, since: now, until });
        if self.waiting.len() <= self.shared.limits.waiting_connections {
            return;
        }
        let mut places = HashMap::new();
        for WaitingConnection { peer, .. } in &self.waiting {
            *places.entry(*peer).or_insert_with(|| self.shared.peers.of(*peer)) += 1;
        }
        let waiting = self.waiting.iter().enumerate();
        let most = waiting
            .max_by_key(|(at, waiting)| (waiting.is_silent(), places.get(&waiting.peer), *at));
        if let Some((at, _)) = most {
            self.waiting.remove(at);
            self.shared.metrics.closed(Closed::Refused);
        }
    }

    fn displace(&mut self, id: Id) {
        if let Some(handle) = self.remove(id) {
            handle.abort();
            self.shared.metrics.closed(Closed::Displaced);
        }
    }

    fn remove(&mut self, id: Id) -> Option<AbortHandle> {
        let OpenConnection { peer, handle, .. } = self.open.remove(&id)?;
        self.shared.peers.give_back(peer, 1);
        self.shared.metrics.connections.dec();
        Some(handle)
    }

    fn tell(&self) {
        let fewest = self.waiting.iter().map(|next| self.shared.peers.of(next.peer)).min();
        self.shared.fewest.store(fewest.unwrap_or(usize::MAX), Ordering::Relaxed);
        let waiting = i64::try_from(self.waiting.len()).unwrap_or(i64::MAX);
        self.shared.metrics.queued.set(waiting);
    }
}
