//! The place in which one identity's credentials are shared. Whoever finds them missing, over or
//! refused makes the exchange; all who wait meanwhile get its outcome, a failure too.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::credentials::{Credentials, Freshness};
use crate::error::Error;

#[derive(Default)]
pub(crate) struct Slot {
    state: Mutex<State>,
    /// Failed exchanges so far; tells who was waiting during one.
    failures: AtomicU64,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Credentials>>,
    /// The latest failure and how long it had been tried.
    failed: Option<(Error, Instant)>,
    /// No early renewal before this.
    quiet_until: Option<Instant>,
}

impl Slot {
    /// `now` is by our clock. `refused` are credentials that a service has refused.
    /// `None` when `deadline` passes while somebody else's exchange is under way.
    pub(crate) async fn obtain<F>(
        &self,
        now: impl Fn() -> u64,
        refused: Option<&Arc<Credentials>>,
        deadline: Instant,
        exchange: impl FnOnce(Instant) -> F,
    ) -> Option<Result<Arc<Credentials>, Error>>
    where
        F: Future<Output = Result<Credentials, Error>>,
    {
        let seen = self.failures.load(Ordering::Relaxed);
        let mut state = timeout_at(deadline + PATIENCE, self.state.lock()).await.ok()?;

        let current = state
            .current
            .clone()
            .filter(|current| refused.is_none_or(|refused| !Arc::ptr_eq(refused, current)));
        let current = current.map(|current| (current.freshness(now()), current));
        let usable = match current {
            Some((Freshness::Fresh, current)) => return Some(Ok(current)),
            Some((Freshness::Due, current)) => {
                if state.quiet_until.is_some_and(|until| Instant::now() < until) {
                    return Some(Ok(current));
                }
                Some(current)
            }
            Some((Freshness::Over, _)) | None => None,
        };

        if usable.is_none() && self.failures.load(Ordering::Relaxed) > seen {
            let shared = state
                .failed
                .as_ref()
                .filter(|(error, tried_until)| !error.is_retriable() || deadline <= *tried_until);
            if let Some((error, _)) = shared {
                return Some(Err(error.clone()));
            }
        }

        // An early renewal must not hold up those who could go on with what there is.
        let until = if usable.is_some() { deadline.min(Instant::now() + EARLY) } else { deadline };
        match exchange(until).await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *state = State { current: Some(Arc::clone(&fresh)), ..State::default() };
                Some(Ok(fresh))
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                state.failed = Some((error.clone(), until));
                state.quiet_until = Some(Instant::now() + QUIET);
                Some(usable.ok_or(error))
            }
        }
    }
}

/// Who waits for another's exchange waits a moment longer than it lasts: its error says more than
/// "too late".
const PATIENCE: Duration = Duration::from_millis(100);
/// Limit of an exchange that is made ahead of need.
const EARLY: Duration = Duration::from_secs(5);
/// Pause after an early renewal that failed.
const QUIET: Duration = Duration::from_secs(30);
