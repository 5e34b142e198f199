//! How much an expression may make of a value, told from its structure before it is evaluated. The
//! evaluator itself has no bound: a few bytes of an expression can double a list, and be repeated.
//!
//! Sizes are upper bounds in bytes of memory, of the value written out as a tree: what is shared
//! counts as often as it is reached, because text and comparisons are made of all of it. Text counts
//! as it stands in JSON, because it may be turned into that.

use jmespath::Variable;
use jmespath::ast::Ast;

/// Most that one evaluation may allocate and look at.
const LIMIT: f64 = (16 * 1024 * 1024) as f64;
/// What an expression must be able to take, to be accepted at all.
const ORDINARY: f64 = (4 * 1024) as f64;
/// Any value has so many bytes beside its text: no value is smaller, and a list of N values is at least
/// N times as large.
const NODE: f64 = 96.0;
/// A key, or a part of an expression, has so many bytes beside its text.
const PART: f64 = 96.0;
/// Evaluating one part costs as much.
const LOOK: f64 = 16.0;
/// Text that holds JSON stands in JSON with each quote and each backslash escaped.
const QUOTED: f64 = 2.0;
/// Products of numbers below it are numbers still.
const ENDLESS: f64 = 1e100;

/// Whether an ordinary value is too much for the expression.
pub(super) fn is_bounded(ast: &Ast) -> bool {
    work(ast, ORDINARY) <= LIMIT
}

/// Whether this very value is not. `beside` is what belongs to it and is not in it.
pub(super) fn bears(ast: &Ast, value: &Variable, beside: usize) -> bool {
    work(ast, size(value) + number(beside)) <= LIMIT
}

fn work(ast: &Ast, size: f64) -> f64 {
    bound(ast, size).work.at(size)
}

/// `factor` times the size of the current value, and `fixed` on top.
#[derive(Clone, Copy)]
struct Linear {
    factor: f64,
    fixed: f64,
}

#[derive(Clone, Copy)]
struct Bound {
    result: Linear,
    /// All that is made or looked at on the way.
    work: Linear,
}

const INPUT: Linear = Linear { factor: 1.0, fixed: 0.0 };

impl Linear {
    fn fixed(fixed: f64) -> Self {
        Self { factor: 0.0, fixed }
    }

    fn at(self, size: f64) -> f64 {
        (self.factor * size + self.fixed).min(ENDLESS)
    }

    fn plus(self, other: Self) -> Self {
        let factor = (self.factor + other.factor).min(ENDLESS);
        Self { factor, fixed: (self.fixed + other.fixed).min(ENDLESS) }
    }

    /// No value is smaller than `NODE`: what is larger there and grows faster is always larger.
    fn max(self, other: Self) -> Self {
        let covers = |a: Self, b: Self| a.factor >= b.factor && a.at(NODE) >= b.at(NODE);
        if covers(self, other) {
            return self;
        }
        if covers(other, self) {
            return other;
        }
        Self { factor: self.factor.max(other.factor), fixed: self.fixed.max(other.fixed) }
    }

    fn times(self, by: f64) -> Self {
        Self { factor: (self.factor * by).min(ENDLESS), fixed: (self.fixed * by).min(ENDLESS) }
    }

    /// This, of what `inner` makes.
    fn of(self, inner: Self) -> Self {
        inner.times(self.factor).plus(Self::fixed(self.fixed))
    }

    /// This, of each element of a list that `list` makes: its elements are together no larger than
    /// the list, and no more than fit into it.
    fn of_each(self, list: Self) -> Self {
        list.times((self.factor.max(1.0) + self.fixed / NODE).min(ENDLESS))
    }
}

impl Bound {
    /// What costs no more than looking.
    fn part(result: Linear) -> Self {
        Self { result, work: Linear::fixed(LOOK) }
    }

    /// What is made anew.
    fn made(result: Linear, work: Linear) -> Self {
        Self { result, work: work.plus(result).plus(Linear::fixed(LOOK)) }
    }
}

