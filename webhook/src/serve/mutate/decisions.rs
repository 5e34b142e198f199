//! Where and when decisions are made.
//!
//! Ordinary reviews are decided at once, on the thread of the server: that takes less than handing
//! them to another. In a round of that thread each peer has as many decided as one of the largest has
//! bytes, and no more than take a short time, however many connections it has and however many requests
//! it sends ahead of their answers.
//! Large ones may cost milliseconds each and come by the dozen, so they take turns on a thread of their
//! own, while the server answers everybody else. One of each peer waits for the next turn and the others
//! behind it, so that nobody waits for all of somebody else's. A turn that has not begun is lost with
//! the caller who waited for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use prometheus_client::metrics::gauge::Gauge;
use rustix::process::setpriority_process;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::held::Held;
use super::judge::{Judge, Progress};
use super::pace::Pace;
use crate::facts::Facts;
use crate::metrics::{Metrics, Rejection};
use crate::serve::server::{Limits, Peer};
use crate::settings::Settings;
use crate::wire::reply::Reply;

pub(super) struct Decisions {
    judge: Arc<Judge>,
    settings: Arc<ArcSwap<Settings>>,
    turns: Arc<Semaphore>,
    /// Places for those who wait for a turn.
    places: Semaphore,
    lines: Lines,
    ordinary: Lines,
    waiting: Gauge,
}

impl Decisions {
    pub(super) fn new(
        judge: Judge,
        settings: Arc<ArcSwap<Settings>>,
        limits: &Limits,
        metrics: &Metrics,
    ) -> Self {
        Self {
            judge: Arc::new(judge),
            settings,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            places: Semaphore::new(limits.waiting),
            lines: Lines::new(1),
            ordinary: Lines::new(AT_ONCE_BYTES),
            waiting: metrics.waiting.clone(),
        }
    }

    /// Decides a review; one that gets no turn before `until` is refused.
    pub(super) async fn make(
        &self,
        review: Held,
        peer: Peer,
        until: Instant,
    ) -> Result<(Reply, Held), Rejection> {
        let (mut review, mut facts) = (review, Facts::default());
        for _ in 0..=Facts::MOST {
            let (step, back) = self.step(review, facts, peer, until).await?;
            match step {
                Progress::Decided(reply) => return Ok((reply, back)),
                Progress::Reads(wanted, known) => {
                    facts = known.with(self.judge.find(&wanted).await);
                    review = back;
                }
            }
        }
        // A step that has all facts decides.
        Err(Rejection::Failed)
    }

    async fn step(
        &self,
        review: Held,
        facts: Facts,
        peer: Peer,
        until: Instant,
    ) -> Result<(Progress, Held), Rejection> {
        if review.bytes().len() <= AT_ONCE_BYTES {
            let line = self.ordinary.of(peer);
            let share = u32::try_from(review.bytes().len()).unwrap_or(LEAST_SHARE).max(LEAST_SHARE);
            let share = timeout_at(until, line.places.acquire_many(share)).await;
            let _share = share.map_err(|_| Rejection::Busy)?;
            let began = line.round_begins(until).await?;
            let step = self.judge.step(review.bytes(), facts, &self.settings.load());
            line.pace().spend(began.elapsed());
            return Ok((step, review));
        }
        let turn = self.turn(peer, until).await?;
        let (judge, settings) = (Arc::clone(&self.judge), Arc::clone(&self.settings));
        // A set gives up what has not begun when it is dropped.
        let mut thread = JoinSet::new();
        thread.spawn_blocking(move || {
            // The server's own thread comes first where both have one core. A kernel or a sandbox that
            // does not let threads step back shares it between them.
            let _ = setpriority_process(None, BEHIND_THE_SERVER);
            let step = judge.step(review.bytes(), facts, &settings.load());
            // Both are kept to here although the caller may have left: the thread is taken, and
            // so is the memory.
            drop(turn);
            (step, review)
        });
        match thread.join_next().await {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => {
                tracing::error!(panicked = error.is_panic(), "a decision came to no end");
                Err(Rejection::Failed)
            }
            None => Err(Rejection::Failed),
        }
    }

    async fn turn(&self, peer: Peer, until: Instant) -> Result<OwnedSemaphorePermit, Rejection> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let _place = self.places.try_acquire().map_err(|_| Rejection::Busy)?;
        let _waiting = Waiting::new(&self.waiting);
        let line = self.lines.of(peer);
        let turn = async {
            let _next = line.places.acquire().await;
            Arc::clone(&self.turns).acquire_owned().await
        };
        match timeout_at(until, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Rejection::Busy),
        }
    }
}

/// A line for each peer that waits.
struct Lines {
    /// The places that each peer has.
    places: usize,
    lines: Mutex<HashMap<Peer, Weak<Lane>>>,
}

struct Lane {
    places: Semaphore,
    pace: Mutex<Pace>,
}

impl Lane {
    /// Returns in a round in which this peer may have a review decided: connections of others, and
    /// probes, come in between.
    async fn round_begins(&self, until: Instant) -> Result<Instant, Rejection> {
        loop {
            let round = self.pace().round();
            tokio::task::yield_now().await;
            let now = Instant::now();
            if self.pace().goes_on(round) {
                return Ok(now);
            }
            if now >= until {
                return Err(Rejection::Busy);
            }
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn new(places: usize) -> Self {
        Self { places, lines: Mutex::default() }
    }

    fn of(&self, peer: Peer) -> Arc<Lane> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&peer).and_then(Weak::upgrade) {
            return line;
        }
        lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(Lane { places: Semaphore::new(self.places), pace: Mutex::default() });
        lines.insert(peer, Arc::downgrade(&line));
        line
    }
}

/// One more that waits, until dropped.
struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Reviews of ordinary Pods are 3 to 30 KB. One of this size costs some two milliseconds at worst, a
/// small one more than one: nobody waits behind more than as many bytes of each peer, nor longer than
/// [`Pace`] lets them be decided.
const AT_ONCE_BYTES: usize = 32 * 1024;
/// The smallest review costs as much as these bytes of a larger one.
const LEAST_SHARE: u32 = 4 * 1024;
/// As far back as a thread can step: with half of that, ordinary Pods waited for whole slices of time.
/// While they take all of a core, four of the dearest that are known are still decided in a second.
const BEHIND_THE_SERVER: i32 = 19;
/// A second thread would take the server's share of a core, and memory of its own.
const AT_ONCE: usize = 1;
