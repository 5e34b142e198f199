//! The expressions of a template, and what kind of value each has.

use std::collections::HashSet;

use minijinja::machinery::ast::{
    BinOp, BinOpKind, Call, CallArg, CallType, Expr, Filter, Map, Test, UnaryOpKind,
};
use minijinja::value::Value;

use crate::check::{Walk, line};
use crate::engine::{FUNCTIONS, JSON, SECRET, TESTS, WHOLE};
use crate::fault::{Fault, shorten};
use crate::kind::Kind;
use crate::signature::{self, Takes};
use crate::template::Secret;

impl<'t> Walk<'t> {
    /// Where a value that is not defined is no error by itself.
    pub(crate) fn perhaps(&mut self, expression: &Expr<'t>) -> Kind {
        match expression {
            Expr::Var(var) if self.is_later(var.id) => Kind::Unknown,
            _ => self.expression(expression),
        }
    }

    pub(crate) fn expression(&mut self, expression: &Expr<'t>) -> Kind {
        if self.is_over() {
            return Kind::Unknown;
        }
        let line = line(expression);
        match expression {
            Expr::Const(literal) => Kind::of(&literal.value),
            Expr::Var(var) => self.variable(line, var.id),
            Expr::Slice(slice) => {
                self.fault(line, Fault::Slice);
                self.expression(&slice.expr);
                Kind::Unknown
            }
            Expr::UnaryOp(operation) => {
                let kind = self.expression(&operation.expr);
                match operation.op {
                    UnaryOpKind::Not => Kind::Truth,
                    UnaryOpKind::Neg => {
                        let is_literal = matches!(operation.expr, Expr::Const(_));
                        if !is_literal {
                            self.fault(line, Fault::Arithmetic("-"));
                        } else if kind != Kind::Number {
                            self.certainly(line, Fault::Arithmetic("-"));
                        }
                        Kind::Number
                    }
                }
            }
            Expr::BinOp(operation) => self.operation(line, operation),
            Expr::Compare(compare) => {
                if compare.ops.len() > 1 {
                    self.fault(line, Fault::Chained);
                }
                self.expression(&compare.expr);
                compare.ops.iter().for_each(|it| {
                    self.expression(&it.expr);
                });
                Kind::Truth
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                let (kind, other) = self.behind_a_condition(|walk| {
                    let kind = walk.perhaps(&choice.true_expr);
                    (kind, choice.false_expr.as_ref().map(|it| walk.perhaps(it)))
                });
                kind.or(other.unwrap_or(Kind::Unknown))
            }
            Expr::Filter(filter) => self.filter(line, filter),
            Expr::Test(test) => self.test(line, test),
            Expr::GetAttr(attribute) => {
                let whole = self.expression(&attribute.expr);
                self.part(line, whole, attribute.name)
            }
            Expr::GetItem(item) => {
                let whole = self.expression(&item.expr);
                self.expression(&item.subscript_expr);
                match literal(&item.subscript_expr).as_ref().and_then(Value::as_str) {
                    Some(key) => self.part(line, whole, key),
                    None => Kind::Unknown,
                }
            }
            Expr::Call(call) => self.call(line, call),
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => {
                self.fault(line, Fault::Literal);
                self.whole(expression);
                Kind::Unknown
            }
        }
    }

    fn is_later(&self, name: &str) -> bool {
        self.targets.contains(name) && !self.set.contains_key(name)
    }

    fn variable(&mut self, line: usize, name: &'t str) -> Kind {
        if let Some(kind) = self.set.get(name) {
            return *kind;
        }
        if FUNCTIONS.contains(&name) {
            self.fault(line, Fault::NotCalled(name.to_owned()));
        } else if self.is_later(name) {
            self.certainly(line, Fault::NotYetSet(shorten(name)));
        } else {
            self.fault(line, Fault::Undefined(shorten(name)));
        }
        Kind::Unknown
    }

