//! Values from JSON and to it.

mod parts;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};
use serde::de::DeserializeSeed as _;
use serde_json::value::RawValue;

use crate::engine::{Told, paid};
use crate::number::{self, Exact};
use crate::template::MAX_VALUE_BYTES;

/// As deep as what the parser reads: it refuses its 128th level.
const MAX_DEPTH: usize = 127;

/// The function `json` and the filter `fromjson`. What was read already stays as it is.
pub(crate) fn parse(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if matches!(value.kind(), ValueKind::Map | ValueKind::Seq) {
        return Ok(value.clone());
    }
    read(state, &text(value)?)
}

pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

pub(crate) fn is_object(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok_and(|json| json.get().starts_with('{'))
}

/// A number that is kept as it was written.
pub(crate) fn exact(value: &Value) -> Option<&Exact> {
    value.downcast_object_ref()
}

fn read(state: &State<'_, '_>, text: &str) -> Result<Value, Error> {
    paid(state, text.len())?;
    // Numbers of any size pass here, and places are told as the value has them.
    serde_json::from_str::<&RawValue>(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Told(format!("a value is not JSON (its line {line}, column {column})"))
    })?;
    let marked = number::mark(text);
    let mut reader = serde_json::Deserializer::from_str(&marked);
    parts::Reader(state).deserialize(&mut reader).map_err(|error| {
        let nested = || {
            let line = error.line();
            Error::from(Told(format!(
                "a value is JSON that nests deeper than {MAX_DEPTH}, or half a character stands in it as \\uXXXX (its line {line})"
            )))
        };
        // Fuel that has run out once stays out, and the parser has no words for it.
        state.consume_fuel(1).err().unwrap_or_else(nested)
    })
}

/// A single value as text: booleans and numbers as in JSON.
pub(crate) fn text(value: &Value) -> Result<String, Error> {
    if let Some(number) = exact(value) {
        return Ok(number.as_str().to_owned());
    }
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number => Ok(number(value)?),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => {
            Err(Told("null has no text; use default(\"…\", true)".to_owned()).into())
        }
        _ => Err(Told("a list or mapping is no text; pick a part of it, or use tojson".to_owned())
            .into()),
    }
}

pub(crate) fn number(value: &Value) -> Result<String, Told> {
    let bad = || Told("a number is not finite".to_owned());
    if value.is_integer() {
        return i128::try_from(value.clone()).map(|number| number.to_string()).map_err(|_| bad());
    }
    let number = f64::try_from(value.clone()).map_err(|_| bad())?;
    serde_json::Number::from_f64(number).map(|number| number.to_string()).ok_or_else(bad)
}

/// In one line without spaces; members are sorted by their keys.
pub(crate) fn compact(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write(&mut out, value, None, 0)?;
    Ok(out)
}

/// In lines, indented by two spaces.
pub(crate) fn pretty(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write(&mut out, value, Some(2), 0)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, width: Option<usize>, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH || out.len() > MAX_VALUE_BYTES {
        return Err(Told("a value is too deep or too large for JSON".to_owned()).into());
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::String => out.push_str(&crate::quote::json(value.as_str().unwrap_or_default())?),
        ValueKind::Seq => {
            let items = value.try_iter()?.collect::<Vec<_>>();
            list(out, ('[', ']'), &items, width, depth, |out, item| {
                write(out, item, width, depth + 1)
            })?;
        }
        ValueKind::Map => {
            let members = members(value)?;
            list(out, ('{', '}'), &members, width, depth, |out, (key, member)| {
                out.push_str(&crate::quote::json(key)?);
                out.push_str(if width.is_some() { ": " } else { ":" });
                write(out, member, width, depth + 1)
            })?;
        }
        _ => out.push_str(&text(value)?),
    }
    Ok(())
}

fn list<T>(
    out: &mut String,
    (open, close): (char, char),
    items: &[T],
    width: Option<usize>,
    depth: usize,
    mut item: impl FnMut(&mut String, &T) -> Result<(), Error>,
) -> Result<(), Error> {
    let line = |out: &mut String, depth: usize| {
        if let (Some(width), false) = (width, items.is_empty()) {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * depth));
        }
    };
    out.push(open);
    for (index, one) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, depth + 1);
        item(out, one)?;
    }
    line(out, depth);
    out.push(close);
    Ok(())
}

/// The members of a mapping, sorted by their keys.
pub(crate) fn members(value: &Value) -> Result<Vec<(String, Value)>, Error> {
    let mut members = Vec::new();
    for key in value.try_iter()? {
        members.push((text(&key)?, value.get_item(&key)?));
    }
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(members)
}
