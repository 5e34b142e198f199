//! Literals, operators and keys are evaluated here. Operators take texts and single values, and pay
//! for their work.

use std::cmp::Ordering;

use minijinja::machinery::ast::BinOpKind;
use minijinja::value::ValueKind;
use printable::shorten;

use crate::decimal::Decimal;
use crate::error::Error;
use crate::limits::Fuel;
use crate::text::Text;
use crate::value::{TypeKind, Value, ValueResult, build};

/// The value is written out in the template.
pub(crate) fn literal<'a>(value: &'a minijinja::Value, fuel: &mut Fuel) -> ValueResult<'a> {
    Ok(match value.kind() {
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::String => Value::Text(Text::Borrowed(value.as_str().unwrap_or_default())),
        _ => {
            fuel.pay(1)?;
            if value.is_integer() {
                return Ok(Value::Number(value.to_string().into()));
            }
            let number = f64::try_from(value.clone()).ok().and_then(serde_json::Number::from_f64);
            let number = number.ok_or_else(|| Error::words("a number is not finite"))?;
            Value::Number(number.to_string().into())
        }
    })
}

/// The number stands behind a `-`.
pub(crate) fn negative<'a>(value: &'a minijinja::Value, fuel: &mut Fuel) -> ValueResult<'a> {
    let number = literal(value, fuel)?.text()?;
    Ok(Value::Number(format!("-{}", &*number).into()))
}

/// A template does not have the operator of this sign.
pub(crate) fn arithmetic(operator: BinOpKind) -> Option<&'static str> {
    match operator {
        BinOpKind::Add => Some("+"),
        BinOpKind::Sub => Some("-"),
        BinOpKind::Mul => Some("*"),
        BinOpKind::Div => Some("/"),
        BinOpKind::FloorDiv => Some("//"),
        BinOpKind::Rem => Some("%"),
        BinOpKind::Pow => Some("**"),
        _ => None,
    }
}

/// `and` and `or` are not among these operators, as they look at one side first.
pub(crate) fn apply<'a>(
    operator: BinOpKind,
    left: &Value<'a>,
    right: &Value<'a>,
    fuel: &mut Fuel,
) -> ValueResult<'a> {
    match operator {
        BinOpKind::Concat => return concat(left, right, fuel),
        BinOpKind::In => return is_in(left, right, fuel).map(Value::Bool),
        _ => [left, right].iter().try_for_each(|it| single(it, fuel))?,
    }
    Ok(Value::Bool(match operator {
        BinOpKind::Lt => order("<", left, right)?.is_lt(),
        BinOpKind::Lte => order("<=", left, right)?.is_le(),
        BinOpKind::Gt => order(">", left, right)?.is_gt(),
        BinOpKind::Gte => order(">=", left, right)?.is_ge(),
        other => equal(left, right)? == matches!(other, BinOpKind::Eq),
    }))
}

fn concat<'a>(left: &Value<'a>, right: &Value<'a>, fuel: &mut Fuel) -> ValueResult<'a> {
    if [left, right].iter().any(|it| matches!(it.kind(), TypeKind::Bool | TypeKind::Null)) {
        return Err(Error::words(
            "~ takes texts and numbers, not true, false or null of JSON; use default, tojson or an if",
        ));
    }
    build(fuel, |out| [left, right].iter().try_for_each(|it| out.push_str(&it.text()?)))
}

/// Only what this accepts can be compared at a price that is known.
fn single(value: &Value<'_>, fuel: &mut Fuel) -> Result<(), Error> {
    match value {
        Value::List(_) | Value::Map(_) => {
            Err(Error::words("a list or mapping cannot be compared; pick a part of it"))
        }
        Value::Text(text) | Value::Number(text) => fuel.pay_for_bytes(text.len()),
        _ => Ok(()),
    }
}

fn equal(left: &Value<'_>, right: &Value<'_>) -> Result<bool, Error> {
    match (left, right) {
        (Value::Unknown(_), _) | (_, Value::Unknown(_)) => Err(Error::Unknown),
        (Value::Text(left), Value::Text(right)) => Ok(**left == **right),
        (Value::Null, Value::Null) => Ok(true),
        _ => Ok(digits(left)
            .zip(digits(right))
            .is_some_and(|(a, b)| Decimal::read(a).compare(Decimal::read(b)).is_eq())),
    }
}

fn digits<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Bool(truth) => Some(if *truth { "1" } else { "0" }),
        Value::Number(number) => Some(number),
        _ => None,
    }
}

