//! What is known of one source of a plan while it is kept current.

use std::time::Duration;

use crate::standing::Stand;
use crate::status::{Failing, Known};

#[derive(Clone, Debug)]
pub(super) struct Source {
    /// When it last gave a value that its files can use, since boot.
    pub(super) confirmed: Duration,
    pub(super) failing: Option<Failing>,
    /// Its files were taken away.
    pub(super) removed: bool,
    pub(super) version: Option<String>,
}

/// What one ask came to, for one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A value that all of its files can use.
    Fresh { version: String },
    /// There is none and there need be none.
    Absent,
    /// The files of before stay.
    Kept(Failing),
    /// They go.
    Removed(Failing),
    /// They go and are missed: whoever starts again must find the same end.
    Ended(Failing),
}

impl Verdict {
    pub(super) fn removes(&self) -> bool {
        matches!(self, Self::Removed(_) | Self::Ended(_))
    }
}

impl Source {
    pub(super) fn continued(known: Known, now: Duration) -> Self {
        let Known { confirmed, failing, removed } = known;
        // A moment that has not come yet is not of this boot.
        let confirmed = confirmed.map_or(now, |confirmed| confirmed.min(now));
        Self { confirmed, failing, removed, version: None }
    }

    pub(super) fn of(confirmed: Duration, version: Option<String>) -> Self {
        Self { confirmed, failing: None, removed: false, version }
    }

    pub(super) fn stand(&self) -> Stand {
        let (failing, removed) = (self.failing, self.removed);
        Stand { confirmed: Some(self.confirmed), failing, removed }
    }

    /// Whether anything is to be written for it.
    pub(super) fn changes(&self, verdict: &Verdict) -> bool {
        match verdict {
            Verdict::Fresh { .. } => true,
            Verdict::Removed(_) | Verdict::Ended(_) => !self.removed,
            Verdict::Absent | Verdict::Kept(_) => false,
        }
    }

    /// `written` is whether the files are now as the verdict wants them.
    pub(super) fn learn(&mut self, verdict: Verdict, written: bool, now: Duration) {
        if !written && self.changes(&verdict) {
            self.failing = Some(Failing::Local);
            return;
        }
        match verdict {
            Verdict::Fresh { version } => *self = Self::of(now, Some(version)),
            Verdict::Absent => *self = Self::of(now, None),
            Verdict::Kept(failing) => self.failing = Some(failing),
            Verdict::Removed(failing) => {
                self.failing = Some(failing);
                self.removed = true;
            }
            Verdict::Ended(failing) => {
                self.failing = Some(failing);
                self.removed = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: Duration = Duration::from_secs(100);
    const NOW: Duration = Duration::from_secs(200);

    fn fresh() -> Verdict {
        Verdict::Fresh { version: "v2".to_owned() }
    }

    #[test]
    fn what_could_not_be_written_is_not_confirmed() {
        let mut source = Source::of(THEN, Some("v1".to_owned()));
        source.learn(fresh(), false, NOW);
        assert_eq!((source.confirmed, source.failing), (THEN, Some(Failing::Local)));
        assert_eq!(source.version.as_deref(), Some("v1"));
        source.learn(Verdict::Removed(Failing::Denied), false, NOW);
        assert!(!source.removed);
        source.learn(fresh(), true, NOW);
        assert_eq!((source.confirmed, source.failing), (NOW, None));
    }

    #[test]
    fn files_of_an_end_are_missed_also_where_they_were_gone_before() {
        let mut source = Source::of(THEN, None);
        source.learn(Verdict::Removed(Failing::Unreachable), true, NOW);
        assert!(source.removed);
        source.learn(Verdict::Ended(Failing::Denied), true, NOW);
        assert!(!source.removed && source.failing == Some(Failing::Denied));
    }

    #[test]
    fn files_are_removed_once_and_come_back_with_a_value() {
        let mut source = Source::of(THEN, None);
        let removed = Verdict::Removed(Failing::NotFound);
        assert!(source.changes(&removed));
        source.learn(removed.clone(), true, NOW);
        assert!(source.removed && source.confirmed == THEN && !source.changes(&removed));
        // A write that fails for another source's sake is no news for this one.
        source.learn(removed, false, NOW);
        assert_eq!(source.failing, Some(Failing::NotFound));
        source.learn(fresh(), true, NOW);
        assert!(!source.removed && source.failing.is_none());
    }
}
