//! What a replica does next. Pure: what was read, what is served and the time go in, one step
//! comes out, and every replica may take any step at any time.
//!
//! A new certificate is stored beside the current one (`Issue`), its CA is put into `caBundle`
//! (`Publish`), and only when API servers have had the time to see that is it made the current
//! one (`Promote`), which replicas serve (`Serve`). A CA leaves when its certificate has ended.

use std::time::{Duration, SystemTime};

use crate::anchor::{self, Anchor};
use crate::coverage::Coverage;
use crate::lifetimes::Lifetimes;
use crate::pair::Pair;
use crate::published::Published;
use crate::stored::{Contents, Stored};

/// All that a decision depends on.
pub(crate) struct Scene<'a> {
    /// `None`: there is no such Secret.
    pub(crate) stored: Option<&'a Stored>,
    /// `None`: there is no configuration, or our webhook is not in it.
    pub(crate) published: Option<&'a Published>,
    pub(crate) serving: Option<&'a Pair>,
    pub(crate) coverage: &'a Coverage,
    pub(crate) now: SystemTime,
    /// Since the start of the replica: a clock that is never set.
    pub(crate) up: Duration,
    pub(crate) lifetimes: &'a Lifetimes,
    /// From 0 to 1, drawn once by each replica.
    pub(crate) jitter: f64,
}

/// Writes hold only for the versions that the scene was read from.
#[derive(Debug)]
pub(crate) enum Step {
    /// Serve this from now on.
    Serve(Pair),
    /// Set `caBundle` to these.
    Publish(Vec<Anchor>),
    /// Store what is next as what is current.
    Promote(Contents),
    /// Make a certificate, and store it and its CA as what is next, beside this.
    Issue(Contents),
    /// Store these without the CAs that have ended.
    Prune(Contents),
    /// Nothing before this time has passed, unless something changes.
    Wait(Option<Duration>),
}

pub(crate) fn next_step(scene: &Scene<'_>) -> Step {
    scene
        .serve()
        .or_else(|| scene.publish())
        .or_else(|| scene.promote())
        .or_else(|| scene.issue())
        .or_else(|| scene.prune())
        .unwrap_or_else(|| Step::Wait(scene.wait()))
}

impl<'a> Scene<'a> {
    /// API servers accept what is served, by what was read last.
    pub(crate) fn is_covered(&self) -> bool {
        self.serving().is_some_and(|pair| self.published_since(pair).is_some())
    }

    /// When this replica would replace the newest certificate.
    pub(crate) fn rotates_at(&self) -> Option<SystemTime> {
        self.next().or(self.current()).map(|pair| pair.rotates_at(self.jitter))
    }

    /// A replica that has something covered in hand waits for what is better; any other takes
    /// what is stored at once: it was promoted because it was published long enough.
    fn serve(&self) -> Option<Step> {
        let current = self.to_serve()?;
        let wait = self.is_covered() && !self.is_settled(current, self.lifetimes.settle);
        (!wait).then(|| Step::Serve(current.clone()))
    }

    /// Only ever for what is missing, and for our own that have ended. What others put into
    /// `caBundle` stays as long as there is room.
    fn publish(&self) -> Option<Step> {
        let published = self.published?;
        let required = self.required();
        let complete = required.iter().all(|anchor| published.anchors.contains(anchor));
        if complete && !published.anchors.iter().any(|anchor| self.is_ours_and_over(anchor)) {
            return None;
        }
        let mut others = published.anchors.clone();
        others.retain(|anchor| !self.is_over(anchor));
        // The newest of our own before older ones.
        others.sort_by_key(|anchor| {
            (anchor.ours, anchor.ours.then_some(std::cmp::Reverse(anchor.not_after)))
        });
        Some(Step::Publish(anchor::select(required, others, MOST_PUBLISHED)))
    }

    fn promote(&self) -> Option<Step> {
        let next = self.next()?;
        if !self.is_settled(next, self.settle()) {
            return None;
        }
        let anchors = self.anchors([Some(next), self.current()], MOST_STORED);
        Some(Step::Promote(Contents { current: Some(next.clone()), next: None, anchors }))
    }

    /// Without a configuration nobody calls us: nothing is stored that nobody would remove.
    fn issue(&self) -> Option<Step> {
        self.published?;
        if self.rotates_at().is_some_and(|at| self.now < at) {
            return None;
        }
        let keep = self.current().or_else(|| self.serving());
        let anchors = self.anchors([keep, None], MOST_STORED - 1);
        Some(Step::Issue(Contents { current: keep.cloned(), next: None, anchors }))
    }

