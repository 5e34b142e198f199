//! A request from its head to its answer: who asks, what for, from the cache or from KMS.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cloud::{Fetched, Sensitive, Session, Subject};
use hyper::StatusCode;
use plan::{Agent, Plan, ResponseType};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::answer::{self, Failure, Place};
use super::cache::{Bounds, Cache, Found};
use super::counters::Counters;
use super::flight::Flights;
use super::guard;
use super::request::{PING, Refused, Request, Wanted};
use super::scope::Scope;
use crate::clock::since_boot;
use crate::listener::{Answer, Asked, Handler};
use crate::output::one_line;
use crate::question;

pub(crate) struct Shared {
    token: Sensitive,
    port: u16,
    response_type: ResponseType,
    region: String,
    account: String,
    scope: Scope,
    /// The plan's own lookups, by index; those that the agent would ask otherwise are none.
    own: Vec<Option<String>>,
    session: Session,
    cache: Mutex<Cache>,
    flights: Flights<Result<Bytes, Failure>>,
    pub(crate) counters: Counters,
}

/// How long KMS is asked for a client that has nothing else, and for one that has.
const PATIENCE: Duration = Duration::from_secs(10);
const BRIEFLY: Duration = Duration::from_secs(3);
/// Where the Pod does not say how old a value may be.
const STALENESS: Duration = Duration::from_secs(24 * 60 * 60);
/// A quarter of our container's memory.
const BYTES: usize = 8 * 1024 * 1024;

impl Shared {
    pub(crate) fn new(plan: &Plan, agent: &Agent, session: Session, token: Sensitive) -> Self {
        let scope = Scope::new(plan, agent);
        let own = |lookup: &plan::Lookup| {
            let lookup = question::lookup(plan, lookup);
            scope.is_own(&lookup).then(|| key_of(&lookup.subject)).flatten()
        };
        let own = plan.lookups().iter().map(own).collect();
        let bounds = Bounds {
            ttl: Duration::from_secs(agent.cache_ttl.get().into()),
            staleness: agent.refresh.max_staleness().unwrap_or(STALENESS),
            entries: agent.cache_size.get().into(),
            bytes: BYTES,
        };
        let role = agent.assume.as_ref().map_or(&plan.identity().role, |assume| &assume.role);
        Self {
            token,
            port: agent.port.get(),
            response_type: agent.response_type,
            region: agent.region.to_string(),
            account: role.account().to_owned(),
            scope,
            own,
            session,
            cache: Mutex::new(Cache::new(bounds)),
            flights: Flights::default(),
            counters: Counters::default(),
        }
    }

    /// See [`super::Agent::learn`].
    pub(crate) fn learn(&self, lookup: usize, fetched: &Fetched, asked: Duration) {
        let Some(Some(key)) = self.own.get(lookup) else { return };
        let id = key.split('\0').next().unwrap_or_default();
        match self.body(id, fetched) {
            Some(body) => drop(self.cache().put(key, body, asked)),
            None => self.cache().forget(key),
        }
    }

    /// See [`super::Agent::forget`].
    pub(crate) fn forget(&self, lookup: usize) {
        if let Some(Some(key)) = self.own.get(lookup) {
            self.cache().forget(key);
        }
    }

    async fn get(&self, wanted: &Wanted<'_>) -> Answer {
        if let Err(refused) = self.scope.check(&wanted.id) {
            self.counters.refused.add();
            debug!(id = wanted.id.as_ref(), "refused: {refused}");
            let text = refused.to_string();
            return failed(&Failure::new(403, "Forbidden.AgentSecrets", &text, false));
        }
        let key = key(&wanted.id, wanted.version_id.as_deref(), wanted.version_stage.as_deref());
        let mut stale = None;
        if !wanted.refresh_now {
            let found = self.cache().find(&key, since_boot());
            match found {
                Found::Fresh(body) => {
                    self.counters.hits.add();
                    debug!(id = wanted.id.as_ref(), "answered from the cache");
                    return Answer::json(StatusCode::OK, body);
                }
                Found::Held(body) => return self.stale(wanted, body),
                Found::Stale(body) => stale = Some(body),
                Found::Nothing => {}
            }
        }
        let patience = if stale.is_some() { BRIEFLY } else { PATIENCE };
        let fetch = || self.fetch(wanted, &key, patience);
        match (self.flights.ask(&key, wanted.refresh_now, fetch).await, stale) {
            (Ok(body), _) => {
                self.counters.misses.add();
                debug!(id = wanted.id.as_ref(), "answered");
                Answer::json(StatusCode::OK, body)
            }
            (Err(failure), Some(body)) if failure.passes => self.stale(wanted, body),
            (Err(failure), _) => {
                self.counters.failures.add();
                debug!(id = wanted.id.as_ref(), status = failure.status, "not answered");
                failed(&failure)
            }
        }
    }

