//! These filters of text and values are as Jinja has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::{Builder, Error, Fuel, Text, Value, ValueResult, build, json};
use zeroize::Zeroizing;

use crate::operand::{Operand, OperandResult};

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
    let (text, from, to) = (value.text()?, text(args.first())?, text(args.get(1))?);
    if from.is_empty() {
        return Err(Error::words("FROM is empty"));
    }
    let mut parts = text.split(&*from).map(|part| Ok(Text::Borrowed(part)));
    build(fuel, text.len(), |out| between(&to, &mut parts, out))
}

/// An argument that is not there is empty.
fn text<'a>(value: Option<&Value<'a>>) -> Result<Text<'a>, Error> {
    value.map_or(Ok(Text::Borrowed("")), Value::text)
}

fn between(
    separator: &str,
    parts: &mut dyn Iterator<Item = Result<Text<'_>, Error>>,
    out: &mut Builder,
) -> Result<(), Error> {
    parts.enumerate().try_for_each(|(index, part)| {
        out.push_str(if index > 0 { separator } else { "" })?;
        out.push_str(&part?)
    })
}

/// All lines but the first are indented, and no empty one is.
pub(crate) fn indent<'a>(
    value: &Value<'a>,
    args: &[Value<'a>],
    fuel: &mut Fuel,
) -> ValueResult<'a> {
    let is_first = matches!(args.get(1), Some(Value::Bool(true)));
    let width = match args.first() {
        Some(Value::Number(width)) => width.parse().unwrap_or(usize::MAX),
        _ => 4,
    };
    if width > MAX_WIDTH {
        let words = format!("WIDTH is not a number of spaces from 0 to {MAX_WIDTH}");
        return Err(Error::words(words));
    }
    let (text, spaces) = (value.text()?, " ".repeat(width));
    build(fuel, text.len(), |out| {
        text.split('\n').enumerate().try_for_each(|(index, line)| {
            out.push_str(if index > 0 { "\n" } else { "" })?;
            out.push_str(if !line.is_empty() && (index > 0 || is_first) { &spaces } else { "" })?;
            out.push_str(line)
        })
    })
}

/// Another value stands in for one that is not defined, and with `true` also for one that is null,
/// empty or false.
pub(crate) fn default<'a>(
    value: &Operand<'a>,
    args: &[Operand<'a>],
    fuel: &mut Fuel,
) -> OperandResult<'a> {
    let other = args.first().cloned().unwrap_or(Operand::text(""));
    let is_kept = match (value, args.get(1)) {
        (value, _) if value.is_undefined() => false,
        (Operand::Known(value), Some(Operand::Known(Value::Bool(true)))) => value.truth(fuel)?,
        (Operand::Known(_), None | Some(Operand::Known(_))) => true,
        _ => return Ok(value.or(&other)),
    };
    Ok(if is_kept { value.clone() } else { other })
}

pub(crate) fn join<'a>(value: &Value<'a>, args: &[Value<'a>], fuel: &mut Fuel) -> ValueResult<'a> {
    let separator = text(args.first())?;
    let Value::List(items) = value else { return Err(Error::words("it is no list")) };
    fuel.pay(items.len())?;
    build(fuel, 0, |out| between(&separator, &mut items.iter().map(Value::text), out))
}

/// This counts the characters of a text and the items of a list or mapping.
pub(crate) fn length<'a>(value: &Value<'a>, _: &[Value<'a>], _: &mut Fuel) -> ValueResult<'a> {
    let length = match value {
        Value::List(items) => items.len(),
        Value::Map(members) => members.len(),
        value => value.text()?.chars().count(),
    };
    Ok(Value::Number(length.to_string().into()))
}

pub(crate) fn tojson<'a>(value: &Value<'a>, _: &[Value<'a>], fuel: &mut Fuel) -> ValueResult<'a> {
    build(fuel, 0, |out| json::compact(value, out))
}
