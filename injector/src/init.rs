//! `init`: everything is fetched, then everything is written, or nothing is.

use std::collections::HashSet;
use std::time::{Instant, SystemTime};

use cloud::{Class, Fetched};
use plan::{OnMissing, Plan};
use tracing::{info, warn};

use crate::advice;
use crate::args::Args;
use crate::exit::Exit;
use crate::fetch::{self, Answers, fetch, milliseconds};
use crate::render::{Rendered, render};
use crate::report::{Problem, Report};
use crate::resolve::Outcome;
use crate::write::{self, NewFile, WriteError, Written};

pub(crate) fn run(args: &Args, plan: &Plan) -> Result<(), Report> {
    let began = Instant::now();
    info!(
        version = env!("CARGO_PKG_VERSION"),
        sources = plan.lookups().len(),
        files = plan.files().len(),
        role = plan.identity().role.as_str(),
        timeout_s = plan.timeout().as_secs(),
        "fetching"
    );
    let wanted: Vec<_> = plan.lookups().iter().enumerate().collect();
    let answers = fetch(args, plan, &wanted)?;
    let fetched = all(plan, &answers)?;
    let value = |index: usize| {
        fetched.get(index).copied().flatten().map(|fetched: &Fetched| &fetched.value)
    };
    let rendered = match render(plan, value) {
        Ok(rendered) => rendered,
        Err(problems) => return Report::of(problems).map_or(Ok(()), Err),
    };
    warn_of_skipped(plan, &rendered);
    let written = publish(args, plan, &rendered)?;
    info!(
        files = rendered.len(),
        bytes = rendered.iter().map(|file| file.content().len()).sum::<usize>(),
        changed = written == Written::Changed,
        sts_requests = answers.exchanges,
        duration_ms = milliseconds(began.elapsed()),
        "done"
    );
    Ok(())
}

/// What came, by lookup; `None` where a source is missing and may be. Otherwise every problem.
fn all<'a>(plan: &Plan, answers: &'a Answers) -> Result<Vec<Option<&'a Fetched>>, Report> {
    let advisor = answers.advisor(plan);
    let mut values = Vec::with_capacity(answers.outcomes.len());
    let (mut problems, mut unfinished) = (Vec::new(), Vec::new());
    for (index, (lookup, outcome)) in plan.lookups().iter().zip(&answers.outcomes).enumerate() {
        let may_miss = || fetch::may_miss(plan, index);
        match outcome {
            Outcome::Fetched(fetched) => values.push(Some(fetched)),
            Outcome::Failed(error) if error.class() == Class::NotFound && may_miss() => {
                values.push(None);
            }
            Outcome::Failed(error) => problems.push(advisor.problem(lookup, error)),
            Outcome::Unfinished => unfinished.push(advice::unfinished(lookup)),
        }
    }
    // Behind the reasons for which they were given up.
    problems.extend(unfinished);
    Report::of(problems).map_or(Ok(values), Err)
}

fn warn_of_skipped(plan: &Plan, rendered: &[Rendered<'_>]) {
    let names: HashSet<&str> = rendered.iter().map(|file| file.file.name.as_str()).collect();
    for file in plan.files() {
        if file.on_missing == OnMissing::Skip && !names.contains(file.name.as_str()) {
            let source = plan.lookups().get(file.from).map(|lookup| lookup.source.to_string());
            warn!(file = file.name.as_str(), source, "the source does not exist; no file (skip)");
        }
    }
}

fn publish(args: &Args, plan: &Plan, rendered: &[Rendered<'_>]) -> Result<Written, Problem> {
    let mount = args.mount(plan.mount());
    let files: Vec<NewFile<'_>> = rendered
        .iter()
        .map(|rendered| NewFile {
            name: rendered.file.name.as_str(),
            mode: rendered.file.mode.bits(),
            content: rendered.content(),
        })
        .collect();
    let mode = write::directory_mode(plan.files().iter().map(|file| file.mode));
    let group = plan.group().filter(|group| !args.is_local() || is_our_group(*group));
    write::publish(&mount, &files, mode, group, SystemTime::now()).map_err(|error| {
        let problem = Problem::new(Exit::Local, error.to_string());
        problem.advise(match error {
            WriteError::NoMount(_) => "locally, make the directory first; in a Pod, the volume",
            WriteError::Full { .. } => "the volume's size limit (annotation size-limit)",
            WriteError::Group(_) => "that the Pod's fsGroup is the group of the plan",
            _ => "the volume at the mount path and what else writes to it",
        })
    })
}

/// In a Pod the kubelet made us a member. On somebody's machine the group means nothing.
fn is_our_group(group: u32) -> bool {
    let is = |gid: rustix::process::Gid| gid.as_raw() == group;
    rustix::process::geteuid().is_root()
        || is(rustix::process::getegid())
        || rustix::process::getgroups().is_ok_and(|groups| groups.into_iter().any(is))
}
