//! Decides which connection makes way for a newcomer where no place is free. It is pure.

use std::cmp::Reverse;
use std::time::Duration;

use tokio::time::Instant;

use super::activity::Idleness;
use super::peers::Peer;
use super::silence::SILENT;

/// A connection that does not work.
#[derive(Clone, Copy)]
pub(super) struct Idle<Id> {
    pub(super) id: Id,
    pub(super) peer: Peer,
    /// How many its peer has.
    pub(super) places: usize,
    pub(super) idleness: Idleness,
    pub(super) since: Instant,
}

pub(super) struct Newcomer {
    pub(super) peer: Peer,
    /// How many it has already.
    pub(super) places: usize,
    /// What each would have if all had as many.
    pub(super) share: usize,
}

/// A client that means to ask has done so by then.
const NEW: Duration = Duration::from_secs(1);

/// The one that would be missed least, whoever has it.
pub(super) fn most_dispensable<Id: Copy>(idle: &[Idle<Id>]) -> Option<Id> {
    idle.iter().min_by_key(|idle| (idle.idleness, idle.since)).map(|found| found.id)
}

impl Newcomer {
    /// The connection whose place it may have: one that is silent, whoever has it; the most dispensable
    /// of who has most, if that is more than it has itself and more than an equal share; else of its own.
    /// None that is new: connections of a burst would end each other before they could ask anything, and
    /// strangers who come again and again would end them too. Who gets none waits, and a new one is old
    /// in a second. Who has no more than an equal share loses none, whatever others do with theirs.
    pub(super) fn gets_place_of<Id: Copy>(&self, idle: &[Idle<Id>], now: Instant) -> Option<Id> {
        let most = |idle: &&Idle<Id>| (Reverse(idle.places), idle.idleness, idle.since);
        let silent = |idle: &&Idle<Id>| idle.idleness == Idleness::Silent && !idle.is_new(now);
        let has_less_than_its_share = self.places < self.share;
        let others = |idle: &&Idle<Id>| {
            idle.places > self.places.max(self.share)
                && (has_less_than_its_share || !idle.is_new(now))
        };
        let own = |idle: &&Idle<Id>| idle.peer == self.peer && idle.age(now) >= NEW;
        let found = idle.iter().filter(silent).min_by_key(most);
        let found = found.or_else(|| idle.iter().filter(others).min_by_key(most));
        found.or_else(|| idle.iter().filter(own).min_by_key(most)).map(|found| found.id)
    }
}

impl<Id> Idle<Id> {
    /// It may be about to ask, or is asking.
    fn is_new(&self, now: Instant) -> bool {
        let time = match self.idleness {
            Idleness::Silent => SILENT,
            Idleness::Unused | Idleness::Arriving => NEW,
            Idleness::Served => return false,
        };
        self.age(now) < time
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::Idleness::{Arriving, Served, Silent, Unused};
    use super::*;

    const MANY: u8 = 1;
    const FEW: u8 = 2;
    const STRANGER: u8 = 3;

    fn peer(last: u8) -> Peer {
        Peer::at(SocketAddr::from(([10, 0, 0, last], 1)))
    }

    /// `MANY` has six of eight places and `FEW` two. `idle` are some of them, with their ages in
    /// milliseconds; the place in the list of the one that goes is returned.
    fn goes(newcomer: u8, idle: &[(u8, Idleness, u64)]) -> Option<usize> {
        let began = Instant::now();
        let now = began + Duration::from_secs(60);
        let has = |who| match who {
            MANY => 6,
            FEW => 2,
            _ => 0,
        };
        let list: Vec<_> = idle
            .iter()
            .enumerate()
            .map(|(id, &(who, idleness, age))| Idle {
                id,
                peer: peer(who),
                places: has(who),
                idleness,
                since: now - Duration::from_millis(age),
            })
            .collect();
        let share = if newcomer == STRANGER { 8 / 3 } else { 8 / 2 };
        let newcomer = Newcomer { peer: peer(newcomer), places: has(newcomer), share };
        newcomer.gets_place_of(&list, now)
    }

    #[test]
    fn a_silent_one_goes_first_whoever_has_it() {
        assert_eq!(goes(MANY, &[(MANY, Served, 50_000), (FEW, Silent, 300)]), Some(1));
        assert_eq!(goes(FEW, &[(FEW, Silent, 900), (MANY, Silent, 300)]), Some(1), "who has most");
        assert_eq!(goes(MANY, &[(FEW, Silent, 100)]), None, "it had no time to begin");
    }

    #[test]
    fn one_who_has_fewer_gets_the_most_dispensable_place_of_who_has_most() {
        let idle = [(MANY, Served, 9_000), (FEW, Unused, 50_000), (MANY, Arriving, 2_000)];
        assert_eq!(goes(STRANGER, &idle), Some(2));
        assert_eq!(goes(STRANGER, &[(MANY, Served, 10), (FEW, Served, 50_000)]), Some(0));
        assert_eq!(goes(FEW, &[(MANY, Served, 10), (MANY, Served, 20)]), Some(1), "the oldest");
    }

    #[test]
    fn who_has_most_takes_nobody_elses_place_and_of_its_own_none_that_is_new() {
        assert_eq!(goes(MANY, &[(FEW, Served, 50_000), (FEW, Unused, 50_000)]), None);
        assert_eq!(goes(MANY, &[(FEW, Served, 50_000), (MANY, Served, 1_000)]), Some(1));
        assert_eq!(goes(MANY, &[(MANY, Served, 999), (MANY, Arriving, 999)]), None);
    }

    #[test]
    fn who_has_no_more_than_an_equal_share_loses_none_though_all_others_are_at_work() {
        assert_eq!(goes(STRANGER, &[(FEW, Served, 50_000), (FEW, Unused, 50_000)]), None);
        assert_eq!(goes(STRANGER, &[(FEW, Served, 50_000), (MANY, Served, 10)]), Some(1));
    }

    #[test]
    fn a_new_one_is_spared_unless_the_newcomer_has_less_than_its_share() {
        assert_eq!(goes(STRANGER, &[(MANY, Unused, 500)]), Some(0));
        assert_eq!(goes(FEW, &[(MANY, Arriving, 500)]), Some(0));
        assert_eq!(goes(FEW, &[(MANY, Silent, 100)]), Some(0));
        let even = Newcomer { peer: peer(FEW), places: 2, share: 2 };
        let now = Instant::now();
        let new = Idle { id: 0, peer: peer(MANY), places: 6, idleness: Unused, since: now };
        assert_eq!(even.gets_place_of(&[new], now), None);
        assert_eq!(even.gets_place_of(&[new], now + NEW), Some(0));
    }
}