fn order(sign: &str, left: &Value<'_>, right: &Value<'_>) -> Result<Ordering, Error> {
    let (one, other) = (left.kind(), right.kind());
    let fits = |kind| matches!(kind, TypeKind::Text | TypeKind::Number | TypeKind::Any);
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => {
            Ok(Decimal::read(left).compare(Decimal::read(right)))
        }
        _ if fits(one)
            && fits(other)
            && (one == other || [one, other].contains(&TypeKind::Any)) =>
        {
            Err(Error::Unknown)
        }
        _ => Err(Error::words(format!("{sign} takes two texts or two numbers"))),
    }
}

/// A text is looked for in a text, an item in a list and a key in a mapping.
fn is_in(value: &Value<'_>, container: &Value<'_>, fuel: &mut Fuel) -> Result<bool, Error> {
    single(value, fuel)?;
    match (container, container.kind()) {
        (_, TypeKind::Text) if !matches!(value.kind(), TypeKind::Text | TypeKind::Any) => {
            Err(Error::words("in looks for a text in a text"))
        }
        (_, TypeKind::Number | TypeKind::Bool | TypeKind::Null) => {
            Err(Error::words("in looks into a text, a list or a mapping"))
        }
        _ if [value, container].iter().any(|it| matches!(it, Value::Unknown(_))) => {
            Err(Error::Unknown)
        }
        (Value::List(items), _) => {
            let digits: usize = items.iter().filter_map(self::digits).map(str::len).sum();
            fuel.pay_for_bytes(items.len() + digits)?;
            let number = self::digits(value).map(Decimal::read);
            let found = |item: &Value<'_>| match (number, self::digits(item)) {
                (Some(number), Some(item)) => number.compare(Decimal::read(item)).is_eq(),
                _ => equal(item, value).unwrap_or_default(),
            };
            Ok(items.iter().any(found))
        }
        (Value::Text(text), _) => {
            fuel.pay_for_bytes(text.len())?;
            Ok(text.contains(&*value.text()?))
        }
        _ => Ok(member(container, value).is_some()),
    }
}

/// This gives the value of a key or an item. `is_written` says that the key stands in the template;
/// another one may be a secret's value, which no message repeats.
pub(crate) fn part<'a>(
    whole: &Value<'a>,
    key: &Value<'a>,
    is_written: bool,
    fuel: &mut Fuel,
) -> ValueResult<'a> {
    if let (Value::Text(text), Value::Number(_)) = (whole, key) {
        fuel.pay_for_bytes(text.len())?;
    }
    let is_key = matches!(key, Value::Text(_));
    let is_text = matches!(whole, Value::Unknown(TypeKind::Text));
    let is_unknown = matches!(whole, Value::Unknown(_)) && !(is_text && is_key);
    if is_unknown || matches!(key, Value::Unknown(_)) {
        return Err(Error::Unknown);
    }
    if let Some(part) = member(whole, key) {
        return Ok(part);
    }
    let shown = match key {
        _ if !is_written => "[…]".to_owned(),
        Value::Text(key) => format!("{:?}", shorten(key)),
        key => format!("[{}]", shorten(&key.text().unwrap_or(Text::Borrowed("none")))),
    };
    let why = match whole.kind() {
        TypeKind::Text => ", as a text has no keys; json(TEXT) reads it",
        TypeKind::Number | TypeKind::Bool | TypeKind::Null => {
            ", as a number, true, false or null has no keys"
        }
        TypeKind::List if is_key => ", as a list has no keys; write LIST[0]",
        _ if !is_written => ": its value names no key or item",
        _ => "",
    };
    let words = format!("{shown} is not defined{why}");
    // An author that asks a secret for a key has forgotten json(), and not that it may be missing.
    if is_text { Err(Error::words(words)) } else { Ok(Value::Undefined(words.into())) }
}

fn member<'a>(whole: &Value<'a>, key: &Value<'a>) -> Option<Value<'a>> {
    match (whole, key) {
        (Value::Map(members), Value::Text(key)) => {
            let at = members.binary_search_by(|(other, _)| other.as_str().cmp(key)).ok()?;
            members.get(at).map(|(_, value)| value.clone())
        }
        (Value::List(items), Value::Number(index)) => {
            items.get(position(index, items.len())?).cloned()
        }
        (Value::Text(text), Value::Number(index)) => {
            let c = text.chars().nth(position(index, text.chars().count())?)?;
            Some(Value::Text(c.to_string().into()))
        }
        _ => None,
    }
}

/// A negative index counts from the end.
fn position(index: &str, length: usize) -> Option<usize> {
    match index.strip_prefix('-') {
        Some(back) => length.checked_sub(back.parse().ok()?),
        None => index.parse().ok(),
    }
}
