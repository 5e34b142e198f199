//! Since when this replica has seen each CA in `caBundle` without a gap, by its own steady
//! clock: API servers that are less behind than that trust it.

use std::time::Duration;

use crate::anchor::Anchor;
use crate::published::Published;

/// What one configuration showed; another one of the same name begins anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Coverage {
    uid: String,
    since: Vec<(Anchor, Duration)>,
}

impl Coverage {
    /// Takes in what was just read; `up` counts from the start of the replica.
    pub(crate) fn observe(&mut self, published: Option<&Published>, up: Duration) {
        let Some(published) = published else { return *self = Self::default() };
        if self.uid != published.uid {
            *self = Self { uid: published.uid.clone(), since: Vec::new() };
        }
        let anchors = published.anchors.iter();
        self.since =
            anchors.map(|anchor| (anchor.clone(), self.since(anchor).unwrap_or(up))).collect();
    }

    pub(crate) fn since(&self, anchor: &Anchor) -> Option<Duration> {
        self.since.iter().find(|(known, _)| known == anchor).map(|(_, since)| *since)
    }
}
