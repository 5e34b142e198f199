//! The functions and comparisons of JMESPath that the library does differently from the specification,
//! or from what people know of its other libraries: whole numbers stay whole, all digits count in a
//! comparison, and a text becomes a number or nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use jmespath::ast::{Ast, Comparator};
use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, ErrorReason, JmespathError, Rcvar, Runtime, SearchResult, Variable};
use jmespath::{RuntimeError, interpret};
use serde_json::Number;

use super::numbers::{self, Numbers};
use super::shown;

/// The reason of an error that tells that digits would be lost.
pub(super) const LOST: &str = "more digits than can be kept";

/// A text in JSON has at most so many bytes for each of the 16 MiB that an expression may look at.
const MOST_TEXT: usize = 32 << 20;

/// Beyond it a machine's number with a point does not tell one whole number from the next.
const WHOLE: f64 = 9_007_199_254_740_992.0;

type Own = fn(&Numbers, &[Rcvar], &mut Context<'_>) -> SearchResult;

pub(super) fn runtime(numbers: &Arc<Numbers>) -> Runtime {
    use ArgumentType::{Any, Array, Expref, Number, String, TypedArray, Union};
    let list = |of| TypedArray(Box::new(of));
    let comparable = || Union(vec![list(String), list(Number)]);
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    let own: [(&str, Vec<ArgumentType>, Own); 20] = [
        ("abs", vec![Number], abs),
        ("avg", vec![list(Number)], avg),
        ("ceil", vec![Number], |n, args, ctx| rounded(n, args, ctx, f64::ceil)),
        ("contains", vec![Union(vec![String, Array]), Any], contains),
        ("floor", vec![Number], |n, args, ctx| rounded(n, args, ctx, f64::floor)),
        ("max", vec![comparable()], |n, args, _| Ok(best(n, plain(args), Ordering::Greater))),
        ("max_by", vec![Array, Expref], |n, args, ctx| {
            Ok(best(n, keyed(args, ctx)?, Ordering::Greater))
        }),
        ("min", vec![comparable()], |n, args, _| Ok(best(n, plain(args), Ordering::Less))),
        ("min_by", vec![Array, Expref], |n, args, ctx| {
            Ok(best(n, keyed(args, ctx)?, Ordering::Less))
        }),
        ("sort", vec![comparable()], |n, args, _| Ok(sorted(n, plain(args)))),
        ("sort_by", vec![Array, Expref], |n, args, ctx| Ok(sorted(n, keyed(args, ctx)?))),
        ("sum", vec![list(Number)], sum),
        ("to_number", vec![Any], to_number),
        ("to_string", vec![Any], to_string),
        (name_of(&Comparator::Equal), vec![Any, Any], |n, args, _| Ok(equal(n, args, true))),
        (name_of(&Comparator::NotEqual), vec![Any, Any], |n, args, _| Ok(equal(n, args, false))),
        (name_of(&Comparator::LessThan), vec![Any, Any], |n, args, _| {
            Ok(ordered(n, args, Ordering::is_lt))
        }),
        (name_of(&Comparator::LessThanEqual), vec![Any, Any], |n, args, _| {
            Ok(ordered(n, args, Ordering::is_le))
        }),
        (name_of(&Comparator::GreaterThan), vec![Any, Any], |n, args, _| {
            Ok(ordered(n, args, Ordering::is_gt))
        }),
        (name_of(&Comparator::GreaterThanEqual), vec![Any, Any], |n, args, _| {
            Ok(ordered(n, args, Ordering::is_ge))
        }),
    ];
    for (name, inputs, own) in own {
        let numbers = Arc::clone(numbers);
        let call = move |args: &[Rcvar], ctx: &mut Context<'_>| own(&numbers, args, ctx);
        let signature = Signature::new(inputs, None);
        runtime.register_function(name, Box::new(CustomFunction::new(signature, Box::new(call))));
    }
    runtime
}

/// Makes calls of our own of all comparisons. No expression can call them by their names.
pub(super) fn compare_with_own(expression: &mut Ast) {
    let mut rest = vec![expression];
    while let Some(ast) = rest.pop() {
        if let Ast::Comparison { offset, comparator, lhs, rhs } = ast {
            let name = name_of(comparator).to_owned();
            let offset = *offset;
            let moved = || Ast::Identity { offset };
            let args = [lhs, rhs].map(|side| std::mem::replace(&mut **side, moved()));
            *ast = Ast::Function { offset, name, args: args.into() };
        }
        rest.extend(plan::parts_of_expression(ast));
    }
}

fn name_of(comparator: &Comparator) -> &'static str {
    match comparator {
        Comparator::Equal => "==",
        Comparator::NotEqual => "!=",
        Comparator::LessThan => "<",
        Comparator::LessThanEqual => "<=",
        Comparator::GreaterThan => ">",
        Comparator::GreaterThanEqual => ">=",
    }
}

