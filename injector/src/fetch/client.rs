//! Fetches lookups of one plan, by their index, and says how each source stands.

use std::sync::Arc;
use std::time::Duration;

use plan::Plan;
use secret::{Fetched, RetryPolicy};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::backends::{Backends, FetchError};
use crate::fetch::fan_out::{self, Together, fan_out};
use crate::health::health_board::HealthBoard;
use crate::input::args::Args;
use crate::process::clock::since_boot;
use crate::report::problem::Problem;
use crate::report::terminal::one_line;

pub(crate) type FetchOutcome = fan_out::Outcome<Fetched, FetchError>;

impl FetchOutcome {
    /// The service's error code.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Failed(error) => error.code.as_deref(),
            Self::Fetched(_) | Self::Unfinished => None,
        }
    }

    /// The request's id, for a line of the log.
    pub(crate) fn request_id(&self) -> Option<String> {
        let id = match self {
            Self::Fetched(fetched) => Some(fetched.request_id.as_str()),
            Self::Failed(error) => error.request_id.as_deref(),
            Self::Unfinished => None,
        };
        id.map(|id| one_line(id, 64))
    }
}

pub(crate) struct Client<'a> {
    plan: &'a Plan,
    backends: Arc<Backends>,
    health: HealthBoard,
}

/// How long, and how eagerly, lookups are tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) deadline: Instant,
    pub(crate) retry: RetryPolicy,
    /// Every success is logged, and every failure meanwhile is shown on the health board.
    pub(crate) reports_progress: bool,
}

impl Patience {
    /// The patience of the fetch that an application waits for.
    pub(crate) fn of_start(plan: &Plan) -> Self {
        let deadline = Instant::now() + plan.timeout();
        Self { deadline, retry: RetryPolicy::default(), reports_progress: true }
    }
}

impl<'a> Client<'a> {
    pub(crate) fn new(args: &Args, plan: &'a Plan) -> Result<Self, Problem> {
        let backends = Arc::new(Backends::new(args, plan)?);
        Ok(Self { plan, backends, health: HealthBoard::new(plan.lookups().len()) })
    }

    /// Fetches each of these lookups once. When one fails and `is_final` says so, the others are
    /// given up soon.
    pub(crate) async fn fetch(
        &self,
        wanted: &[usize],
        patience: Patience,
        is_final: impl Fn(usize, &FetchError) -> bool,
    ) -> Vec<FetchOutcome> {
        let index = |position: &usize| wanted.get(*position).copied().unwrap_or(usize::MAX);
        let health = || patience.reports_progress.then(|| self.health.clone());
        let fetch = |position: usize| {
            let asked = self.asked(index(&position));
            fetch(Arc::clone(&self.backends), asked, patience, health())
        };
        let several = |positions: &[usize]| {
            let asked = positions.iter().map(|position| self.asked(index(position))).collect();
            fetch_together(Arc::clone(&self.backends), asked, patience, health())
        };
        let together = Together { groups: self.backends.batches(wanted), fetch: several };
        let is_final = |position: usize, error: &FetchError| {
            wanted.get(position).is_some_and(|index| is_final(*index, error))
        };
        let server = |position: usize| {
            wanted.get(position).and_then(|index| Some(self.backends.question(*index)?.server()))
        };
        fan_out(wanted.len(), server, fetch, together, is_final, patience.deadline).await
    }

    /// How the sources are, as the first fetch goes on and as the keeper says from then on.
    pub(crate) fn health(&self) -> &HealthBoard {
        &self.health
    }

    pub(crate) fn backends(&self) -> &Arc<Backends> {
        &self.backends
    }

    fn asked(&self, index: usize) -> AskedLookup {
        let source = plan::lookup_label(self.plan.lookups(), index);
        AskedLookup { index, source }
    }
}

/// A lookup that is asked for.
struct AskedLookup {
    index: usize,
    source: String,
}

impl AskedLookup {
    /// Says what came of it, on the health board where there is one, and in the log.
    fn report(
        &self,
        result: &Result<Fetched, FetchError>,
        began: Instant,
        health: Option<&HealthBoard>,
    ) {
        match (result, health) {
            (Ok(_), Some(health)) => health.confirmed(self.index, since_boot()),
            (Err(error), Some(health)) => health.fails(self.index, error.failure),
            (_, None) => {}
        }
        let (source, duration_ms) = (&self.source, milliseconds(began.elapsed()));
        match result {
            Ok(fetched) if health.is_some() => info!(
                source,
                duration_ms,
                attempts = fetched.attempts,
                request_id = one_line(&fetched.request_id, 64),
                version = one_line(fetched.printable_version(), 64),
                bytes = fetched.value.len(),
                "fetched"
            ),
            Ok(_) => {}
            Err(error) => warn!(
                source,
                duration_ms,
                attempts = error.attempts,
                code = error.code,
                request_id = error.request_id.as_deref().map(|id| one_line(id, 64)),
                "not fetched: {}",
                one_line(&error.text, 600)
            ),
        }
    }
}

async fn fetch(
    backends: Arc<Backends>,
    asked: AskedLookup,
    patience: Patience,
    health: Option<HealthBoard>,
) -> Result<Fetched, FetchError> {
    let began = Instant::now();
    let index = asked.index;
    let Some(question) = backends.question(index) else {
        // Indexes come from the plan.
        return std::future::pending().await;
    };
    let observer = health.clone().map(|health| move |failure| health.fails(index, failure));
    let result = question.fetch(patience.retry, patience.deadline, observer).await;
    asked.report(&result, began, health.as_ref());
    result
}

/// What came for each, in their order; `None` where it is to be fetched by itself.
async fn fetch_together(
    backends: Arc<Backends>,
    asked: Vec<AskedLookup>,
    patience: Patience,
    health: Option<HealthBoard>,
) -> Vec<Option<Result<Fetched, FetchError>>> {
    let began = Instant::now();
    let indexes: Vec<usize> = asked.iter().map(|asked| asked.index).collect();
    let observer = health.clone().map(|health| {
        let indexes = indexes.clone();
        move |failure| indexes.iter().for_each(|index| health.fails(*index, failure))
    });
    let results =
        backends.fetch_together(&indexes, patience.retry, patience.deadline, observer).await;
    for (asked, result) in asked.iter().zip(&results) {
        if let Some(result) = result {
            asked.report(result, began, health.as_ref());
        }
    }
    results
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
