//! Values are read from JSON and written as JSON here.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::fuel::Fuel;
use crate::text::{Builder, Text};
use crate::value::{Value, ValueResult};

/// serde_json goes as deep where it reads into values of its own.
const MAX_DEPTH: usize = 127;

/// A list or an object takes several hundred bytes of memory, however short it is written; each
/// other value takes a hundred.
const CONTAINER: usize = 5;

/// A text is read as JSON. A list or mapping stays as it is.
pub fn read<'a>(value: &Value<'a>, fuel: &mut Fuel) -> ValueResult<'a> {
    if let Value::List(_) | Value::Map(_) = value {
        return Ok(value.clone());
    }
    let text = value.text()?;
    fuel.pay_for_bytes(text.len())?;
    let json: &RawValue = serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::words(format!("a value is not JSON (its line {line}, column {column})"))
    })?;
    match &text {
        Text::Borrowed(text) => part(text.trim_ascii(), 1, fuel, &|part| Text::Borrowed(part)),
        Text::Owned(_) => part(json.get(), 1, fuel, &|part| part.to_owned().into()),
    }
}

/// `json` is valid JSON without blanks around it. Each part is paid for before it is there.
fn part<'j, 'a>(
    json: &'j str,
    depth: usize,
    fuel: &mut Fuel,
    text: &impl Fn(&'j str) -> Text<'a>,
) -> ValueResult<'a> {
    if depth > MAX_DEPTH && json.starts_with(['[', '{']) {
        return Err(Error::words(format!("a value is JSON that nests deeper than {MAX_DEPTH}")));
    }
    fuel.pay(1)?;
    Ok(match json.as_bytes().first() {
        Some(b'[') => {
            fuel.pay(CONTAINER + json.len() / 64)?;
            let parts: Vec<&RawValue> = inner(json)?;
            let items = parts.into_iter().map(|it| part(it.get(), depth + 1, fuel, text));
            Value::List(Rc::new(items.collect::<Result<_, _>>()?))
        }
        Some(b'{') => {
            fuel.pay(CONTAINER + json.len() / 64)?;
            // The last of two members with one key counts.
            let parts: BTreeMap<String, &RawValue> = inner(json)?;
            let member =
                |(key, it): (_, &'j RawValue)| Ok((key, part(it.get(), depth + 1, fuel, text)?));
            Value::Map(Rc::new(parts.into_iter().map(member).collect::<Result<_, Error>>()?))
        }
        Some(b'"') if json.contains('\\') => Value::Text(inner::<String>(json)?.into()),
        Some(b'"') => Value::Text(text(inner(json)?)),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(text(json)),
    })
}

/// Valid JSON can have no other fault.
fn inner<'j, T: serde::Deserialize<'j>>(json: &'j str) -> Result<T, Error> {
    serde_json::from_str(json)
        .map_err(|_| Error::words("a value is JSON with half a character in it as \\uXXXX"))
}

/// A format takes a mapping, or a text that is a JSON object, and pays for each member.
pub fn mapping<'a>(value: &Value<'a>, fuel: &mut Fuel) -> ValueResult<'a> {
    let value = if let Value::Text(_) = value { read(value, fuel)? } else { value.clone() };
    match &value {
        Value::Map(members) => {
            fuel.pay(members.len())?;
            Ok(value)
        }
        _ => Err(Error::words("this format takes a JSON object or a mapping {\"KEY\": VALUE}")),
    }
}

/// The text has one line and no spaces.
pub fn compact(value: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, value).map_err(|_| out.too_long())
}

/// The text has lines, which are indented by two spaces.
pub(crate) fn pretty(value: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(|_| out.too_long())
}

/// Nothing but a text that is too long can fail here.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(truth) => to.serialize_bool(*truth),
            Self::Number(number) => {
                serde_json::from_str::<&RawValue>(number).map_err(S::Error::custom)?.serialize(to)
            }
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items.iter()),
            Self::Map(members) => to.collect_map(members.iter().map(|(key, it)| (key, it))),
        }
    }
}
