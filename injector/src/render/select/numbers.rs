//! Numbers as the document has them. The evaluator knows machine's numbers alone, which are written
//! otherwise (`1.5` for `1.50`), or have fewer digits.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use formats::Decimal;
use jmespath::{Rcvar, Variable};
use serde_json::Number;

/// The texts of those numbers that would be written otherwise, by where their node is. The document
/// holds its nodes as long as this is asked, and an expression hands them on as they are, so that no
/// other node is ever there.
#[derive(Default)]
pub(super) struct Numbers {
    texts: HashMap<usize, NumberText>,
    bytes: usize,
}

struct NumberText {
    text: Box<str>,
    /// Whether the machine's number is another one.
    is_lost: bool,
}

impl Numbers {
    /// The node of a number. `text` is one in JSON.
    pub(super) fn node(&mut self, text: &str) -> Rcvar {
        let number = serde_json::from_str::<Number>(text).ok();
        let canonical = number.as_ref().map(Number::to_string);
        // What no machine's number holds is never calculated with.
        let node = Rcvar::new(Variable::Number(number.unwrap_or_else(|| Number::from(0))));
        if canonical.as_deref() != Some(text) {
            let is_lost = !canonical.is_some_and(|canonical| same(&canonical, text));
            self.bytes += text.len();
            self.texts.insert(address(&node), NumberText { text: text.into(), is_lost });
        }
        node
    }

    /// All texts together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn text<'n>(&'n self, node: &Rcvar, number: &Number) -> Cow<'n, str> {
        match self.texts.get(&address(node)) {
            Some(written) => Cow::Borrowed(&written.text),
            None => Cow::Owned(number.to_string()),
        }
    }

    /// The machine's number, where it is the one that is written.
    pub(super) fn exact<'v>(&self, node: &'v Rcvar) -> Option<&'v Number> {
        match &**node {
            Variable::Number(number) => {
                let is_lost = self.texts.get(&address(node)).is_some_and(|it| it.is_lost);
                (!is_lost).then_some(number)
            }
            _ => None,
        }
    }

    /// The order of two numbers or of two texts.
    pub(super) fn compare(&self, left: &Rcvar, right: &Rcvar) -> Option<Ordering> {
        match (&**left, &**right) {
            (Variable::Number(a), Variable::Number(b)) => {
                let (a, b) = (self.text(left, a), self.text(right, b));
                Some(Decimal::read(&a).compare(Decimal::read(&b)))
            }
            (Variable::String(a), Variable::String(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// It calls itself as deep as values nest, as the library does.
    pub(super) fn equal(&self, left: &Rcvar, right: &Rcvar) -> bool {
        match (&**left, &**right) {
            (Variable::Null, Variable::Null) => true,
            (Variable::Bool(a), Variable::Bool(b)) => a == b,
            (Variable::Array(a), Variable::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.equal(a, b))
            }
            (Variable::Object(a), Variable::Object(b)) => {
                let mut pairs = a.iter().zip(b);
                a.len() == b.len() && pairs.all(|((k, a), (l, b))| k == l && self.equal(a, b))
            }
            _ => self.compare(left, right) == Some(Ordering::Equal),
        }
    }
}

/// Whether a machine's number is the one that the text says.
pub(super) fn is_kept(number: &Number, text: &str) -> bool {
    same(&number.to_string(), text)
}

fn same(left: &str, right: &str) -> bool {
    Decimal::read(left).compare(Decimal::read(right)) == Ordering::Equal
}

fn address(node: &Rcvar) -> usize {
    Arc::as_ptr(node).addr()
}
