//! Keys of several secrets that want one name. What a name belongs to is said by the plan, then by what
//! applications see, and only then by the order of the plan: nobody who writes a secret gets at the files
//! of another one, and none of them waits for what a third one wants.

use std::collections::{HashMap, HashSet};

use plan::Plan;

use super::rendered::Rendered;
use super::taken_names::TakenNames;
use super::unusable::{Blame, Unusable, about};
use crate::input::entry::{Entry, EntryContent, Form};
use crate::report::exit::Exit;
use crate::report::problem::Problem;
use crate::report::terminal::one_line;

/// Refuses keys that would take the name of something else. `owned` gives the names that the keys of an
/// entry, by its place, have already: as applications see them, or as they did before its files were
/// removed. They stay its own until it is written without them.
pub(crate) fn without_twins<'a, 'o>(
    plan: &Plan,
    entries: &'a [Entry<'a>],
    rendered: Vec<Result<Rendered<'a>, Unusable>>,
    owned: impl Fn(usize) -> &'o [String],
) -> Vec<Result<Rendered<'a>, Unusable>> {
    let mut rendered = rendered;
    // What is refused stays as it was, and so may be in the way of what was accepted before.
    for _ in plan.all_keys() {
        let Some((refused, problem)) = twin(plan, entries, &rendered, &owned) else { break };
        let Some(refused) = rendered.get_mut(refused) else { break };
        *refused = Err(problem);
    }
    rendered
}

/// The first that wants a name which it cannot have, by its place among the rendered.
fn twin<'o>(
    plan: &Plan,
    entries: &[Entry<'_>],
    rendered: &[Result<Rendered<'_>, Unusable>],
    owned: &impl Fn(usize) -> &'o [String],
) -> Option<(usize, Unusable)> {
    let refused: HashSet<usize> = rendered.iter().filter_map(refused_source).collect();
    // All entries of a source show one value, or all of them stay as they are.
    let new: HashMap<usize, (usize, &Rendered<'_>)> = (rendered.iter().enumerate())
        .filter_map(|(place, made)| Some((place, made.as_ref().ok()?)))
        .filter(|(_, made)| !made.entry.sources().any(|source| refused.contains(&source)))
        .map(|(place, made)| (made.at, (place, made)))
        .collect();
    let mut taken = TakenNames::default();
    for entry in entries {
        taken.take(entry.volume, &entry.name);
    }
    let with_keys = || {
        let entries = entries.iter().enumerate();
        entries.filter(|(_, entry)| matches!(entry.form, Form::AllKeys(_)))
    };
    let mut stays: HashSet<(usize, &str)> = HashSet::new();
    for (at, entry) in with_keys() {
        let wanted = new.get(&at).map(|(_, made)| made.key_files().collect::<HashSet<_>>());
        for name in owned(at) {
            let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted.contains(name.as_str()));
            if is_wanted && taken.take(entry.volume, name) {
                stays.insert((at, name));
            }
        }
    }
    for (at, entry) in with_keys() {
        let Some((place, made)) = new.get(&at) else { continue };
        let mut own = TakenNames::default();
        let is_twin = |name: &&str| {
            !own.take(entry.volume, name)
                || (!stays.contains(&(at, *name)) && taken.has(entry.volume, name))
        };
        if let Some(name) = made.key_files().find(is_twin) {
            return Some((*place, unusable(plan, entry, name)?));
        }
        // Only keys that are all accepted have names.
        for name in made.key_files() {
            taken.take(entry.volume, name);
        }
    }
    None
}

fn refused_source(made: &Result<Rendered<'_>, Unusable>) -> Option<usize> {
    match made {
        Err(Unusable { blame: Blame::Source(source), .. }) => Some(*source),
        _ => None,
    }
}

fn unusable(plan: &Plan, entry: &Entry<'_>, name: &str) -> Option<Unusable> {
    let EntryContent::Value { from, select } = entry.content else { return None };
    let text = format!(
        "a key of the value makes {:?}, which is there already; wanted for {}",
        one_line(name, 128),
        entry.description()
    );
    let problem = Problem::new(Exit::Unusable, text)
        .about(about(plan, from, select))
        .advise("a prefix, or another name for the other");
    Some(Unusable { blame: Blame::Source(from), problem })
}

#[cfg(test)]
mod tests;
