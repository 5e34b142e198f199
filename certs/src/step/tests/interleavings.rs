//! Replicas that act in any order at the turning points of a certificate's life, with a fault
//! or two at any moment.

use super::explore::Grain::{self, Coarse, Fine};
use super::explore::explore;
use super::world::World;

/// Two certificates before it are due, and the first of all.
const DUE: [i8; 1] = [-9];
/// The first one's CA ends within two ticks, the second is served.
const OLD_ENDS: [i8; 2] = [-13, -3];
/// Nobody was there for long.
const ENDED: [i8; 1] = [-40];

/// Every rule of the exploration, and no more writes than the way needs and faults make
/// necessary.
fn hold<const N: usize>(first: World<N>, last: i8, grain: Grain) {
    let found = explore(first, last, grain);
    eprintln!("{found:?}");
    assert!(found.worlds > 1000, "{found:?}");
    assert!(found.most_writes <= 3 + 5 * u16::from(first.faults), "{found:?}");
    assert!(found.certificates <= first.count + 1 + first.faults, "{found:?}");
}

#[test]
fn two_replicas_begin_at_once() {
    hold(World::<2>::empty(1), 3, Fine);
}

#[test]
fn two_replicas_rotate() {
    hold(World::<2>::running(&DUE, 1), 4, Fine);
}

#[test]
fn two_replicas_drop_a_ca_that_has_ended() {
    hold(World::<2>::running(&OLD_ENDS, 1), 5, Fine);
}

#[test]
fn two_replicas_come_back_when_all_has_ended() {
    hold(World::<2>::running(&ENDED, 1), 3, Fine);
}

#[test]
fn two_replicas_bear_two_faults() {
    hold(World::<2>::empty(2), 3, Coarse);
    hold(World::<2>::running(&DUE, 2), 2, Coarse);
}

#[test]
fn three_replicas_begin_at_once() {
    hold(World::<3>::empty(0), 3, Fine);
    hold(World::<3>::empty(1), 3, Coarse);
}

#[test]
fn three_replicas_rotate() {
    hold(World::<3>::running(&DUE, 0), 4, Fine);
    hold(World::<3>::running(&DUE, 1), 3, Coarse);
}
