//! Filters of text and values, as Jinja has them; those that others lean on have their own files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::engine::{Told, made, paid, within};
use crate::json;
use crate::signature::{DEFAULT, Takes};
use crate::template::MAX_VALUE_BYTES;

/// Wider nobody indents.
const MAX_WIDTH: usize = 64;

pub(crate) fn add(environment: &mut Environment<'_>) {
    environment.add_filter(
        "replace",
        |state: &State<'_, '_>, value: &Value, from: &Value, to: &Value| {
            within("the filter replace", replace(state, value, from, to))
        },
    );
    environment.add_filter(
        "indent",
        |state: &State<'_, '_>, value: &Value, arguments: Rest<Value>| {
            within("the filter indent", indent(state, value, &arguments))
        },
    );
    environment.add_filter(DEFAULT, |value: &Value, arguments: Rest<Value>| {
        within("the filter default", default(value, &arguments))
    });
    environment.add_filter(
        "join",
        |state: &State<'_, '_>, value: &Value, arguments: Rest<Value>| {
            within("the filter join", join(state, value, &arguments))
        },
    );
    environment.add_filter("length", |value: &Value| within("the filter length", length(value)));
    environment.add_filter("fromjson", |state: &State<'_, '_>, value: &Value| {
        within("the filter fromjson", json::parse(state, value))
    });
    environment.add_filter("tojson", |state: &State<'_, '_>, value: &Value| {
        let text = within("the filter tojson", json::compact(value))?;
        made(state, text)
    });
}

fn takes(argument: &str, takes: Takes) -> Told {
    Told(format!("{argument} is not {}", takes.words()))
}

fn replace(state: &State<'_, '_>, value: &Value, from: &Value, to: &Value) -> Result<Value, Error> {
    let (text, from, to) = (json::text(value)?, json::text(from)?, json::text(to)?);
    if from.is_empty() {
        return Err(takes("FROM", Takes::Sought).into());
    }
    // Counted first: every byte of the text may become another text.
    let most = text.len() / from.len() * to.len();
    paid(state, most.max(text.len()))?;
    made(state, text.replace(&from, &to))
}

/// One that may be left out, but that is there if it is written.
fn given(arguments: &[Value], at: usize) -> Result<Option<&Value>, Error> {
    match arguments.get(at) {
        Some(argument) if argument.is_undefined() => Err(ErrorKind::UndefinedError.into()),
        argument => Ok(argument),
    }
}

/// Spaces before a line, if it is a number of them.
pub(crate) fn width(value: &Value) -> Option<usize> {
    usize::try_from(value.clone()).ok().filter(|width| *width <= MAX_WIDTH)
}

fn truth(argument: &str, value: Option<&Value>) -> Result<bool, Error> {
    match value.map(Value::kind) {
        None | Some(ValueKind::None) => Ok(false),
        Some(ValueKind::Bool) => Ok(value.is_some_and(Value::is_true)),
        Some(_) => Err(takes(argument, Takes::Truth).into()),
    }
}

/// All lines but the first, and no empty one.
fn indent(state: &State<'_, '_>, value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let spaces = match given(arguments, 0)?.filter(|spaces| !spaces.is_none()) {
        Some(spaces) => width(spaces).ok_or_else(|| takes("WIDTH", Takes::Width))?,
        None => 4,
    };
    let (first, spaces) = (truth("FIRST", given(arguments, 1)?)?, " ".repeat(spaces));
    let text = json::text(value)?;
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if !line.is_empty() && (index > 0 || first) {
            out.push_str(&spaces);
        }
        out.push_str(line);
        if out.len() > MAX_VALUE_BYTES {
            break;
        }
    }
    made(state, out)
}

/// Another value for one that is not defined, and with `true` also for one that is null, empty or
/// false.
pub(crate) fn default(value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let empty = truth("EMPTY", given(arguments, 1)?)?;
    if !value.is_undefined() && (value.is_true() || !empty) {
        return Ok(value.clone());
    }
    Ok(arguments.first().cloned().unwrap_or_else(|| Value::from("")))
}

fn join(state: &State<'_, '_>, value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    if value.kind() != ValueKind::Seq {
        return Err(Told("what is joined is no list".to_owned()).into());
    }
    let between = given(arguments, 0)?.map(json::text).transpose()?.unwrap_or_default();
    let mut out = String::new();
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            out.push_str(&between);
        }
        out.push_str(&json::text(&item)?);
        paid(state, out.len() / 64)?;
    }
    made(state, out)
}

/// Characters of a text, items of a list or mapping.
fn length(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Seq | ValueKind::Map => {
            Ok(Value::from(value.len().unwrap_or_default()))
        }
        _ => Err(Told("a number, true, false or null has no length".to_owned()).into()),
    }
}

pub(crate) fn b64encode(text: &str) -> Result<String, Told> {
    Ok(STANDARD.encode(text))
}

pub(crate) fn b64decode(text: &str) -> Result<String, Told> {
    // Line breaks and blanks are how people wrap it.
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(packed).map_err(|_| Told("a value is not base64".to_owned()))?;
    String::from_utf8(bytes)
        .map_err(|_| Told("what is encoded as base64 is not UTF-8 text".to_owned()))
}
