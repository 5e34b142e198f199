//! What one connection is doing, and until when it may.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::limits::Limits;
use crate::metrics::Closed;

/// Shared by a connection's task, its stream, its requests and the accept loop.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    in_flight: usize,
    served: bool,
    /// When it was accepted, or when its last request ended.
    since: Instant,
    /// First byte after `since`.
    head_since: Option<Instant>,
    /// A head did not arrive in time.
    late: bool,
}

/// A request being answered. Ends when dropped.
#[derive(Debug)]
pub(super) struct InFlight(Activity);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            in_flight: 0,
            served: false,
            since: Instant::now(),
            head_since: None,
            late: false,
        })))
    }

    pub(super) fn bytes_arrived(&self) {
        let mut state = self.lock();
        if state.in_flight == 0 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    pub(super) fn head_is_late(&self) {
        self.lock().late = true;
    }

    pub(super) fn is_late(&self) -> bool {
        self.lock().late
    }

    pub(super) fn request_begins(&self) -> InFlight {
        let mut state = self.lock();
        state.in_flight += 1;
        state.head_since = None;
        InFlight(self.clone())
    }

    /// When the connection is to be closed if nothing happens before, and what for. Requests
    /// in flight have deadlines of their own.
    ///
    /// Bytes of HTTP/2 may be pings (the API server sends them every 30 seconds): `framed`
    /// connections live by their requests only.
    pub(super) fn due(&self, limits: &Limits, framed: bool) -> Option<(Instant, Closed)> {
        let state = self.lock();
        if state.in_flight > 0 {
            return None;
        }
        Some(match state.head_since {
            Some(head) if !framed => (head + limits.head, Closed::HeaderTimeout),
            _ if state.served => (state.since + limits.idle, Closed::Idle),
            _ => (state.since + limits.head, Closed::Idle),
        })
    }

    /// How dispensable the connection is, smallest first; `None` while it works. Those that
    /// never made a request go before those that did.
    pub(super) fn rank(&self) -> Option<(bool, Instant)> {
        let state = self.lock();
        (state.in_flight == 0).then_some((state.served, state.since))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.served = true;
        state.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn due(activity: &Activity, framed: bool) -> Option<(Duration, Closed)> {
        let limits = Limits {
            head: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            ..Limits::default()
        };
        activity.due(&limits, framed).map(|(at, why)| (at - Instant::now(), why))
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_must_make_a_request_soon() {
        let activity = Activity::new();
        assert_eq!(due(&activity, true), Some((Duration::from_secs(5), Closed::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_a_deadline_that_more_bytes_do_not_move() {
        let activity = Activity::new();
        tokio::time::advance(Duration::from_secs(1)).await;
        activity.bytes_arrived();
        tokio::time::advance(Duration::from_secs(2)).await;
        activity.bytes_arrived();
        assert_eq!(due(&activity, false), Some((Duration::from_secs(3), Closed::HeaderTimeout)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_flight_has_no_deadline_here_and_starts_the_idle_time_when_it_ends() {
        let activity = Activity::new();
        let request = activity.request_begins();
        activity.bytes_arrived();
        assert_eq!((due(&activity, false), activity.rank()), (None, None));
        tokio::time::advance(Duration::from_secs(7)).await;
        drop(request);
        assert_eq!(due(&activity, false), Some((Duration::from_secs(120), Closed::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn pings_do_not_keep_a_framed_connection_alive() {
        let activity = Activity::new();
        drop(activity.request_begins());
        tokio::time::advance(Duration::from_secs(30)).await;
        activity.bytes_arrived();
        assert_eq!(due(&activity, true), Some((Duration::from_secs(90), Closed::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_served_goes_before_one_that_did() {
        let served = Activity::new();
        drop(served.request_begins());
        tokio::time::advance(Duration::from_secs(1)).await;
        let unused = Activity::new();
        assert!(unused.rank() < served.rank());
    }
}
