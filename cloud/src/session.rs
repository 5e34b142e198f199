//! Fetches values as one identity: credentials are exchanged once and shared, failed requests are
//! sent again until the deadline.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secret::{Failure, Fetched, RetryPolicy, Sensitive, Trouble, iso8601};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::call::{self, Call};
use crate::call_info::CallInfo;
use crate::cause::{Cause, FailedAttempt, TokenProblem, Unreachable};
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::error_code::Remedy;
use crate::judge::{Content, Unread, judge};
use crate::lookup::{AssumedRole, Lookup};
use crate::pace::Pace;
use crate::sign::Stamp;
use crate::slot::Slot;
use crate::sts::{self, Times, Token};
use crate::tally::{Requests, Tally};
use crate::transport::Transport;

/// The RAM role that a token of the cluster's OIDC provider is exchanged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub sts_endpoint: String,
    pub role_arn: String,
    pub oidc_provider_arn: String,
    pub session_name: String,
    /// Lifetime of the credentials in seconds.
    pub duration: u32,
}

/// Shared by all fetches of one process; a clone has the same credentials.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    clock: Arc<Clock>,
    retry: RetryPolicy,
    observer: Option<Observer>,
}

/// Hears of each failed attempt after which another one follows.
type Observer = Arc<dyn Fn(&Error) + Send + Sync>;

struct Shared {
    transport: Arc<Transport>,
    identity: Identity,
    token: Box<dyn Fn() -> io::Result<Sensitive> + Send + Sync>,
    /// Credentials of the identity itself.
    own: Slot,
    /// Credentials of the roles assumed on top; as many as the lookups name.
    assumed: Mutex<HashMap<AssumedRole, Arc<Slot>>>,
    /// By host and caller; as many as lookups and identities name.
    paces: Mutex<HashMap<(String, String), Arc<Pace>>>,
    tally: Tally,
}

impl Session {
    /// `token` is called at each exchange, because the kubelet replaces the file.
    pub fn new(
        transport: Arc<Transport>,
        identity: Identity,
        token: impl Fn() -> io::Result<Sensitive> + Send + Sync + 'static,
        retry: RetryPolicy,
    ) -> Self {
        let shared = Shared {
            transport,
            identity,
            token: Box::new(token),
            own: Slot::default(),
            assumed: Mutex::new(HashMap::new()),
            paces: Mutex::new(HashMap::new()),
            tally: Tally::default(),
        };
        let clock = Arc::new(Clock::new(SystemTime::now));
        Self { shared: Arc::new(shared), clock, retry, observer: None }
    }

