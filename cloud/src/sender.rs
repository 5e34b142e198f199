//! Sends one call until it is answered: again while that may help and the deadline allows, and no
//! faster than the host bears.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secret::{Failure, Next, Requests, RetryPolicy, Tally, Trouble, iso8601};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::call::Call;
use crate::call_info::CallInfo;
use crate::cause::{Cause, FailedAttempt, Unreachable};
use crate::clock::Clock;
use crate::concurrency_limit::ConcurrencyLimit;
use crate::error::Error;
use crate::error_code::Remedy;
use crate::response::{AnswerContent, ReadError, read_response};
use crate::sign::Stamp;
use crate::sts::Times;
use crate::trust::Transport;

/// A clone sends over the same connections.
#[derive(Clone)]
pub(crate) struct Sender {
    shared: Arc<Shared>,
    clock: Arc<Clock>,
    retry: RetryPolicy,
    observer: Option<Observer>,
}

/// Hears of each failed attempt after which another one follows.
type Observer = Arc<dyn Fn(&Error) + Send + Sync>;

struct Shared {
    transport: Arc<Transport>,
    /// By host and caller; there are as many as lookups and identities name.
    limits: Mutex<HashMap<(String, String), Arc<ConcurrencyLimit>>>,
    tally: Tally,
}

pub(crate) struct ServiceReply<T> {
    pub(crate) content: T,
    pub(crate) request_id: Option<String>,
    pub(crate) attempts: u32,
}

impl Sender {
    pub(crate) fn new(transport: Arc<Transport>, retry: RetryPolicy) -> Self {
        let shared =
            Shared { transport, limits: Mutex::new(HashMap::new()), tally: Tally::default() };
        let clock = Arc::new(Clock::new(SystemTime::now));
        Self { shared: Arc::new(shared), clock, retry, observer: None }
    }

    pub(crate) fn with_retry(&self, retry: RetryPolicy) -> Self {
        Self { retry, ..self.clone() }
    }

