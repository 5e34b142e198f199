//! What the keeper tells of itself: to whoever looks into the mount, and to the next process.

use std::collections::HashMap;
use std::time::Duration;

use super::Keeper;
use super::source::{Source, Verdict};
use super::templates::Failed;
use crate::health::board::Stands;
use crate::health::status_file::{self, Status};

impl Keeper<'_> {
    /// Tells of files that go before they do: whoever continues in between must not miss them.
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
            self.tell(&sources);
        }
    }

    /// For whoever looks into the mount, and for the next process.
    pub(super) fn tell(&self, sources: &[Source]) {
        let standing = self.client.standing();
        standing.keep(self.stands(sources));
        let told = self.tells.changes.told();
        status_file::write(self.args, self.plan, &Status::new(self.plan, standing, Some(told)));
    }

    fn stands(&self, sources: &[Source]) -> Stands {
        let named = |(at, failed): (usize, Failed)| {
            Some((self.entries.get(at)?.name.clone().into_owned(), failed))
        };
        let is_removed = |source: usize| sources.get(source).is_some_and(|source| source.removed);
        let entries = self.entries.iter().enumerate();
        let removed = entries.filter(|(at, entry)| {
            self.templates.is_removed(*at) || entry.sources().any(is_removed)
        });
        Stands {
            sources: sources.iter().map(Source::stand).collect(),
            templates: self.templates.failing().filter_map(named).collect(),
            removed: removed.count(),
        }
    }
}