    /// The same with another policy, beside this one.
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        Self { retry, ..self.clone() }
    }

    /// The same, and `observer` hears of each failed attempt after which another one follows.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The same with another clock than the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(Clock::new(clock));
        self
    }

    /// The value of `lookup`, or the last real error when `deadline` is reached.
    pub async fn fetch(&self, lookup: &Lookup, deadline: Instant) -> Result<Fetched, Error> {
        let started = Instant::now();
        let role = lookup.assume.as_ref();
        let read = |body: &[u8], _| call::read(&lookup.subject, body);

        let mut with = self.credentials(role, None, deadline).await?;
        let first = self.ask(&Call::Fetch { lookup, with: &with }, deadline, read).await;
        let (reply, earlier) = match first {
            Ok(reply) => (reply, 0),
            Err(error) if error.wants_new_credentials() => {
                let refused = with;
                with = self.credentials(role, Some(&refused), deadline).await?;
                if Arc::ptr_eq(&with, &refused) {
                    return Err(error);
                }
                let again = self.ask(&Call::Fetch { lookup, with: &with }, deadline, read).await;
                let earlier = error.attempts();
                (again.map_err(|error| error.after(earlier))?, earlier)
            }
            Err(error) => return Err(error),
        };
        Ok(Fetched {
            value: reply.content.bytes,
            version: reply.content.version,
            metadata: reply.content.metadata,
            request_id: reply.request_id.unwrap_or_default(),
            caller: with.caller().to_owned(),
            attempts: earlier + reply.attempts,
            elapsed: started.elapsed(),
        })
    }

    /// The assumed role that we are; exchanges the token when that has not happened yet.
    pub async fn caller(&self, deadline: Instant) -> Result<String, Error> {
        Ok(self.own_credentials(None, deadline).await?.caller().to_owned())
    }

    /// What came of all requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Requests> {
        self.shared.tally.all()
    }

    /// Requests to STS so far, failed ones too.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        let to_sts = |of: &Requests| of.operation.starts_with("STS ");
        self.requests().iter().filter(|of| to_sts(of)).map(|of| of.count).sum()
    }

    async fn credentials(
        &self,
        role: Option<&AssumedRole>,
        refused: Option<&Arc<Credentials>>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, Error> {
        match role {
            None => self.own_credentials(refused, deadline).await,
            Some(role) => self.assumed_credentials(role, refused, deadline).await,
        }
    }

    async fn own_credentials(
        &self,
        refused: Option<&Arc<Credentials>>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, Error> {
        let exchange = |deadline| self.exchange(deadline);
        let found = self.shared.own.obtain(|| self.clock.here(), refused, deadline, exchange).await;
        found.unwrap_or_else(|| Err(too_late(call::exchange_info(&self.shared.identity))))
    }

    async fn assumed_credentials(
        &self,
        role: &AssumedRole,
        refused: Option<&Arc<Credentials>>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, Error> {
        let slot = {
            let mut assumed = self.shared.assumed.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(assumed.entry(role.clone()).or_default())
        };
        let assume = |deadline| self.assume(role, deadline);
        let found = slot.obtain(|| self.clock.here(), refused, deadline, assume).await;
        found.unwrap_or_else(|| Err(too_late(call::assume_info(&self.shared.identity, role))))
    }

    async fn exchange(&self, deadline: Instant) -> Result<Credentials, Error> {
        let identity = &self.shared.identity;
        let unread =
            |problem: TokenProblem| Error::new(call::exchange_info(identity), problem.into(), 0);
        let raw = (self.shared.token)()
            .map_err(|error| unread(TokenProblem::Unreadable(error.kind())))?;
        let token = Token::new(&raw).map_err(unread)?;
        let expected = (identity.role_arn.as_str(), identity.session_name.as_str());
        let read = |body: &[u8], date| sts::read(body, expected, self.times(date));
        let call = Call::Exchange { identity, token: &token };
        Ok(self.ask(&call, deadline, read).await?.content)
    }

    /// At the moment when STS answers and dates its answer.
    fn times(&self, date: Option<u64>) -> Times {
        let sts = &self.shared.identity.sts_endpoint;
        Times { date, expected: self.clock.at(sts), here: self.clock.here() }
    }

    async fn assume(&self, role: &AssumedRole, deadline: Instant) -> Result<Credentials, Error> {
        let identity = &self.shared.identity;
        let expected = (role.role_arn.as_str(), identity.session_name.as_str());
        let read = |body: &[u8], date| sts::read(body, expected, self.times(date));
        let with = self.own_credentials(None, deadline).await?;
        let first = self.ask(&Call::Assume { identity, role, with: &with }, deadline, read).await;
        match first {
            Err(error) if error.wants_new_credentials() => {
                let refused = with;
                let with = self.own_credentials(Some(&refused), deadline).await?;
                if Arc::ptr_eq(&with, &refused) {
                    return Err(error);
                }
                let call = Call::Assume { identity, role, with: &with };
                let again = self.ask(&call, deadline, read).await;
                Ok(again.map_err(|again| again.after(error.attempts()))?.content)
            }
            first => Ok(first?.content),
        }
    }

    /// One question, sent again while that may help and `deadline` allows. The deadline never
    /// hides what went wrong before it.
    async fn ask<T: Content>(
        &self,
        call: &Call<'_>,
        deadline: Instant,
        read: impl Fn(&[u8], Option<u64>) -> Result<T, Unread>,
    ) -> Result<Reply<T>, Error> {
        let info = call.info();
        let CallInfo { operation, host, subject, .. } = &info;
        let (operation, host, subject) = (*operation, host.as_str(), subject.as_str());
        let pace = self.pace(host, call.caller());
        let mut last: Option<FailedAttempt> = None;
        let (mut attempts, mut last_attempt) = (0, false);
        // The connection that was out of step is gone: the next answer comes on another one.
        let mut was_mismatched = false;
        while Instant::now() < deadline {
            let Ok(turn) = timeout_at(deadline, pace.enter()).await else {
                last = last.or_else(|| pace.is_throttled().then(|| Cause::HeldBack.into()));
                break;
            };
            attempts += 1;
            let began = Instant::now();
            let failed = match self.attempt(call, host, deadline, &read).await {
                Ok((content, request_id)) => {
                    turn.answered();
                    self.shared.tally.add(operation, None);
                    debug!(
                        operation,
                        host,
                        subject,
                        attempt = attempts,
                        duration_ms = milliseconds(began.elapsed()),
                        request_id,
                        "request answered"
                    );
                    return Ok(Reply { content, request_id, attempts });
                }
                Err(failed) if failed.was_not_sent() => {
                    attempts -= 1;
                    break;
                }
                Err(failed) => {
                    let failure = info.failure(&failed);
                    self.shared.tally.add(operation, Some(failure));
                    debug!(
                        operation,
                        host,
                        subject,
                        attempt = attempts,
                        duration_ms = milliseconds(began.elapsed()),
                        status = failed.status,
                        class = failure.word(),
                        code = failed.code(),
                        request_id = failed.request_id,
                        "request failed"
                    );
                    match last.take() {
                        Some(last) if failed.is_silence() && Instant::now() >= deadline => last,
                        _ => failed,
                    }
                }
            };
            let mismatched = matches!(failed.cause, Cause::Mismatched(_));
            let once_more = mismatched && !std::mem::replace(&mut was_mismatched, mismatched);
            if !failed.is_retriable() && !once_more {
                return Err(Error::new(info, failed, attempts));
            }
            if let (Remedy::CorrectClock, Some(date)) = (failed.remedy(), failed.date) {
                self.clock.correct(host, date);
            }
            if let Some(observer) = &self.observer {
                observer(&Error::new(info.clone(), failed.clone(), attempts));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let hint = failed.hint;
            let next = |trouble, tried| self.retry.next(tried, trouble, hint, left, secret::roll());
            let throttled = failed.failure() == Failure::Throttled;
            let next = match throttled {
                // The pause is for all that this caller asks of the host.
                true => turn.throttled(|row| next(Trouble::Throttled, row)),
                false => {
                    drop(turn);
                    next(Trouble::Other, attempts)
                }
            };
            last = Some(failed);
            if last_attempt || left.is_zero() {
                break;
            }
            debug!(
                operation,
                host,
                subject,
                pause_ms = milliseconds(next.pause),
                last = next.last,
                "request to be sent again"
            );
            last_attempt = next.last;
            if !throttled {
                tokio::time::sleep(next.pause).await;
            }
        }
        let failed = last.unwrap_or_else(|| Unreachable::NotSent.into());
        Err(Error::new(info, failed, attempts))
    }

    fn pace(&self, host: &str, caller: &str) -> Arc<Pace> {
        let mut paces = self.shared.paces.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(paces.entry((host.to_owned(), caller.to_owned())).or_default())
    }

    async fn attempt<T: Content>(
        &self,
        call: &Call<'_>,
        host: &str,
        deadline: Instant,
        read: impl Fn(&[u8], Option<u64>) -> Result<T, Unread>,
    ) -> Result<(T, Option<String>), FailedAttempt> {
        let nonce = secret::random::<16>().map_err(Cause::from)?;
        let stamp = Stamp { date: iso8601(self.clock.at(host)), nonce: secret::hex(&nonce) };
        let judge = |answer| judge(answer, &call.secrets(), read);
        self.shared.transport.send(call.request(&stamp)?, call.untold(), deadline, judge).await
    }
}

struct Reply<T> {
    content: T,
    request_id: Option<String>,
    attempts: u32,
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn too_late(info: CallInfo) -> Error {
    Error::new(info, Unreachable::Timeout.into(), 0)
}