    /// The value of a key that is written out.
    fn part(&mut self, line: usize, whole: Kind, key: &str) -> Kind {
        if whole == Kind::Text {
            self.certainly(line, Fault::NoKeys(shorten(key)));
        }
        Kind::Unknown
    }

    fn operation(&mut self, line: usize, operation: &BinOp<'t>) -> Kind {
        if let Some(sign) = arithmetic(operation.op) {
            self.fault(line, Fault::Arithmetic(sign));
        }
        let left = self.expression(&operation.left);
        if matches!(operation.op, BinOpKind::ScAnd | BinOpKind::ScOr) {
            let right = self.behind_a_condition(|walk| walk.perhaps(&operation.right));
            return left.or(right);
        }
        let right = self.expression(&operation.right);
        let either = |is: fn(Kind) -> bool| is(left) || is(right);
        match operation.op {
            BinOpKind::Concat => {
                if is_no_text(&operation.left) || is_no_text(&operation.right) {
                    self.fault(line, Fault::NoText);
                } else if either(|kind| matches!(kind, Kind::Truth | Kind::Null)) {
                    self.certainly(line, Fault::NoText);
                }
                Kind::Text
            }
            BinOpKind::In => {
                let is_in_text = right == Kind::Text && left.is_certain() && left != Kind::Text;
                if is_in_text || matches!(right, Kind::Number | Kind::Truth | Kind::Null) {
                    self.certainly(line, Fault::In);
                }
                Kind::Truth
            }
            BinOpKind::Eq | BinOpKind::Ne => Kind::Truth,
            other => {
                let Some(sign) = order(other) else { return Kind::Unknown };
                let has_no_order = |kind| matches!(kind, Kind::Truth | Kind::Null);
                let differ = left.is_certain() && right.is_certain() && left != right;
                if differ || either(has_no_order) {
                    self.certainly(line, Fault::Order(sign));
                }
                Kind::Truth
            }
        }
    }

    fn filter(&mut self, line: usize, filter: &Filter<'t>) -> Kind {
        let is_default = filter.name == signature::DEFAULT;
        let of = filter.expr.as_ref().map_or(Kind::Text, |it| {
            if WHOLE.contains(&filter.name) {
                self.whole(it)
            } else if is_default {
                self.perhaps(it)
            } else {
                self.expression(it)
            }
        });
        let kinds = self.arguments(line, &filter.args, is_default);
        let Some(known) = signature::Filter::named(filter.name) else {
            self.fault(line, Fault::Filter(shorten(filter.name)));
            return Kind::Unknown;
        };
        if let Some(takes) = known.refuses(filter.args.len()) {
            self.fault(line, Fault::Arguments(format!("filter {}", known.name), takes));
        }
        if known.of.refuses(of, filter.expr.as_ref().and_then(literal).as_ref()) {
            let filter = format!("the filter {}", known.name);
            self.certainly(line, Fault::Operand(filter, known.of.words()));
        }
        let given = filter.args.iter().zip(&kinds);
        for ((argument, kind), (name, takes)) in given.zip(known.arguments) {
            if takes.refuses(*kind, positional(argument).and_then(literal).as_ref()) {
                self.certainly(line, Fault::Argument(known.name, name, takes.words()));
            }
        }
        match (of, kinds.first().copied().unwrap_or(Kind::Text)) {
            _ if !is_default => known.makes,
            (Kind::Unknown, Kind::Unknown) => Kind::Unknown,
            (Kind::Unknown, _) => Kind::Defined,
            (of, other) => of.or(other),
        }
    }

    fn test(&mut self, line: usize, test: &Test<'t>) -> Kind {
        self.perhaps(&test.expr);
        if !TESTS.iter().any(|(name, _)| *name == test.name) {
            self.fault(line, Fault::Test(shorten(test.name)));
        } else if !test.args.is_empty() {
            let what = format!("test {}", test.name);
            self.fault(line, Fault::Arguments(what, "no arguments".to_owned()));
        }
        self.arguments(line, &test.args, false);
        Kind::Truth
    }

