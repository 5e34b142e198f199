//! The evaluator walks the parse tree of a template, to check it or to render it.

use std::collections::{HashMap, HashSet};

use formats::{Builder, Error, Fuel, Kinds, Value, json, paid_text};
use minijinja::machinery::ast::{
    self, BinOp, BinOpKind, Call, CallArg, CallType, Expr, IfExpr, Stmt, UnaryOp, UnaryOpKind,
};
use printable::shorten;
use zeroize::Zeroizing;

use crate::builtins::{FROM_JSON, FUNCTIONS, Filter, JSON, SECRET, TESTS};
use crate::fault::{Fault, Invalid};
use crate::limits::{CheckFuel, FUEL_TO_RENDER, MAX_OUTPUT_BYTES};
use crate::operand::Operand;
use crate::operators;
use crate::run::{EvalResult, Run, SecretCall, Values, WalkResult};

/// This finds the sources, each with the line where it is used first, or all mistakes. `targets` are
/// the names that are set somewhere.
pub(crate) fn check<'a>(
    tree: &'a Stmt<'a>,
    targets: HashSet<&'a str>,
    fuel: &mut CheckFuel,
) -> Result<Vec<SecretCall>, Vec<Invalid>> {
    let mut evaluator = Evaluator::new(Run::new(None, fuel.take()), targets);
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
    let run = Run::new(Some(values), Fuel(FUEL_TO_RENDER));
    Evaluator::new(run, HashSet::new()).statement(tree, &mut out)?;
    Ok(out.into_text())
}

/// It recurses no deeper than the tokens may nest.
struct Evaluator<'a> {
    run: Run<'a>,
    names: HashMap<&'a str, Operand<'a>>,
    targets: HashSet<&'a str>,
    /// The first filter of a `set` block takes the text of the block from here.
    captured: Option<Operand<'a>>,
}

impl<'a> Evaluator<'a> {
    fn new(run: Run<'a>, targets: HashSet<&'a str>) -> Self {
        Self { run, names: HashMap::new(), targets, captured: None }
    }

    /// What runs only if a condition is as `wanted` is walked if it is. A check walks it in any case.
    fn branch<T>(
        &mut self,
        truth: Option<bool>,
        wanted: bool,
        walk: impl FnOnce(&mut Self) -> WalkResult<T>,
    ) -> WalkResult<Option<T>> {
        if truth != Some(wanted) && !self.run.is_check() {
            return Ok(None);
        }
        self.run.conditions += 1;
        let walked = walk(self)?;
        self.run.conditions -= 1;
        Ok(Some(walked))
    }

