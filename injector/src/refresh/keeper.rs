//! Keeps the files current: asks when it is time, and makes the files what the outcomes say.

mod announce;
mod judge;
mod lagging;
mod removal;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use plan::{Plan, Refresh};
use secret::{RetryPolicy, Sensitive};
use tokio::time::Instant;
use tracing::{error, info};

use crate::agent::Agent;
use crate::fetch::client::{Client, FetchOutcome, Patience};
use crate::fetch::refetch_set::refetch_set;
use crate::input::args::Args;
use crate::input::entry::{Entry, Form, MemoryVolume};
use crate::process::clock::{since_boot, wait_until};
use crate::process::resource_limits::ResourceLimits;
use crate::process::runtime::Stop;
use crate::refresh::companions::{Observers, log_version, update_agent};
use crate::refresh::schedule::{Round, Schedule};
use crate::refresh::source_state::{Shown, SourceState, Verdict};
use crate::refresh::templates::Templates;
use crate::render::{Blame, Rendered, Unusable, render, without_twins};
use crate::report::problem::{Problem, Report};
use crate::write::atomic_writer::Written;
use crate::write::holds::Holds;
use crate::write::key_names::KeyNames;
use crate::write::new_file::NewFile;
use crate::write::volumes::{self, current_content, current_file, generation, publish};

pub(super) struct Keeper<'a> {
    args: &'a Args,
    plan: &'a Plan,
    refresh: &'a Refresh,
    client: &'a Client<'a>,
    observers: Observers<'a>,
    entries: &'a [Entry<'a>],
    /// The agent gets every value, so that it answers nothing older than the files.
    agent: Option<&'a Agent>,
    schedule: Schedule,
    /// The sources, in the plan's order.
    sources: Vec<SourceState>,
    templates: Templates,
    /// Entries that wait for all of their sources in one look.
    lagging: BTreeSet<usize>,
    holds: Holds,
    names: KeyNames,
}

/// A file that stays as it is.
struct KeptFile {
    name: String,
    mode: u16,
    content: Sensitive,
}

