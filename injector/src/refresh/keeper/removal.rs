//! Files that go, whatever else could not be written: what a Pod may not have any more does not wait for
//! room that others take.

use std::collections::HashMap;

use tracing::{error, info};

use super::Keeper;
use crate::input::entry::{Entry, MemoryVolume};
use crate::refresh::source_state::{Shown, Verdict};
use crate::report::problem::Problem;
use crate::write::volumes::{self, current_content};

impl Keeper<'_> {
    pub(super) fn goes(
        &self,
        at: usize,
        entry: &Entry<'_>,
        verdicts: &HashMap<usize, Verdict>,
    ) -> bool {
        let removed = |source| verdicts.get(&source).is_some_and(Verdict::removes);
        entry.sources().any(removed) || self.templates.is_removed(at)
    }

    /// Removes what goes, where nothing of the round could be written.
    pub(super) fn remove_at_least(&mut self, verdicts: &HashMap<usize, Verdict>) -> Shown {
        let mut entries = self.entries.iter().enumerate();
        if !entries.any(|(at, entry)| self.goes(at, entry, verdicts) && self.is_shown(entry)) {
            let is_gone = verdicts.values().any(Verdict::removes);
            return if is_gone { Shown::Removals } else { Shown::Nothing };
        }
        let removed = match self.publish(&[], verdicts) {
            Ok(_) => Ok(()),
            Err(_) => self.withdraw(verdicts),
        };
        match removed {
            Ok(()) => {
                info!("files that were to go are removed all the same");
                Shown::Removals
            }
            Err(problem) => {
                error!("files that were to go could not be removed: {}", problem.headline());
                self.templates_are_there();
                Shown::Nothing
            }
        }
    }

    /// Templates whose files are shown still go in the next round, and are told as there until then.
    pub(super) fn templates_are_there(&mut self) {
        for (at, entry) in self.entries.iter().enumerate() {
            if self.is_shown(entry) {
                self.templates.is_there(at);
            }
        }
    }

    fn is_shown(&self, entry: &Entry<'_>) -> bool {
        !matches!(current_content(self.args, self.plan, entry, &self.holds), Ok(None))
    }

    fn withdraw(&mut self, verdicts: &HashMap<usize, Verdict>) -> Result<(), Problem> {
        for volume in MemoryVolume::of(self.plan) {
            let mut names = Vec::new();
            let entries = self.entries.iter().enumerate();
            for (at, entry) in entries.filter(|(_, entry)| entry.volume == volume) {
                if self.goes(at, entry, verdicts) {
                    names.extend(self.shown_of(entry)?.into_iter().map(|kept| kept.name));
                }
            }
            volumes::withdraw(self.args, self.plan, volume, &names, &mut self.holds)?;
        }
        Ok(())
    }
}
