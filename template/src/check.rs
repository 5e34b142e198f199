//! What can be seen in the tree of a template: its sources, and whether all that it names exists.

use std::collections::{BTreeMap, HashSet};

use minijinja::machinery::ast::{BinOpKind, Call, CallArg, CallType, Expr, Map, Stmt, UnaryOpKind};
use minijinja::machinery::parse;

use crate::engine::{self, FILTERS, FUNCTIONS, JSON, SECRET, TESTS, WHOLE};
use crate::fault::{Fault, Invalid, shorten};
use crate::template::Secret;

pub(crate) struct Found {
    pub(crate) secrets: Vec<Secret>,
    pub(crate) names: BTreeMap<usize, Vec<String>>,
}

pub(crate) fn check(text: &str) -> Result<Found, Vec<Invalid>> {
    let tree = parse(text, "", engine::syntax())
        .map_err(|error| vec![Fault::Syntax.at(error.line().unwrap_or(1))])?;
    let mut walk = Walk::default();
    walk.targets(&tree);
    walk.statement(&tree);
    if walk.secrets.is_empty() && walk.invalid.is_empty() {
        walk.fault(1, Fault::NoSecret);
    }
    let Walk { secrets, names, invalid, .. } = walk;
    if invalid.is_empty() { Ok(Found { secrets, names }) } else { Err(invalid) }
}

/// It recurses no deeper than `shape` allows.
#[derive(Default)]
struct Walk<'t> {
    /// Names that are set somewhere. Whether before they are used, rendering shows.
    set: HashSet<&'t str>,
    seen: HashSet<String>,
    secrets: Vec<Secret>,
    names: BTreeMap<usize, Vec<String>>,
    invalid: Vec<Invalid>,
}

impl<'t> Walk<'t> {
    fn fault(&mut self, line: usize, fault: Fault) {
        self.invalid.push(fault.at(line));
    }

    fn name(&mut self, line: usize, name: &str) {
        let names = self.names.entry(line).or_default();
        let name = shorten(name);
        if !names.contains(&name) {
            names.push(name);
        }
    }

    fn targets(&mut self, statement: &'t Stmt<'t>) {
        match statement {
            Stmt::Template(template) => template.children.iter().for_each(|it| self.targets(it)),
            Stmt::IfCond(branches) => {
                let bodies = branches.true_body.iter().chain(&branches.false_body);
                bodies.for_each(|it| self.targets(it));
            }
            Stmt::Set(set) => self.target(&set.target),
            Stmt::SetBlock(set) => {
                self.target(&set.target);
                set.body.iter().for_each(|it| self.targets(it));
            }
            _ => {}
        }
    }