impl<'a> Keeper<'a> {
    /// `sources` are those of the plan, where something is known of them.
    pub(super) fn new(
        args: &'a Args,
        plan: &'a Plan,
        refresh: &'a Refresh,
        client: &'a Client<'a>,
        observers: Observers<'a>,
        entries: &'a [Entry<'a>],
        mut sources: Vec<SourceState>,
    ) -> Self {
        let now = since_boot();
        sources.resize(plan.lookups().len(), SourceState::of(now, None));
        let oldest = sources.iter().map(|source| source.confirmed).min().unwrap_or(now);
        let failing = sources.iter().any(|source| source.failing.is_some());
        let schedule = Schedule::new(refresh.interval(), now, oldest, failing, secret::roll());
        let templates = Templates::default();
        let (agent, lagging) = (None, BTreeSet::new());
        let holds = Holds::default();
        let names = KeyNames::known(args, plan, entries, &holds);
        Self {
            args,
            plan,
            refresh,
            client,
            observers,
            entries,
            agent,
            schedule,
            sources,
            templates,
            lagging,
            holds,
            names,
        }
    }

    pub(super) fn with_agent(self, agent: Option<&'a Agent>) -> Self {
        Self { agent, ..self }
    }

    pub(super) fn with_templates(self, templates: Templates) -> Self {
        Self { templates, ..self }
    }

    pub(super) fn with_holds(self, holds: Holds) -> Self {
        Self { holds, ..self }
    }

    /// Completes what a process before us did not come to the end of.
    pub(super) fn resume(&mut self) {
        for index in 0..self.sources.len() {
            let shows = self.shows(index);
            if let Some(source) = self.sources.get_mut(index) {
                source.removed &= !shows;
            }
        }
        self.templates_are_there();
        if let Err(problem) = self.publish(&[], &HashMap::new()) {
            error!("the files stay as they are: {}", problem.headline());
        }
        self.observers.changed(generation(self.args, self.plan));
    }

    pub(super) async fn run(
        &mut self,
        stop: &mut Stop,
        limits: &ResourceLimits,
    ) -> Result<(), Report> {
        self.report_health(&self.sources);
        loop {
            let (moment, round) = self.due();
            if stop.or(wait_until(moment)).await.is_none() {
                return Ok(());
            }
            limits.check()?;
            let wanted = self.due_sources(round);
            let asked_at = since_boot();
            let Some(outcomes) = stop.or(self.ask(&wanted)).await else { return Ok(()) };
            let ended = self.take(&wanted, &outcomes, asked_at);
            self.report_health(&self.sources);
            if let Some(report) = Report::of(ended) {
                return Err(report);
            }
            let failed = self.sources.iter().any(|source| source.failing.is_some());
            self.schedule.done(round, failed, since_boot(), secret::roll());
        }
    }

    /// The next round as scheduled, or earlier where the time of a failing source's files is over
    /// before.
    fn due(&self) -> (Duration, Round) {
        let (moment, round) = self.schedule.due();
        let now = since_boot();
        let failing = self.sources.iter().filter(|source| source.failing.is_some());
        let shown = failing.filter(|source| !source.removed);
        let stale = shown
            .filter_map(|source| Some(source.confirmed + self.refresh.max_staleness()?))
            .chain(self.templates.stale(self.refresh.max_staleness()))
            // Files whose time is over already could not be removed; the schedule tries that again.
            .filter(|stale| *stale > now)
            .min();
        match stale {
            Some(stale) if stale < moment => (stale, Round::Failed),
            _ => (moment, round),
        }
    }

    fn due_sources(&self, round: Round) -> Vec<usize> {
        let (now, most) = (since_boot(), self.refresh.max_staleness());
        let is_wanted = |(index, source): (usize, &SourceState)| {
            round == Round::All
                || source.failing.is_some()
                || self.templates.need(index, self.entries, now, most)
        };
        let all = self.sources.iter().enumerate().map(is_wanted).collect();
        let mut wanted = refetch_set(self.entries, all);
        wanted.sort_by_cached_key(|index| self.turn(*index));
        wanted
    }

    /// A template shares the turn of all of its sources: asked one by one in turn, they would never
    /// all be asked in one look.
    fn turn(&self, source: usize) -> Option<impl Ord + use<>> {
        let of = |index: usize| self.sources.get(index).map(SourceState::turn);
        let with = self.entries.iter().filter(|entry| entry.uses(source));
        with.flat_map(Entry::sources).chain([source]).map(of).min().flatten()
    }

    async fn ask(&self, wanted: &[usize]) -> Vec<FetchOutcome> {
        let window = self.schedule.window();
        // Nobody waits for the answer: a service in trouble is asked rarely.
        let retry = RetryPolicy::new(window / 2, window).unwrap_or_default();
        let patience =
            Patience { deadline: Instant::now() + window, retry, reports_progress: false };
        self.client.fetch(wanted, patience, |_, _| false).await
    }

    /// Makes the files what these outcomes say, all at one instant. Returns why the fetcher ends.
    fn take(
        &mut self,
        wanted: &[usize],
        outcomes: &[FetchOutcome],
        asked: Duration,
    ) -> Vec<Problem> {
        let now = since_boot();
        let outcomes: HashMap<usize, &FetchOutcome> =
            wanted.iter().copied().zip(outcomes).collect();
        let value = |index: usize| Some(&outcomes.get(&index)?.fetched()?.value);
        let (mut rendered, mut unusable, mut failed) = (Vec::new(), HashMap::new(), Vec::new());
        let made = render(self.plan, self.entries, value);
        self.names.look(self.args, self.plan, self.entries, &self.holds);
        for entry in without_twins(self.plan, self.entries, made, |at| self.names.of(at)) {
            match entry {
                Ok(entry) => rendered.push(entry),
                Err(Unusable { blame: Blame::Source(source), problem }) => {
                    unusable.entry(source).or_insert(problem);
                }
                Err(Unusable { blame: Blame::Template(at), problem }) => failed.push((at, problem)),
            }
        }
        // All entries of a source show one value.
        let is_usable = |source| !unusable.contains_key(&source);
        rendered.retain(|rendered| rendered.entry.sources().all(is_usable));
        let judged = self.judge(&outcomes, &unusable, now);
        let tried = rendered.iter().map(|rendered| rendered.at);
        let tried = tried.chain(failed.iter().map(|(at, _)| *at)).collect();
        self.lagging = self.lagging(&tried, &judged.verdicts);
        failed.extend(self.lagging.iter().map(|at| (*at, self.lagging_problem(*at))));
        let going = self.judge_templates(&rendered, &failed, now);
        self.announce(&judged.verdicts, going, now);
        let is_left = self.leave_names(&judged.verdicts);
        let shown = self.write(&rendered, &judged.verdicts);
        if !is_left {
            // There is more room where files are gone.
            self.leave_names(&judged.verdicts);
        }
        for (index, verdict) in judged.verdicts {
            let fetched = outcomes.get(&index).and_then(|outcome| outcome.fetched());
            update_agent(self.agent, index, &verdict, fetched, asked);
            if let Some(source) = self.sources.get_mut(index) {
                if let Some(outcome) = outcomes.get(&index) {
                    source.note_attempt(outcome, now);
                }
                let written = shown.has(&verdict);
                if let Some(version) = source.new_version(&verdict, written) {
                    let request_id = outcomes.get(&index).and_then(|outcome| outcome.request_id());
                    log_version(self.plan, index, version, request_id.as_deref());
                }
                source.learn(verdict, written, now);
                if let Some(failing) = source.failing {
                    self.observers.metrics.count_failure(failing);
                }
            }
        }
        judged.ended
    }

    /// Whether applications see anything of this lookup.
    fn shows(&self, index: usize) -> bool {
        let mut entries = self.entries.iter().filter(|entry| entry.uses(index));
        entries.any(|entry| {
            matches!(current_content(self.args, self.plan, entry, &self.holds), Ok(Some(_)))
        })
    }

    /// Makes the files as the verdicts want them.
    fn write(&mut self, rendered: &[Rendered<'_>], verdicts: &HashMap<usize, Verdict>) -> Shown {
        let changes = self.sources.iter().enumerate().any(|(index, source)| {
            verdicts.get(&index).is_some_and(|verdict| source.changes(verdict))
        });
        if !changes {
            return Shown::All;
        }
        let began = std::time::Instant::now();
        let written = self.publish(rendered, verdicts);
        let shown = match &written {
            Ok(_) => Shown::All,
            Err(_) => self.remove_at_least(verdicts),
        };
        // Applications may see a change even where one volume was written and another one could not
        // be.
        self.observers.changed(generation(self.args, self.plan));
        match written {
            Ok(Written::Unchanged) => {}
            Ok(Written::Changed) => {
                let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                info!(took_us, "the files were replaced");
            }
            Err(problem) => {
                error!("what could not be written stays as it was: {}", problem.headline());
            }
        }
        shown
    }

    /// Writes what was rendered. Other entries of the plan that are there stay as they are.
    fn publish(
        &mut self,
        rendered: &[Rendered<'_>],
        verdicts: &HashMap<usize, Verdict>,
    ) -> Result<Written, Problem> {
        let mut written = Written::Unchanged;
        let name = volumes::next(self.args, self.plan);
        for volume in MemoryVolume::of(self.plan) {
            let new = rendered.iter().filter(|rendered| rendered.entry.volume == volume);
            let new: Vec<_> = new.flat_map(Rendered::files).collect();
            let kept = self.unchanged_files(volume, &new, verdicts)?;
            let kept = kept.iter().map(|kept| NewFile {
                name: &kept.name,
                mode: kept.mode,
                content: kept.content.expose(),
            });
            let files: Vec<_> = new.iter().copied().chain(kept).collect();
            let (args, plan, entries) = (self.args, self.plan, self.entries);
            let published = publish(&name, args, plan, volume, entries, &files, &mut self.holds)?;
            written = written.max(published);
        }
        Ok(written)
    }

    /// The files of an entry that applications see.
    fn shown_of(&self, entry: &Entry<'_>) -> Result<Vec<KeptFile>, Problem> {
        let mode = entry.options.mode.bits();
        let Some(own) = current_content(self.args, self.plan, entry, &self.holds)? else {
            return Ok(Vec::new());
        };
        let mut shown = Vec::new();
        if let Form::AllKeys(_) = entry.form {
            for name in entry.files_of_keys(&own) {
                let (args, plan, holds) = (self.args, self.plan, &self.holds);
                let content = current_file(args, plan, entry.volume, &name, holds)?;
                shown.extend(content.map(|content| KeptFile { name, mode, content }));
            }
        }
        shown.push(KeptFile { name: entry.name.to_string(), mode, content: own });
        Ok(shown)
    }

    fn unchanged_files(
        &self,
        volume: MemoryVolume,
        new: &[NewFile<'_>],
        verdicts: &HashMap<usize, Verdict>,
    ) -> Result<Vec<KeptFile>, Problem> {
        let is_new = |entry: &Entry<'_>| new.iter().any(|file| file.name == entry.name);
        let mut kept = Vec::new();
        let entries = self.entries.iter().enumerate();
        for (at, entry) in entries.filter(|(_, entry)| entry.volume == volume) {
            if !self.goes(at, entry, verdicts) && !is_new(entry) {
                kept.extend(self.shown_of(entry)?);
            }
        }
        Ok(kept)
    }
}
