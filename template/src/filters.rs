//! Filters of text and values, as Jinja has them; those that others lean on have their own files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, State};

use crate::engine::{Told, made};
use crate::json;
use crate::template::MAX_VALUE_BYTES;

/// Wider nobody indents.
const MAX_WIDTH: usize = 64;

pub(crate) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("trim", |state: &State<'_, '_>, value: &Value| {
        made(state, json::text(value)?.trim().to_owned())
    });
    environment.add_filter("upper", |state: &State<'_, '_>, value: &Value| {
        made(state, json::text(value)?.to_uppercase())
    });
    environment.add_filter("lower", |state: &State<'_, '_>, value: &Value| {
        made(state, json::text(value)?.to_lowercase())
    });
    environment.add_filter("replace", replace);
    environment.add_filter("indent", indent);
    environment.add_filter("default", default);
    environment.add_filter("join", join);
    environment.add_filter("length", length);
    environment.add_filter("fromjson", json::parse);
    environment.add_filter("tojson", |state: &State<'_, '_>, value: &Value| {
        made(state, json::compact(value)?)
    });
    environment.add_filter("b64encode", |state: &State<'_, '_>, value: &Value| {
        made(state, STANDARD.encode(json::text(value)?))
    });
    environment.add_filter("b64decode", |state: &State<'_, '_>, value: &Value| {
        made(state, b64decode(&json::text(value)?)?)
    });
}

fn replace(state: &State<'_, '_>, value: &Value, from: &Value, to: &Value) -> Result<Value, Error> {
    let (text, from, to) = (json::text(value)?, json::text(from)?, json::text(to)?);
    if from.is_empty() {
        return Err(Told("replace has nothing to look for".to_owned()).into());
    }
    // Counted first: every byte of the text may become another text.
    let most = text.len() / from.len() * to.len();
    crate::engine::paid(state, most.max(text.len()))?;
    made(state, text.replace(&from, &to))
}

/// All lines but the first, and no empty one.
fn indent(
    state: &State<'_, '_>,
    value: &Value,
    width: Option<usize>,
    first: Option<bool>,
) -> Result<Value, Error> {
    let width = width.unwrap_or(4);
    if width > MAX_WIDTH {
        return Err(Told(format!("indent takes at most {MAX_WIDTH} spaces")).into());
    }
    let spaces = " ".repeat(width);
    let text = json::text(value)?;
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if !line.is_empty() && (index > 0 || first.unwrap_or(false)) {
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
fn default(value: &Value, other: Option<Value>, empty: Option<bool>) -> Value {
    let replaced = value.is_undefined() || (empty.unwrap_or(false) && !value.is_true());
    if replaced { other.unwrap_or_else(|| Value::from("")) } else { value.clone() }
}

fn join(state: &State<'_, '_>, value: &Value, between: Option<&Value>) -> Result<Value, Error> {
    if value.kind() != ValueKind::Seq {
        return Err(Told("join takes a list".to_owned()).into());
    }
    let between = between.map(json::text).transpose()?.unwrap_or_default();
    let mut out = String::new();
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            out.push_str(&between);
        }
        out.push_str(&json::text(&item)?);
        crate::engine::paid(state, out.len() / 64)?;
    }
    made(state, out)
}

/// Characters of a text, items of a list or mapping.
fn length(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Seq | ValueKind::Map => {
            Ok(Value::from(value.len().unwrap_or_default()))
        }
        _ => Err(Told("length takes a text, a list or a mapping".to_owned()).into()),
    }
}

fn b64decode(text: &str) -> Result<String, Told> {
    // Line breaks and blanks are how people wrap it.
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(packed).map_err(|_| Told("a value is not base64".to_owned()))?;
    String::from_utf8(bytes)
        .map_err(|_| Told("what is encoded as base64 is not UTF-8 text".to_owned()))
}
