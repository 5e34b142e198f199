//! A request from its head to its answer: who asks, what for, from the cache or from KMS.

use plan::contract::AGENT_CACHE_BYTES;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cloud::{Error, Session};
use flight::Flights;
use hyper::StatusCode;
use plan::{Agent, Plan, ResponseType};
use secret::{Failure, Fetched, Sensitive};
use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

use super::answer::{self, ErrorResponse};
use super::cache::{Bounds, Cache, Found};
use super::fetch_limit::FetchLimit;
use super::guard;
use super::key::Key;
use super::recent_failures::RecentFailures;
use super::request::{BadRequest, PING, Request, SecretRequest};
use super::scope::Scope;
use crate::backends::alibaba::ask;
use crate::backends::lookups_of_agent;
use crate::health::agent_counters::AgentCounters;
use crate::health::metrics::Metrics;
use crate::health::metrics::serve::Page;
use crate::http::handler::{Answer, Handler, HttpRequest};
use crate::process::clock::since_boot;
use crate::report::terminal::one_line;

pub(crate) struct AgentHandler {
    token: Sensitive,
    port: u16,
    response_type: ResponseType,
    scope: Scope,
    /// Lookups of the plan by their index, but for those that the agent would make otherwise.
    own: HashMap<usize, Key>,
    session: Session,
    cache: Mutex<Cache>,
    failures: Mutex<RecentFailures>,
    flights: Flights<Key, Result<Bytes, ErrorResponse>>,
    fetch_limit: FetchLimit,
    pub(crate) counters: Arc<AgentCounters>,
    metrics: Metrics,
}

/// How long KMS is asked for a client that has nothing else, and for one that has.
const PATIENCE: Duration = Duration::from_secs(10);
const BRIEFLY: Duration = Duration::from_secs(3);
/// The bound where the Pod does not say how old a value may be.
const STALENESS: Duration = Duration::from_secs(24 * 60 * 60);

impl AgentHandler {
    pub(crate) fn new(
        plan: &Plan,
        agent: &Agent,
        session: Session,
        token: Sensitive,
        counters: Arc<AgentCounters>,
        metrics: Metrics,
    ) -> Self {
        let scope = Scope::new(plan, agent);
        let own = lookups_of_agent(plan).filter_map(|(index, lookup)| {
            let lookup = ask::lookup(plan, lookup);
            let key = scope.is_own(&lookup).then(|| Key::of(&lookup.subject)).flatten()?;
            Some((index, key))
        });
        let own = own.collect();
        let bounds = Bounds {
            ttl: Duration::from_secs(agent.cache_ttl.get().into()),
            staleness: agent.refresh.max_staleness().unwrap_or(STALENESS),
            entries: agent.cache_size.get().into(),
            bytes: AGENT_CACHE_BYTES,
        };
        let fetch_limit = FetchLimit::new(scope.routes());
        Self {
            token,
            port: agent.port.get(),
            response_type: agent.response_type,
            scope,
            own,
            session,
            cache: Mutex::new(Cache::new(bounds)),
            failures: Mutex::default(),
            flights: Flights::default(),
            fetch_limit,
            counters,
            metrics,
        }
    }

    /// See [`super::Agent::learn`].
    pub(crate) fn learn(&self, lookup: usize, fetched: &Fetched, asked: Duration) {
        let Some(key) = self.own.get(&lookup) else { return };
        let body = self.body(key.id(), fetched);
        self.failures().forget(key);
        self.cache().learn(key, &fetched.version, body, asked, since_boot());
    }

    /// See [`super::Agent::forget`].
    pub(crate) fn forget(&self, lookup: usize) {
        if let Some(key) = self.own.get(&lookup) {
            self.cache().revoke(key, since_boot());
        }
    }

    async fn get(&self, wanted: &SecretRequest<'_>) -> Answer {
        if let Err(refused) = self.scope.check(&wanted.id) {
            self.counters.refused.add();
            debug!(id = wanted.id.as_ref(), "a client may not have this secret: {refused}");
            let text = refused.to_string();
            return error_answer(&ErrorResponse::new(403, "Forbidden.AgentSecrets", &text, false));
        }
        let version = (wanted.version_id.as_deref(), wanted.version_stage.as_deref());
        let key = Key::new(&wanted.id, version.0, version.1);
        let mut patience = PATIENCE;
        if !wanted.refresh_now {
            let found = self.cache().find(&key, since_boot());
            match found {
                Found::Fresh(body) => {
                    self.counters.hits.add();
                    debug!(id = wanted.id.as_ref(), "answered from the cache");
                    return Answer::json(StatusCode::OK, body);
                }
                Found::Held(body) => return self.stale(wanted, body),
                Found::Stale(_) => patience = BRIEFLY,
                Found::Nothing => {
                    let known = self.failures().find(&key, since_boot()).cloned();
                    if let Some(response) = known {
                        return self.fail(wanted, &response);
                    }
                }
            }
        }
        let fetch = || self.fetch(wanted, &key, patience);
        match self.flights.ask(&key, fetch, |_| !wanted.refresh_now).await {
            Ok(body) => {
                self.counters.misses.add();
                debug!(id = wanted.id.as_ref(), "answered by KMS");
                Answer::json(StatusCode::OK, body)
            }
            Err(response) => match self.better(&key, wanted, &response) {
                Some(body) => self.stale(wanted, body),
                None => self.fail(wanted, &response),
            },
        }
    }

