//! What literals, operators and keys give.

use std::cmp::Ordering;

use formats::{Builder, Error, Fuel, Kinds, Value, build};
use minijinja::machinery::ast::BinOpKind;
use minijinja::value::ValueKind;
use printable::shorten;

use crate::operand::{Operand, OperandResult};

/// The value is written out in the template, or the number behind a `-`.
pub(crate) fn literal<'a>(
    sign: &str,
    value: &'a minijinja::Value,
    fuel: &mut Fuel,
) -> OperandResult<'a> {
    match value.kind() {
        ValueKind::None => return Ok(Operand::Known(Value::Null)),
        ValueKind::Bool => return Ok(Operand::bool(value.is_true())),
        ValueKind::String => return Ok(Operand::text(value.as_str().unwrap_or_default())),
        _ => fuel.pay(1)?,
    }
    let mut digits = if value.is_integer() {
        value.to_string()
    } else {
        let number = f64::try_from(value.clone()).ok().and_then(serde_json::Number::from_f64);
        number.ok_or_else(|| Error::words("a number is not finite"))?.to_string()
    };
    digits.insert_str(0, sign);
    Ok(Operand::Known(Value::Number(digits.into())))
}

const PLAIN: Kinds = Kinds::TEXT.or(Kinds::NUMBER);
/// These can be compared at a price that is known.
const SINGLE: Kinds = PLAIN.or(Kinds::BOOL).or(Kinds::NULL);
const WHOLE: Kinds = Kinds::LIST.or(Kinds::MAP);

/// `and` and `or` are not among these operators, as they look at one side first.
pub(crate) fn apply<'a>(
    operator: BinOpKind,
    left: &Operand<'a>,
    right: &Operand<'a>,
    fuel: &mut Fuel,
) -> OperandResult<'a> {
    use BinOpKind::{Concat, Eq, Gt, In, Lt, Lte, Ne};
    let (left_kinds, right_kinds) = (left.kinds(), right.kinds());
    let (taker, takes_left, takes_right) = match operator {
        Concat => ("~", PLAIN, PLAIN),
        In if left_kinds.meets(Kinds::TEXT) => ("in", SINGLE, WHOLE.or(Kinds::TEXT)),
        In => ("in", SINGLE, WHOLE),
        Eq | Ne => ("a comparison", SINGLE, SINGLE),
        _ => ("a comparison", PLAIN, PLAIN.and(left_kinds)),
    };
    left_kinds.expect(format_args!("{taker} takes"), takes_left)?;
    right_kinds.expect(format_args!("{taker} with {left_kinds} takes"), takes_right)?;
    let (Operand::Known(left), Operand::Known(right)) = (left, right) else {
        return Ok(Operand::Unknown(if let Concat = operator { Kinds::TEXT } else { Kinds::BOOL }));
    };
    if let Concat = operator {
        let both = [left, right].map(Value::text);
        let write = |out: &mut Builder| both.into_iter().try_for_each(|it| out.push_str(&it?));
        return build(fuel, 0, write).map(Operand::Known);
    }
    // What is looked into is paid for there.
    let read = if let In = operator { 0 } else { right.weight() };
    fuel.pay_for_bytes(left.weight() + read)?;
    let holds = match operator {
        In => return right.contains(left, fuel).map(Operand::bool),
        Eq | Ne => return Ok(Operand::bool(left.equals(right) == matches!(operator, Eq))),
        Lt => Ordering::is_lt,
        Lte => Ordering::is_le,
        Gt => Ordering::is_gt,
        _ => Ordering::is_ge,
    };
    Ok(Operand::bool(left.order(right).is_some_and(holds)))
}

/// This gives the value of a key or an item. `is_written` says that the key stands in the template;
/// another one may be a secret's value, which no message repeats.
pub(crate) fn part<'a>(
    whole: &Operand<'a>,
    key: &Operand<'a>,
    is_written: bool,
    is_check: bool,
    fuel: &mut Fuel,
) -> OperandResult<'a> {
    let part = match (whole, key) {
        (Operand::Known(whole), Operand::Known(key)) => whole.part(key, fuel)?,
        (Operand::Unknown(Kinds::TEXT), Operand::Known(Value::Text(_))) => None,
        _ => return Ok(Operand::Unknown(Kinds::ANY)),
    };
    if let Some(part) = part {
        return Ok(Operand::Known(part));
    }
    let shown = match key {
        Operand::Known(Value::Text(key)) if is_written => format!("{:?}", shorten(key)),
        Operand::Known(Value::Number(index)) if is_written => format!("[{}]", shorten(index)),
        _ => "[…]".to_owned(),
    };
    let why = match (whole.kinds(), key.kinds()) {
        (Kinds::TEXT, _) => ", as a text has no keys; json(TEXT) reads it".to_owned(),
        (kinds, Kinds::TEXT) if kinds != Kinds::MAP => format!(", as {kinds} has no keys"),
        _ => String::new(),
    };
    let words = format!("{shown} is not defined{why}");
    // An author that asks a text for a key has forgotten json(), and not that it may be missing.
    if is_check && (whole.kinds(), key.kinds()) == (Kinds::TEXT, Kinds::TEXT) {
        return Err(Error::words(words));
    }
    Ok(Operand::Undefined(words.into()))
}
