//! What is known of one source of a plan while it is kept current.

use std::time::Duration;

use secret::{Failure, Fetched};

use crate::fetch::client::FetchOutcome;
use crate::health::health_board::SourceHealth;
use crate::health::status_file::Known;

#[derive(Clone, Debug)]
pub(super) struct SourceState {
    /// When it last gave a value that its files can use, since boot.
    pub(super) confirmed: Duration,
    pub(super) failing: Option<Failure>,
    /// Its files were taken away.
    pub(super) removed: bool,
    /// The version as it may be shown; see `Verdict::fresh`.
    pub(super) version: Option<String>,
    /// When a question for it was last sent, whatever came of it.
    asked: Option<Duration>,
}

/// The outcome of one round, for one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A value that all of its files can use.
    Fresh { version: String },
    /// There is no value, and there need be none.
    Absent,
    /// The last good files stay.
    Kept(Failure),
    /// The files go.
    Removed(Failure),
    /// The files go and are missed: a process that starts again must find the same end.
    Ended(Failure),
}

/// What of a round applications see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    All,
    /// What was to go is gone, and nothing else changed.
    Removals,
    Nothing,
}

impl Shown {
    pub(super) fn has(self, verdict: &Verdict) -> bool {
        match self {
            Self::All => true,
            Self::Removals => verdict.removes(),
            Self::Nothing => false,
        }
    }
}

impl Verdict {
    /// A service may call a version by its value: such a name is neither kept nor shown.
    pub(super) fn fresh(fetched: &Fetched) -> Self {
        Self::Fresh { version: printable(fetched) }
    }

    pub(super) fn removes(&self) -> bool {
        matches!(self, Self::Removed(_) | Self::Ended(_))
    }
}

impl SourceState {
    pub(super) fn continued(known: Known, now: Duration) -> Self {
        let Known { confirmed, failing, removed } = known;
        // A moment that has not come yet is not of this boot.
        let confirmed = confirmed.map_or(now, |confirmed| confirmed.min(now));
        Self { confirmed, failing, removed, version: None, asked: None }
    }

    /// A source with what the first fetch gave, if it gave something.
    pub(super) fn of(confirmed: Duration, fetched: Option<&Fetched>) -> Self {
        Self::known(confirmed, fetched.map(printable))
    }

    fn known(confirmed: Duration, version: Option<String>) -> Self {
        Self { confirmed, failing: None, removed: false, version, asked: None }
    }

    pub(super) fn health(&self) -> SourceHealth {
        let (failing, removed) = (self.failing, self.removed);
        SourceHealth { confirmed: Some(self.confirmed), failing, removed }
    }

    /// Whether anything is to be written for it.
    pub(super) fn changes(&self, verdict: &Verdict) -> bool {
        match verdict {
            Verdict::Fresh { .. } => true,
            Verdict::Removed(_) | Verdict::Ended(_) => !self.removed,
            Verdict::Absent | Verdict::Kept(_) => false,
        }
    }