    fn stale(&self, wanted: &Wanted<'_>, body: Bytes) -> Answer {
        self.counters.stale.add();
        debug!(id = wanted.id.as_ref(), "answered from the cache, which is over");
        Answer::json(StatusCode::OK, body)
    }

    async fn fetch(
        &self,
        wanted: &Wanted<'_>,
        key: &str,
        patience: Duration,
    ) -> Result<Bytes, Failure> {
        let asked = since_boot();
        let lookup = self.scope.lookup(wanted);
        let fetched = self.session.fetch(&lookup, Instant::now() + patience).await;
        let failure = match fetched {
            Ok(fetched) => match self.body(&wanted.id, &fetched) {
                Some(body) => return Ok(self.cache().put(key, body, asked)),
                None => Failure::new(500, "InternalFailure", "the value is no text", true),
            },
            Err(error) => {
                warn!(
                    id = wanted.id.as_ref(),
                    attempts = error.attempts(),
                    code = error.code(),
                    request_id = error.request_id().map(|id| one_line(id, 64)),
                    "not fetched: {}",
                    one_line(&error.to_string(), 600)
                );
                Failure::of(&error)
            }
        };
        if failure.passes {
            self.cache().postpone(key, since_boot());
        } else {
            self.cache().forget(key);
        }
        Err(failure)
    }

    fn body(&self, id: &str, fetched: &Fetched) -> Option<Bytes> {
        let place = Place { id, region: &self.region, account: &self.account };
        answer::secret(self.response_type, place, fetched)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the order of the KMS Agent's model, behind the check that it lacks.
    fn judge<'a>(&self, asked: &'a Asked) -> Result<Request<'a>, Answer> {
        let Asked { head, has_body, crowded } = asked;
        let target = head.uri.authority();
        guard::check_host(&head.headers, target, self.port)
            .map_err(|refused| said(refused.status(), refused.to_string()))?;
        let path = head.uri.path();
        let is_ping = path == PING;
        if *crowded && !is_ping {
            return Err(said(429, "Connection limit exceeded"));
        }
        if !is_ping {
            guard::check_sender(&head.headers, &self.token)
                .map_err(|refused| said(refused.status(), refused.to_string()))?;
        }
        let of = |refused: Refused| said(refused.status(), refused.to_string());
        let request = Request::parse(head.method.as_str(), path, head.uri.query()).map_err(of)?;
        if *has_body { Err(said(413, "No body expected")) } else { Ok(request) }
    }
}

impl Handler for Shared {
    async fn answer(&self, asked: Asked) -> Answer {
        match self.judge(&asked) {
            Ok(Request::Ping) => Answer::text(StatusCode::OK, "healthy"),
            Ok(Request::Get(wanted)) => self.get(&wanted).await,
            Err(refusal) => {
                self.counters.refused.add();
                debug!(status = refusal.status.as_u16(), "refused");
                refusal
            }
        }
    }
}

fn said(status: u16, text: impl Into<Bytes>) -> Answer {
    Answer::text(status_of(status), text)
}

fn failed(failure: &Failure) -> Answer {
    Answer::json(status_of(failure.status), failure.body.clone())
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// None of the three has a NUL in it.
fn key(id: &str, version_id: Option<&str>, version_stage: Option<&str>) -> String {
    let (version_id, version_stage) =
        (version_id.unwrap_or_default(), version_stage.unwrap_or_default());
    let mut key = String::with_capacity(id.len() + version_id.len() + version_stage.len() + 2);
    for part in [id, "\0", version_id, "\0", version_stage] {
        key.push_str(part);
    }
    key
}

fn key_of(subject: &Subject) -> Option<String> {
    match subject {
        Subject::KmsSecret { name, version_id, version_stage } => {
            Some(key(name, version_id.as_deref(), version_stage.as_deref()))
        }
        Subject::OosSecretParameter { .. } | Subject::OosParameter { .. } => None,
    }
}
