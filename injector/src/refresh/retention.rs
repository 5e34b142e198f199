//! What becomes of files whose source gave no value this time. It is pure.

use std::time::Duration;

use plan::{OnRevoked, Refresh};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// The last good files stay.
    Keep,
    /// The files go: the Pod may not have the value any more.
    Revoked,
    /// The files go as with `Revoked`, and the fetcher ends.
    Ended,
    /// The files go: nobody could say for too long whether the value still holds.
    Stale,
}

/// `unconfirmed` is how long ago the source last gave a value.
pub(super) fn retention(revoked: bool, unconfirmed: Duration, refresh: &Refresh) -> Retention {
    match refresh.on_revoked() {
        OnRevoked::Fail if revoked => Retention::Ended,
        OnRevoked::Remove if revoked => Retention::Revoked,
        _ if refresh.max_staleness().is_some_and(|most| unconfirmed >= most) => Retention::Stale,
        _ => Retention::Keep,
    }
}

impl Retention {
    /// The text for the log, before the reason.
    pub(crate) fn headline(self) -> &'static str {
        match self {
            Self::Keep => "the last good files of a source stay",
            Self::Revoked | Self::Ended => {
                "the files of a source are removed, the Pod may not have it any more (on-revoked)"
            }
            Self::Stale => {
                "the files of a source are removed, it could not be confirmed for longer than max-staleness"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn refresh(max_staleness: Option<u32>, on_revoked: OnRevoked) -> Refresh {
        Refresh::new(300, max_staleness, on_revoked).unwrap()
    }

    #[test]
    fn an_outage_takes_nothing_away_before_its_time() {
        let fail = refresh(Some(3600), OnRevoked::Fail);
        assert_eq!(retention(false, HOUR - Duration::from_secs(1), &fail), Retention::Keep);
        assert_eq!(retention(false, HOUR, &fail), Retention::Stale);
        assert_eq!(retention(false, HOUR * 1000, &refresh(None, OnRevoked::Fail)), Retention::Keep);
    }

    #[test]
    fn a_refusal_is_what_the_pod_says_it_is() {
        let after = |on_revoked| retention(true, Duration::ZERO, &refresh(None, on_revoked));
        assert_eq!(after(OnRevoked::Keep), Retention::Keep);
        assert_eq!(after(OnRevoked::Remove), Retention::Revoked);
        assert_eq!(after(OnRevoked::Fail), Retention::Ended);
        assert_eq!(
            retention(true, HOUR * 2, &refresh(Some(3600), OnRevoked::Keep)),
            Retention::Stale
        );
    }
}