    fn target(&mut self, target: &'t Expr<'t>) {
        match target {
            Expr::Var(var) if FUNCTIONS.contains(&var.id) => {
                self.fault(line(target), Fault::Reserved(var.id.to_owned()));
            }
            Expr::Var(var) => drop(self.set.insert(var.id)),
            _ => self.fault(line(target), Fault::Target),
        }
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => template.children.iter().for_each(|it| self.statement(it)),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::IfCond(branches) => {
                self.expression(&branches.expr);
                let bodies = branches.true_body.iter().chain(&branches.false_body);
                bodies.for_each(|it| self.statement(it));
            }
            Stmt::Set(set) => self.expression(&set.expr),
            Stmt::SetBlock(set) => {
                set.filter.iter().for_each(|it| self.expression(it));
                set.body.iter().for_each(|it| self.statement(it));
            }
            // Refused by its word already.
            _ => self.fault(1, Fault::Syntax),
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        let line = line(expression);
        match expression {
            Expr::Const(_) => {}
            Expr::Var(var) => {
                self.name(line, var.id);
                if FUNCTIONS.contains(&var.id) {
                    self.fault(line, Fault::NotCalled(var.id.to_owned()));
                } else if !self.set.contains(var.id) {
                    self.fault(line, Fault::Undefined(shorten(var.id)));
                }
            }
            Expr::Slice(slice) => {
                self.fault(line, Fault::Slice);
                self.expression(&slice.expr);
            }
            Expr::UnaryOp(operation) => {
                let is_number = matches!(operation.expr, Expr::Const(_));
                if matches!(operation.op, UnaryOpKind::Neg) && !is_number {
                    self.fault(line, Fault::Arithmetic("-"));
                }
                self.expression(&operation.expr);
            }
            Expr::BinOp(operation) => {
                if let Some(sign) = arithmetic(operation.op) {
                    self.fault(line, Fault::Arithmetic(sign));
                }
                let is_concat = matches!(operation.op, BinOpKind::Concat);
                if is_concat && (is_no_text(&operation.left) || is_no_text(&operation.right)) {
                    self.fault(line, Fault::NoText);
                }
                self.expression(&operation.left);
                self.expression(&operation.right);
            }
            Expr::Compare(compare) => {
                if compare.ops.len() > 1 {
                    self.fault(line, Fault::Chained);
                }
                self.expression(&compare.expr);
                compare.ops.iter().for_each(|it| self.expression(&it.expr));
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                self.expression(&choice.true_expr);
                choice.false_expr.iter().for_each(|it| self.expression(it));
            }
            Expr::Filter(filter) => {
                let writes_all = WHOLE.contains(&filter.name);
                let operand = |walk: &mut Self, it| {
                    if writes_all { walk.whole(it) } else { walk.expression(it) }
                };
                filter.expr.iter().for_each(|it| operand(self, it));
                match FILTERS.iter().find(|(name, _)| *name == filter.name) {
                    None => self.fault(line, Fault::Filter(shorten(filter.name))),
                    Some((name, most)) if filter.args.len() > *most => {
                        self.fault(line, Fault::Arguments((*name).to_owned(), *most));
                    }
                    Some(_) => {}
                }
                self.arguments(line, &filter.args);
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                if !TESTS.contains(&test.name) {
                    self.fault(line, Fault::Test(shorten(test.name)));
                }
                self.arguments(line, &test.args);
            }
            Expr::GetAttr(attribute) => {
                self.name(line, attribute.name);
                self.expression(&attribute.expr);
            }
            Expr::GetItem(item) => {
                if let Expr::Const(name) = &item.subscript_expr {
                    self.name(line, name.value.as_str().unwrap_or("[…]"));
                }
                self.expression(&item.expr);
                self.expression(&item.subscript_expr);
            }
            Expr::Call(call) => self.call(line, call),
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => {
                self.fault(line, Fault::Literal);
                self.whole(expression);
            }
        }
    }

    /// What a filter turns into text at once. Nothing else may hold a list or mapping of the
    /// template's own, so that none can grow.
    fn whole(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::List(list) => list.items.iter().for_each(|it| self.whole(it)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|it| self.whole(it)),
            Expr::Map(map) => self.map(line(expression), map),
            other => self.expression(other),
        }
    }

    fn map(&mut self, line: usize, map: &Map<'_>) {
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
        map.values.iter().for_each(|it| self.whole(it));
    }

    fn call(&mut self, line: usize, call: &Call<'_>) {
        match call.identify_call() {
            CallType::Function(SECRET) => match literal(&call.args) {
                Some(source) => {
                    if self.seen.insert(source.to_owned()) {
                        self.secrets.push(Secret { source: source.to_owned(), line });
                    }
                }
                None => self.fault(line, Fault::Secret),
            },
            CallType::Function(JSON) => {
                if call.args.len() != 1 {
                    self.fault(line, Fault::OneValue(JSON.to_owned()));
                }
                self.arguments(line, &call.args);
            }
            CallType::Function(other) => self.fault(line, Fault::Function(shorten(other))),
            _ => self.fault(line, Fault::Method),
        }
    }

    fn arguments(&mut self, line: usize, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(expression) => self.expression(expression),
                _ => self.fault(line, Fault::Named),
            }
        }
    }
}

fn line(expression: &Expr<'_>) -> usize {
    expression.span().start_line.into()
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

/// What the engine would write in its own words before anything is rendered.
fn is_no_text(expression: &Expr<'_>) -> bool {
    matches!(expression, Expr::Const(c) if c.value.as_str().is_none() && !c.value.is_number())
}

/// The one text in quotes that these arguments are.
fn literal<'e>(arguments: &'e [CallArg<'_>]) -> Option<&'e str> {
    match arguments {
        [CallArg::Pos(Expr::Const(text))] => text.value.as_str(),
        _ => None,
    }
}
