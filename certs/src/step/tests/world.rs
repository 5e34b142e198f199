//! A small world: one API server as it stores things, other API servers that are behind, and
//! replicas. Small values stand for objects; every decision is the real `next_step`.
//!
//! Contents stand for versions: a write lands if the object is what the writer had read.

use super::decide::{Ages, Decision, Key, decide, observe};

/// A set of CAs: bit N is certificate N's, the last bit somebody else's.
pub(super) type Set = u8;
pub(super) const FOREIGN: Set = 1 << 7;
/// Certificates are numbered from 1 as they are stored; 0 is none, or one that is of no use.
pub(super) const CERTIFICATES: usize = 6;

/// In ticks. API servers are up to one tick behind.
pub(super) const LEAF: i8 = 14;
pub(super) const SETTLE: u8 = 2;
pub(super) const SETTLE_FIRST: u8 = 2;
/// Clocks differ by up to two.
pub(super) const SKEW: i8 = 3;
pub(super) const CLOCKS: [i8; 3] = [0, 1, -1];
const NEVER: u8 = u8::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Secret {
    pub(super) owner: u8,
    pub(super) current: u8,
    pub(super) next: u8,
    pub(super) anchors: Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Config {
    pub(super) uid: u8,
    pub(super) has_webhook: bool,
    pub(super) bundle: Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Write {
    /// With a new certificate where one was made, at this time of its maker's clock.
    Secret {
        from: Option<Secret>,
        to: Secret,
        made: Option<i8>,
    },
    Bundle {
        from: Config,
        to: Set,
    },
    /// A write of the Secret, or else of the configuration, which has changed since: it will be
    /// refused.
    Refused {
        secret: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Replica {
    /// What was read last, if anything.
    pub(super) secret: Option<Option<Secret>>,
    pub(super) config: Option<Option<Config>>,
    /// For how many ticks each CA has been seen, as far as that matters.
    pub(super) ages: Ages,
    pub(super) serving: u8,
    /// Sent and not answered.
    pub(super) flight: Option<Write>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct World<const N: usize> {
    pub(super) tick: i8,
    pub(super) secret: Option<Secret>,
    pub(super) config: Option<Config>,
    /// What was there before: a stale read may show it.
    pub(super) old_secret: Option<Secret>,
    pub(super) old_config: Option<Config>,
    /// What every version of `caBundle` in this tick, and in the one before, had.
    pub(super) low: [Set; 2],
    /// What a fault took away and API servers may still be without.
    pub(super) lost: Set,
    /// By whose clock each certificate was made when.
    pub(super) made: [i8; CERTIFICATES + 1],
    pub(super) count: u8,
    pub(super) replicas: [Replica; N],
    /// A write whose sender has given up, and that may land yet.
    pub(super) late: Option<Write>,
    /// How many configurations there were.
    pub(super) uids: u8,
    /// How many faults may happen yet.
    pub(super) faults: u8,
}

impl Replica {
    pub(super) const NEW: Self =
        Self { secret: None, config: None, ages: [NEVER; 8], serving: 0, flight: None };

    pub(super) fn sees(&mut self, config: Option<Config>) {
        self.ages = observe(self.ages, self.config.flatten(), config);
        self.config = Some(config);
    }
}

impl<const N: usize> World<N> {
    /// Nothing but replicas that start.
    pub(super) fn empty(faults: u8) -> Self {
        Self {
            tick: 0,
            secret: None,
            config: None,
            old_secret: None,
            old_config: None,
            low: [0; 2],
            lost: 0,
            made: [0; CERTIFICATES + 1],
            count: 0,
            replicas: [Replica::NEW; N],
            late: None,
            uids: 0,
            faults,
        }
    }

    /// Certificates made at these ticks, the last of them served by all for long.
    pub(super) fn running(made: &[i8], faults: u8) -> Self {
        let mut world = Self::empty(faults);
        let count = u8::try_from(made.len()).unwrap();
        let bundle = made.iter().enumerate().fold(0, |set, (index, _)| set | 2 << index);
        world.made[1..=made.len()].copy_from_slice(made);
        (world.count, world.uids) = (count, 1);
        world.secret = Some(Secret { owner: 1, current: count, next: 0, anchors: bundle });
        world.config = Some(Config { uid: 1, has_webhook: true, bundle });
        (world.old_secret, world.old_config) = (world.secret, world.config);
        world.low = [bundle; 2];
        for replica in &mut world.replicas {
            replica.secret = Some(world.secret);
            replica.sees(world.config);
            replica.ages = replica.ages.map(|age| if age == NEVER { age } else { SETTLE });
            replica.serving = count;
        }
        world
    }

    pub(super) fn decide(&self, index: usize) -> Option<Decision> {
        let replica = &self.replicas[index];
        Some(decide(Key {
            secret: replica.secret?,
            config: replica.config?,
            ages: replica.ages,
            serving: replica.serving,
            clock: self.tick + CLOCKS[index],
            made: self.made,
            index: u8::try_from(index).unwrap(),
        }))
    }

    /// The replica's own word for its readiness probe.
    pub(super) fn is_ready(&self, index: usize) -> bool {
        self.decide(index).is_some_and(|decision| decision.covered)
    }

    /// A ready replica serves what every API server trusts, whichever version of `caBundle` it
    /// has, unless somebody took that CA away.
    pub(super) fn check(&self) -> Result<(), String> {
        for (index, replica) in self.replicas.iter().enumerate() {
            let trusted = self.low_mark() | self.lost;
            if self.is_ready(index) && trusted & (1 << replica.serving) == 0 {
                let serving = replica.serving;
                return Err(format!("replica {index} is ready with {serving}: not trusted"));
            }
        }
        Ok(())
    }

    /// What every API server trusts, however far behind it is.
    pub(super) fn low_mark(&self) -> Set {
        self.low[0] & self.low[1]
    }

    /// Takes the step that the machine names. `false`: it waits. Before it makes a Secret, a
    /// replica reads again who is to own it.
    pub(super) fn step(&mut self, index: usize) -> bool {
        if self.replicas[index].flight.is_some() {
            return false;
        }
        let Some(mut decision) = self.decide(index) else { return false };
        let config = self.config;
        if matches!(decision.write, Some(Write::Secret { from: None, .. })) {
            self.replicas[index].sees(config);
            let Some(again) = self.decide(index) else { return false };
            decision = again;
        }
        let replica = &mut self.replicas[index];
        if let Some(serving) = decision.serve {
            replica.serving = serving;
        }
        replica.flight = decision.write;
        decision.serve.is_some() || decision.write.is_some()
    }

    /// The write arrives, and the answer too. A writer that is refused reads what is there.
    pub(super) fn land(&mut self, index: usize) -> bool {
        let Some(write) = self.replicas[index].flight.take() else { return false };
        let changed = self.arrive(write);
        let (secret, config) = (self.secret, self.config);
        let replica = &mut self.replicas[index];
        match write {
            Write::Secret { .. } | Write::Refused { secret: true } => replica.secret = Some(secret),
            Write::Bundle { .. } | Write::Refused { .. } => replica.sees(config),
        }
        changed
    }

    /// `true` if something changed by it.
    pub(super) fn arrive(&mut self, write: Write) -> bool {
        match write {
            Write::Secret { from, mut to, made } if from == self.secret => {
                if let Some(made) = made {
                    self.count += 1;
                    let id = self.count;
                    assert!(usize::from(id) <= CERTIFICATES, "made too many: {self:#?}");
                    self.made[usize::from(id)] = made;
                    to.next = id;
                    to.anchors |= 1 << id;
                }
                self.store(Some(to))
            }
            Write::Bundle { from, to } if Some(from) == self.config => {
                self.publish(Some(Config { bundle: to, ..from }))
            }
            _ => false,
        }
    }

    /// Worlds that cannot be told apart from now on become one: a version never comes back, so
    /// a write that is too late stays so, and what nobody can read any more is forgotten.
    pub(super) fn settle(mut self) -> Self {
        let (secret, config) = (self.secret, self.config);
        let still = |write: Write| match write {
            Write::Secret { from, .. } if from != secret => Write::Refused { secret: true },
            Write::Bundle { from, .. } if Some(from) != config => Write::Refused { secret: false },
            write => write,
        };
        for replica in &mut self.replicas {
            replica.flight = replica.flight.map(still);
        }
        self.late = self.late.map(still).filter(|late| !matches!(late, Write::Refused { .. }));
        if self.faults == 0 {
            (self.old_secret, self.old_config) = (secret, config);
        }
        self
    }

    pub(super) fn store(&mut self, secret: Option<Secret>) -> bool {
        let changed = self.secret != secret;
        if changed {
            self.old_secret = self.secret;
        }
        self.secret = secret;
        changed
    }

    pub(super) fn publish(&mut self, config: Option<Config>) -> bool {
        let changed = self.config != config;
        if changed {
            self.old_config = self.config;
        }
        self.config = config;
        self.low[1] &= self.bundle();
        changed
    }

    /// What API servers trust when they are up to date.
    pub(super) fn bundle(&self) -> Set {
        self.config.filter(|config| config.has_webhook).map_or(0, |config| config.bundle)
    }

    /// Time passes for all; every API server learns what is older than that.
    pub(super) fn pass(&mut self) {
        self.tick += 1;
        self.low = [self.low[1], self.bundle()];
        self.lost &= !self.low_mark();
        for replica in &mut self.replicas {
            replica.ages = replica.ages.map(|age| match age {
                NEVER => NEVER,
                age => (age + 1).min(SETTLE),
            });
        }
    }
}
