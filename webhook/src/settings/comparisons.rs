//! How much of a Pod's names is compared with the operator's patterns: both lists are as long as
//! somebody makes them, and their product must stay short.

use plan::Glob;

use crate::problem::Problem;

/// What may still be compared.
#[derive(Debug)]
pub(crate) struct Comparisons {
    left: Option<usize>,
}

impl Comparisons {
    /// Bytes of patterns and names.
    pub(crate) fn of(bytes: usize) -> Self {
        Self { left: Some(bytes) }
    }

    /// Not where nothing is left for it, in all three.
    pub(crate) fn matches(&mut self, pattern: &Glob, text: &str) -> bool {
        self.lasts(pattern, text) && pattern.matches(text)
    }

    pub(crate) fn means(&mut self, pattern: &Glob, name: &str) -> bool {
        self.lasts(pattern, name) && pattern.means(name)
    }

    pub(crate) fn overlaps(&mut self, pattern: &Glob, other: &Glob) -> bool {
        self.lasts(pattern, other.as_str()) && pattern.overlaps(other)
    }

    /// From then on no answer says anything.
    pub(crate) fn is_spent(&self) -> bool {
        self.left.is_none()
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        self.is_spent().then(|| {
            Problem::pod(
                "the annotations",
                "they have more names than are compared with the operator's patterns",
                "ask for fewer secrets, roles or variables, or the operator for fewer patterns",
            )
        })
    }

    fn lasts(&mut self, pattern: &Glob, text: &str) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(pattern.effort(text)));
        self.left.is_some()
    }
}

impl Default for Comparisons {
    fn default() -> Self {
        Self::of(FOR_A_POD)
    }
}

/// Enough for a hundred names and eighty patterns that begin and end as they do, or for two hundred
/// names and as many patterns that do not.
const FOR_A_POD: usize = 384 * 1024;
