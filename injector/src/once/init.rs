//! `init`: everything is fetched, then everything is written, or nothing is.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use plan::{OnMissing, Plan};
use secret::{Failure, Fetched};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::agent;
use crate::backends::{FetchError, unfinished};
use crate::fetch::client::{Client, FetchOutcome, Patience, milliseconds};
use crate::fetch::refetch_set::refetch_set;
use crate::health::health_board::{HealthBoard, SourceHealth};
use crate::health::status_file::{self, Status};
use crate::input::args::Args;
use crate::input::entry::{Entry, MemoryVolume, entries};
use crate::once::exec_binary;
use crate::once::unfinished::{self, Kept};
use crate::process::clock::since_boot;
use crate::process::runtime::{self, Stop};
use crate::render::{self, Rendered, render, without_twins};
use crate::report::exit::Exit;
use crate::report::problem::{Problem, Report};
use crate::write::atomic_writer::Written;
use crate::write::holds::Holds;
use crate::write::key_names::KeyNames;
use crate::write::volumes::{self, publish};

/// The pause between looks at how the first fetch goes.
const GLANCE: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &Args, plan: &Plan) -> Result<(), Report> {
    render::check(plan)?;
    let client = Client::new(args, plan)?;
    if let Some(agent) = plan.mode().agent() {
        // Clients may start before the container that answers them.
        agent::ensure_token(args, plan, agent)?;
    }
    runtime::block_on(async |mut stop| {
        let mut holds = stop.or(Holds::at_first_start()).await.ok_or_else(interrupted)?;
        fill(args, plan, &client, &mut stop, &mut holds).await.map(drop)
    })
}

/// What came for a lookup, and when, since boot.
pub(crate) struct Came {
    pub(crate) outcome: FetchOutcome,
    pub(crate) at: Duration,
}

/// The first fetch: afterwards every file of the plan is there. Returns what came, by lookup.
pub(crate) async fn fill(
    args: &Args,
    plan: &Plan,
    client: &Client<'_>,
    stop: &mut Stop,
    holds: &mut Holds,
) -> Result<Vec<Came>, Report> {
    let began = Instant::now();
    info!(
        version = env!("CARGO_PKG_VERSION"),
        sources = plan.lookups().len(),
        files = plan.files().len(),
        role = client.backends().role(),
        timeout_s = plan.timeout().as_secs(),
        "fetching"
    );
    let entries = entries(plan);
    let mut kept = unfinished::take(args, plan);
    let missing = (0..plan.lookups().len()).map(|index| !kept.contains_key(&index)).collect();
    let wanted = refetch_set(&entries, missing);
    kept.retain(|index, _| !wanted.contains(index));
    if !kept.is_empty() {
        info!(sources = kept.len(), "an earlier start got these already");
    }
    let is_final = |index: usize, error: &FetchError| is_final(&entries, index, error);
    let fetch = client.fetch(&wanted, Patience::of_start(plan), is_final);
    let notified = status_file::notified_generation(args, plan);
    let health = client.health();
    let fetch = async {
        tokio::select! {
            outcomes = fetch => outcomes,
            never = report_health(args, plan, health, notified.as_ref()) => match never {},
        }
    };
    let outcomes = stop.or(fetch).await.ok_or_else(interrupted)?;
    let came = together(plan, wanted, outcomes, kept);
    let outcomes: Vec<&FetchOutcome> = came.iter().map(|came| &came.outcome).collect();
    let fetched = all(plan, &entries, &outcomes).inspect_err(|report| {
        // Others are not short of answers.
        if report.exit() == Exit::Throttled {
            let fetched = came
                .iter()
                .enumerate()
                .filter_map(|(index, came)| Some((index, came.outcome.fetched()?, came.at)));
            unfinished::leave(args, plan, fetched);
        }
    })?;
    let value = |index: usize| {
        fetched.get(index).copied().flatten().map(|fetched: &Fetched| &fetched.value)
    };
    let (mut rendered, mut problems) = (Vec::new(), Vec::new());
    let names = KeyNames::known(args, plan, &entries, holds);
    let made = render(plan, &entries, value);
    for entry in without_twins(plan, &entries, made, |at| names.of(at)) {
        match entry {
            Ok(entry) => rendered.push(entry),
            Err(unusable) => problems.push(unusable.problem),
        }
    }
    if let Some(report) = Report::of(problems) {
        return Err(report);
    }
    warn_of_skipped(plan, &entries, &rendered, |index| value(index).is_none());
    if entries.iter().any(Entry::is_for_exec) {
        holds.keep_program(exec_binary::install(args)?);
    }
    let mut written = Written::Unchanged;
    let name = volumes::next(args, plan);
    for volume in MemoryVolume::of(plan) {
        let of_volume = rendered.iter().filter(|rendered| rendered.entry.volume == volume);
        let files: Vec<_> = of_volume.flat_map(Rendered::files).collect();
        written = written.max(publish(&name, args, plan, volume, &entries, &files, holds)?);
    }
    let well = |came: &Came| SourceHealth { confirmed: Some(came.at), ..SourceHealth::default() };
    health.set_sources(came.iter().map(well).collect());
    if plan.mode().refresh().is_some() {
        status_file::write(args, plan, &Status::new(plan, health, notified));
    }
    info!(
        files = plan.files().len(),
        variables = entries.len() - plan.files().len(),
        bytes =
            rendered.iter().flat_map(Rendered::files).map(|file| file.content.len()).sum::<usize>(),
        changed = written == Written::Changed,
        sts_requests = client.backends().exchanges(),
        duration_ms = milliseconds(began.elapsed()),
        "done"
    );
    Ok(came)
}

