//! The place in which one identity's credentials are shared. Whoever finds them missing, expired or
//! refused makes the exchange; all who wait meanwhile get its outcome, a failure too. Nobody who can
//! go on with what there is waits for an exchange of others.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::keys::{Credentials, Freshness};

#[derive(Default)]
pub(crate) struct CredentialCache {
    /// It is never locked while somebody waits.
    current: Mutex<Option<Current>>,
    /// What the next credentials are made of. It is locked before `current`.
    edition: Mutex<Option<String>>,
    /// It is locked by the caller that makes the exchange.
    exchange: tokio::sync::Mutex<Option<Failed>>,
    /// Failed exchanges so far: a caller that sees it grow was waiting during one.
    failures: AtomicU64,
}

#[derive(Clone)]
struct Current {
    credentials: Arc<Credentials>,
    /// No renewal is made early before this moment.
    quiet_until: Option<Instant>,
    /// The credentials before these were refused, and no other refusal is believed before this moment.
    believed_until: Option<Instant>,
}

/// The latest failure.
struct Failed {
    error: Error,
    /// How long it had been tried.
    until: Instant,
}

enum CacheState {
    Usable(Arc<Credentials>),
    /// They are usable, and better renewed.
    RenewalDue(Arc<Credentials>),
    /// They are missing, expired or refused.
    Unusable,
}

impl CredentialCache {
    /// Credentials that were made of another edition of what proves the identity are not used any more.
    pub(crate) fn follow(&self, edition: Option<String>) {
        let mut known = self.edition.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != edition {
            *known = edition;
            *self.lock() = None;
        }
    }

    /// `now` is by our clock. `refused` are credentials that a service has refused; they are returned
    /// where that is not believed. `None` when `deadline` passes while somebody else's exchange is
    /// under way.
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
        match self.state(now(), refused) {
            CacheState::Usable(current) => return Some(Ok(current)),
            CacheState::RenewalDue(current) => {
                return Some(Ok(self.renew(current, deadline, exchange).await));
            }
            CacheState::Unusable => {}
        }
        let mut failed = timeout_at(deadline + PATIENCE, self.exchange.lock()).await.ok()?;
        if let CacheState::Usable(current) | CacheState::RenewalDue(current) =
            self.state(now(), refused)
        {
            return Some(Ok(current));
        }
        if self.failures.load(Ordering::Relaxed) > seen {
            let shared = failed
                .as_ref()
                .filter(|failed| !failed.error.is_retriable() || deadline <= failed.until);
            if let Some(Failed { error, .. }) = shared {
                return Some(Err(error.clone()));
            }
        }
        let edition = self.edition();
        Some(match exchange(deadline).await {
            Ok(fresh) => Ok(self.keep(fresh, &edition, refused.map(|_| Instant::now() + QUIET))),
            Err(error) => {
                self.fail(&mut failed, &error, deadline);
                Err(error)
            }
        })
    }

    /// Renews ahead of need, in no more than half of the time that the first caller has for its question.
    async fn renew<F>(
        &self,
        current: Arc<Credentials>,
        deadline: Instant,
        exchange: impl FnOnce(Instant) -> F,
    ) -> Arc<Credentials>
    where
        F: Future<Output = Result<Credentials, Error>>,
    {
        let Ok(mut failed) = self.exchange.try_lock() else { return current };
        let left = deadline.saturating_duration_since(Instant::now());
        let until = Instant::now() + EARLY.min(left / 2);
        let edition = self.edition();
        match exchange(until).await {
            Ok(fresh) => self.keep(fresh, &edition, None),
            Err(error) => {
                self.fail(&mut failed, &error, until);
                // Without time for a request nothing was learnt about STS.
                if error.attempts() > 0
                    && let Some(current) = &mut *self.lock()
                {
                    current.quiet_until = Some(Instant::now() + QUIET);
                }
                current
            }
        }
    }

    fn state(&self, now: u64, refused: Option<&Arc<Credentials>>) -> CacheState {
        let Some(current) = self.lock().clone() else { return CacheState::Unusable };
        let Current { credentials, quiet_until, believed_until } = current;
        let is_ahead = |until: Option<Instant>| until.is_some_and(|until| Instant::now() < until);
        if refused.is_some_and(|refused| Arc::ptr_eq(refused, &credentials)) {
            // A host that refuses all credentials would have each of them exchanged.
            return match is_ahead(believed_until) {
                true => CacheState::Usable(credentials),
                false => CacheState::Unusable,
            };
        }
        match credentials.freshness(now) {
            Freshness::Expired => CacheState::Unusable,
            Freshness::Due if !is_ahead(quiet_until) => CacheState::RenewalDue(credentials),
            Freshness::Due | Freshness::Fresh => CacheState::Usable(credentials),
        }
    }

    /// `edition` is what there was when the exchange began: credentials of another one are for whoever asked
    /// for them, and for nobody after that.
    fn keep(
        &self,
        fresh: Credentials,
        edition: &Option<String>,
        believed_until: Option<Instant>,
    ) -> Arc<Credentials> {
        let credentials = Arc::new(fresh);
        let known = self.edition.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == *edition {
            let credentials = Arc::clone(&credentials);
            *self.lock() = Some(Current { credentials, quiet_until: None, believed_until });
        }
        credentials
    }

    fn edition(&self) -> Option<String> {
        self.edition.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fail(&self, failed: &mut Option<Failed>, error: &Error, until: Instant) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *failed = Some(Failed { error: error.clone(), until });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that waits for another's exchange waits a moment longer than it lasts: its error says
/// more than "too late".
const PATIENCE: Duration = Duration::from_millis(100);
/// Limit of an exchange that is made ahead of need.
const EARLY: Duration = Duration::from_secs(5);
/// Pause after an early renewal that failed, and after an exchange for credentials that were refused.
const QUIET: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
