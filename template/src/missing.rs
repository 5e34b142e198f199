//! Which name, key or item was not there: a second run, which ends at the same error, sees it.
//!
//! The engine's own lookups are replaced by calls of filters that no template can name. They cost
//! more, so that the first run goes without them.

use std::sync::{Arc, Mutex, PoisonError};

use minijinja::machinery::{Instruction, Instructions};
use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::fault::shorten;
use crate::signature::DEFAULT;
use crate::{engine, filters};

/// Filters are not cached under it.
const NOT_LOCAL: u8 = u8::MAX;

/// So many are told.
const MOST: usize = 8;

/// What was not there and is used by the expression at hand, in the order of its evaluation.
#[derive(Clone, Default)]
pub(crate) struct Missing(Arc<Mutex<Vec<Missed>>>);

#[derive(Clone, PartialEq, Eq)]
struct Missed {
    line: usize,
    what: String,
}

/// A lookup of the template, and where it stands.
pub(crate) struct Lookup {
    at: u32,
    line: usize,
    kind: What,
    filter: String,
}

#[derive(Clone)]
enum What {
    Name(String),
    Key(String),
    /// With the literal that stands before its end, which may be all that is in the brackets.
    Item(Option<Value>),
}

impl Missing {
    /// In words, for an error in this line.
    pub(crate) fn tell(&self, line: usize) -> Option<String> {
        let missed = self.with(|missed| missed.clone());
        let mut here: Vec<_> = missed.iter().filter(|missed| missed.line == line).collect();
        if here.is_empty() {
            here.extend(missed.last());
        }
        here.dedup();
        let what: Vec<_> = here.iter().map(|missed| missed.what.as_str()).take(MOST).collect();
        let more = match here.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!(", or one of {more} more"),
        };
        (!what.is_empty()).then(|| what.join(", or ") + &more)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Vec<Missed>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, line: usize, what: String) {
        self.with(|missed| missed.push(Missed { line, what }));
    }

    /// The one that was looked up last, but for so many.
    fn forget(&self, but: usize) {
        self.with(|missed| {
            let last = missed.len().checked_sub(1 + but);
            last.map(|last| missed.remove(last))
        });
    }

    /// What is written is whole, and what `default` and tests take may be missing.
    pub(crate) fn watch(&self, environment: &mut Environment<'_>) {
        let missing = self.clone();
        environment.set_formatter(move |output, state, value| {
            missing.with(Vec::clear);
            engine::print(output, state, value)
        });
        let missing = self.clone();
        environment.add_filter(DEFAULT, move |value: &Value, arguments: Rest<Value>| {
            let others = arguments.iter().filter(|other| other.is_undefined()).count();
            let made = filters::default(value, &arguments)?;
            if value.is_undefined() {
                missing.forget(others);
            } else if others > 0 {
                missing.forget(0);
            }
            Ok::<_, Error>(made)
        });
        for (name, test) in engine::TESTS {
            let missing = self.clone();
            environment.add_test(name, move |value: &Value| {
                if value.is_undefined() {
                    missing.forget(0);
                }
                test(value)
            });
        }
    }

    pub(crate) fn replace<'l>(
        &self,
        lookups: &'l [Lookup],
        instructions: &mut Instructions<'l>,
        environment: &mut Environment<'_>,
    ) {
        for Lookup { at, line, kind, filter } in lookups {
            let Some(instruction) = instructions.get_mut(*at) else { continue };
            let count = match kind {
                What::Name(_) => 0,
                What::Key(_) => 1,
                What::Item(_) => 2,
            };
            *instruction = Instruction::ApplyFilter(filter, Some(count), NOT_LOCAL);
            let (missing, line, filter) = (self.clone(), *line, filter.clone());
            match kind.clone() {
                What::Name(name) => environment.add_filter(filter, move |state: &State<'_, '_>| {
                    let value = state.lookup(&name).unwrap_or_default();
                    if value.is_undefined() {
                        missing.add(line, format!("{:?} is not defined", shorten(&name)));
                    }
                    value
                }),
                What::Key(key) => environment.add_filter(filter, move |whole: &Value| {
                    missing.part(line, whole, &Value::from(key.as_str()), true)
                }),
                What::Item(literal) => {
                    environment.add_filter(filter, move |whole: &Value, key: &Value| {
                        missing.part(line, whole, key, literal.as_ref() == Some(key))
                    });
                }
            }
        }
    }

    fn part(
        &self,
        line: usize,
        whole: &Value,
        key: &Value,
        is_written: bool,
    ) -> Result<Value, Error> {
        if whole.is_undefined() {
            return Err(ErrorKind::UndefinedError.into());
        }
        let part = whole.get_item(key).unwrap_or_default();
        if part.is_undefined() {
            let shown = match key.as_str() {
                // It may be a value.
                _ if !is_written => "[…]".to_owned(),
                Some(key) => format!("{:?}", shorten(key)),
                None => format!("[{key}]"),
            };
            let why = match whole.kind() {
                ValueKind::String => ", as a text has no keys; json(TEXT) reads it",
                ValueKind::Number | ValueKind::Bool | ValueKind::None => {
                    ", as a number, true, false or null has no keys"
                }
                ValueKind::Seq if key.as_str().is_some() => {
                    ", as a list has no keys; write LIST[0]"
                }
                _ if !is_written => ": its value names no key or item",
                _ => "",
            };
            self.add(line, format!("{shown} is not defined{why}"));
        }
        Ok(part)
    }
}

pub(crate) fn lookups(instructions: &Instructions<'_>) -> Vec<Lookup> {
    let mut lookups = Vec::new();
    let mut before: Option<&Instruction<'_>> = None;
    for at in 0.. {
        let Some(instruction) = instructions.get(at) else { break };
        let kind = match (instruction, before) {
            (Instruction::Lookup(name), _) => Some(What::Name((*name).to_owned())),
            (Instruction::GetAttr(key), _) => Some(What::Key((*key).to_owned())),
            (Instruction::GetItem, Some(Instruction::LoadConst(literal))) => {
                Some(What::Item(Some(literal.clone())))
            }
            (Instruction::GetItem, _) => Some(What::Item(None)),
            _ => None,
        };
        if let Some(kind) = kind {
            let line = instructions.get_line(at).unwrap_or(1);
            lookups.push(Lookup { at, line, kind, filter: format!("[{at}]") });
        }
        before = Some(instruction);
    }
    lookups
}
