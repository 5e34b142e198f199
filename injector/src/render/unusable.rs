//! Why an entry has no content, though all its values came.

use plan::{Plan, Selector};

use crate::render::environment::Unfit;
use crate::render::select::SelectError;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

pub(crate) struct Unusable {
    pub(crate) blame: Blame,
    pub(crate) problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The value of this lookup.
    Source(usize),
    /// The text of this entry's template, by its place among the entries.
    Template(usize),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[error("{0}")]
    Select(#[from] SelectError),
    #[error("{0}")]
    Unfit(#[from] Unfit),
}

pub(super) fn problem(
    plan: &Plan,
    wanted: &str,
    from: usize,
    select: Option<&Selector>,
    why: &Why,
) -> Problem {
    let advice = match why {
        Why::Select(SelectError::Empty) => {
            "that the secret has a value, in the version that is asked for"
        }
        Why::Select(SelectError::NotJson { .. }) => {
            "the secret's value; leave the JMESPath out to get all of it"
        }
        Why::Select(_) => "the JMESPath against the secret's keys",
        Why::Unfit(unfit) => unfit.advice(),
    };
    Problem::new(Exit::Unusable, format!("{why}; wanted for {wanted}"))
        .about(about(plan, from, select))
        .advise(advice)
}

pub(super) fn about(plan: &Plan, from: usize, select: Option<&Selector>) -> String {
    let source = plan::lookup_label(plan.lookups(), from);
    let selector = select.map(|selector| format!("#{selector}"));
    format!("{}{}", source, selector.unwrap_or_default())
}
