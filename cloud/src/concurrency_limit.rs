//! How many requests of one caller to one host are under way at once: as many as there are to send,
//! until the host throttles; then one, and twice as many after each answer. So a caller whose fleet
//! is above the limit offers one request at a time, and one that is served once is served to the end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use secret::Next;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The rule by itself: nothing in it waits.
#[derive(Clone, Debug)]
pub struct Window {
    limit: u32,
    inside: u32,
    /// Throttlings since the last answer; those of requests that were sent together are one.
    streak: u32,
    round: u64,
}

/// A request that is under way.
#[derive(Clone, Copy, Debug)]
pub struct InFlightRequest(u64);

/// No caller sends so many at once.
const MOST: u32 = 256;

impl Default for Window {
    fn default() -> Self {
        Self { limit: MOST, inside: 0, streak: 0, round: 0 }
    }
}

impl Window {
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
        self.streak = 0;
        self.limit = self.limit.saturating_mul(2).min(MOST);
    }

    /// Returns how many throttlings in a row there were by now.
    pub fn throttled(&mut self, entry: InFlightRequest) -> u32 {
        self.inside = self.inside.saturating_sub(1);
        self.limit = 1;
        if entry.0 == self.round {
            self.round += 1;
            self.streak = self.streak.saturating_add(1);
        }
        self.streak
    }

    /// The request ended in a way that says nothing of the host's limits.
    pub fn left(&mut self, _: InFlightRequest) {
        self.inside = self.inside.saturating_sub(1);
    }
}

/// There is one for each pair of host and caller: services limit each account by itself.
#[derive(Default)]
pub(crate) struct ConcurrencyLimit {
    state: Mutex<LimitState>,
    changed: Notify,
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
    pub(crate) fn throttled(mut self, next: impl FnOnce(u32) -> Next) -> Next {
        let mut state = self.limit.state();
        let streak = self.entry.take().map_or(1, |entry| state.window.throttled(entry));
        let next = next(streak);
        let until = Instant::now() + next.pause;
        state.not_before = Some(state.not_before.map_or(until, |known| known.max(until)));
        state.throttled = true;
        next
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
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_request_at_a_time_after_a_throttling_and_twice_as_many_after_each_answer() {
        let mut window = Window::default();
        let burst = [0; 3].map(|_| window.enter().unwrap());
        // All of one burst are one throttling.
        assert_eq!(burst.map(|entry| window.throttled(entry)), [1, 1, 1]);
        let entry = window.enter().unwrap();
        assert!(window.enter().is_none());
        assert_eq!(window.throttled(entry), 2);
        let entry = window.enter().unwrap();
        window.answered(entry);
        let two = [window.enter().unwrap(), window.enter().unwrap()];
        assert!(window.enter().is_none());
        for entry in two {
            window.answered(entry);
        }
        assert_eq!((0..9).filter_map(|_| window.enter()).count(), 8);
    }

    #[test]
    fn an_answer_ends_the_row_and_other_ends_change_nothing() {
        let mut window = Window::default();
        for _ in 0..4 {
            let entry = window.enter().unwrap();
            window.throttled(entry);
        }
        let entry = window.enter().unwrap();
        window.left(entry);
        let entry = window.enter().unwrap();
        assert!(window.enter().is_none());
        window.answered(entry);
        let entry = window.enter().unwrap();
        assert_eq!(window.throttled(entry), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_waited_for_and_given_back_also_by_those_who_give_up() {
        let limit = Arc::new(ConcurrencyLimit::default());
        let (first, second) = (limit.enter().await, limit.enter().await);
        let until = Instant::now() + Duration::from_secs(3);
        for permit in [first, second] {
            permit.throttled(|streak| Next { pause: Duration::from_secs(3) * streak, last: false });
        }
        let permit = limit.enter().await;
        assert_eq!(Instant::now(), until);
        let waiting = tokio::spawn({
            let limit = Arc::clone(&limit);
            async move { limit.enter().await.answered() }
        });
        let in_vain = tokio::time::timeout(Duration::from_secs(9), limit.enter()).await;
        assert!(in_vain.is_err() && !waiting.is_finished());
        drop(permit);
        waiting.await.unwrap();
        assert!(!limit.is_throttled());
    }
}
