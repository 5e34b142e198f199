//! The address that a client counts as, and what each address has of something that all of them share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::http::Extensions;

/// A client's address, without its port: a client has ports in any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    pub(super) fn at(address: SocketAddr) -> Self {
        Self(address.ip().to_canonical())
    }

    /// The sender of a request. All that did not come over a connection of ours are one peer.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

/// How much each peer has. It remembers only those that have something.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<HashMap<Peer, usize>>);

impl Shares {
    pub(crate) fn of(&self, peer: Peer) -> usize {
        self.lock().get(&peer).copied().unwrap_or_default()
    }

    /// How many peers have something.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Takes more for a peer, or says that it would have more than `most`.
    pub(crate) fn take(&self, peer: Peer, more: usize, most: usize) -> bool {
        let mut all = self.lock();
        let taken = all.get(&peer).copied().unwrap_or_default().saturating_add(more);
        let fits = taken <= most;
        if fits && taken > 0 {
            all.insert(peer, taken);
        }
        fits
    }

    pub(crate) fn give_back(&self, peer: Peer, less: usize) {
        let mut all = self.lock();
        let left = all.get(&peer).copied().unwrap_or_default().saturating_sub(less);
        if left > 0 {
            all.insert(peer, left);
        } else {
            all.remove(&peer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Peer, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::at(SocketAddr::from(([10, 0, 0, last], 1)))
    }

    #[test]
    fn what_one_peer_has_is_not_missing_for_another() {
        let shares = Shares::default();
        assert!(shares.take(peer(1), 1, 1) && !shares.take(peer(1), 1, 1));
        assert!(shares.take(peer(2), 1, 1));
        shares.give_back(peer(1), 1);
        assert!(shares.take(peer(1), 1, 1));
    }

    #[test]
    fn a_peer_that_has_nothing_is_forgotten() {
        let shares = Shares::default();
        assert!(shares.take(peer(1), 2, 2) && !shares.take(peer(1), 1, 2));
        shares.give_back(peer(1), 2);
        assert!(shares.take(peer(2), 0, 2));
        assert!(shares.lock().is_empty());
    }

    #[test]
    fn ports_and_the_form_of_an_address_make_no_other_peer() {
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(Peer::at(SocketAddr::from((mapped, 2))), peer(1));
    }
}