    /// The version that the files show with this verdict and did not show before.
    pub(super) fn new_version<'v>(&self, verdict: &'v Verdict, written: bool) -> Option<&'v str> {
        match (verdict, &self.version) {
            (Verdict::Fresh { version }, Some(known)) if written && version != known => {
                Some(version)
            }
            _ => None,
        }
    }

    /// Whether the source gave another version than the files showed, as far as is known.
    pub(super) fn is_other(&self, verdict: &Verdict) -> bool {
        match verdict {
            // Nothing is known of a version that may not be shown.
            Verdict::Fresh { version } => {
                version.is_empty() || self.version.as_ref() != Some(version)
            }
            _ => false,
        }
    }

    /// Sources that were asked come after those that were not: answers that come late, or never,
    /// would otherwise keep others from being asked at all.
    pub(super) fn note_attempt(&mut self, outcome: &FetchOutcome, now: Duration) {
        let was_sent = match outcome {
            FetchOutcome::Fetched(_) => true,
            FetchOutcome::Failed(error) => error.was_sent(),
            FetchOutcome::Unfinished => false,
        };
        if was_sent {
            self.asked = Some(now);
        }
    }

    /// The source with the lowest turn is asked first: the one that was asked longest ago, and
    /// among those that were asked in one round the one that got no answer in its time.
    pub(super) fn turn(&self) -> impl Ord + use<> {
        (self.asked, self.confirmed)
    }

    /// `written` is whether the files are now as the verdict wants them.
    pub(super) fn learn(&mut self, verdict: Verdict, written: bool, now: Duration) {
        if !written && self.changes(&verdict) {
            self.failing = Some(Failure::Local);
            return;
        }
        match verdict {
            Verdict::Fresh { version } => {
                *self = Self { asked: self.asked, ..Self::known(now, Some(version)) };
            }
            Verdict::Absent => *self = Self { asked: self.asked, ..Self::of(now, None) },
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

fn printable(fetched: &Fetched) -> String {
    fetched.printable_version().to_owned()
}

#[cfg(test)]
mod tests {
    use secret::{Metadata, Sensitive};

    use super::*;

    const THEN: Duration = Duration::from_secs(100);
    const NOW: Duration = Duration::from_secs(200);

    fn fresh() -> Verdict {
        Verdict::Fresh { version: "v2".to_owned() }
    }

    fn fetched(value: &str, version: &str) -> Fetched {
        Fetched {
            value: Sensitive::from(value.to_owned()),
            version: version.to_owned(),
            request_id: "r-1".to_owned(),
            metadata: Metadata::default(),
            caller: String::new(),
            attempts: 1,
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn a_version_that_tells_the_value_is_not_kept() {
        let value = "CANARY-0123456789abcdef";
        for (version, expected) in [("v2", "v2"), (value, "")] {
            let fetched = fetched(value, version);
            let known = Some(expected.to_owned());
            assert_eq!(Verdict::fresh(&fetched), Verdict::Fresh { version: expected.to_owned() });
            assert_eq!(SourceState::of(THEN, Some(&fetched)).version, known);
        }
    }

    #[test]
    fn what_could_not_be_written_is_not_confirmed() {
        let mut source = SourceState::known(THEN, Some("v1".to_owned()));
        source.learn(fresh(), false, NOW);
        assert_eq!((source.confirmed, source.failing), (THEN, Some(Failure::Local)));
        assert_eq!(source.version.as_deref(), Some("v1"));
        source.learn(Verdict::Removed(Failure::Denied), false, NOW);
        assert!(!source.removed);
        source.learn(fresh(), true, NOW);
        assert_eq!((source.confirmed, source.failing), (NOW, None));
    }

    #[test]
    fn a_version_is_news_once_it_is_written_and_not_before() {
        let mut source = SourceState::known(THEN, Some("v1".to_owned()));
        assert_eq!(source.new_version(&fresh(), false), None);
        source.learn(fresh(), false, NOW);
        assert_eq!(source.new_version(&fresh(), true), Some("v2"));
        source.learn(fresh(), true, NOW);
        assert_eq!(source.new_version(&fresh(), true), None);
        assert_eq!(SourceState::known(THEN, None).new_version(&fresh(), true), None);
    }

    #[test]
    fn files_of_an_end_are_missed_also_where_they_were_gone_before() {
        let mut source = SourceState::of(THEN, None);
        source.learn(Verdict::Removed(Failure::Unreachable), true, NOW);
        assert!(source.removed);
        source.learn(Verdict::Ended(Failure::Denied), true, NOW);
        assert!(!source.removed && source.failing == Some(Failure::Denied));
    }

    #[test]
    fn files_are_removed_once_and_come_back_with_a_value() {
        let mut source = SourceState::of(THEN, None);
        let removed = Verdict::Removed(Failure::NotFound);
        assert!(source.changes(&removed));
        source.learn(removed.clone(), true, NOW);
        assert!(source.removed && source.confirmed == THEN && !source.changes(&removed));
        // A write that fails for another source's sake is no news for this one.
        source.learn(removed, false, NOW);
        assert_eq!(source.failing, Some(Failure::NotFound));
        source.learn(fresh(), true, NOW);
        assert!(!source.removed && source.failing.is_none());
    }
}