fn null() -> Rcvar {
    Rcvar::new(Variable::Null)
}

fn bool(truth: bool) -> Rcvar {
    Rcvar::new(Variable::Bool(truth))
}

fn number(number: impl Into<Number>) -> Rcvar {
    Rcvar::new(Variable::Number(number.into()))
}

fn lost(ctx: &Context<'_>) -> JmespathError {
    JmespathError::from_ctx(ctx, ErrorReason::Parse(LOST.to_owned()))
}

/// A whole number, where a machine has it.
fn whole(value: i128, ctx: &Context<'_>) -> SearchResult {
    match (u64::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => Ok(number(value)),
        (_, Ok(value)) => Ok(number(value)),
        _ => Err(lost(ctx)),
    }
}

/// What has no fraction is written without one.
fn from_float(value: f64, ctx: &Context<'_>) -> SearchResult {
    if value.fract() == 0.0 && value.abs() < WHOLE {
        // Its digits are all there.
        return whole(value as i128, ctx);
    }
    Number::from_f64(value).map(number).ok_or_else(|| lost(ctx))
}

fn as_whole(number: &Number) -> Option<i128> {
    number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from))
}

/// A number to calculate with: none whose digits a machine does not keep.
fn as_float(numbers: &Numbers, node: &Rcvar, ctx: &Context<'_>) -> Result<f64, JmespathError> {
    let number = numbers.exact(node).ok_or_else(|| lost(ctx))?;
    let value = number.as_f64().ok_or_else(|| lost(ctx))?;
    match as_whole(number) {
        Some(_) if value.abs() > WHOLE => Err(lost(ctx)),
        _ => Ok(value),
    }
}

fn abs(numbers: &Numbers, args: &[Rcvar], ctx: &mut Context<'_>) -> SearchResult {
    let Some(value) = args.first() else { return Ok(null()) };
    let exact = numbers.exact(value).ok_or_else(|| lost(ctx))?;
    match as_whole(exact) {
        Some(whole_number) if whole_number < 0 => whole(-whole_number, ctx),
        None if exact.as_f64().is_some_and(|value| value < 0.0) => {
            let positive = exact.as_f64().and_then(|value| Number::from_f64(-value));
            positive.map(number).ok_or_else(|| lost(ctx))
        }
        _ => Ok(Rcvar::clone(value)),
    }
}

fn rounded(
    numbers: &Numbers,
    args: &[Rcvar],
    ctx: &mut Context<'_>,
    round: fn(f64) -> f64,
) -> SearchResult {
    let Some(value) = args.first() else { return Ok(null()) };
    let exact = numbers.exact(value).ok_or_else(|| lost(ctx))?;
    match (as_whole(exact), exact.as_f64()) {
        (None, Some(float)) => from_float(round(float), ctx),
        _ => Ok(Rcvar::clone(value)),
    }
}

/// The sum of whole numbers is exact; that of others as exact as a machine is.
enum Sum {
    Whole(i128),
    Float(f64),
}

fn add(numbers: &Numbers, items: &[Rcvar], ctx: &Context<'_>) -> Result<Sum, JmespathError> {
    let exact = |item| numbers.exact(item).ok_or_else(|| lost(ctx));
    let exact: Vec<&Number> = items.iter().map(exact).collect::<Result<_, _>>()?;
    if let Some(all) = exact.iter().map(|number| as_whole(number)).collect::<Option<Vec<_>>>() {
        // No list is so long that the sum of machine's numbers does not fit.
        return Ok(Sum::Whole(all.into_iter().sum()));
    }
    let floats = items.iter().map(|item| as_float(numbers, item, ctx));
    Ok(Sum::Float(floats.sum::<Result<f64, _>>()?))
}

fn sum(numbers: &Numbers, args: &[Rcvar], ctx: &mut Context<'_>) -> SearchResult {
    match add(numbers, items(args), ctx)? {
        Sum::Whole(sum) => whole(sum, ctx),
        Sum::Float(sum) => from_float(sum, ctx),
    }
}

fn avg(numbers: &Numbers, args: &[Rcvar], ctx: &mut Context<'_>) -> SearchResult {
    let items = items(args);
    if items.is_empty() {
        return Ok(null());
    }
    let count = i128::try_from(items.len()).map_err(|_| lost(ctx))?;
    match add(numbers, items, ctx)? {
        Sum::Whole(sum) if sum % count == 0 => whole(sum / count, ctx),
        Sum::Whole(sum) if (sum.unsigned_abs() as f64) < WHOLE => {
            from_float(sum as f64 / count as f64, ctx)
        }
        Sum::Whole(_) => Err(lost(ctx)),
        Sum::Float(sum) => from_float(sum / count as f64, ctx),
    }
}

