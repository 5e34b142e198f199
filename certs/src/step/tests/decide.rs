//! From the small world's values to those of the machine and back. Answers are kept: the same
//! question comes up a thousand times.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::{Scene, Step, next_step};
use super::quick::Map;
use super::world::{CERTIFICATES, Config, LEAF, SETTLE, SETTLE_FIRST, SKEW, Secret, Set, Write};
use crate::anchor::Anchor;
use crate::coverage::Coverage;
use crate::lifetimes::Lifetimes;
use crate::pair::Pair;
use crate::private_key::PrivateKey;
use crate::published::Published;
use crate::state::Serving;
use crate::stored::{Contents, Stored};

/// Everything that one replica's decision depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) secret: Option<Secret>,
    pub(super) config: Option<Config>,
    pub(super) ages: Ages,
    pub(super) serving: u8,
    /// By the replica's own clock.
    pub(super) clock: i8,
    pub(super) made: [i8; CERTIFICATES + 1],
    pub(super) index: u8,
}

/// For how many ticks each CA has been seen.
pub(super) type Ages = [u8; 8];

#[derive(Clone, Copy)]
pub(super) struct Decision {
    pub(super) serve: Option<u8>,
    pub(super) write: Option<Write>,
    pub(super) covered: bool,
}

pub(super) fn decide(key: Key) -> Decision {
    thread_local!(static KNOWN: RefCell<Map<Key, Decision>> = RefCell::default());
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&key).copied()) {
        return known;
    }
    let decision = key.decide();
    KNOWN.with_borrow_mut(|known| known.insert(key, decision));
    decision
}

/// How old what a replica has seen of `caBundle` is after it has read another version.
pub(super) fn observe(ages: Ages, before: Option<Config>, now: Option<Config>) -> Ages {
    type Seen = (Ages, Option<Config>, Option<Config>);
    thread_local!(static KNOWN: RefCell<Map<Seen, Ages>> = RefCell::default());
    let key = (ages, before, now);
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&key).copied()) {
        return known;
    }
    let far = |id: &u8| Anchor::named(&id.to_string(), time(i8::MAX), true);
    let mut coverage = coverage(ages, before, &far);
    let webhook = now.filter(|config| config.has_webhook);
    let published = webhook.map(|config| {
        let anchors = (0..8).filter(|id| config.bundle & (1 << id) != 0);
        Published::with(&config.uid.to_string(), anchors.map(|id| far(&id)).collect())
    });
    coverage.observe(published.as_ref(), UP);
    let age = |since: Duration| (UP - since).as_secs() / TICK.as_secs();
    let ages = std::array::from_fn(|id| match coverage.since(&far(&u8::try_from(id).unwrap())) {
        Some(since) => u8::try_from(age(since)).unwrap(),
        None => u8::MAX,
    });
    KNOWN.with_borrow_mut(|known| known.insert(key, ages));
    ages
}

/// As it would be after reading a configuration in which each CA is as old as this.
fn coverage(ages: Ages, config: Option<Config>, anchor: &dyn Fn(&u8) -> Anchor) -> Coverage {
    let mut coverage = Coverage::default();
    let uid = config.map_or(0, |config| config.uid).to_string();
    for age in (0..=SETTLE).rev() {
        let known = |id: &u8| (age..=SETTLE).contains(&ages[usize::from(*id)]);
        let anchors = (0..8).filter(known).map(|id| anchor(&id)).collect();
        coverage.observe(Some(&Published::with(&uid, anchors)), UP - TICK * age.into());
    }
    coverage
}

impl Key {
    fn decide(&self) -> Decision {
        let stored = self.secret.map(|secret| {
            // A pair is of use if its CA stands beside it.
            let pair = |id: u8| (secret.anchors & (1 << id) != 0).then(|| self.pair(id)).flatten();
            Stored::with(Contents {
                current: pair(secret.current),
                next: pair(secret.next),
                anchors: self.anchors(secret.anchors),
            })
        });
        let published = self
            .config
            .filter(|config| config.has_webhook)
            .map(|config| Published::with(&config.uid.to_string(), self.anchors(config.bundle)));
        let coverage = coverage(self.ages, self.config, &|id| self.anchor(*id));
        let serving = self.pair(self.serving);
        let scene = Scene {
            stored: stored.as_ref(),
            published: published.as_ref(),
            serving: serving.as_ref(),
            coverage: &coverage,
            now: time(self.clock),
            up: UP,
            lifetimes: &LIFETIMES,
            jitter: f64::from(self.index) / 2.0,
        };
        let mut decision = Decision { serve: None, write: None, covered: scene.is_covered() };
        let step = next_step(&scene);
        match step {
            Step::Wait(_) => {}
            Step::Serve(pair) => decision.serve = Some(id(&pair)),
            Step::Publish(anchors) => {
                let to = set(&anchors);
                decision.write = self.config.map(|from| Write::Bundle { from, to });
            }
            Step::Promote(contents) | Step::Prune(contents) => {
                decision.write = Some(self.write(&contents, None));
            }
            Step::Issue(contents) => {
                decision.write = Some(self.write(&contents, Some(self.clock)));
            }
        }
        decision
    }

    fn write(&self, contents: &Contents, made: Option<i8>) -> Write {
        let new = self.config.map_or(0, |config| config.uid);
        let to = Secret {
            owner: self.secret.map_or(new, |secret| secret.owner),
            current: contents.current.as_ref().map_or(0, id),
            next: contents.next.as_ref().map_or(0, id),
            anchors: set(&contents.anchors),
        };
        Write::Secret { from: self.secret, to, made }
    }

    fn pair(&self, id: u8) -> Option<Pair> {
        let made = *self.made.get(usize::from(id)).filter(|_| id > 0)?;
        let serving = Serving {
            cert_pem: id.to_string(),
            key: PrivateKey::new(String::new()),
            not_after: time(made + LEAF),
        };
        Some(Pair { serving: Arc::new(serving), ca: self.anchor(id), issued: time(made) })
    }

    fn anchor(&self, id: u8) -> Anchor {
        match self.made.get(usize::from(id)) {
            Some(made) => Anchor::named(&id.to_string(), time(made + LEAF), true),
            None => Anchor::named(&id.to_string(), time(i8::MAX), false),
        }
    }

    fn anchors(&self, set: Set) -> Vec<Anchor> {
        (0..8).filter(|id| set & (1 << id) != 0).map(|id| self.anchor(id)).collect()
    }
}

fn id(pair: &Pair) -> u8 {
    pair.serving.cert_pem.parse().unwrap()
}

fn set(anchors: &[Anchor]) -> Set {
    let name = |anchor: &Anchor| String::from_utf8(anchor.der().to_vec()).unwrap();
    anchors.iter().fold(0, |set, anchor| set | 1 << name(anchor).parse::<u8>().unwrap())
}

/// A tick is twenty minutes: clocks that are two apart are far from absurd.
fn time(tick: i8) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000) + TICK * u32::from(tick.cast_unsigned() ^ 0x80)
}

const TICK: Duration = Duration::from_secs(1200);
const UP: Duration = Duration::from_secs(1_000_000);
const LIFETIMES: Lifetimes = Lifetimes {
    leaf: Duration::from_secs(1200 * LEAF as u64),
    settle: Duration::from_secs(1200 * SETTLE as u64),
    settle_first: Duration::from_secs(1200 * SETTLE_FIRST as u64),
    skew: Duration::from_secs(1200 * SKEW as u64),
};
