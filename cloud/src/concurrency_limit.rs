//! How many requests of one caller to one host are under way at once: as many as there are connections
//! to it, and twice as many after each answer, until the host throttles; then one after the other. So a
//! caller whose fleet is above the limit offers one request at a time, and one that is served is served
//! to the end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secret::{Next, Strain};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The rule by itself: nothing in it waits.
#[derive(Clone, Debug)]
pub struct Window {
    limit: u32,
    inside: u32,
    /// Throttlings, less the answers since; those of requests that were sent together are one.
    row: u32,
    /// The first throttling since there are questions.
    since: Option<Duration>,
    round: u64,
    /// Answers in a row, once the host has throttled.
    answers: Option<u32>,
    /// Questions that were answered, as long as there are others.
    answered: u32,
    open: u32,
}

/// A request that is under way.
#[derive(Clone, Copy, Debug)]
pub struct InFlightRequest(u64);

/// There are so many connections to a host.
const FIRST: u32 = 4;
/// No caller sends so many at once.
const MOST: u32 = 256;
/// After a throttling so many answers in a row say that there is room for more at once. A fleet of which
/// each caller tried that sooner would be throttled twice as often.
const CALM: u32 = 32;

impl Default for Window {
    fn default() -> Self {
        let (row, answered, open) = (0, 0, 0);
        let (answers, since) = (None, None);
        Self { limit: FIRST, inside: 0, row, since, round: 0, answers, answered, open }
    }
}

impl Window {
    /// There is one question more, which takes one request or several.
    pub fn begin(&mut self) {
        self.open = self.open.saturating_add(1);
    }

    /// A question is over. Those that come after the last one are another matter.
    pub fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.answered = 0;
            self.since = None;
        }
    }

    /// Begins a request, if there is room for one.
    pub fn enter(&mut self) -> Option<InFlightRequest> {
        if self.inside >= self.limit {
            return None;
        }
        self.inside += 1;
        Some(InFlightRequest(self.round))
    }

    pub fn answered(&mut self, _: InFlightRequest) {
        self.inside = self.inside.saturating_sub(1);
        self.row = self.row.saturating_sub(1);
        self.answered = self.answered.saturating_add(1);
        match &mut self.answers {
            None => self.limit = self.limit.saturating_mul(2).min(MOST),
            Some(answers) => {
                *answers += 1;
                if *answers >= CALM {
                    self.answers = Some(0);
                    self.limit = self.limit.saturating_mul(2).min(MOST);
                }
            }
        }
    }

    /// Returns how many throttlings in a row there were by now, and how the caller fares. `now` is by any
    /// clock that only goes on.
    pub fn throttled(&mut self, entry: InFlightRequest, now: Duration) -> (u32, Strain) {
        self.inside = self.inside.saturating_sub(1);
        self.limit = 1;
        self.answers = Some(0);
        if entry.0 == self.round {
            self.round += 1;
            self.row = self.row.saturating_add(1);
        }
        let lasts = now.saturating_sub(*self.since.get_or_insert(now));
        (self.row.max(1), Strain { lasts, answered: self.answered, open: self.open })
    }

    /// The request ended in a way that says nothing of the host's limits.
    pub fn left(&mut self, _: InFlightRequest) {
        self.inside = self.inside.saturating_sub(1);
    }
}

/// There is one for each pair of host and caller: services limit each account by itself.
pub(crate) struct ConcurrencyLimit {
    state: Mutex<LimitState>,
    changed: Notify,
    began: Instant,
}

/// A question to the host, for as long as it lasts.
pub(crate) struct OpenQuestion<'a>(&'a ConcurrencyLimit);

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: Notify::default(), began: Instant::now() }
    }
}

#[derive(Default)]
struct LimitState {
    window: Window,
    not_before: Option<Instant>,
    /// The host has throttled since its last answer: the error of requests whose time is over before
    /// they get a permit.
    throttled: bool,
}

pub(crate) struct Permit<'a> {
    limit: &'a ConcurrencyLimit,
    entry: Option<InFlightRequest>,
}

impl ConcurrencyLimit {
    /// To be kept until the question is answered, or given up.
    pub(crate) fn begin(&self) -> OpenQuestion<'_> {
        self.state().window.begin();
        OpenQuestion(self)
    }

    /// Waits until one more request may be sent.
    pub(crate) async fn enter(&self) -> Permit<'_> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            let quiet = {
                let mut state = self.state();
                match state.not_before.filter(|moment| *moment > Instant::now()) {
                    Some(moment) => Some(moment),
                    None => match state.window.enter() {
                        Some(entry) => return Permit { limit: self, entry: Some(entry) },
                        None => None,
                    },
                }
            };
            match quiet {
                // The first to wake then tries; the others see that there is no room for them.
                Some(moment) => drop(timeout_at(moment, changed).await),
                None => changed.await,
            }
        }
    }

    /// Whether throttling is why nobody gets a permit.
    pub(crate) fn is_throttled(&self) -> bool {
        self.state().throttled
    }

    fn state(&self) -> MutexGuard<'_, LimitState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    pub(crate) fn answered(mut self) {
        if let Some(entry) = self.entry.take() {
            let mut state = self.limit.state();
            state.window.answered(entry);
            state.throttled = false;
        }
    }

    /// Nobody asks before the pause is over that `next` names for so many throttlings in a row.
    pub(crate) fn throttled(mut self, next: impl FnOnce(u32, Strain) -> Next) -> Next {
        let mut state = self.limit.state();
        let now = self.limit.began.elapsed();
        // A permit has an entry until it is used up.
        let entry = self.entry.take().unwrap_or(InFlightRequest(u64::MAX));
        let (row, strain) = state.window.throttled(entry, now);
        let next = next(row, strain);
        let until = Instant::now() + next.pause;
        state.not_before = Some(state.not_before.map_or(until, |known| known.max(until)));
        state.throttled = true;
        next
    }
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.0.state().window.end();
    }
}

/// A request that was given up gives its permit back too.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.limit.state().window.left(entry);
        }
        self.limit.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
