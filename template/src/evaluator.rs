//! The evaluator walks the parse tree of a template, to check it or to render it.

use std::collections::{HashMap, HashSet};

use minijinja::machinery::ast::{
    self, BinOp, BinOpKind, Call, CallArg, CallType, Expr, IfExpr, Stmt, UnaryOp, UnaryOpKind,
};
use printable::shorten;
use zeroize::Zeroizing;

use crate::builtins::{FUNCTIONS, Filter, FilterFn, JSON, SECRET, TESTS};
use crate::error::Error;
use crate::fault::{Fault, Invalid};
use crate::limits::{CheckFuel, MAX_OUTPUT_BYTES};
use crate::run::{EvalResult, Run, Values, WalkResult};
use crate::text::{Builder, Text};
use crate::value::{TypeKind, Value};
use crate::{json, operators, value};

/// This finds the sources, each with the line where it is used first, or all mistakes. `targets` are
/// the names that are set somewhere.
pub(crate) fn check<'a>(
    tree: &'a Stmt<'a>,
    targets: HashSet<&'a str>,
    fuel: &mut CheckFuel,
) -> Result<Vec<(&'a str, usize)>, Vec<Invalid>> {
    let mut evaluator = Evaluator { targets, ..Evaluator::new(Run::to_check(fuel.take())) };
    // What ends it early is among the mistakes.
    let _ = evaluator.statement(tree, &mut Builder::default());
    fuel.give_back(&mut evaluator.run.fuel);
    evaluator.run.into_result()
}

/// This makes the text of a file of the values of its sources.
pub(crate) fn render<'a>(
    tree: &'a Stmt<'a>,
    values: &'a Values<'a>,
) -> WalkResult<Zeroizing<String>> {
    let mut out = Builder::new(MAX_OUTPUT_BYTES, "the file would have");
    Evaluator::new(Run::to_render(values)).statement(tree, &mut out)?;
    Ok(out.into_text())
}

/// It recurses no deeper than the tokens may nest.
struct Evaluator<'a> {
    run: Run<'a>,
    names: HashMap<&'a str, Value<'a>>,
    targets: HashSet<&'a str>,
    /// The first filter of a `set` block takes the text of the block from here.
    captured: Option<Value<'a>>,
}

impl<'a> Evaluator<'a> {
    fn new(run: Run<'a>) -> Self {
        Self { run, names: HashMap::new(), targets: HashSet::new(), captured: None }
    }

    /// This walks what runs only if a condition holds.
    fn branch<T>(
        &mut self,
        is_taken: bool,
        walk: impl FnOnce(&mut Self) -> WalkResult<T>,
    ) -> WalkResult<Option<T>> {
        if !self.run.enter(is_taken) {
            return Ok(None);
        }
        let walked = walk(self)?;
        self.run.leave();
        Ok(Some(walked))
    }

