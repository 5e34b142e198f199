//! Operators, by rules of our own: each takes texts and single values, pays for its work, and
//! never writes a value in the engine's words. The engine's own instructions are replaced by calls
//! of filters that no template can name.

use std::cmp::Ordering;

use minijinja::machinery::{Instruction, Instructions};
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::engine::{Told, made, paid};
use crate::json;

const CONCAT: &str = "~";
const EQUAL: &str = "==";
const UNEQUAL: &str = "!=";
const LESS: &str = "<";
const LESS_OR_EQUAL: &str = "<=";
const GREATER: &str = ">";
const GREATER_OR_EQUAL: &str = ">=";
const IN: &str = "in";

/// Filters are not cached under it.
const NOT_LOCAL: u8 = u8::MAX;

type Order = fn(Ordering) -> bool;

pub(crate) fn replace(instructions: &mut Instructions<'_>) {
    let mut at = 0;
    while let Some(instruction) = instructions.get_mut(at) {
        let name = match instruction {
            Instruction::StringConcat => Some(CONCAT),
            Instruction::Eq => Some(EQUAL),
            Instruction::Ne => Some(UNEQUAL),
            Instruction::Lt => Some(LESS),
            Instruction::Lte => Some(LESS_OR_EQUAL),
            Instruction::Gt => Some(GREATER),
            Instruction::Gte => Some(GREATER_OR_EQUAL),
            Instruction::In => Some(IN),
            _ => None,
        };
        if let Some(name) = name {
            *instruction = Instruction::ApplyFilter(name, Some(2), NOT_LOCAL);
        }
        at += 1;
    }
}

pub(crate) fn add(environment: &mut Environment<'_>) {
    environment.add_filter(CONCAT, concat);
    environment.add_filter(IN, is_in);
    environment.add_filter(EQUAL, |state: &State<'_, '_>, a: &Value, b: &Value| {
        Ok::<_, Error>(single(state, a)? == single(state, b)?)
    });
    environment.add_filter(UNEQUAL, |state: &State<'_, '_>, a: &Value, b: &Value| {
        Ok::<_, Error>(single(state, a)? != single(state, b)?)
    });
    let orders: [(&'static str, Order); 4] = [
        (LESS, Ordering::is_lt),
        (LESS_OR_EQUAL, Ordering::is_le),
        (GREATER, Ordering::is_gt),
        (GREATER_OR_EQUAL, Ordering::is_ge),
    ];
    for (name, is) in orders {
        environment.add_filter(name, move |state: &State<'_, '_>, a: &Value, b: &Value| {
            let (a, b) = (single(state, a)?, single(state, b)?);
            let both = |kind| a.kind() == kind && b.kind() == kind;
            if !both(ValueKind::String) && !both(ValueKind::Number) {
                let words = format!("{name} takes two texts or two numbers");
                return Err(Error::from(Told(words)));
            }
            Ok(is(a.cmp(&b)))
        });
    }
}

fn concat(state: &State<'_, '_>, left: &Value, right: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    for value in [left, right] {
        match value.kind() {
            ValueKind::Bool | ValueKind::None => {
                let words = "~ takes texts and numbers, not true, false or null of JSON; use default, tojson or an if";
                return Err(Told(words.to_owned()).into());
            }
            _ => out.push_str(&json::text(value)?),
        }
    }
    made(state, out)
}

/// A part of a text, an item of a list or a key of a mapping.
fn is_in(state: &State<'_, '_>, value: &Value, container: &Value) -> Result<bool, Error> {
    let value = single(state, value)?;
    match container.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::String => {
            paid(state, container.as_str().map_or(0, str::len))?;
            let Some(part) = value.as_str() else {
                return Err(Told("in looks for a text in a text".to_owned()).into());
            };
            Ok(container.as_str().unwrap_or_default().contains(part))
        }
        ValueKind::Seq => {
            paid(state, container.len().unwrap_or_default())?;
            Ok(container.try_iter()?.any(|item| number_of(&item).unwrap_or(item) == value))
        }
        ValueKind::Map => Ok(!container.get_item(&value)?.is_undefined()),
        _ => Err(Told("in looks into a text, a list or a mapping".to_owned()).into()),
    }
}

/// One that keeps its text, as it is compared.
fn number_of(value: &Value) -> Option<Value> {
    Some(json::exact(value)?.approximately())
}

/// What can be compared at a price that is known.
fn single(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if let Some(number) = number_of(value) {
        return Ok(number);
    }
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::String | ValueKind::Number | ValueKind::Bool | ValueKind::None => {
            paid(state, value.as_str().map_or(0, str::len))?;
            Ok(value.clone())
        }
        _ => Err(Told("a list or mapping cannot be compared; pick a part of it".to_owned()).into()),
    }
}
