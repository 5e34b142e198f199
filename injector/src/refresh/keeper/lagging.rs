//! Templates of several sources that did not all answer in one round, though one of them has a new
//! version. The values that came are not kept for them, since a template is of one time. Until all
//! sources have answered in one round these templates count as not rendered, or nobody would
//! notice.

use std::collections::{BTreeSet, HashMap};

use super::Keeper;
use crate::input::entry::Entry;
use crate::refresh::source_state::Verdict;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

impl Keeper<'_> {
    /// Templates whose files show an older version of a source than it gave, because another source
    /// gave no value. Templates that were tried are left out.
    pub(super) fn lagging(
        &self,
        tried: &BTreeSet<usize>,
        verdicts: &HashMap<usize, Verdict>,
    ) -> BTreeSet<usize> {
        let is_new = |source: usize| match (verdicts.get(&source), self.sources.get(source)) {
            (Some(verdict), Some(known)) => known.is_other(verdict),
            _ => false,
        };
        // A source that is not there, or goes, has no file that could be old.
        let is_gone = |source: usize| {
            let goes = |verdict: &Verdict| verdict.removes() || *verdict == Verdict::Absent;
            verdicts.get(&source).is_some_and(goes)
                || self.sources.get(source).is_some_and(|known| known.removed)
        };
        let lags = |at: &usize, entry: &Entry<'_>| {
            entry.is_template()
                && !tried.contains(at)
                && !entry.sources().any(is_gone)
                && (self.lagging.contains(at) || entry.sources().any(is_new))
        };
        let entries = self.entries.iter().enumerate();
        entries.filter(|(at, entry)| lags(at, entry)).map(|(at, _)| at).collect()
    }

    /// The problem of a template that lags.
    pub(super) fn lagging_problem(&self, at: usize) -> Problem {
        let name = self.entries.get(at).map_or("", |entry| entry.name.as_ref());
        let text = format!(
            "one of its sources has a new version, and not all of them have answered at one time since; wanted for file {name:?}"
        );
        Problem::new(Exit::Unusable, text).advise("the sources that are failing, or slow")
    }
}
