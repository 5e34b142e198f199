//! `refresh`: the files are there before the application starts, and stay current while it runs.
//! Whatever fails, the last good files stay, unless the Pod says otherwise.

use std::collections::HashSet;
use std::time::Duration;

use cloud::{Fetched, RetryPolicy, Sensitive};
use plan::{Plan, Refresh};
use tokio::time::Instant;
use tracing::{error, info};

use crate::advice;
use crate::args::Args;
use crate::client::{Client, Outcome, Patience};
use crate::clock::{since_boot, wait_until};
use crate::init;
use crate::keep::{Fate, fate, is_revoked};
use crate::output::one_line;
use crate::probe;
use crate::publish::{held, publish};
use crate::render::render;
use crate::report::{Problem, Report};
use crate::runtime::{self, Stop};
use crate::schedule::{Asked, Schedule};
use crate::status::{self, Status};
use crate::write::{NewFile, Written};

pub(crate) fn run(args: &Args, plan: &Plan, refresh: &Refresh) -> Result<(), Report> {
    let client = Client::new(args, plan)?;
    runtime::block_on(async |mut stop| {
        let now = since_boot();
        let known = match probe::run(args, plan) {
            // Written by the init container, or by us before a restart.
            Ok(files) => {
                info!(files, "the files are there already");
                let confirmed = status::read(args, plan).unwrap_or_default();
                // A moment that has not come yet is not of this boot.
                confirmed.into_iter().map(|moment| Source::of(moment.min(now), None)).collect()
            }
            Err(_) => {
                let outcomes = init::fill(args, plan, &client, &mut stop).await?;
                let version = |outcome: &Outcome| match outcome {
                    Outcome::Fetched(fetched) => Some(fetched.version.clone()),
                    Outcome::Failed(_) | Outcome::Unfinished => None,
                };
                outcomes.iter().map(|outcome| Source::of(now, version(outcome))).collect()
            }
        };
        let mut keeper = Keeper::new(args, plan, refresh, &client, known);
        keeper.tell();
        keeper.run(&mut stop).await
    })
}

struct Keeper<'a> {
    args: &'a Args,
    plan: &'a Plan,
    refresh: &'a Refresh,
    client: &'a Client<'a>,
    schedule: Schedule,
    /// By lookup.
    sources: Vec<Source>,
}

/// What is known of one lookup.
#[derive(Clone, Debug)]
struct Source {
    /// When it last gave a value, since boot.
    confirmed: Duration,
    failing: Option<cloud::Class>,
    version: Option<String>,
}

