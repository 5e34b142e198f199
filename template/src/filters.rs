//! These filters of text and values are as Jinja has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::json;
use crate::limits::Fuel;
use crate::text::{Builder, Text};
use crate::value::{TypeKind, Value, ValueResult, build};

/// Nobody indents wider.
const MAX_WIDTH: usize = 64;

pub(crate) fn b64decode(text: &str, out: &mut Builder) -> Result<(), Error> {
    // Line breaks and blanks are how people wrap it.
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
    packed.extend(text.bytes().filter(|b| !b.is_ascii_whitespace()));
    let bytes = STANDARD.decode(packed).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| Error::words("a value is not base64"))?;
    let decoded = std::str::from_utf8(&bytes);
    out.push_str(decoded.map_err(|_| Error::words("what is encoded as base64 is not UTF-8 text; for its bytes write FILE: {source: …, encoding: base64} in secrets"))?)
}

pub(crate) fn b64encode(text: &str, out: &mut Builder) -> Result<(), Error> {
    out.push_str(&Zeroizing::new(STANDARD.encode(text)))
}

pub(crate) fn replace<'a>(
    value: &Value<'a>,
    args: &[Value<'a>],
    fuel: &mut Fuel,
) -> ValueResult<'a> {
    let [from, to] = args else { return Err(Error::Unknown) };
    let to = to.text()?;
    let from = from.text()?;
    if from.is_empty() {
        return Err(Error::words("FROM is not a text to look for, which is not empty"));
    }
    let text = value.text()?;
    fuel.pay_for_bytes(text.len())?;
    build(fuel, |out| {
        out.reserve(text.len())?;
        text.split(&*from).enumerate().try_for_each(|(index, part)| {
            out.push_str(if index > 0 { &to } else { "" })?;
            out.push_str(part)
        })
    })
}

/// All lines but the first are indented, and no empty one is.
pub(crate) fn indent<'a>(
    value: &Value<'a>,
    args: &[Value<'a>],
    fuel: &mut Fuel,
) -> ValueResult<'a> {
    let is_first = is_true("FIRST", args.get(1))?;
    let width = match args.first() {
        None | Some(Value::Null) => 4,
        Some(Value::Unknown(TypeKind::Any | TypeKind::Number)) => {
            return value.text().and(Err(Error::Unknown));
        }
        Some(Value::Number(width)) => width.parse().unwrap_or(usize::MAX),
        Some(_) => usize::MAX,
    };
    if width > MAX_WIDTH {
        let words = format!("WIDTH is not a number of spaces from 0 to {MAX_WIDTH}");
        return Err(Error::words(words));
    }
    let (text, spaces) = (value.text()?, " ".repeat(width));
    build(fuel, |out| {
        text.split('\n').enumerate().try_for_each(|(index, line)| {
            out.push_str(if index > 0 { "\n" } else { "" })?;
            out.push_str(if !line.is_empty() && (index > 0 || is_first) { &spaces } else { "" })?;
            out.push_str(line)
        })
    })
}

fn is_true(argument: &str, value: Option<&Value<'_>>) -> Result<bool, Error> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(truth)) => Ok(*truth),
        Some(Value::Unknown(TypeKind::Any | TypeKind::Bool)) => Err(Error::Unknown),
        Some(_) => Err(Error::words(format!("{argument} is not true or false"))),
    }
}

/// Another value stands in for one that is not defined, and with `true` also for one that is null,
/// empty or false.
pub(crate) fn default<'a>(value: &Value<'a>, args: &[Value<'a>], _: &mut Fuel) -> ValueResult<'a> {
    let is_kept = match (value, is_true("EMPTY", args.get(1))?) {
        (Value::Unknown(TypeKind::Any), _) => None,
        (_, true) => value.truth(),
        (_, false) => Some(!value.is_undefined()),
    };
    if is_kept.ok_or(Error::Unknown)? {
        return Ok(value.clone());
    }
    Ok(args.first().cloned().unwrap_or(Value::Text(Text::Borrowed(""))))
}

pub(crate) fn join<'a>(value: &Value<'a>, args: &[Value<'a>], fuel: &mut Fuel) -> ValueResult<'a> {
    let between = args.first().map_or(Ok(Text::Borrowed("")), Value::text);
    let items = match value {
        Value::List(items) => items,
        Value::Unknown(TypeKind::Any) => return Err(Error::Unknown),
        _ => return Err(Error::words("what is joined is no list")),
    };
    let between = between?;
    fuel.pay(items.len())?;
    build(fuel, |out| {
        items.iter().enumerate().try_for_each(|(index, item)| {
            out.push_str(if index > 0 { &between } else { "" })?;
            out.push_str(&item.text()?)
        })
    })
}

/// This counts the characters of a text and the items of a list or mapping.
pub(crate) fn length<'a>(value: &Value<'a>, _: &[Value<'a>], fuel: &mut Fuel) -> ValueResult<'a> {
    let length = match value {
        Value::Text(text) => {
            fuel.pay_for_bytes(text.len())?;
            text.chars().count()
        }
        Value::List(items) => items.len(),
        Value::Map(members) => members.len(),
        Value::Unknown(TypeKind::Any | TypeKind::Text) => return Err(Error::Unknown),
        _ => return Err(Error::words("a number, true, false or null has no length")),
    };
    Ok(Value::Number(length.to_string().into()))
}

pub(crate) fn tojson<'a>(value: &Value<'a>, _: &[Value<'a>], fuel: &mut Fuel) -> ValueResult<'a> {
    build(fuel, |out| json::compact(value, out))
}