    pub(crate) fn with_observer(self, observer: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    pub(crate) fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(Clock::new(clock)), ..self }
    }

    /// By our clock, in seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.clock.here()
    }

    /// What the clocks say at the moment when `host` answers and dates its answer.
    pub(crate) fn times_at(&self, host: &str, date: Option<u64>) -> Times {
        Times { date, expected: self.clock.at(host), here: self.clock.here() }
    }

    pub(crate) fn requests(&self) -> Vec<Requests> {
        self.shared.tally.all()
    }

    /// Sends `call` until it is answered. The deadline never hides what went wrong before it.
    pub(crate) async fn send<T: AnswerContent>(
        &self,
        call: &Call<'_>,
        deadline: Instant,
        read: impl Fn(&[u8], Option<u64>) -> Result<T, ReadError>,
    ) -> Result<ServiceReply<T>, Error> {
        let info = call.info();
        let (operation, host) = (info.operation, info.host.as_str());
        // One that the host may not know, or count otherwise, leaves time for others.
        let deadline = match call.may_be_unknown() {
            true => half_way(deadline),
            false => deadline,
        };
        let limit = self.limit(host, call.caller());
        let _open = limit.begin();
        let mut last: Option<FailedAttempt> = None;
        let (mut attempts, mut last_attempt) = (0, false);
        // The connection that was out of step is gone: the next answer comes on another one.
        let mut was_mismatched = false;
        while Instant::now() < deadline {
            let Ok(permit) = timeout_at(deadline, limit.enter()).await else {
                last = last.or_else(|| limit.is_throttled().then(|| Cause::HeldBack.into()));
                break;
            };
            attempts += 1;
            let began = Instant::now();
            let failed = match self.attempt(call, host, deadline, &read).await {
                Ok((content, request_id)) => {
                    permit.answered();
                    self.shared.tally.add(operation, None);
                    log_answer(&info, attempts, began, request_id.as_deref());
                    return Ok(ServiceReply { content, request_id, attempts });
                }
                Err(failed) if failed.was_not_sent() => {
                    attempts -= 1;
                    break;
                }
                Err(failed) => {
                    self.shared.tally.add(operation, Some(info.failure(&failed)));
                    log_failure(&info, attempts, began, &failed);
                    match last.take() {
                        Some(last) if failed.is_silence() && Instant::now() >= deadline => last,
                        _ => failed,
                    }
                }
            };
            let mismatched = matches!(failed.cause, Cause::Mismatched(_));
            let once_more = mismatched && !std::mem::replace(&mut was_mismatched, mismatched);
            let in_doubt = once_more || failed.failure() == Failure::Unreachable;
            if (call.may_be_unknown() && in_doubt) || !(failed.is_retriable() || once_more) {
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
                true => permit.throttled(|row, strain| next(Trouble::Throttled(strain), row)),
                false => {
                    drop(permit);
                    next(Trouble::Other, attempts)
                }
            };
            last = Some(failed);
            if last_attempt || left.is_zero() {
                break;
            }
            log_pause(&info, next);
            last_attempt = next.last;
            if !throttled {
                tokio::time::sleep(next.pause).await;
            }
        }
        let failed = last.unwrap_or_else(|| Unreachable::NotSent.into());
        Err(Error::new(info, failed, attempts))
    }

    /// The same for what is not spoken over HTTPS: `attempt` is made until it succeeds, or cannot.
    pub(crate) async fn persist<T, F>(
        &self,
        info: CallInfo,
        deadline: Instant,
        attempt: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, FailedAttempt>>,
    {
        let (mut attempts, mut last_attempt) = (0, false);
        let mut last: Option<FailedAttempt> = None;
        while Instant::now() < deadline {
            attempts += 1;
            let began = Instant::now();
            let failed = match attempt().await {
                Ok(found) => {
                    self.shared.tally.add(info.operation, None);
                    log_answer(&info, attempts, began, None);
                    return Ok(found);
                }
                Err(failed) => failed,
            };
            self.shared.tally.add(info.operation, Some(info.failure(&failed)));
            log_failure(&info, attempts, began, &failed);
            if !failed.is_retriable() {
                return Err(Error::new(info, failed, attempts));
            }
            if let Some(observer) = &self.observer {
                observer(&Error::new(info.clone(), failed.clone(), attempts));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let next = self.retry.next(attempts, Trouble::Other, None, left, secret::roll());
            last = Some(failed);
            if last_attempt || left.is_zero() {
                break;
            }
            last_attempt = next.last;
            log_pause(&info, next);
            tokio::time::sleep(next.pause).await;
        }
        let failed = last.unwrap_or_else(|| Unreachable::NotSent.into());
        Err(Error::new(info, failed, attempts))
    }

    /// Opens a connection to the host while there is nothing to be sent to it yet.
    pub(crate) async fn open_ahead(&self, host: &str) {
        self.shared.transport.open_ahead(host).await;
    }

    fn limit(&self, host: &str, caller: &str) -> Arc<ConcurrencyLimit> {
        let mut limits = self.shared.limits.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(limits.entry((host.to_owned(), caller.to_owned())).or_default())
    }

    async fn attempt<T: AnswerContent>(
        &self,
        call: &Call<'_>,
        host: &str,
        deadline: Instant,
        read: impl Fn(&[u8], Option<u64>) -> Result<T, ReadError>,
    ) -> Result<(T, Option<String>), FailedAttempt> {
        let nonce = secret::random::<16>().map_err(Cause::from)?;
        let stamp = Stamp { date: iso8601(self.clock.at(host)), nonce: secret::hex(&nonce) };
        let read = |answer| read_response(answer, &call.secrets(), read);
        self.shared.transport.send(call.request(&stamp)?, call.pool_key(), deadline, read).await
    }
}

fn half_way(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}

fn log_answer(info: &CallInfo, attempt: u32, began: Instant, request_id: Option<&str>) {
    debug!(
        operation = info.operation,
        host = info.host,
        subject = info.subject,
        attempt,
        duration_ms = milliseconds(began.elapsed()),
        request_id,
        "request answered"
    );
}

fn log_failure(info: &CallInfo, attempt: u32, began: Instant, failed: &FailedAttempt) {
    debug!(
        operation = info.operation,
        host = info.host,
        subject = info.subject,
        attempt,
        duration_ms = milliseconds(began.elapsed()),
        status = failed.status,
        class = info.failure(failed).word(),
        code = failed.code(),
        request_id = failed.request_id,
        "request failed"
    );
}

fn log_pause(info: &CallInfo, next: Next) {
    debug!(
        operation = info.operation,
        host = info.host,
        subject = info.subject,
        pause_ms = milliseconds(next.pause),
        last = next.last,
        "request to be sent again"
    );
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
