//! Temporary credentials, and when they are to be renewed.

use std::fmt;

use secret::Sensitive;

use crate::judge::Content;

pub(crate) struct Credentials {
    key_id: String,
    secret: Sensitive,
    token: Sensitive,
    /// The assumed role with its session.
    caller: String,
    /// By our clock, seconds since 1970.
    issued: u64,
    expires: u64,
}

impl Credentials {
    pub(crate) fn new(
        key_id: String,
        secret: Sensitive,
        token: Sensitive,
        caller: String,
        issued: u64,
        expires: u64,
    ) -> Self {
        Self { key_id, secret, token, caller, issued, expires }
    }

    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) fn secret(&self) -> &Sensitive {
        &self.secret
    }

    pub(crate) fn token(&self) -> &Sensitive {
        &self.token
    }

    pub(crate) fn caller(&self) -> &str {
        &self.caller
    }

    pub(crate) fn freshness(&self, now: u64) -> Freshness {
        freshness(self.issued, self.expires, now)
    }
}

impl Content for Credentials {
    fn secrets(&self) -> Vec<&Sensitive> {
        vec![&self.secret, &self.token]
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.caller)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Still accepted, but better renewed before it matters.
    Due,
    Over,
}

/// Renewal is due in the last fifth of the lifetime, at most the last ten minutes, so that a
/// failing STS is noticed while the old credentials still work.
fn freshness(issued: u64, expires: u64, now: u64) -> Freshness {
    let ahead = (expires.saturating_sub(issued) / 5).min(600);
    match expires.saturating_sub(now) {
        0 => Freshness::Over,
        left if left <= ahead => Freshness::Due,
        _ => Freshness::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::{Freshness, freshness};

    #[test]
    fn renewal_is_due_ahead_of_the_end() {
        for (lifetime, left, expected) in [
            (3600, 3600, Freshness::Fresh),
            (3600, 601, Freshness::Fresh),
            (3600, 600, Freshness::Due),
            (900, 181, Freshness::Fresh),
            (900, 180, Freshness::Due),
            (900, 1, Freshness::Due),
            (900, 0, Freshness::Over),
            (43_200, 601, Freshness::Fresh),
        ] {
            let (issued, expires) = (1_000_000, 1_000_000 + lifetime);
            assert_eq!(freshness(issued, expires, expires - left), expected, "{lifetime} {left}");
        }
        assert_eq!(freshness(1000, 2000, 5000), Freshness::Over);
        assert_eq!(freshness(2000, 1000, 500), Freshness::Fresh);
    }
}