    fn statements(&mut self, body: &'a [Stmt<'a>], out: &mut Builder) -> WalkResult<()> {
        body.iter().try_for_each(|it| self.statement(it, out))
    }

    fn statement(&mut self, statement: &'a Stmt<'a>, out: &mut Builder) -> WalkResult<()> {
        match statement {
            Stmt::Template(template) => self.statements(&template.children, out),
            Stmt::EmitRaw(it) => {
                let text = Value::Text(Text::Borrowed(it.raw));
                self.write(it.span().start_line.into(), &text, out)
            }
            Stmt::EmitExpr(it) => {
                let value = self.optional(&it.expr)?;
                self.write(line(&it.expr), &value, out)
            }
            Stmt::IfCond(it) => {
                let truth = self.optional(&it.expr)?.truth() == Some(true);
                self.branch(truth, |this| this.statements(&it.true_body, out))?;
                self.branch(!truth, |this| this.statements(&it.false_body, out)).map(drop)
            }
            Stmt::Set(set) => {
                let value = self.value(&set.expr)?;
                self.set(&set.target, value)
            }
            Stmt::SetBlock(set) => {
                let mut text = Builder::default();
                self.statements(&set.body, &mut text)?;
                let text = value::paid_text(text, &mut self.run.fuel);
                let text = if self.run.is_check() { Err(Error::Unknown) } else { text };
                let mut value =
                    self.run.resolve(set.span().start_line.into(), text, TypeKind::Text)?;
                if let Some(filters) = &set.filter {
                    self.captured = Some(value);
                    value = self.value(filters)?;
                }
                self.set(&set.target, value)
            }
            // Its word was refused already.
            _ => self.run.fault(1, Fault::Syntax).map(drop),
        }
    }

    /// A file with a JMESPath has the same rule: text stays as it is, all else becomes compact JSON,
    /// and null is an error.
    fn write(&mut self, line: usize, value: &Value<'a>, out: &mut Builder) -> WalkResult<()> {
        let written = match value {
            Value::Nothing => Ok(()),
            Value::Null => Err(Error::words("null cannot be written; use default(\"…\", true)")),
            _ if self.run.is_check() => Ok(()),
            Value::Text(text) => out.push_str(text),
            value => json::compact(value, out),
        };
        self.run.resolve(line, written.map(|()| Value::Nothing), TypeKind::Any).map(drop)
    }

    /// A name that is set behind a condition may keep the value that it had.
    fn set(&mut self, target: &'a Expr<'a>, value: Value<'a>) -> WalkResult<()> {
        let fault = match target {
            Expr::Var(var) if !FUNCTIONS.contains(&var.id) => {
                let is_certain = self.run.is_certain();
                self.names
                    .insert(var.id, if is_certain { value } else { Value::Unknown(TypeKind::Any) });
                return Ok(());
            }
            Expr::Var(var) => Fault::Reserved(var.id.to_owned()),
            _ => Fault::Target,
        };
        self.run.fault(line(target), fault).map(drop)
    }

    /// The value must exist.
    fn defined(&mut self, expression: &'a Expr<'a>) -> EvalResult<'a> {
        let value = self.value(expression)?;
        self.required(line(expression), value)
    }

    /// The value must exist or be nothing, which a condition takes for false.
    fn optional(&mut self, expression: &'a Expr<'a>) -> EvalResult<'a> {
        match self.value(expression)? {
            Value::Nothing => Ok(Value::Nothing),
            value => {
                // Only its last digit may say that a number is not zero.
                let paid = match &value {
                    Value::Number(number) => self.run.fuel.pay_for_bytes(number.len()),
                    _ => Ok(()),
                };
                let result = paid.map(|()| value);
                let value = self.run.resolve(line(expression), result, TypeKind::Number)?;
                self.required(line(expression), value)
            }
        }
    }

    fn required(&mut self, line: usize, value: Value<'a>) -> EvalResult<'a> {
        let words = match &value {
            Value::Undefined(words) => words,
            Value::Nothing => "an if without else gives a value that is not defined",
            Value::NotYetSet(name) if self.run.is_certain() => {
                return self.run.fault(line, Fault::NotYetSet(shorten(name)));
            }
            Value::NotYetSet(_) => return Ok(Value::Unknown(TypeKind::Any)),
            _ => return Ok(value),
        };
        self.run.resolve(line, Err(Error::words(words)), TypeKind::Any)
    }

    fn value(&mut self, expression: &'a Expr<'a>) -> EvalResult<'a> {
        let line = line(expression);
        match expression {
            Expr::Const(literal) => {
                let result = operators::literal(&literal.value, &mut self.run.fuel);
                self.run.resolve(line, result, TypeKind::Number)
            }
            Expr::Var(var) => self.variable(line, var.id),
            Expr::UnaryOp(operation) => self.unary(line, operation),
            Expr::BinOp(operation) => self.binary(line, operation),
            Expr::IfExpr(choice) => self.choice(choice),
            Expr::Filter(filter) => self.filter(line, filter),
            Expr::Test(test) => self.test(line, test),
            Expr::GetAttr(it) => {
                let whole = self.defined(&it.expr)?;
                let key = Value::Text(Text::Borrowed(it.name));
                let part = operators::part(&whole, &key, true, &mut self.run.fuel);
                self.run.resolve(line, part, TypeKind::Any)
            }
            Expr::GetItem(it) => {
                let (whole, key) = (self.defined(&it.expr)?, self.defined(&it.subscript_expr)?);
                let is_written = matches!(it.subscript_expr, Expr::Const(_) | Expr::UnaryOp(_));
                let part = operators::part(&whole, &key, is_written, &mut self.run.fuel);
                self.run.resolve(line, part, TypeKind::Any)
            }
            Expr::Call(call) => self.call(line, call),
            Expr::Slice(_) => self.run.fault(line, Fault::Slice),
            Expr::Compare(_) => self.run.fault(line, Fault::Chained),
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => self.run.fault(line, Fault::Literal),
        }
    }

    fn variable(&mut self, line: usize, name: &'a str) -> EvalResult<'a> {
        match self.names.get(name) {
            Some(Value::Undefined(_)) => {}
            Some(value) => return Ok(value.clone()),
            None if !self.run.is_check() => {}
            None if self.targets.contains(name) => return Ok(Value::NotYetSet(name)),
            None if FUNCTIONS.contains(&name) => {
                return self.run.fault(line, Fault::NotCalled(name.to_owned()));
            }
            None => return self.run.fault(line, Fault::Undefined(shorten(name))),
        }
        Ok(Value::Undefined(format!("{:?} is not defined", shorten(name)).into()))
    }

    fn unary(&mut self, line: usize, operation: &'a UnaryOp<'a>) -> EvalResult<'a> {
        match (&operation.op, &operation.expr) {
            (UnaryOpKind::Not, operand) => {
                let truth = self.optional(operand)?.truth();
                Ok(truth.map_or(Value::Unknown(TypeKind::Bool), |truth| Value::Bool(!truth)))
            }
            (UnaryOpKind::Neg, Expr::Const(literal)) if literal.value.is_number() => {
                let result = operators::negative(&literal.value, &mut self.run.fuel);
                self.run.resolve(line, result, TypeKind::Number)
            }
            _ => self.run.fault(line, Fault::Arithmetic("-")),
        }
    }

    fn binary(&mut self, line: usize, operation: &'a BinOp<'a>) -> EvalResult<'a> {
        if let Some(sign) = operators::arithmetic(operation.op) {
            if let Some(key) = dashed(operation) {
                return self.run.fault(line, Fault::Dashed(shorten(&key)));
            }
            return self.run.fault(line, Fault::Arithmetic(sign));
        }
        if let BinOpKind::ScAnd | BinOpKind::ScOr = operation.op {
            let left = self.optional(&operation.left)?;
            let is_and = matches!(operation.op, BinOpKind::ScAnd);
            let is_right = left.truth() == Some(is_and);
            return Ok(match self.branch(is_right, |this| this.value(&operation.right))? {
                Some(right) if self.run.is_check() => left.or(&right),
                Some(right) => right,
                None => left,
            });
        }
        let (left, right) = (self.defined(&operation.left)?, self.defined(&operation.right)?);
        let kind =
            if matches!(operation.op, BinOpKind::Concat) { TypeKind::Text } else { TypeKind::Bool };
        let result = operators::apply(operation.op, &left, &right, &mut self.run.fuel);
        self.run.resolve(line, result, kind)
    }

    fn choice(&mut self, choice: &'a IfExpr<'a>) -> EvalResult<'a> {
        let truth = self.optional(&choice.test_expr)?.truth() == Some(true);
        let chosen = self.branch(truth, |this| this.value(&choice.true_expr))?;
        let other = self.branch(!truth, |this| {
            choice.false_expr.as_ref().map_or(Ok(Value::Nothing), |it| this.value(it))
        })?;
        Ok(match (chosen, other) {
            (Some(chosen), Some(other)) => chosen.or(&other),
            (chosen, other) => chosen.or(other).unwrap_or(Value::Nothing),
        })
    }

    fn filter(&mut self, line: usize, filter: &'a ast::Filter<'a>) -> EvalResult<'a> {
        let known = Filter::named(filter.name);
        let function = known.map(|known| known.function);
        let is_optional = matches!(function, Some(FilterFn::Optional(_)));
        let operand = match (&filter.expr, function) {
            (None, _) => self.captured.take().unwrap_or(Value::Nothing),
            (Some(it), Some(FilterFn::Whole(_) | FilterFn::Mapping(_))) => self.whole(it)?,
            (Some(it), _) if is_optional => self.value(it)?,
            (Some(it), _) => self.defined(it)?,
        };
        let mut arguments = Vec::with_capacity(filter.args.len());
        for (index, argument) in filter.args.iter().enumerate() {
            arguments.push(match argument {
                CallArg::Pos(it) if is_optional && index == 0 => self.value(it)?,
                CallArg::Pos(it) => self.defined(it)?,
                _ => self.run.fault(line, Fault::Named)?,
            });
        }
        let Some(known) = known else {
            return self.run.fault(line, Fault::Filter(shorten(filter.name)));
        };
        let (counts, takes) = &known.arguments;
        if !counts.contains(&arguments.len()) {
            return self
                .run
                .fault(line, Fault::Arguments(format!("the filter {}", known.name), takes));
        }
        let result = known.apply(&operand, &arguments, &mut self.run.fuel);
        self.run.resolve(line, result, known.makes)
    }

    fn test(&mut self, line: usize, test: &'a ast::Test<'a>) -> EvalResult<'a> {
        let value = self.value(&test.expr)?;
        let Some((name, holds)) = TESTS.iter().find(|(name, _)| *name == test.name) else {
            return self.run.fault(line, Fault::Test(shorten(test.name)));
        };
        if !test.args.is_empty() {
            let what = format!("the test {name}");
            return self.run.fault(line, Fault::Arguments(what, "no arguments"));
        }
        Ok(match value {
            Value::Unknown(TypeKind::Any) => Value::Unknown(TypeKind::Bool),
            value => Value::Bool(holds(&value)),
        })
    }

    fn call(&mut self, line: usize, call: &'a Call<'a>) -> EvalResult<'a> {
        let fault = match (call.identify_call(), call.args.as_slice()) {
            (CallType::Function(SECRET), [CallArg::Pos(Expr::Const(source))]) => {
                return self.run.secret(line, source.value.as_str());
            }
            (CallType::Function(SECRET), _) => Fault::Secret,
            (CallType::Function(JSON), [CallArg::Pos(it)]) => {
                let text = self.defined(it)?;
                let read = json::read(&text, &mut self.run.fuel);
                return self.run.resolve(
                    line,
                    read.map_err(|error| error.with_place("json()")),
                    TypeKind::Any,
                );
            }
            (CallType::Function(JSON), _) => {
                Fault::Arguments("json()".to_owned(), "exactly one value")
            }
            (CallType::Function(other), _) => Fault::Function(shorten(other)),
            _ => Fault::Method,
        };
        self.run.fault(line, fault)
    }

    /// A filter turns this into text at once. Nothing else may hold a list or mapping of the
    /// template's own, so that none can grow.
    fn whole(&mut self, expression: &'a Expr<'a>) -> EvalResult<'a> {
        let items = match expression {
            Expr::List(list) => &list.items,
            Expr::Tuple(tuple) => &tuple.items,
            Expr::Map(map) => return self.map(line(expression), map),
            other => return self.defined(other),
        };
        let items: Result<Vec<_>, _> = items.iter().map(|it| self.whole(it)).collect();
        items.map(|items| Value::List(items.into()))
    }

    fn map(&mut self, line: usize, map: &'a ast::Map<'a>) -> EvalResult<'a> {
        let mut known = HashSet::with_capacity(map.keys.len());
        let mut members = Vec::with_capacity(map.keys.len());
        for (key, value) in map.keys.iter().zip(&map.values) {
            let key = if let Expr::Const(key) = key { key.value.as_str() } else { None };
            // Errors name keys.
            let Some(key) = key else { return self.run.fault(line, Fault::Key) };
            if !known.insert(key) {
                return self.run.fault(line, Fault::SameKey(shorten(key)));
            }
            members.push((key.to_owned(), self.whole(value)?));
        }
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Value::Map(members.into()))
    }
}

/// A key like `api-key` behind a dot is read as a part less a name.
fn dashed(operation: &BinOp<'_>) -> Option<String> {
    let mut words = Vec::new();
    let mut rest = operation;
    // Each dash is a subtraction, and the last one stands outermost.
    loop {
        let BinOpKind::Sub = rest.op else { return None };
        match &rest.right {
            Expr::Var(var) => words.push(var.id.to_owned()),
            Expr::Const(number) => words.push(number.value.to_string()),
            _ => return None,
        }
        match &rest.left {
            Expr::BinOp(inner) => rest = inner,
            Expr::GetAttr(it) => {
                words.push(it.name.to_owned());
                words.reverse();
                return Some(words.join("-"));
            }
            _ => return None,
        }
    }
}

fn line(expression: &Expr<'_>) -> usize {
    expression.span().start_line.into()
}