    fn prune(&self) -> Option<Step> {
        let stored = self.stored?;
        if !stored.anchors.iter().any(|anchor| self.is_ours_and_over(anchor)) {
            return None;
        }
        let (current, next) = (self.current(), self.next());
        let anchors = self.anchors([current, next], MOST_STORED);
        Some(Step::Prune(Contents { current: current.cloned(), next: next.cloned(), anchors }))
    }

    /// Until the first moment at which time alone would lead to another step.
    fn wait(&self) -> Option<Duration> {
        let settles = |pair: &Pair, settle: Duration| {
            let at = self.published_since(pair)? + settle;
            at.checked_sub(self.up)
        };
        let comes = |at: SystemTime| at.duration_since(self.now).ok();
        let pairs = [self.current(), self.next(), self.serving()];
        let stored = self.stored.iter().flat_map(|stored| &stored.anchors);
        let published = self.published.iter().flat_map(|published| &published.anchors);
        [
            self.to_serve().and_then(|pair| settles(pair, self.lifetimes.settle)),
            self.next().and_then(|pair| settles(pair, self.settle())),
            self.rotates_at().and_then(comes),
        ]
        .into_iter()
        .chain(pairs.into_iter().flatten().map(|pair| comes(pair.serving.not_after)))
        .chain(stored.chain(published).map(|anchor| comes(self.over_at(anchor))))
        .flatten()
        .filter(|wait| !wait.is_zero())
        .min()
    }

    fn current(&self) -> Option<&'a Pair> {
        self.alive(self.stored?.current.as_ref().ok())
    }

    fn next(&self) -> Option<&'a Pair> {
        self.alive(self.stored?.next.as_ref().ok())
    }

    fn serving(&self) -> Option<&'a Pair> {
        self.alive(self.serving)
    }

    fn alive(&self, pair: Option<&'a Pair>) -> Option<&'a Pair> {
        pair.filter(|pair| pair.is_alive(self.now))
    }

    /// What is stored as current, unless it is what this replica serves.
    fn to_serve(&self) -> Option<&'a Pair> {
        let served = |pair: &&Pair| self.serving.is_some_and(|serving| serving.same(pair));
        self.current().filter(|current| !served(current))
    }

    fn published_since(&self, pair: &Pair) -> Option<Duration> {
        self.coverage.since(&pair.ca)
    }

    fn is_settled(&self, pair: &Pair, settle: Duration) -> bool {
        self.published_since(pair).is_some_and(|since| since + settle <= self.up)
    }

    /// Before a certificate may be promoted.
    fn settle(&self) -> Duration {
        match self.current() {
            Some(_) => self.lifetimes.settle,
            None => self.lifetimes.settle_first,
        }
    }

    /// What `caBundle` must have: a replica may serve what any of these vouches for.
    fn required(&self) -> Vec<Anchor> {
        let pairs = [self.serving(), self.current(), self.next()].into_iter().flatten();
        let mut stored = self.stored_anchors();
        stored.retain(|anchor| self.now < anchor.not_after);
        anchor::select(pairs.map(|pair| pair.ca.clone()), stored, MOST_STORED)
    }

    /// What `ca.crt` is to hold: the CAs of these pairs, and what it holds and has not ended.
    fn anchors(&self, pairs: [Option<&Pair>; 2], limit: usize) -> Vec<Anchor> {
        let pairs = pairs.into_iter().flatten();
        let mut stored = self.stored_anchors();
        stored.retain(|anchor| !self.is_over(anchor));
        anchor::select(pairs.map(|pair| pair.ca.clone()), stored, limit)
    }

    fn stored_anchors(&self) -> Vec<Anchor> {
        self.stored.map(|stored| stored.anchors.clone()).unwrap_or_default()
    }

    /// When no clock can find the certificate of this CA valid any more.
    fn over_at(&self, anchor: &Anchor) -> SystemTime {
        anchor.not_after.checked_add(self.lifetimes.skew).unwrap_or(anchor.not_after)
    }

    fn is_over(&self, anchor: &Anchor) -> bool {
        self.over_at(anchor) <= self.now
    }

    fn is_ours_and_over(&self, anchor: &Anchor) -> bool {
        anchor.ours && self.is_over(anchor)
    }
}

/// Current, next, and those before that have not ended: more only if rotations are forced.
const MOST_STORED: usize = 8;
/// Half of it is room for what others add. 16 CAs are 10 to 30 KB.
const MOST_PUBLISHED: usize = 16;

#[cfg(test)]
mod tests;