    fn statements(&mut self, body: &'a [Stmt<'a>], out: &mut Builder) -> WalkResult<()> {
        body.iter().try_for_each(|it| self.statement(it, out))
    }

    fn statement(&mut self, statement: &'a Stmt<'a>, out: &mut Builder) -> WalkResult<()> {
        match statement {
            Stmt::Template(template) => self.statements(&template.children, out),
            Stmt::EmitRaw(it) => {
                self.write(it.span().start_line.into(), &Operand::text(it.raw), out)
            }
            Stmt::EmitExpr(it) => {
                let operand = self.optional(&it.expr)?;
                self.write(line(&it.expr), &operand, out)
            }
            Stmt::IfCond(it) => {
                let (_, truth) = self.condition(&it.expr)?;
                self.branch(truth, true, |this| this.statements(&it.true_body, out))?;
                self.branch(truth, false, |this| this.statements(&it.false_body, out)).map(drop)
            }
            Stmt::Set(set) => {
                let operand = self.value(&set.expr)?;
                self.set(&set.target, operand)
            }
            Stmt::SetBlock(set) => {
                let mut text = Builder::default();
                self.statements(&set.body, &mut text)?;
                let mut operand = if self.run.is_check() {
                    Operand::Unknown(Kinds::TEXT)
                } else {
                    let text = paid_text(text, &mut self.run.fuel);
                    self.run.resolve(set.span().start_line.into(), text.map(Operand::Known))?
                };
                if let Some(filters) = &set.filter {
                    self.captured = Some(operand);
                    operand = self.value(filters)?;
                }
                self.set(&set.target, operand)
            }
            // Its word was refused already.
            _ => self.run.fault(1, Fault::Syntax).map(drop),
        }
    }

    /// A file with a JMESPath has the same rule: text stays as it is, all else becomes compact JSON,
    /// and null is an error.
    fn write(&mut self, line: usize, operand: &Operand<'a>, out: &mut Builder) -> WalkResult<()> {
        let written = match operand {
            Operand::Nothing => Ok(()),
            Operand::Known(Value::Null) => {
                Err(Error::words("null cannot be written; use default(\"…\", true)"))
            }
            _ if self.run.is_check() => Ok(()),
            Operand::Known(Value::Text(text)) => out.push_str(text),
            Operand::Known(value) => json::compact(value, out),
            _ => Err(Error::words("a value is not known")),
        };
        self.run.resolve(line, written.map(|()| Operand::Nothing)).map(drop)
    }

    /// A name that is set behind a condition may keep the value that it had.
    fn set(&mut self, target: &'a Expr<'a>, operand: Operand<'a>) -> WalkResult<()> {
        match target {
            Expr::Var(var) if !FUNCTIONS.contains(&var.id) => {
                let is_certain = self.run.is_certain();
                let operand = if is_certain { operand } else { Operand::Unknown(Kinds::ANY) };
                self.names.insert(var.id, operand);
                Ok(())
            }
            _ => self.run.fault(line(target), Fault::Target).map(drop),
        }
    }

    /// The value must exist.
    fn defined(&mut self, expression: &'a Expr<'a>) -> EvalResult<'a> {
        match self.value(expression)? {
            Operand::Undefined(words) => self.missing(expression, &words),
            Operand::Nothing => {
                self.missing(expression, "an if without else gives a value that is not defined")
            }
            operand => Ok(operand),
        }
    }

    /// The value must exist or be nothing.
    fn optional(&mut self, expression: &'a Expr<'a>) -> EvalResult<'a> {
        match self.value(expression)? {
            Operand::Undefined(words) => self.missing(expression, &words),
            operand => Ok(operand),
        }
    }

    fn missing(&mut self, expression: &'a Expr<'a>, words: &str) -> EvalResult<'a> {
        self.run.resolve(line(expression), Err(Error::words(words)))
    }

    /// The value, and whether it holds as a condition, in which nothing does not.
    fn condition(&mut self, expression: &'a Expr<'a>) -> WalkResult<(Operand<'a>, Option<bool>)> {
        let operand = self.optional(expression)?;
        let truth = match &operand {
            Operand::Known(value) => value.truth(&mut self.run.fuel).map(Some),
            Operand::Unknown(_) => Ok(None),
            Operand::Undefined(_) | Operand::Nothing => Ok(Some(false)),
        };
        let line = line(expression);
        let truth = truth.or_else(|error| self.run.resolve(line, Err(error)).map(|_| None))?;
        Ok((operand, truth))
    }

    fn value(&mut self, expression: &'a Expr<'a>) -> EvalResult<'a> {
        let line = line(expression);
        match expression {
            Expr::Const(it) => {
                let literal = operators::literal("", &it.value, &mut self.run.fuel);
                self.run.resolve(line, literal)
            }
            Expr::Var(var) => self.variable(line, var.id),
            Expr::UnaryOp(operation) => self.unary(line, operation),
            Expr::BinOp(operation) => self.binary(line, operation),
            Expr::IfExpr(choice) => self.choice(choice),
            Expr::Filter(filter) => self.filter(line, filter),
            Expr::Test(test) => self.test(line, test),
            Expr::GetAttr(it) => {
                let whole = self.defined(&it.expr)?;
                self.part(line, &whole, &Operand::text(it.name), true)
            }
            Expr::GetItem(it) => {
                let (whole, key) = (self.defined(&it.expr)?, self.defined(&it.subscript_expr)?);
                let is_written = matches!(it.subscript_expr, Expr::Const(_) | Expr::UnaryOp(_));
                self.part(line, &whole, &key, is_written)
            }
            Expr::Call(call) => self.call(line, call),
            Expr::Slice(_) => self.run.fault(line, Fault::Slice),
            Expr::Compare(_) => self.run.fault(line, Fault::Chained),
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => self.run.fault(line, Fault::Literal),
        }
    }

    fn part(
        &mut self,
        line: usize,
        whole: &Operand<'a>,
        key: &Operand<'a>,
        is_written: bool,
    ) -> EvalResult<'a> {
        let is_check = self.run.is_check();
        let part = operators::part(whole, key, is_written, is_check, &mut self.run.fuel);
        self.run.resolve(line, part)
    }

    fn variable(&mut self, line: usize, name: &'a str) -> EvalResult<'a> {
        let why = match self.names.get(name) {
            Some(Operand::Undefined(_)) => "is not defined",
            Some(operand) => return Ok(operand.clone()),
            None if !self.run.is_check() => "is not defined",
            None if self.targets.contains(name) => "is used before it is set",
            None => return self.run.fault(line, Fault::Undefined(shorten(name))),
        };
        Ok(Operand::Undefined(format!("{:?} {why}", shorten(name)).into()))
    }

    fn unary(&mut self, line: usize, operation: &'a UnaryOp<'a>) -> EvalResult<'a> {
        match (&operation.op, &operation.expr) {
            (UnaryOpKind::Not, operand) => {
                let (_, truth) = self.condition(operand)?;
                Ok(truth.map_or(Operand::Unknown(Kinds::BOOL), |truth| Operand::bool(!truth)))
            }
            (UnaryOpKind::Neg, Expr::Const(it)) if it.value.is_number() => {
                let literal = operators::literal("-", &it.value, &mut self.run.fuel);
                self.run.resolve(line, literal)
            }
            _ => self.run.fault(line, Fault::Arithmetic),
        }
    }

    fn binary(&mut self, line: usize, operation: &'a BinOp<'a>) -> EvalResult<'a> {
        use BinOpKind::{Add, Div, FloorDiv, Mul, Pow, Rem, ScAnd, ScOr, Sub};
        match operation.op {
            Add | Sub | Mul | Div | FloorDiv | Rem | Pow => self.run.fault(line, Fault::Arithmetic),
            ScAnd | ScOr => {
                let (left, truth) = self.condition(&operation.left)?;
                let is_and = matches!(operation.op, ScAnd);
                let right = self.branch(truth, is_and, |this| this.value(&operation.right))?;
                Ok(self.either(Some(left), right))
            }
            operator => {
                let left = self.defined(&operation.left)?;
                let right = self.defined(&operation.right)?;
                let result = operators::apply(operator, &left, &right, &mut self.run.fuel);
                self.run.resolve(line, result)
            }
        }
    }

    fn choice(&mut self, choice: &'a IfExpr<'a>) -> EvalResult<'a> {
        let (_, truth) = self.condition(&choice.test_expr)?;
        let chosen = self.branch(truth, true, |this| this.value(&choice.true_expr))?;
        let other = self.branch(truth, false, |this| {
            choice.false_expr.as_ref().map_or(Ok(Operand::Nothing), |it| this.value(it))
        })?;
        Ok(self.either(chosen, other))
    }

    /// The last of two values that is there counts. A check cannot tell which one it is.
    fn either(&self, one: Option<Operand<'a>>, other: Option<Operand<'a>>) -> Operand<'a> {
        match (one, other) {
            (Some(one), Some(other)) if self.run.is_check() => one.or(&other),
            (one, other) => other.or(one).unwrap_or(Operand::Nothing),
        }
    }

    fn filter(&mut self, line: usize, filter: &'a ast::Filter<'a>) -> EvalResult<'a> {
        let known = Filter::named(filter.name);
        let is_optional = known.is_some_and(Filter::is_optional);
        let operand = match &filter.expr {
            None => self.captured.take().unwrap_or(Operand::Nothing),
            Some(it) if is_optional => self.value(it)?,
            Some(it) if known.is_some_and(Filter::takes_whole) => self.whole(it)?,
            Some(it) => self.defined(it)?,
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
        if let Some(usage) = known.usage(arguments.len()) {
            return self.run.fault(line, Fault::Arguments(usage));
        }
        let shown = format_args!("the filter {}", known.name);
        let result = known.apply(shown, operand, arguments, &mut self.run.fuel);
        self.run.resolve(line, result)
    }

    fn test(&mut self, line: usize, test: &'a ast::Test<'a>) -> EvalResult<'a> {
        let operand = self.value(&test.expr)?;
        let Some((name, holds)) = TESTS.iter().find(|(name, _)| *name == test.name) else {
            return self.run.fault(line, Fault::Test(shorten(test.name)));
        };
        if !test.args.is_empty() {
            return self.run.fault(line, Fault::Arguments(format!("{name}()")));
        }
        Ok(match operand {
            Operand::Unknown(_) => Operand::Unknown(Kinds::BOOL),
            operand => Operand::bool(holds(&operand)),
        })
    }

    fn call(&mut self, line: usize, call: &'a Call<'a>) -> EvalResult<'a> {
        let fault = match (call.identify_call(), call.args.as_slice()) {
            (CallType::Function(SECRET), [CallArg::Pos(Expr::Const(source))]) => {
                return self.run.secret(line, source.value.as_str());
            }
            (CallType::Function(SECRET), _) => Fault::Secret,
            (CallType::Function(JSON), [CallArg::Pos(it)]) => {
                let (text, shown) = (self.defined(it)?, format_args!("json()"));
                let read = FROM_JSON.apply(shown, text, Vec::new(), &mut self.run.fuel);
                return self.run.resolve(line, read);
            }
            (CallType::Function(JSON), _) => Fault::Arguments("json(VALUE)".to_owned()),
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
        let items = self.wholes(items)?;
        Ok(items.map_or(Operand::Unknown(Kinds::LIST), |it| Operand::Known(Value::List(it.into()))))
    }

    fn map(&mut self, line: usize, map: &'a ast::Map<'a>) -> EvalResult<'a> {
        let key =
            |it: &'a Expr<'a>| if let Expr::Const(it) = it { it.value.as_str() } else { None };
        let mut known = HashSet::with_capacity(map.keys.len());
        for it in &map.keys {
            // Errors name keys.
            let Some(key) = key(it) else { return self.run.fault(line, Fault::Key) };
            if !known.insert(key) {
                return self.run.fault(line, Fault::SameKey(shorten(key)));
            }
        }
        let Some(values) = self.wholes(&map.values)? else {
            return Ok(Operand::Unknown(Kinds::MAP));
        };
        let keys = map.keys.iter().filter_map(key).map(str::to_owned);
        let mut members = Vec::with_capacity(values.len());
        members.extend(keys.zip(values));
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Operand::Known(Value::Map(members.into())))
    }

    /// None of them is left where one is not known.
    fn wholes(&mut self, items: &'a [Expr<'a>]) -> WalkResult<Option<Vec<Value<'a>>>> {
        let mut known = Vec::with_capacity(items.len());
        for item in items {
            if let Operand::Known(value) = self.whole(item)? {
                known.push(value);
            }
        }
        Ok((known.len() == items.len()).then_some(known))
    }
}

fn line(expression: &Expr<'_>) -> usize {
    expression.span().start_line.into()
}