/// `most` is an upper bound of the current value's size. It calls itself as deep as the parser did.
fn bound(ast: &Ast, most: f64) -> Bound {
    match ast {
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } => Bound::part(INPUT),
        Ast::Slice { .. } => Bound::made(INPUT, Linear::fixed(0.0)),
        Ast::Literal { value, .. } => Bound::part(Linear::fixed(size(value))),
        // The evaluator copies it to hand it on.
        Ast::Expref { ast, .. } => Bound::part(Linear::fixed(parts(ast) * PART)),
        Ast::Not { node, .. } => {
            let work = bound(node, most).work.plus(Linear::fixed(LOOK));
            Bound { result: Linear::fixed(NODE), work }
        }
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } => {
            let node = bound(node, most);
            Bound::made(node.result, node.work)
        }
        Ast::Comparison { lhs, rhs, .. } => {
            let (lhs, rhs) = (bound(lhs, most), bound(rhs, most));
            // Both sides are walked together, as far as the smaller one goes.
            let is_fixed = |of: Bound| of.result.factor <= 0.0;
            let compared = match (is_fixed(lhs), is_fixed(rhs)) {
                (true, _) => lhs.result,
                (_, true) => rhs.result,
                _ => lhs.result.max(rhs.result),
            };
            let work = lhs.work.plus(rhs.work).plus(compared).plus(Linear::fixed(LOOK));
            Bound { result: Linear::fixed(NODE), work }
        }
        Ast::Condition { predicate, then, .. } => {
            let (predicate, then) = (bound(predicate, most), bound(then, most));
            let work = predicate.work.plus(then.work).plus(Linear::fixed(LOOK));
            // Or nothing, which is never larger.
            Bound { result: then.result, work }
        }
        Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } => {
            let (lhs, rhs) = (bound(lhs, most), bound(rhs, most));
            Bound {
                result: lhs.result.max(rhs.result),
                work: lhs.work.plus(rhs.work).plus(Linear::fixed(LOOK)),
            }
        }
        Ast::Subexpr { lhs, rhs, .. } => {
            let lhs = bound(lhs, most);
            let rhs = bound(rhs, lhs.result.at(most));
            let work = lhs.work.plus(rhs.work.of(lhs.result));
            Bound { result: rhs.result.of(lhs.result), work }
        }
        Ast::Projection { lhs, rhs, .. } => {
            let lhs = bound(lhs, most);
            each(lhs, bound(rhs, lhs.result.at(most)))
        }
        Ast::MultiList { elements, .. } => {
            let elements = elements.iter().map(|element| (0.0, element));
            collected(elements, most)
        }
        Ast::MultiHash { elements, .. } => {
            let elements = elements.iter().map(|pair| (written(&pair.key), &pair.value));
            collected(elements, most)
        }
        Ast::Function { name, args, .. } => function(name, args, most),
    }
}

/// A list or mapping of what is there already: its own memory is small, what is reached through it
/// is not.
fn collected<'a>(elements: impl Iterator<Item = (f64, &'a Ast)>, most: f64) -> Bound {
    let mut all = Bound { result: Linear::fixed(NODE), work: Linear::fixed(LOOK) };
    for (key, element) in elements {
        let element = bound(element, most);
        let key = Linear::fixed(PART + key);
        all.result = all.result.plus(element.result).plus(key);
        all.work = all.work.plus(element.work).plus(key);
    }
    all
}

/// A list of what `element` makes of each element of `list`.
fn each(list: Bound, element: Bound) -> Bound {
    let result = element.result.of_each(list.result);
    Bound::made(result, list.work.plus(element.work.of_each(list.result)))
}

fn function(name: &str, args: &[Ast], most: f64) -> Bound {
    let given: Vec<Bound> = args.iter().map(|arg| bound(arg, most)).collect();
    let zero = Linear::fixed(0.0);
    let sum = |of: fn(&Bound) -> Linear| given.iter().map(of).fold(zero, Linear::plus);
    let (arguments, mut work) = (sum(|of| of.result), sum(|of| of.work));
    // An expression that is handed over is evaluated for each element of the list beside it.
    for arg in args {
        if let Ast::Expref { ast, .. } = arg {
            let element = bound(ast, arguments.at(most));
            let list = Bound { result: arguments, work };
            let each = each(list, element);
            if name == "map" {
                return each;
            }
            work = each.work;
        }
    }
    let list = given.last().map_or(zero, |last| last.result);
    let result = match name {
        "abs" | "avg" | "ceil" | "contains" | "ends_with" | "floor" | "length" | "starts_with"
        | "sum" | "to_number" | "type" => {
            let work = work.plus(arguments).plus(Linear::fixed(LOOK));
            return Bound { result: Linear::fixed(2.0 * NODE), work };
        }
        "join" => {
            // What is put between them takes the place of what made them elements of a list.
            let between = given.first().map_or(0.0, |between| between.result.at(most) - NODE);
            list.times((between / NODE).max(1.0))
        }
        "to_string" => arguments.times(QUOTED),
        "to_array" => arguments.plus(Linear::fixed(NODE)),
        // They choose and arrange what they are given.
        _ => arguments,
    };
    Bound::made(result, work)
}

/// The size of a value as a tree. It is walked with a list, because its author chooses how deep it is.
fn size(value: &Variable) -> f64 {
    let (mut size, mut rest) = (0.0, vec![value]);
    while let Some(value) = rest.pop() {
        size += NODE;
        match value {
            Variable::String(text) => size += written(text),
            Variable::Array(items) => rest.extend(items.iter().map(|item| &**item)),
            Variable::Object(members) => {
                size += members.keys().map(|key| PART + written(key)).sum::<f64>();
                rest.extend(members.values().map(|member| &**member));
            }
            Variable::Expref(_) | Variable::Null | Variable::Bool(_) | Variable::Number(_) => {}
        }
    }
    size
}

/// The length of text in JSON, at most.
fn written(text: &str) -> f64 {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..0x20 | 0x7f => 6,
        _ => 1,
    };
    number(text.bytes().map(escaped).sum())
}

/// How many parts an expression has.
fn parts(ast: &Ast) -> f64 {
    let (mut parts, mut rest) = (0.0, vec![ast]);
    while let Some(ast) = rest.pop() {
        parts += 1.0;
        super::parts::add_parts(ast, &mut rest);
    }
    parts
}

/// Lengths are far below 2^52.
fn number(length: usize) -> f64 {
    length as f64
}

#[cfg(test)]
mod tests;
