//! `refresh`: the files are there before the application starts, and stay current while it runs.
//! Whatever fails, the last good files stay, unless the Pod says otherwise.

mod beside;
mod source;
mod together;

use std::collections::HashMap;
use std::time::Duration;

use cloud::{Class, Fetched, RetryPolicy, Sensitive};
use plan::{Plan, Refresh};
use tokio::time::Instant;
use tracing::{error, info};

use self::beside::{Tells, tell_agent, tell_of_version};
use self::source::{Source, Verdict};
use self::together::together;
use crate::advice;
use crate::agent::Agent;
use crate::args::Args;
use crate::changes::Changes;
use crate::client::{Client, Outcome, Patience};
use crate::clock::{since_boot, wait_until};
use crate::entry::{Entry, Volume, entries};
use crate::init;
use crate::keep::{Fate, fate, is_revoked};
use crate::metrics::Metrics;
use crate::output::one_line;
use crate::probe;
use crate::publish::{generation, held, publish};
use crate::render::{self, Rendered, Unusable, render};
use crate::report::{Problem, Report};
use crate::runtime::{self, Stop};
use crate::schedule::{Asked, Schedule};
use crate::status::{self, Failing, Status};
use crate::write::{NewFile, Written};

pub(crate) fn run(args: &Args, plan: &Plan, refresh: &Refresh) -> Result<(), Report> {
    render::check(plan)?;
    let client = Client::new(args, plan)?;
    let metrics = Metrics::new(client.standing().clone(), client.session());
    runtime::block_on(async |mut stop| {
        let agent = Agent::start(args, plan, &client)?;
        let result = tokio::select! {
            ended = keep(args, plan, refresh, &client, agent.as_ref(), &metrics, &mut stop) => ended,
            never = beside::serve(plan, &metrics) => match never {},
        };
        if let Some(agent) = &agent {
            agent.tell();
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
    let now = since_boot();
    let told = status::told(args, plan);
    let there = probe::run(args, plan);
    let sources = match &there {
        // Written by the init container, or by us before a restart.
        Ok(files) => {
            info!(files, "the files are there already");
            let known = status::read(args, plan).unwrap_or_default();
            known.into_iter().map(|known| Source::continued(known, now)).collect()
        }
        Err(_) => {
            let outcomes = init::fill(args, plan, client, stop).await?;
            beside::teach(agent, &outcomes, now);
            let version = |outcome: &Outcome| Some(outcome.fetched()?.version.clone());
            outcomes.iter().map(|outcome| Source::of(now, version(outcome))).collect()
        }
    };
    metrics.filled();
    // What applications start with is no change.
    let changes = Changes::new(generation(args, plan), told);
    let tells = Tells { changes: &changes, metrics };
    let entries = entries(plan);
    let mut keeper = Keeper::new(args, plan, refresh, client, tells, &entries, sources);
    keeper.agent = agent;
    if there.is_ok() {
        keeper.resume();
    }
    tokio::select! {
        ended = keeper.run(stop) => ended,
        never = beside::tell_application(args, plan, client, tells) => match never {},
        never = beside::answer(agent) => match never {},
    }
}

struct Keeper<'a> {
    args: &'a Args,
    plan: &'a Plan,
    refresh: &'a Refresh,
    client: &'a Client<'a>,
    tells: Tells<'a>,
    entries: &'a [Entry<'a>],
    /// Hears of every value, so that it answers nothing older than the files.
    agent: Option<&'a Agent>,
    schedule: Schedule,
    /// By lookup.
    sources: Vec<Source>,
}

/// What an ask came to, by lookup.
#[derive(Default)]
struct Judged {
    verdicts: HashMap<usize, Verdict>,
    /// Why the fetcher ends.
    ended: Vec<Problem>,
}

impl<'a> Keeper<'a> {
    /// `sources` are those of the plan, where something is known of them.
    fn new(
        args: &'a Args,
        plan: &'a Plan,
        refresh: &'a Refresh,
        client: &'a Client<'a>,
        tells: Tells<'a>,
        entries: &'a [Entry<'a>],
        mut sources: Vec<Source>,
    ) -> Self {
        let now = since_boot();
        sources.resize(plan.lookups().len(), Source::of(now, None));
        let oldest = sources.iter().map(|source| source.confirmed).min().unwrap_or(now);
        let failing = sources.iter().any(|source| source.failing.is_some());
        let schedule = Schedule::new(refresh.interval(), now, oldest, failing, cloud::roll());
        Self { args, plan, refresh, client, tells, entries, agent: None, schedule, sources }
    }

    /// Completes what a process before us did not come to the end of.
    fn resume(&mut self) {
        for index in 0..self.sources.len() {
            let shows = self.shows(index);
            if let Some(source) = self.sources.get_mut(index) {
                source.removed &= !shows;
            }
        }
        if let Err(problem) = self.publish(&[], &HashMap::new()) {
            error!("the files stay as they are: {}", problem.headline());
        }
        self.tells.changed(generation(self.args, self.plan));
    }

    async fn run(&mut self, stop: &mut Stop) -> Result<(), Report> {
        self.tell(&self.sources);
        loop {
            let (moment, asked) = self.due();
            if stop.or(wait_until(moment)).await.is_none() {
                return Ok(());
            }
            let wanted = self.wanted(asked);
            let asked_at = since_boot();
            let Some(outcomes) = stop.or(self.ask(&wanted)).await else { return Ok(()) };
            let ended = self.take(&wanted, &outcomes, asked_at);
            self.tell(&self.sources);
            if let Some(report) = Report::of(ended) {
                return Err(report);
            }
            let failed = self.sources.iter().any(|source| source.failing.is_some());
            self.schedule.done(asked, failed, since_boot(), cloud::roll());
        }
    }

    /// As scheduled, or earlier where the time of a failing source's files is over before.
    fn due(&self) -> (Duration, Asked) {
        let (moment, asked) = self.schedule.due();
        let now = since_boot();
        let failing = self.sources.iter().filter(|source| source.failing.is_some());
        let standing = failing.filter(|source| !source.removed);
        let stale = standing
            .filter_map(|source| Some(source.confirmed + self.refresh.max_staleness()?))
            // One that is over already could not be removed; the schedule tries that again.
            .filter(|stale| *stale > now)
            .min();
        match stale {
            Some(stale) if stale < moment => (stale, Asked::Failed),
            _ => (moment, asked),
        }
    }

    fn wanted(&self, asked: Asked) -> Vec<usize> {
        let is_wanted = |source: &Source| asked == Asked::All || source.failing.is_some();
        together(self.entries, self.sources.iter().map(is_wanted).collect())
    }

    async fn ask(&self, wanted: &[usize]) -> Vec<Outcome> {
        let window = self.schedule.window();
        // Nobody waits for the answer: a service in trouble is asked rarely.
        let retry = RetryPolicy::new(window / 2, window).unwrap_or_default();
        let patience = Patience { deadline: Instant::now() + window, retry, told: false };
        self.client.fetch(wanted, patience, |_, _| false).await
    }

    /// Makes the files what these outcomes say, all at one instant. Returns why the fetcher ends.
    fn take(&mut self, wanted: &[usize], outcomes: &[Outcome], asked: Duration) -> Vec<Problem> {
        let now = since_boot();
        let outcomes: HashMap<usize, &Outcome> = wanted.iter().copied().zip(outcomes).collect();
        let value = |index: usize| Some(&outcomes.get(&index)?.fetched()?.value);
        let (mut rendered, mut unusable) = (Vec::new(), HashMap::new());
        for entry in render(self.plan, self.entries, value) {
            match entry {
                Ok(entry) => rendered.push(entry),
                Err(Unusable { of, problem }) => {
                    for source in of {
                        unusable.entry(source).or_insert_with(|| problem.clone());
                    }
                }
            }
        }
        // All that comes of a source is of one value.
        let is_usable = |source| !unusable.contains_key(&source);
        rendered.retain(|rendered| rendered.entry.sources().all(is_usable));
        let judged = self.judge(&outcomes, &unusable, now);
        self.announce(&judged.verdicts, now);
        let written = self.write(&rendered, &judged.verdicts);
        for (index, verdict) in judged.verdicts {
            let fetched = outcomes.get(&index).and_then(|outcome| outcome.fetched());
            tell_agent(self.agent, index, &verdict, fetched, asked);
            if let Some(source) = self.sources.get_mut(index) {
                let request_id = outcomes
                    .get(&index)
                    .and_then(|outcome| Some(one_line(&outcome.fetched()?.request_id, 64)));
                tell_of_version(self.plan, index, source, &verdict, request_id.as_deref());
                source.learn(verdict, written, now);
                if let Some(failing) = source.failing {
                    self.tells.metrics.failed(failing);
                }
            }
        }
        judged.ended
    }

    fn judge(
        &self,
        outcomes: &HashMap<usize, &Outcome>,
        unusable: &HashMap<usize, Problem>,
        now: Duration,
    ) -> Judged {
        let mut judged = Judged::default();
        for (index, (lookup, source)) in self.plan.lookups().iter().zip(&self.sources).enumerate() {
            let Some(outcome) = outcomes.get(&index) else { continue };
            let (failing, revoked, problem) = match (outcome, unusable.get(&index)) {
                (Outcome::Fetched(_), Some(problem)) => (Failing::Unusable, false, problem.clone()),
                (Outcome::Fetched(Fetched { version, .. }), None) => {
                    let version = version.clone();
                    judged.verdicts.insert(index, Verdict::Fresh { version });
                    continue;
                }
                (Outcome::Failed(error), _)
                    if error.class() == Class::NotFound
                        && init::may_miss(self.plan, index)
                        && !self.shows(index) =>
                {
                    judged.verdicts.insert(index, Verdict::Absent);
                    continue;
                }
                (Outcome::Failed(error), _) => (
                    error.class().into(),
                    is_revoked(error.class(), error.code()),
                    self.client.advisor().problem(lookup, error),
                ),
                (Outcome::Unfinished, _) => {
                    (Failing::Unreachable, false, advice::unfinished(lookup))
                }
            };
            let unconfirmed = now.saturating_sub(source.confirmed);
            let fate = fate(revoked, unconfirmed, self.refresh);
            let stays = fate == Fate::Keep;
            // Once, and not at every look for as long as it lasts.
            if source.failing != Some(failing) || (!stays && !source.removed) {
                let unconfirmed_s = unconfirmed.as_secs();
                error!(unconfirmed_s, "{}: {}", fate.told(), problem.headline());
            }
            let verdict = match fate {
                Fate::Keep => Verdict::Kept(failing),
                Fate::Revoked | Fate::Stale => Verdict::Removed(failing),
                Fate::Ended => {
                    judged.ended.push(problem);
                    Verdict::Ended(failing)
                }
            };
            judged.verdicts.insert(index, verdict);
        }
        judged
    }

    /// Whether applications see anything of this lookup.
    fn shows(&self, index: usize) -> bool {
        let mut entries = self.entries.iter().filter(|entry| entry.uses(index));
        entries.any(|entry| matches!(held(self.args, self.plan, entry), Ok(Some(_))))
    }

    /// Whether the files are now as the verdicts want them.
    fn write(&self, rendered: &[Rendered<'_>], verdicts: &HashMap<usize, Verdict>) -> bool {
        let changes = self.sources.iter().enumerate().any(|(index, source)| {
            verdicts.get(&index).is_some_and(|verdict| source.changes(verdict))
        });
        if !changes {
            return true;
        }
        let began = std::time::Instant::now();
        let written = self.publish(rendered, verdicts);
        // Also where one volume was written and another one could not be.
        self.tells.changed(generation(self.args, self.plan));
        match written {
            Ok(Written::Unchanged) => true,
            Ok(Written::Changed) => {
                let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                info!(took_us, "the files were replaced");
                true
            }
            Err(problem) => {
                error!("what could not be written stays as it was: {}", problem.headline());
                false
            }
        }
    }

    /// What is rendered is new; of the others of the plan, those that are there stay as they are.
    fn publish(
        &self,
        rendered: &[Rendered<'_>],
        verdicts: &HashMap<usize, Verdict>,
    ) -> Result<Written, Problem> {
        let mut written = Written::Unchanged;
        for volume in Volume::of(self.plan) {
            let new = rendered.iter().filter(|rendered| rendered.entry.volume == volume);
            let new: Vec<_> = new.map(Rendered::as_new).collect();
            let kept = self.kept(volume, &new, verdicts)?;
            let kept = kept.iter().map(|(entry, value)| NewFile {
                name: &entry.name,
                mode: entry.mode.bits(),
                content: value.expose(),
            });
            let files: Vec<_> = new.iter().copied().chain(kept).collect();
            written = written.max(publish(self.args, self.plan, volume, self.entries, &files)?);
        }
        Ok(written)
    }

    fn kept(
        &self,
        volume: Volume,
        new: &[NewFile<'_>],
        verdicts: &HashMap<usize, Verdict>,
    ) -> Result<Vec<(&Entry<'_>, Sensitive)>, Problem> {
        let is_new = |entry: &Entry<'_>| new.iter().any(|file| file.name == entry.name);
        let mut kept = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.volume == volume) {
            let removed = |source| verdicts.get(&source).is_some_and(Verdict::removes);
            let goes = entry.sources().any(removed);
            if !goes && !is_new(entry) {
                kept.extend(held(self.args, self.plan, entry)?.map(|value| (entry, value)));
            }
        }
        Ok(kept)
    }

    /// Tells of files that go before they do: whoever continues in between must not miss them.
    fn announce(&self, verdicts: &HashMap<usize, Verdict>, now: Duration) {
        let mut sources = self.sources.clone();
        let mut going = false;
        for (index, source) in sources.iter_mut().enumerate() {
            if let Some(verdict @ Verdict::Removed(_)) = verdicts.get(&index)
                && source.changes(verdict)
            {
                source.learn(verdict.clone(), true, now);
                going = true;
            }
        }
        if going {
            self.tell(&sources);
        }
    }

    /// For whoever looks into the mount, and for the next process.
    fn tell(&self, sources: &[Source]) {
        let standing = self.client.standing();
        standing.set(sources.iter().map(Source::stand).collect());
        let told = self.tells.changes.told();
        status::write(self.args, self.plan, &Status::new(self.plan, standing, Some(told)));
    }
}
