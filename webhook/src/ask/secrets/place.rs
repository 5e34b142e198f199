//! Where in an annotation something stands.

use std::borrow::Cow;

use crate::ask::yaml::Node;
use crate::problem::Problem;

/// Where something stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The annotation, without our prefix.
    pub(crate) key: Cow<'static, str>,
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Place {
    pub(super) fn within(&self, node: &Node<'_>, what: &str) -> Self {
        Self { key: self.key.clone(), line: node.line, what: format!("{}, {what}", self.what) }
    }

    pub(crate) fn problem(&self, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem {
            line: Some(self.line),
            place: self.what.clone(),
            ..Problem::annotation(&self.key, what, remedy)
        }
    }
}
