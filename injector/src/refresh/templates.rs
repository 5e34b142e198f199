//! Templates that cannot be rendered from what their sources gave. Only the templates fail: the
//! sources are well, and so are all other files of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::health::health_board::FailedTemplate;
use crate::input::entry::Entry;

/// Failures by entry. Entries that rendered successfully are absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates(BTreeMap<usize, FailedTemplate>);

/// What a failure means, where it is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemplateNews {
    /// The last good file stays.
    Stays,
    /// The file goes: it is older than the Pod allows.
    Goes,
}

impl TemplateNews {
    /// The text for the log, before the reason.
    pub(crate) fn headline(self) -> &'static str {
        match self {
            Self::Stays => "the last good file of a template stays",
            Self::Goes => {
                "the file of a template is removed, it could not be rendered for longer than max-staleness"
            }
        }
    }
}

impl Templates {
    /// The failures that an earlier process knew, by the names of their files.
    pub(super) fn continued(
        known: &[(String, FailedTemplate)],
        entries: &[Entry<'_>],
        now: Duration,
    ) -> Self {
        let is_called =
            |entry: &Entry<'_>, name: &str| entry.is_template() && entry.template_name() == name;
        let place = |name: &str| entries.iter().position(|entry| is_called(entry, name));
        let bounded = |(name, failed): &(String, FailedTemplate)| {
            // A moment that has not come yet is not of this boot.
            Some((place(name)?, FailedTemplate { rendered: failed.rendered.min(now), ..*failed }))
        };
        Self(known.iter().filter_map(bounded).collect())
    }

    pub(super) fn rendered(&mut self, entry: usize) {
        self.0.remove(&entry);
    }

    /// The template failed. `rendered` is when it was last rendered, if this is its first failure
    /// since.
    pub(super) fn failed(
        &mut self,
        entry: usize,
        rendered: Duration,
        now: Duration,
        most: Option<Duration>,
    ) -> Option<TemplateNews> {
        let is_new = !self.0.contains_key(&entry);
        let failed = self.0.entry(entry).or_insert(FailedTemplate { rendered, removed: false });
        let is_over = most.is_some_and(|most| now.saturating_sub(failed.rendered) >= most);
        if is_over && !failed.removed {
            failed.removed = true;
            return Some(TemplateNews::Goes);
        }
        is_new.then_some(TemplateNews::Stays)
    }

    /// How long ago it was last rendered.
    pub(super) fn age(&self, entry: usize, now: Duration) -> Duration {
        self.0.get(&entry).map_or(Duration::ZERO, |failed| now.saturating_sub(failed.rendered))
    }

    pub(super) fn is_removed(&self, entry: usize) -> bool {
        self.0.get(&entry).is_some_and(|failed| failed.removed)
    }

    /// An earlier process reported the file as removed, and may not have come to remove it.
    pub(super) fn is_there(&mut self, entry: usize) {
        if let Some(failed) = self.0.get_mut(&entry) {
            failed.removed = false;
        }
    }

    /// The moment at which the first file is too old that is there.
    pub(super) fn stale(&self, most: Option<Duration>) -> Option<Duration> {
        let shown = self.0.values().filter(|failed| !failed.removed);
        shown.filter_map(|failed| Some(failed.rendered + most?)).min()
    }

    /// Whether a file of this source is too old.
    pub(super) fn need(
        &self,
        source: usize,
        entries: &[Entry<'_>],
        now: Duration,
        most: Option<Duration>,
    ) -> bool {
        let is_over = |failed: &FailedTemplate| {
            !failed.removed && most.is_some_and(|most| now.saturating_sub(failed.rendered) >= most)
        };
        self.0.iter().any(|(entry, failed)| {
            is_over(failed) && entries.get(*entry).is_some_and(|entry| entry.uses(source))
        })
    }

    pub(super) fn failing(&self) -> impl Iterator<Item = (usize, FailedTemplate)> {
        self.0.iter().map(|(entry, failed)| (*entry, *failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_failure_is_told_once_and_its_file_goes_at_its_own_time() {
        let mut templates = Templates::default();
        let most = Some(MINUTE * 10);
        assert_eq!(templates.failed(3, MINUTE, MINUTE * 2, most), Some(TemplateNews::Stays));
        // What is said of later sources changes nothing: it was last rendered then.
        assert_eq!(templates.failed(3, MINUTE * 9, MINUTE * 10, most), None);
        assert_eq!(templates.stale(most), Some(MINUTE * 11));
        assert!(!templates.is_removed(3));
        assert_eq!(templates.failed(3, MINUTE * 10, MINUTE * 11, most), Some(TemplateNews::Goes));
        assert!(templates.is_removed(3) && templates.stale(most).is_none());
        assert_eq!(templates.failed(3, MINUTE * 11, MINUTE * 12, most), None);
        templates.rendered(3);
        assert!(!templates.is_removed(3));
        assert_eq!(templates.failed(3, MINUTE * 12, MINUTE * 13, None), Some(TemplateNews::Stays));
        assert_eq!(templates.stale(None), None);
    }
}
