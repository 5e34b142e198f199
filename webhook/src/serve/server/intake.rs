//! The memory that request bodies and answers share.
//!
//! A request that does not fit is refused and not queued: an answer after the API server's
//! deadline helps nobody. Large bodies may not take the last of it, so that a few of them, sent
//! slowly, do not shut out ordinary Pods; and one peer has its share and no more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::gauge::Gauge;

use super::limits::Limits;
use super::peers::{Peer, Shares};
use crate::metrics::Metrics;

#[derive(Clone, Debug)]
pub(crate) struct Intake {
    taken: Arc<Mutex<usize>>,
    bytes: usize,
    peers: Arc<Shares>,
    each: usize,
    held: Gauge,
}

/// The share of one request, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    intake: Intake,
    peer: Peer,
    bytes: usize,
}

impl Intake {
    pub(crate) fn new(limits: &Limits, metrics: &Metrics) -> Self {
        let bytes = limits.bodies_bytes;
        let each = bytes / 2;
        let held = metrics.held.clone();
        Self { taken: Arc::default(), bytes, peers: Arc::default(), each, held }
    }

    pub(crate) fn enter(&self, peer: Peer) -> Share {
        Share { intake: self.clone(), peer, bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes room for `more` bytes, or says that there is none.
    pub(crate) fn grow(&mut self, more: usize) -> bool {
        let mut taken = self.intake.lock();
        let own = self.bytes.saturating_add(more);
        let all = taken.saturating_add(more);
        let room = |all: usize| if own <= ORDINARY { all } else { all - all / 4 };
        let each = room(self.intake.each);
        if all > room(self.intake.bytes) || !self.intake.peers.take(self.peer, more, each) {
            return false;
        }
        *taken = all;
        self.bytes = own;
        self.intake.held.inc_by(signed(more));
        true
    }

    /// Gives back room for `less` bytes.
    pub(crate) fn shrink(&mut self, less: usize) {
        let less = less.min(self.bytes);
        let mut taken = self.intake.lock();
        *taken = taken.saturating_sub(less);
        self.bytes -= less;
        self.intake.peers.give_back(self.peer, less);
        self.intake.held.dec_by(signed(less));
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Reviews of ordinary Pods are 3 to 30 KB.
const ORDINARY: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::at(([10, 0, 0, last], 1).into())
    }

    /// In which one peer has so many bytes.
    fn intake(bodies_bytes: usize) -> Intake {
        let limits = Limits { bodies_bytes: 2 * bodies_bytes, ..Limits::default() };
        Intake::new(&limits, &Metrics::new())
    }

    #[test]
    fn bytes_are_given_back() {
        let intake = intake(1000);
        let mut first = intake.enter(peer(1));
        let mut second = intake.enter(peer(1));
        assert!(first.grow(600) && first.grow(400));
        assert!(!second.grow(1));
        drop(first);
        assert!(second.grow(1000));
    }

    #[test]
    fn an_answer_takes_the_place_of_its_review() {
        let intake = intake(1000);
        let mut first = intake.enter(peer(1));
        assert!(first.grow(300) && first.grow(600));
        first.shrink(300);
        assert!(intake.enter(peer(1)).grow(400));
        drop(first);
        assert!(intake.enter(peer(1)).grow(1000));
        assert_eq!(intake.held.get(), 0);
    }

    #[test]
    fn one_peer_has_its_share_and_leaves_the_rest_to_others() {
        let intake = intake(500);
        let (mut one, mut other) = (intake.enter(peer(1)), intake.enter(peer(2)));
        assert!(one.grow(500) && !one.grow(1) && !intake.enter(peer(1)).grow(1));
        assert!(other.grow(500));
        drop(one);
        assert!(intake.enter(peer(1)).grow(500));
    }

    #[test]
    fn all_peers_together_have_no_more_than_there_is() {
        let intake = intake(500);
        let [mut one, mut other, mut last] = [1, 2, 3].map(|last| intake.enter(peer(last)));
        assert!(one.grow(500) && other.grow(499) && last.grow(1));
        assert!(!last.grow(1));
        drop(other);
        assert!(last.grow(499));
    }

    #[test]
    fn large_bodies_leave_room_for_ordinary_ones() {
        let intake = intake(8 * ORDINARY);
        let mut large = intake.enter(peer(1));
        assert!(large.grow(6 * ORDINARY));
        assert!(!large.grow(1));
        assert!(intake.enter(peer(1)).grow(ORDINARY));
    }
}