/// Sources by what came of them; indexes into the plan's lookups.
#[derive(Default)]
struct Judged {
    /// Their files go.
    gone: HashSet<usize>,
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
        mut sources: Vec<Source>,
    ) -> Self {
        let now = since_boot();
        sources.resize(plan.lookups().len(), Source::of(now, None));
        let schedule = Schedule::new(refresh.interval(), now, cloud::roll());
        Self { args, plan, refresh, client, schedule, sources }
    }

    async fn run(&mut self, stop: &mut Stop) -> Result<(), Report> {
        loop {
            let (moment, asked) = self.schedule.due();
            if stop.or(wait_until(moment)).await.is_none() {
                return Ok(());
            }
            let wanted = self.wanted(asked);
            let Some(outcomes) = stop.or(self.ask(&wanted)).await else { return Ok(()) };
            let failed = self.take(&wanted, &outcomes)?;
            self.schedule.done(asked, failed, since_boot(), cloud::roll());
            self.tell();
        }
    }

    fn wanted(&self, asked: Asked) -> Vec<usize> {
        let is_wanted = |source: &Source| asked == Asked::All || source.failing.is_some();
        let all = self.sources.iter().enumerate();
        all.filter(|(_, source)| is_wanted(source)).map(|(index, _)| index).collect()
    }

    async fn ask(&self, wanted: &[usize]) -> Vec<Outcome> {
        let window = self.schedule.window();
        // Nobody waits for the answer: a service in trouble is asked rarely.
        let retry = RetryPolicy::new(window / 8, window / 2).unwrap_or_default();
        let patience = Patience { deadline: Instant::now() + window, retry, told: false };
        self.client.fetch(wanted, patience, |_, _| false).await
    }

    /// Makes the files what these outcomes say, all at one instant. Whether something failed that
    /// may be better soon.
    fn take(&mut self, wanted: &[usize], outcomes: &[Outcome]) -> Result<bool, Report> {
        let now = since_boot();
        let judged = self.judge(wanted, outcomes, now);
        let value = |index: usize| fetched(wanted, outcomes, index).map(|fetched| &fetched.value);
        let (mut rendered, mut unusable) = (Vec::new(), HashSet::new());
        for file in render(self.plan, value) {
            match file {
                Ok(file) => rendered.push(file),
                Err(bad) => {
                    error!("{}; its last good files stay", bad.problem.headline());
                    unusable.insert(bad.file.from);
                }
            }
        }
        // All files of a source are of one value.
        rendered.retain(|file| !unusable.contains(&file.file.from));
        let mut failed = !unusable.is_empty();
        if !(rendered.is_empty() && judged.gone.is_empty()) {
            match self
                .write(&rendered.iter().map(|file| file.as_new()).collect::<Vec<_>>(), &judged)
            {
                Ok(Written::Unchanged) => {}
                Ok(Written::Changed) => info!(files = rendered.len(), "the files were replaced"),
                Err(problem) => {
                    error!("{}; the last good files stay", problem.headline());
                    failed = true;
                }
            }
        }
        for (index, outcome) in wanted.iter().zip(outcomes) {
            let Some(source) = self.sources.get_mut(*index) else { continue };
            source.failing = match outcome {
                Outcome::Fetched(_) if unusable.contains(index) => Some(cloud::Class::Malformed),
                Outcome::Fetched(fetched) => {
                    source.confirm(fetched, now, self.plan, *index);
                    None
                }
                Outcome::Failed(error) => Some(error.class()),
                Outcome::Unfinished => Some(cloud::Class::Unreachable),
            };
            failed |= source.failing.is_some();
        }
        Report::of(judged.ended).map_or(Ok(failed), Err)
    }

    /// Decides on the files of every source that gave no value.
    fn judge(&self, wanted: &[usize], outcomes: &[Outcome], now: Duration) -> Judged {
        let mut judged = Judged::default();
        for (index, outcome) in wanted.iter().zip(outcomes) {
            let (Some(lookup), Some(source)) =
                (self.plan.lookups().get(*index), self.sources.get(*index))
            else {
                continue;
            };
            let (revoked, problem) = match outcome {
                Outcome::Fetched(_) => continue,
                Outcome::Failed(error) => (
                    is_revoked(error.class(), error.code()),
                    self.client.advisor().problem(lookup, error),
                ),
                Outcome::Unfinished => (false, advice::unfinished(lookup)),
            };
            let unconfirmed = now.saturating_sub(source.confirmed);
            let fate = fate(revoked, unconfirmed, self.refresh);
            if fate == Fate::Keep {
                continue;
            }
            let why = match fate {
                Fate::Stale => "it could not be confirmed for longer than max-staleness",
                _ => "the Pod may not have it any more (on-revoked)",
            };
            error!(
                unconfirmed_s = unconfirmed.as_secs(),
                "the files of a source are removed: {why}: {}",
                problem.headline()
            );
            judged.gone.insert(*index);
            if fate == Fate::Ended {
                judged.ended.push(problem);
            }
        }
        judged
    }

    /// These files are new; of the others of the plan, those that are there stay as they are.
    fn write(&self, new: &[NewFile<'_>], judged: &Judged) -> Result<Written, Problem> {
        let is_new = |name: &str| new.iter().any(|file| file.name == name);
        let mut kept: Vec<(&plan::File, Sensitive)> = Vec::new();
        for file in self.plan.files() {
            if !is_new(file.name.as_str()) && !judged.gone.contains(&file.from) {
                kept.extend(held(self.args, self.plan, &file.name)?.map(|value| (file, value)));
            }
        }
        let kept = kept.iter().map(|(file, value)| NewFile {
            name: file.name.as_str(),
            mode: file.mode.bits(),
            content: value.expose(),
        });
        publish(self.args, self.plan, &new.iter().copied().chain(kept).collect::<Vec<_>>())
    }

    /// For whoever looks into the mount, and for the next process.
    fn tell(&self) {
        let sources = self.plan.lookups().iter().zip(&self.sources);
        let told = sources.map(|(lookup, source)| {
            status::Source::new(&lookup.source, source.confirmed, source.failing)
        });
        status::write(self.args, self.plan, &Status::new(told.collect()));
    }
}

impl Source {
    fn of(confirmed: Duration, version: Option<String>) -> Self {
        Self { confirmed, failing: None, version }
    }

    fn confirm(&mut self, fetched: &Fetched, now: Duration, plan: &Plan, index: usize) {
        self.confirmed = now;
        let changed = self.version.as_ref().is_some_and(|version| *version != fetched.version);
        if changed {
            info!(
                source = plan.lookups().get(index).map(|lookup| lookup.source.to_string()),
                version = one_line(&fetched.version, 64),
                request_id = one_line(&fetched.request_id, 64),
                "a new version"
            );
        }
        self.version = Some(fetched.version.clone());
    }
}

fn fetched<'o>(wanted: &[usize], outcomes: &'o [Outcome], index: usize) -> Option<&'o Fetched> {
    let position = wanted.iter().position(|wanted| *wanted == index)?;
    match outcomes.get(position)? {
        Outcome::Fetched(fetched) => Some(fetched),
        Outcome::Failed(_) | Outcome::Unfinished => None,
    }
}
