//! What can be seen in the tree of a template: its sources, and whether all that it names exists.

use std::collections::{HashMap, HashSet};

use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::parse;

use crate::engine::{self, FUNCTIONS};
use crate::fault::{Fault, Invalid};
use crate::kind::Kind;
use crate::template::Secret;

/// So many mistakes are told; with these mended, the next ones are.
const MOST: usize = 8;

/// What the parser says where it nests deeper than it goes, which is less than `shape` allows.
const RECURSION: &str = "recursion";

pub(crate) fn check(text: &str) -> Result<Vec<Secret>, Vec<Invalid>> {
    let tree = parse(text, "", engine::syntax()).map_err(|error| {
        let is_too_deep = error.detail().is_some_and(|detail| detail.contains(RECURSION));
        let fault = if is_too_deep { Fault::TooDeep } else { Fault::Syntax };
        vec![fault.at(error.line().unwrap_or(1))]
    })?;
    let mut walk = Walk::default();
    walk.targets(&tree);
    walk.statement(&tree);
    if walk.secrets.is_empty() && walk.invalid.is_empty() {
        walk.fault(1, Fault::NoSecret);
    }
    if walk.invalid.is_empty() { Ok(walk.secrets) } else { Err(walk.invalid) }
}

/// It recurses no deeper than `shape` allows.
#[derive(Default)]
pub(crate) struct Walk<'t> {
    /// Names that are set somewhere.
    pub(crate) targets: HashSet<&'t str>,
    /// Those that may be set at this place, and what they are if they are.
    pub(crate) set: HashMap<&'t str, Kind>,
    pub(crate) seen: HashSet<String>,
    pub(crate) secrets: Vec<Secret>,
    /// Behind how many conditions this place stands.
    conditions: usize,
    invalid: Vec<Invalid>,
}

impl<'t> Walk<'t> {
    pub(crate) fn fault(&mut self, line: usize, fault: Fault) {
        if !self.is_over() {
            self.invalid.push(fault.at(line));
        }
    }

    /// Whether enough is told: what comes now is not looked at.
    pub(crate) fn is_over(&self) -> bool {
        self.invalid.len() >= MOST
    }

    /// What fails because of a kind of value, if it runs. Behind a condition it may not, and the
    /// condition may say that the value is another one there.
    pub(crate) fn certainly(&mut self, line: usize, fault: Fault) {
        if self.conditions == 0 {
            self.fault(line, fault);
        }
    }

    pub(crate) fn behind_a_condition<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.conditions += 1;
        let found = walk(self);
        self.conditions -= 1;
        found
    }

    fn targets(&mut self, statement: &Stmt<'t>) {
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

    fn target(&mut self, target: &Expr<'t>) {
        match target {
            Expr::Var(var) if FUNCTIONS.contains(&var.id) => {
                self.fault(line(target), Fault::Reserved(var.id.to_owned()));
            }
            Expr::Var(var) => drop(self.targets.insert(var.id)),
            _ => self.fault(line(target), Fault::Target),
        }
    }

    fn statement(&mut self, statement: &Stmt<'t>) {
        if self.is_over() {
            return;
        }
        match statement {
            Stmt::Template(template) => template.children.iter().for_each(|it| self.statement(it)),
            Stmt::EmitExpr(emit) => {
                self.expression(&emit.expr);
            }
            Stmt::EmitRaw(_) => {}
            Stmt::IfCond(branches) => {
                self.expression(&branches.expr);
                self.branch(&branches.true_body);
                self.branch(&branches.false_body);
            }
            Stmt::Set(set) => {
                let kind = self.perhaps(&set.expr);
                self.set(&set.target, kind);
            }
            Stmt::SetBlock(set) => {
                set.body.iter().for_each(|it| self.statement(it));
                let kind = set.filter.as_ref().map_or(Kind::Text, |it| self.expression(it));
                self.set(&set.target, kind);
            }
            // Refused by its word already.
            _ => self.fault(1, Fault::Syntax),
        }
    }

    fn branch(&mut self, body: &[Stmt<'t>]) {
        self.behind_a_condition(|walk| body.iter().for_each(|it| walk.statement(it)));
    }

    /// Behind a condition, the name may keep the kind that it had. Branches are not kept apart, so
    /// that no `if` copies the names: within a branch no kind is a reason to refuse anything.
    fn set(&mut self, target: &Expr<'t>, kind: Kind) {
        let Expr::Var(var) = target else { return };
        let is_certain = self.conditions == 0;
        self.set
            .entry(var.id)
            .and_modify(|before| *before = if is_certain { kind } else { before.or(kind) })
            .or_insert(kind);
    }
}

pub(crate) fn line(expression: &Expr<'_>) -> usize {
    expression.span().start_line.into()
}
