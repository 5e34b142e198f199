//! The keys that requests are signed with, and when they are to be renewed.

use std::fmt;

use secret::Sensitive;

use crate::response::AnswerContent;

pub(crate) struct Credentials {
    /// It is no secret, and it is where somebody puts one who takes it for the other.
    key_id: Sensitive,
    secret: Sensitive,
    /// Temporary credentials have a security token; those of an account or a user have none.
    token: Option<Sensitive>,
    /// The assumed role with its session.
    caller: String,
    /// Credentials that never expire have none.
    lifetime: Option<Lifetime>,
}

/// Both moments are by our clock, in seconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct Lifetime {
    pub(crate) issued: u64,
    pub(crate) expires: u64,
}

impl Credentials {
    pub(crate) fn new(
        key_id: String,
        secret: Sensitive,
        token: Option<Sensitive>,
        caller: String,
        lifetime: Option<Lifetime>,
    ) -> Self {
        let key_id = Sensitive::from(key_id);
        Self { key_id, secret, token, caller, lifetime }
    }

    pub(crate) fn key_id(&self) -> &str {
        std::str::from_utf8(self.key_id.expose()).unwrap_or_default()
    }

    pub(crate) fn secret(&self) -> &Sensitive {
        &self.secret
    }

    pub(crate) fn token(&self) -> Option<&Sensitive> {
        self.token.as_ref()
    }

    pub(crate) fn caller(&self) -> &str {
        &self.caller
    }

    pub(crate) fn freshness(&self, now: u64) -> Freshness {
        self.lifetime.map_or(Freshness::Fresh, |lifetime| lifetime.freshness(now))
    }
}

impl AnswerContent for Credentials {
    fn secrets(&self) -> Vec<&Sensitive> {
        [&self.key_id, &self.secret].into_iter().chain(&self.token).collect()
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
    /// They are still accepted, but better renewed before it matters.
    Due,
    Expired,
}

impl Lifetime {
    /// Renewal is due in the last fifth of the lifetime, at most the last ten minutes, so that a
    /// failing STS is noticed while the old credentials still work.
    fn freshness(self, now: u64) -> Freshness {
        let ahead = (self.expires.saturating_sub(self.issued) / 5).min(600);
        match self.expires.saturating_sub(now) {
            0 => Freshness::Expired,
            left if left <= ahead => Freshness::Due,
            _ => Freshness::Fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freshness(issued: u64, expires: u64, now: u64) -> Freshness {
        Lifetime { issued, expires }.freshness(now)
    }

    #[test]
    fn renewal_is_due_ahead_of_the_end() {
        for (lifetime, left, expected) in [
            (3600, 3600, Freshness::Fresh),
            (3600, 601, Freshness::Fresh),
            (3600, 600, Freshness::Due),
            (900, 181, Freshness::Fresh),
            (900, 180, Freshness::Due),
            (900, 1, Freshness::Due),
            (900, 0, Freshness::Expired),
            (43_200, 601, Freshness::Fresh),
        ] {
            let (issued, expires) = (1_000_000, 1_000_000 + lifetime);
            assert_eq!(freshness(issued, expires, expires - left), expected, "{lifetime} {left}");
        }
        assert_eq!(freshness(1000, 2000, 5000), Freshness::Expired);
        assert_eq!(freshness(2000, 1000, 500), Freshness::Fresh);
    }

    #[test]
    fn keys_that_never_expire_stay_fresh_and_have_no_token_to_hide() {
        let secret = Sensitive::from("key".to_owned());
        let keys = Credentials::new("LTAI".to_owned(), secret, None, "user".to_owned(), None);
        assert_eq!(keys.freshness(u64::MAX), Freshness::Fresh);
        assert_eq!(keys.secrets().len(), 2);
    }
}
