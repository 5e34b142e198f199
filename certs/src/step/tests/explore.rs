//! Every order in which replicas, time and faults can act, up to a last tick.

use super::faults::Event;
use super::quick::{Map, Set, digest};
use super::world::{Config, World};

/// What was found in one exploration.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) worlds: usize,
    /// The most writes that changed anything, on any way from the first world.
    pub(super) most_writes: u16,
    pub(super) certificates: u8,
}

/// How finely things are taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// Anything may come between the sending of a write, its arrival and its answer.
    Fine,
    /// Both objects are read at one moment, and a write arrives and is answered at once.
    Coarse,
}

struct Explorer<const N: usize> {
    last: i8,
    grain: Grain,
    /// The most writes that can follow; none yet while what follows is explored.
    known: Map<u64, Option<u16>>,
    /// Worlds from which all comes to rest, once every replica has read what is there.
    calm: Set<u64>,
    certificates: u8,
    path: Vec<Event>,
}

/// Panics with the way to it where a rule is broken.
pub(super) fn explore<const N: usize>(first: World<N>, last: i8, grain: Grain) -> Found {
    // As deep as the longest way, which is some thousand steps.
    let thread = std::thread::Builder::new().stack_size(1 << 30).spawn(move || {
        let mut explorer = Explorer {
            last,
            grain,
            known: Map::default(),
            calm: Set::default(),
            certificates: 0,
            path: Vec::new(),
        };
        let most_writes = explorer.visit(first);
        Found { worlds: explorer.known.len(), most_writes, certificates: explorer.certificates }
    });
    match thread.unwrap().join() {
        Ok(found) => found,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl<const N: usize> Explorer<N> {
    /// The most writes that can follow.
    fn visit(&mut self, world: World<N>) -> u16 {
        let seen = digest(&world);
        match self.known.get(&seen) {
            Some(Some(writes)) => return *writes,
            // Ticks and faults run out: going round means that replicas write forever.
            Some(None) => self.fail(&world, "replicas undo each other's work forever"),
            None => {}
        }
        self.known.insert(seen, None);
        self.certificates = self.certificates.max(world.count);
        if let Err(problem) = world.check() {
            self.fail(&world, &problem);
        }
        self.comes_to_rest(world);
        let mut most = 0;
        for (what, next, wrote) in self.moves(&world) {
            let next = next.settle();
            if next != world {
                self.path.push(what);
                most = most.max(self.visit(next) + u16::from(wrote));
                self.path.pop();
            }
        }
        self.known.insert(seen, Some(most));
        most
    }

    /// What can happen next, and whether it is a write that changed something. A replica thinks
    /// again whenever it has read something, or just because time has passed.
    fn moves(&self, world: &World<N>) -> Vec<(Event, World<N>, bool)> {
        let mut moves = Vec::new();
        for index in 0..N {
            let mut add = |what, act: &dyn Fn(&mut World<N>) -> bool| {
                let mut next = *world;
                let wrote = act(&mut next);
                moves.push(((what, Some(index)), next, wrote));
            };
            for (what, secret, config) in READS {
                if self.grain == Grain::Coarse && secret != config {
                    continue;
                }
                add(what, &|next| {
                    let now = *next;
                    if secret {
                        next.replicas[index].secret = Some(now.secret);
                    }
                    if config {
                        next.replicas[index].sees(now.config);
                    }
                    next.step(index);
                    self.grain == Grain::Coarse && next.land(index)
                });
            }
            if self.grain == Grain::Fine {
                add("is answered", &|next| next.land(index));
            }
        }
        let mut add = |what, act: &dyn Fn(&mut World<N>)| {
            let mut next = *world;
            act(&mut next);
            moves.push(((what, None), next, false));
        };
        if let Some(write) = world.late {
            add("the late write arrives", &|next| {
                next.late = None;
                next.arrive(write);
            });
        }
        add("helm puts the webhook there", &|next| next.install());
        add("the Secret ends with its owner", &|next| next.collect());
        if world.tick < self.last {
            add("a tick", &|next| next.pass());
        }
        moves.extend(world.faults().into_iter().map(|(what, next)| (what, next, false)));
        moves
    }

    /// Without further faults, and each replica in its turn, there is a moment at which nobody
    /// does anything; with a configuration all are ready then.
    fn comes_to_rest(&mut self, mut world: World<N>) {
        world.late = None;
        world.faults = 0;
        for replica in &mut world.replicas {
            replica.flight = None;
            replica.secret = Some(world.secret);
            replica.sees(world.config);
        }
        let mut on_the_way = Vec::new();
        for _ in 0..ROUNDS {
            let seen = digest(&world);
            if self.calm.contains(&seen) {
                self.calm.extend(on_the_way);
                return;
            }
            on_the_way.push(seen);
            while world.round() {}
            if world.config.is_none_or(|config| !config.has_webhook) {
                world.install();
                continue;
            }
            if (0..N).all(|index| world.is_ready(index)) {
                self.calm.extend(on_the_way);
                return;
            }
            world.pass();
        }
        self.fail(&world, "it never comes to rest with all replicas ready");
    }

    fn fail(&self, world: &World<N>, problem: &str) -> ! {
        let path: Vec<_> = self.path.iter().map(|event| format!("{event:?}")).collect();
        panic!("{problem}\n{}\n{world:#?}", path.join("\n"));
    }
}

impl<const N: usize> World<N> {
    /// Every replica reads all and goes as far as it can. `false`: nobody did anything.
    fn round(&mut self) -> bool {
        let before = *self;
        self.collect();
        for index in 0..N {
            let (secret, config) = (self.secret, self.config);
            self.replicas[index].secret = Some(secret);
            self.replicas[index].sees(config);
            for turn in 0.. {
                assert!(turn < STEPS, "replica {index} does not stop: {self:#?}");
                if !self.step(index) {
                    break;
                }
                self.land(index);
            }
        }
        *self != before
    }

    /// A chart puts our webhook there, without a CA.
    fn install(&mut self) {
        match self.config {
            Some(config) if config.has_webhook => {}
            Some(config) => {
                self.publish(Some(Config { has_webhook: true, bundle: 0, ..config }));
            }
            None => {
                self.uids += 1;
                self.publish(Some(Config { uid: self.uids, has_webhook: true, bundle: 0 }));
            }
        }
    }

    /// The garbage collector takes a Secret whose configuration is gone.
    fn collect(&mut self) {
        let owner = self.config.map(|config| config.uid);
        if self.secret.is_some_and(|secret| Some(secret.owner) != owner) {
            self.store(None);
        }
    }
}

const READS: [(&str, bool, bool); 4] = [
    ("goes on", false, false),
    ("reads the Secret", true, false),
    ("reads the configuration", false, true),
    ("reads both", true, true),
];

/// Ticks until all are ready, at the most: twice what a rotation takes.
const ROUNDS: usize = 8;
const STEPS: usize = 8;