    /// Returns the answer that is kept now: the one that was kept before the question may be gone.
    fn better(
        &self,
        key: &Key,
        wanted: &SecretRequest<'_>,
        response: &ErrorResponse,
    ) -> Option<Bytes> {
        let may = response.passes && !wanted.refresh_now;
        match self.cache().find(key, since_boot()) {
            Found::Fresh(body) | Found::Held(body) | Found::Stale(body) if may => Some(body),
            _ => None,
        }
    }

    fn fail(&self, wanted: &SecretRequest<'_>, response: &ErrorResponse) -> Answer {
        self.counters.failures.add();
        debug!(id = wanted.id.as_ref(), status = response.status, "not answered");
        error_answer(response)
    }

    fn stale(&self, wanted: &SecretRequest<'_>, body: Bytes) -> Answer {
        self.counters.stale.add();
        debug!(id = wanted.id.as_ref(), "answered from the cache, which is over");
        Answer::json(StatusCode::OK, body)
    }

    async fn fetch(
        &self,
        wanted: &SecretRequest<'_>,
        key: &Key,
        patience: Duration,
    ) -> Result<Bytes, ErrorResponse> {
        let lookup = self.scope.lookup(wanted);
        let deadline = Instant::now() + patience;
        let Ok(Some(_place)) = timeout_at(deadline, self.fetch_limit.enter(&lookup)).await else {
            self.counters.count_unanswered(Failure::Unreachable);
            self.cache().postpone(key, since_boot());
            return Err(ErrorResponse::late(true));
        };
        // The rounds end at the deadline: each but the last one saw the files change.
        let (failure, response, error) = loop {
            let asked = since_boot();
            match self.session.fetch(&lookup, deadline).await {
                Ok(fetched) => {
                    let Some(body) = self.body(&wanted.id, &fetched) else {
                        let text = "the value is no text, or needs more than 96 KiB as JSON";
                        let response = ErrorResponse::new(500, "InternalFailure", text, true);
                        break (Failure::Unusable, response, None);
                    };
                    if let Some(body) = self.cache().put(key, body, asked) {
                        self.failures().forget(key);
                        return Ok(body);
                    }
                }
                Err(error) => break (error.failure(), ErrorResponse::of(&error), Some(error)),
            }
        };
        self.counters.count_unanswered(failure);
        let now = since_boot();
        if response.passes {
            self.cache().postpone(key, now);
        } else {
            self.cache().forget(key);
        }
        let is_news = self.failures().put(key, failure, response.clone(), now);
        if is_news {
            warn_of(wanted, error.as_ref(), &response);
        }
        Err(response)
    }

    fn body(&self, id: &str, fetched: &Fetched) -> Option<Bytes> {
        answer::secret(self.response_type, self.scope.place(id), fetched)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> MutexGuard<'_, RecentFailures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks a request in the order of the KMS Agent's model, behind the check that it lacks.
    fn judge<'a>(&self, asked: &'a HttpRequest) -> Result<Request<'a>, Answer> {
        // Nobody needs a body: it is not read, and the connection ends with the answer.
        let HttpRequest { head, has_body: _, crowded } = asked;
        let target = head.uri.authority();
        guard::check_host(&head.headers, target, self.port)
            .map_err(|refused| text_answer(refused.status(), refused.to_string()))?;
        let path = head.uri.path();
        let is_ping = path == PING;
        if *crowded && !is_ping {
            return Err(text_answer(429, "Connection limit exceeded"));
        }
        if !is_ping {
            guard::check_direct(&head.headers)
                .map_err(|refused| text_answer(refused.status(), refused.to_string()))?;
        }
        if !is_ping && Page::at(path).is_none() {
            guard::check_token(&head.headers, &self.token)
                .map_err(|refused| text_answer(refused.status(), refused.to_string()))?;
        }
        let of = |refused: BadRequest| text_answer(refused.status(), refused.to_string());
        Request::parse(head.method.as_str(), path, head.uri.query()).map_err(of)
    }
}

impl Handler for AgentHandler {
    async fn answer(&self, asked: HttpRequest) -> Answer {
        match self.judge(&asked) {
            Ok(Request::Ping) => Answer::text(StatusCode::OK, "healthy").for_anybody(),
            Ok(Request::Metrics) => self.metrics.page(Page::Metrics).for_anybody(),
            Ok(Request::Ready) => self.metrics.page(Page::Ready).for_anybody(),
            Ok(Request::Get(wanted)) => self.get(&wanted).await,
            Err(refusal) => {
                self.counters.refused.add();
                debug!(status = refusal.status.as_u16(), "a request is refused");
                refusal.for_anybody()
            }
        }
    }
}

fn text_answer(status: u16, text: impl Into<Bytes>) -> Answer {
    Answer::text(status_of(status), text)
}

fn error_answer(response: &ErrorResponse) -> Answer {
    Answer::json(status_of(response.status), response.body.clone())
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn warn_of(wanted: &SecretRequest<'_>, error: Option<&Error>, response: &ErrorResponse) {
    let id = wanted.id.as_ref();
    match error {
        Some(error) => warn!(
            id,
            attempts = error.attempts(),
            code = error.code(),
            request_id = error.request_id().map(|id| one_line(id, 64)),
            "not fetched for a client: {}",
            one_line(&error.to_string(), 600)
        ),
        None => {
            warn!(
                id,
                status = response.status,
                "fetched for a client, and the value cannot be answered"
            );
        }
    }
}
