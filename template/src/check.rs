//! What can be seen in the tree of a template: its sources, and whether all that it names exists.

use std::collections::{HashMap, HashSet};

use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::parse;

use crate::engine::{self, FUNCTIONS};
use crate::fault::{Fault, Invalid};
use crate::kind::Kind;
use crate::template::Secret;

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
    /// Those that may be set at this place, and what they are.
    pub(crate) set: HashMap<&'t str, Kind>,
    pub(crate) seen: HashSet<String>,
    pub(crate) secrets: Vec<Secret>,
    /// Behind how many conditions this place stands.
    conditions: usize,
    invalid: Vec<Invalid>,
}

impl<'t> Walk<'t> {
    pub(crate) fn fault(&mut self, line: usize, fault: Fault) {
        self.invalid.push(fault.at(line));
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
        match statement {
            Stmt::Template(template) => template.children.iter().for_each(|it| self.statement(it)),
            Stmt::EmitExpr(emit) => {
                self.expression(&emit.expr);
            }
            Stmt::EmitRaw(_) => {}
            Stmt::IfCond(branches) => {
                self.expression(&branches.expr);
                let before = self.set.clone();
                self.branch(&branches.true_body);
                let after = std::mem::replace(&mut self.set, before);
                self.branch(&branches.false_body);
                self.join(after);
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

    fn set(&mut self, target: &Expr<'t>, kind: Kind) {
        if let Expr::Var(var) = target {
            self.set.insert(var.id, kind);
        }
    }

    /// What is set behind two branches, of which this is the other's.
    fn join(&mut self, other: HashMap<&'t str, Kind>) {
        for (name, kind) in &mut self.set {
            *kind = kind.or(other.get(name).copied().unwrap_or(Kind::Unknown));
        }
        for name in other.into_keys() {
            self.set.entry(name).or_insert(Kind::Unknown);
        }
    }
}

pub(crate) fn line(expression: &Expr<'_>) -> usize {
    expression.span().start_line.into()
}
