//! `refresh`: the files are there before the application starts, and stay current while it runs.
//! Whatever fails, the last good files stay, unless the Pod says otherwise.

pub(crate) mod changes;
mod companions;
pub(crate) mod hook;
mod keeper;
mod retention;
pub(crate) mod schedule;
mod source_state;
mod templates;

use std::sync::Arc;

use plan::{Plan, Refresh};
use tracing::info;

use self::changes::Changes;
use self::companions::Observers;
use self::keeper::Keeper;
#[cfg(test)]
pub(crate) use self::retention::Retention;
use self::source_state::SourceState;
#[cfg(test)]
pub(crate) use self::templates::TemplateNews;
use self::templates::Templates;
use crate::agent::Agent;
use crate::fetch::client::Client;
use crate::health::metrics::Metrics;
use crate::health::status_file;
use crate::input::args::Args;
use crate::input::entry::entries;
use crate::once::init;
use crate::once::startup_probe;
use crate::process::clock::since_boot;
use crate::process::resource_limits::ResourceLimits;
use crate::process::runtime::{self, Stop};
use crate::render;
use crate::report::problem::Report;
use crate::write::holds::Holds;
use crate::write::volumes::generation;

pub(crate) fn run(args: &Args, plan: &Plan, refresh: &Refresh) -> Result<(), Report> {
    render::check(plan)?;
    let client = Client::new(args, plan)?;
    let mut metrics = Metrics::new(client.health().clone(), Arc::clone(client.backends()));
    runtime::block_on(async |mut stop| {
        let agent = Agent::start(args, plan, &client, &mut metrics)?;
        let result = tokio::select! {
            ended = keep(args, plan, refresh, &client, agent.as_ref(), &metrics, &mut stop) => ended,
            never = companions::serve(plan, &metrics) => match never {},
        };
        if let Some(agent) = &agent {
            agent.log_totals();
        }
        result
    })
}

async fn keep(
    args: &Args,
    plan: &Plan,
    refresh: &Refresh,
    client: &Client<'_>,
    agent: Option<&Agent>,
    metrics: &Metrics,
    stop: &mut Stop,
) -> Result<(), Report> {
    let limits = ResourceLimits::now();
    let Some((mut holds, status)) = stop.or(Holds::after_restart(args, plan)).await else {
        return Ok(());
    };
    let now = since_boot();
    let notified = status_file::notified_generation(args, plan);
    let there = startup_probe::run(args, plan);
    let entries = entries(plan);
    let mut templates = Templates::default();
    let sources = match &there {
        // The init container wrote them, or we did before a restart.
        Ok(there) => {
            info!(files = there.wanted, "the files are there already");
            let known = status_file::read(args, plan).unwrap_or_default();
            templates = Templates::continued(&known.templates, &entries, now);
            known.sources.into_iter().map(|known| SourceState::continued(known, now)).collect()
        }
        Err(_) => {
            let filled = init::fill(args, plan, client, stop, &mut holds).await?;
            companions::seed_agent(agent, &filled, now);
            let of = |came: &init::Came| SourceState::of(came.at.min(now), came.outcome.fetched());
            filled.iter().map(of).collect()
        }
    };
    drop(status);
    metrics.mark_filled();
    // The generation that applications start with is no change.
    let changes = Changes::new(generation(args, plan), notified);
    let observers = Observers { changes: &changes, metrics };
    let mut keeper = Keeper::new(args, plan, refresh, client, observers, &entries, sources)
        .with_agent(agent)
        .with_templates(templates)
        .with_holds(holds);
    if there.is_ok() {
        keeper.resume();
    }
    tokio::select! {
        ended = keeper.run(stop, &limits) => ended,
        never = companions::notify_application(args, plan, client, observers) => match never {},
        never = companions::answer(agent) => match never {},
    }
}