/// The library's own makes a tree of any text that is JSON, of a size that nothing bounds; by the
/// specification what is no number is null.
fn to_number(_: &Numbers, args: &[Rcvar], ctx: &mut Context<'_>) -> SearchResult {
    let Some(value) = args.first() else { return Ok(null()) };
    match &**value {
        Variable::Number(_) => Ok(Rcvar::clone(value)),
        Variable::String(text) => match serde_json::from_str::<Number>(text) {
            Ok(made) if numbers::is_kept(&made, text.trim_ascii()) => Ok(number(made)),
            Ok(_) => Err(lost(ctx)),
            Err(_) => Ok(null()),
        },
        _ => Ok(null()),
    }
}

fn to_string(numbers: &Numbers, args: &[Rcvar], ctx: &mut Context<'_>) -> SearchResult {
    let Some(value) = args.first() else { return Ok(null()) };
    match &**value {
        Variable::String(_) => Ok(Rcvar::clone(value)),
        Variable::Expref(_) => Err(mismatch(ctx, value)),
        _ => {
            let json = shown::json(value, numbers, MOST_TEXT);
            let text = json.and_then(|json| String::from_utf8(json).ok());
            text.map(|text| Rcvar::new(Variable::String(text))).ok_or_else(|| mismatch(ctx, value))
        }
    }
}

fn contains(numbers: &Numbers, args: &[Rcvar], _: &mut Context<'_>) -> SearchResult {
    let [among, wanted] = args else { return Ok(null()) };
    Ok(bool(match (&**among, &**wanted) {
        (Variable::Array(items), _) => items.iter().any(|item| numbers.equal(item, wanted)),
        (Variable::String(text), Variable::String(part)) => text.contains(part.as_str()),
        _ => false,
    }))
}

fn equal(numbers: &Numbers, args: &[Rcvar], is: bool) -> Rcvar {
    let [left, right] = args else { return null() };
    bool(numbers.equal(left, right) == is)
}

/// Numbers have an order; of anything else a comparison is null.
fn ordered(numbers: &Numbers, args: &[Rcvar], is: fn(Ordering) -> bool) -> Rcvar {
    let [left, right] = args else { return null() };
    if !left.is_number() {
        return null();
    }
    numbers.compare(left, right).map_or_else(null, |order| bool(is(order)))
}

fn items(args: &[Rcvar]) -> &[Rcvar] {
    args.first().and_then(|list| list.as_array()).map_or(&[], Vec::as_slice)
}

/// The items of a list, each with what it is compared by.
type Keyed = Vec<(Rcvar, Rcvar)>;

fn plain(args: &[Rcvar]) -> Keyed {
    items(args).iter().map(|item| (Rcvar::clone(item), Rcvar::clone(item))).collect()
}

/// All keys are numbers, or all are texts.
fn keyed(args: &[Rcvar], ctx: &mut Context<'_>) -> Result<Keyed, JmespathError> {
    let Some(by) = args.get(1).and_then(|by| by.as_expref()) else { return Ok(Vec::new()) };
    let mut keyed: Keyed = Vec::new();
    for item in items(args) {
        let key = interpret(item, by, ctx)?;
        let first = keyed.first().map_or(&key, |(_, first)| first);
        if !(key.is_number() || key.is_string()) || key.get_type() != first.get_type() {
            return Err(mismatch(ctx, &key));
        }
        keyed.push((Rcvar::clone(item), key));
    }
    Ok(keyed)
}

fn mismatch(ctx: &Context<'_>, value: &Rcvar) -> JmespathError {
    let (expected, actual) = (String::new(), value.get_type().to_string());
    let reason = RuntimeError::InvalidType { expected, actual, position: 0 };
    JmespathError::from_ctx(ctx, ErrorReason::Runtime(reason))
}

/// The first of those that go before all others.
fn best(numbers: &Numbers, keyed: Keyed, before: Ordering) -> Rcvar {
    let better = |best: (Rcvar, Rcvar), next: (Rcvar, Rcvar)| {
        if numbers.compare(&next.1, &best.1) == Some(before) { next } else { best }
    };
    keyed.into_iter().reduce(better).map_or_else(null, |(item, _)| item)
}

fn sorted(numbers: &Numbers, mut keyed: Keyed) -> Rcvar {
    keyed.sort_by(|(_, a), (_, b)| numbers.compare(a, b).unwrap_or(Ordering::Equal));
    Rcvar::new(Variable::Array(keyed.into_iter().map(|(item, _)| item).collect()))
}