/// What came now, and before, in the plan's order.
fn together(
    plan: &Plan,
    wanted: Vec<usize>,
    outcomes: Vec<FetchOutcome>,
    mut kept: HashMap<usize, Kept>,
) -> Vec<Came> {
    let now = since_boot();
    let mut outcomes: HashMap<usize, FetchOutcome> = wanted.into_iter().zip(outcomes).collect();
    let came = |index| match kept.remove(&index) {
        Some(kept) => Came { at: kept.at(), outcome: FetchOutcome::Fetched(kept.fetched) },
        None => {
            let outcome = outcomes.remove(&index).unwrap_or(FetchOutcome::Unfinished);
            Came { at: now, outcome }
        }
    };
    (0..plan.lookups().len()).map(came).collect()
}

/// Writes the status file for `probe`, which says why a Pod waits. `known` is the generation that
/// applications know.
async fn report_health(
    args: &Args,
    plan: &Plan,
    health: &HealthBoard,
    known: Option<&String>,
) -> Infallible {
    let mut reported = None;
    loop {
        let now = health.sources();
        if plan.mode().refresh().is_some() && reported.as_ref() != Some(&now) {
            status_file::write(args, plan, &Status::new(plan, health, known.cloned()));
            reported = Some(now);
        }
        sleep(GLANCE).await;
    }
}

/// Whether a failure makes the whole start fail.
pub(crate) fn is_final(entries: &[Entry<'_>], index: usize, error: &FetchError) -> bool {
    !(error.failure == Failure::NotFound && may_miss(entries, index))
}

pub(crate) fn interrupted() -> Problem {
    Problem::new(Exit::Interrupted, "ended by a signal before it was done".to_owned())
}

/// Whether every entry of a lookup goes on without it.
pub(crate) fn may_miss(entries: &[Entry<'_>], lookup: usize) -> bool {
    let mut of_lookup = entries.iter().filter(|entry| entry.uses(lookup));
    of_lookup.all(|entry| entry.options.on_missing == OnMissing::Skip)
}

/// What came, by lookup: `None` where a source is missing and may be. Every problem is returned
/// otherwise.
fn all<'o>(
    plan: &Plan,
    entries: &[Entry<'_>],
    outcomes: &[&'o FetchOutcome],
) -> Result<Vec<Option<&'o Fetched>>, Report> {
    let mut values = Vec::with_capacity(outcomes.len());
    let (mut problems, mut given_up) = (Vec::new(), Vec::new());
    for (index, outcome) in outcomes.iter().enumerate().take(plan.lookups().len()) {
        let source = || plan::lookup_label(plan.lookups(), index);
        match outcome {
            FetchOutcome::Fetched(fetched) => values.push(Some(fetched)),
            FetchOutcome::Failed(error) if !is_final(entries, index, error) => values.push(None),
            FetchOutcome::Failed(error) => problems.push(error.problem(source())),
            FetchOutcome::Unfinished => given_up.push(unfinished(source())),
        }
    }
    // Unfinished lookups go last: the report leads with actual failures.
    problems.extend(given_up);
    Report::of(problems).map_or(Ok(values), Err)
}

fn warn_of_skipped(
    plan: &Plan,
    entries: &[Entry<'_>],
    rendered: &[Rendered<'_>],
    is_missing: impl Fn(usize) -> bool,
) {
    let is_there = |entry: &Entry<'_>| {
        rendered
            .iter()
            .any(|other| other.entry.volume == entry.volume && other.entry.name == entry.name)
    };
    for entry in entries {
        if entry.options.on_missing == OnMissing::Skip && !is_there(entry) {
            let missing = entry.sources().find(|source| is_missing(*source));
            let source = missing.map(|source| plan::lookup_label(plan.lookups(), source));
            warn!(source, "the source does not exist; no {} (skip)", entry.description());
        }
    }
}
