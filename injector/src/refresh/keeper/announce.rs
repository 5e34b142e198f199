//! What the keeper says of itself: to those who look into the mount, and to the next process.

use std::collections::HashMap;
use std::time::Duration;

use super::Keeper;
use crate::health::health_board::FailedTemplate;
use crate::health::health_board::Snapshot;
use crate::health::status_file::{self, Status};
use crate::refresh::source_state::{SourceState, Verdict};

impl Keeper<'_> {
    /// Reports files that go before they do: a process that continues in between must not miss
    /// them.
    pub(super) fn announce(
        &self,
        verdicts: &HashMap<usize, Verdict>,
        mut going: bool,
        now: Duration,
    ) {
        let mut sources = self.sources.clone();
        for (index, source) in sources.iter_mut().enumerate() {
            if let Some(verdict @ Verdict::Removed(_)) = verdicts.get(&index)
                && source.changes(verdict)
            {
                source.learn(verdict.clone(), true, now);
                going = true;
            }
        }
        if going {
            self.report_health(&sources);
        }
    }

    /// Leaves the names of keys whose files go to a process that continues.
    pub(super) fn leave_names(&self, verdicts: &HashMap<usize, Verdict>) -> bool {
        let goes = |source: usize| verdicts.get(&source).is_some_and(Verdict::removes);
        let is_removed =
            |source: usize| self.sources.get(source).is_some_and(|source| source.removed);
        if !(0..self.sources.len()).any(|source| goes(source) && !is_removed(source)) {
            return true;
        }
        // Those that are gone already must not be forgotten.
        let is_gone = |source: usize| goes(source) || is_removed(source);
        self.names.leave(self.args, self.plan, self.entries, |entry| entry.sources().any(is_gone))
    }

    /// Updates the health board and the status file.
    pub(super) fn report_health(&self, sources: &[SourceState]) {
        let health = self.client.health();
        health.replace(self.snapshot(sources));
        let notified = self.observers.changes.notified_generation();
        status_file::write(self.args, self.plan, &Status::new(self.plan, health, Some(notified)));
    }

    fn snapshot(&self, sources: &[SourceState]) -> Snapshot {
        let named = |(at, failed): (usize, FailedTemplate)| {
            Some((self.entries.get(at)?.template_name(), failed))
        };
        let is_removed = |source: usize| sources.get(source).is_some_and(|source| source.removed);
        let entries = self.entries.iter().enumerate();
        let removed = entries.filter(|(at, entry)| {
            self.templates.is_removed(*at) || entry.sources().any(is_removed)
        });
        Snapshot {
            sources: sources.iter().map(SourceState::health).collect(),
            templates: self.templates.failing().filter_map(named).collect(),
            removed: removed.count(),
        }
    }
}
