//! What runs beside the keeper and is dropped with it (the hook, the agent, the server of the
//! metrics), and what the keeper reports to them.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use plan::Plan;
use secret::Fetched;
use tracing::info;

use super::source_state::Verdict;
use crate::agent::Agent;
use crate::fetch::client::Client;
use crate::health::metrics::{self, Metrics};
use crate::health::status_file::{self, Status};
use crate::input::args::Args;
use crate::once::init::Came;
use crate::refresh::changes::Changes;
use crate::refresh::hook;
use crate::report::terminal::one_line;

/// What the keeper reports to.
#[derive(Clone, Copy)]
pub(super) struct Observers<'a> {
    pub(super) changes: &'a Changes,
    pub(super) metrics: &'a Metrics,
}

impl Observers<'_> {
    /// `generation` is what applications see now, be it new or not.
    pub(super) fn changed(&self, generation: Option<String>) {
        if self.changes.show(generation) {
            self.metrics.count_change();
        }
    }
}

pub(super) async fn notify_application(
    args: &Args,
    plan: &Plan,
    client: &Client<'_>,
    observers: Observers<'_>,
) -> Infallible {
    let Observers { changes, metrics } = observers;
    // The status is written at once, or a process that starts in our place would notify the
    // application again.
    let on_delivery = || {
        let status = Status::new(plan, client.health(), Some(changes.notified_generation()));
        status_file::write(args, plan, &status);
    };
    match &plan.options().on_change {
        Some(hook) => {
            hook::run(hook, changes, on_delivery, |outcome| metrics.count_hook(outcome)).await
        }
        None => pending().await,
    }
}

pub(super) async fn serve(plan: &Plan, metrics: &Metrics) -> Infallible {
    match plan.options().metrics_port {
        Some(port) => metrics::serve::serve(port, metrics.clone()).await,
        None => pending().await,
    }
}

pub(super) async fn answer(agent: Option<&Agent>) -> Infallible {
    match agent {
        Some(agent) => agent.serve().await,
        None => pending().await,
    }
}

/// Gives the agent what the first fetch brought.
pub(super) fn seed_agent(agent: Option<&Agent>, filled: &[Came], now: Duration) {
    let Some(agent) = agent else { return };
    for (index, came) in filled.iter().enumerate() {
        if let Some(fetched) = came.outcome.fetched() {
            agent.learn(index, fetched, came.at.min(now));
        }
    }
}

/// Updates the agent in the same moment as the files change: nothing waits in between.
pub(super) fn update_agent(
    agent: Option<&Agent>,
    index: usize,
    verdict: &Verdict,
    fetched: Option<&Fetched>,
    asked: Duration,
) {
    let Some(agent) = agent else { return };
    match fetched {
        Some(fetched) => agent.learn(index, fetched, asked),
        None if verdict.removes() => agent.forget(index),
        None => {}
    }
}

/// Logs a version that applications see from now on.
pub(super) fn log_version(plan: &Plan, index: usize, version: &str, request_id: Option<&str>) {
    let source = plan::lookup_label(plan.lookups(), index);
    info!(source, version = one_line(version, 64), request_id, "a new version");
}