    /// What a filter turns into text at once. Nothing else may hold a list or mapping of the
    /// template's own, so that none can grow.
    fn whole(&mut self, expression: &Expr<'t>) -> Kind {
        match expression {
            Expr::List(list) => list.items.iter().for_each(|it| {
                self.whole(it);
            }),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|it| {
                self.whole(it);
            }),
            Expr::Map(map) => {
                self.map(line(expression), map);
                return Kind::Mapping;
            }
            other => return self.expression(other),
        }
        Kind::List
    }

    fn map(&mut self, line: usize, map: &Map<'t>) {
        let mut known = HashSet::with_capacity(map.keys.len());
        for key in &map.keys {
            let text = match key {
                Expr::Const(key) => key.value.as_str(),
                _ => None,
            };
            match text {
                // Errors name keys.
                None => self.fault(line, Fault::Key),
                Some(key) if !known.insert(key) => self.fault(line, Fault::SameKey(shorten(key))),
                Some(_) => {}
            }
        }
        map.values.iter().for_each(|it| {
            self.whole(it);
        });
    }

    fn call(&mut self, line: usize, call: &Call<'t>) -> Kind {
        match call.identify_call() {
            CallType::Function(SECRET) => match call.args.as_slice() {
                [CallArg::Pos(Expr::Const(text))] if text.value.as_str().is_some() => {
                    let source = text.value.as_str().unwrap_or_default();
                    if self.seen.insert(source.to_owned()) {
                        self.secrets.push(Secret { source: source.to_owned(), line });
                    }
                    return Kind::Text;
                }
                _ => self.fault(line, Fault::Secret),
            },
            CallType::Function(JSON) => {
                let kinds = self.arguments(line, &call.args, false);
                let ([kind], [argument]) = (kinds.as_slice(), call.args.as_slice()) else {
                    self.fault(line, Fault::OneValue(JSON.to_owned()));
                    return Kind::Unknown;
                };
                if Takes::Json.refuses(*kind, positional(argument).and_then(literal).as_ref()) {
                    self.certainly(line, Fault::Operand("json()".to_owned(), Takes::Json.words()));
                }
                return Kind::Defined;
            }
            CallType::Function(other) => self.fault(line, Fault::Function(shorten(other))),
            _ => self.fault(line, Fault::Method),
        }
        Kind::Unknown
    }

    fn arguments(&mut self, line: usize, arguments: &[CallArg<'t>], perhaps: bool) -> Vec<Kind> {
        let kind = |argument| match positional(argument) {
            Some(expression) if perhaps => self.perhaps(expression),
            Some(expression) => self.expression(expression),
            None => {
                self.fault(line, Fault::Named);
                Kind::Unknown
            }
        };
        arguments.iter().map(kind).collect()
    }
}

fn arithmetic(operation: BinOpKind) -> Option<&'static str> {
    match operation {
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

fn order(operation: BinOpKind) -> Option<&'static str> {
    match operation {
        BinOpKind::Lt => Some("<"),
        BinOpKind::Lte => Some("<="),
        BinOpKind::Gt => Some(">"),
        BinOpKind::Gte => Some(">="),
        _ => None,
    }
}

/// What the engine would write in its own words before anything is rendered.
fn is_no_text(expression: &Expr<'_>) -> bool {
    matches!(expression, Expr::Const(it) if matches!(Kind::of(&it.value), Kind::Truth | Kind::Null))
}

fn positional<'e, 't>(argument: &'e CallArg<'t>) -> Option<&'e Expr<'t>> {
    match argument {
        CallArg::Pos(expression) => Some(expression),
        _ => None,
    }
}

/// Also with a `-` before it.
fn literal(expression: &Expr<'_>) -> Option<Value> {
    match expression {
        Expr::Const(_) | Expr::UnaryOp(_) => expression.as_const(),
        _ => None,
    }
}
