//! `get`: asks for sources of the plan and shows everything about the answer except the value.

use plan::{Lookup, Plan, Reference};
use secret::Fetched;

use crate::backends::{FetchError, unfinished};
use crate::fetch::client::{Client, Patience};
use crate::fetch::fan_out::Outcome;
use crate::input::args::Args;
use crate::input::entry::entries;
use crate::once::init::{interrupted, is_final};
use crate::process::runtime;
use crate::report::exit::Exit;
use crate::report::problem::{Problem, Report};
use crate::report::terminal::{self, one_line};

pub(crate) fn run(args: &Args, plan: &Plan, sources: &[String]) -> Result<(), Report> {
    let wanted = find(plan, sources)?;
    let client = Client::new(args, plan)?;
    let entries = entries(plan);
    let indexes: Vec<usize> = wanted.iter().map(|(index, _)| *index).collect();
    let outcomes = runtime::block_on(async |mut stop| {
        let patience = Patience::of_start(plan);
        let is_final = |index: usize, error: &FetchError| is_final(&entries, index, error);
        let fetched = client.fetch(&indexes, patience, is_final);
        stop.or(fetched).await.ok_or_else(|| interrupted().into())
    })?;
    let mut problems = Vec::new();
    for (index, outcome) in indexes.iter().zip(&outcomes) {
        let source = plan::lookup_label(plan.lookups(), *index);
        terminal::stdout(&match outcome {
            Outcome::Fetched(fetched) => describe_value(&source, fetched),
            Outcome::Failed(error) => {
                problems.push(error.problem(source.clone()));
                describe_failure(&source, error)
            }
            Outcome::Unfinished => {
                problems.push(unfinished(source.clone()));
                format!("{source}\n  not asked to the end\n")
            }
        });
    }
    Report::of(problems).map_or(Ok(()), Err)
}

/// A source as the plan has it, in any way of writing it, or a file or variable. Nothing outside of the plan:
/// this is for looking, not a client.
fn find<'a>(plan: &'a Plan, sources: &[String]) -> Result<Vec<(usize, &'a Lookup)>, Problem> {
    let entries = entries(plan);
    let mut wanted = Vec::new();
    for text in sources {
        let reference = Reference::parse(text).ok();
        let of_entry = entries.iter().find(|entry| entry.is_called(text));
        let matches = |index: usize, lookup: &Lookup| match of_entry {
            Some(entry) => entry.uses(index),
            None => reference.as_ref().is_some_and(|asked| asked.source == lookup.source()),
        };
        let lookups = plan.lookups().iter().enumerate();
        let found: Vec<_> = lookups.filter(|(index, lookup)| matches(*index, lookup)).collect();
        if found.is_empty() {
            let known: Vec<String> =
                plan.lookups().iter().map(|lookup| lookup.source().to_string()).collect();
            let text = format!(
                "{:?} is neither a source, a file nor a variable of the plan",
                one_line(text, 200)
            );
            return Err(Problem::new(Exit::Usage, text)
                .advise(format!("the plan has {}", known.join(", "))));
        }
        wanted.extend(
            found.into_iter().filter(|(index, _)| !has(&wanted, *index)).collect::<Vec<_>>(),
        );
    }
    Ok(wanted)
}

fn has(wanted: &[(usize, &Lookup)], index: usize) -> bool {
    wanted.iter().any(|(known, _)| *known == index)
}

fn describe_value(source: &str, fetched: &Fetched) -> String {
    let line = |text: &str| one_line(text, 200);
    format!(
        "{source}\n  asked by    {}\n  version     {}\n  size        {} bytes\n  request id  {}\n",
        line(&fetched.caller),
        line(fetched.printable_version()),
        fetched.value.len(),
        line(&fetched.request_id),
    )
}

fn describe_failure(source: &str, error: &FetchError) -> String {
    format!(
        "{source}\n  asked by    {}\n  not fetched {}\n",
        error.caller,
        one_line(&error.text, 600),
    )
}
