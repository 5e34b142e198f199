//! How files are kept current: how often, for how long without an answer, and what a refusal does.

use std::time::Duration;

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

/// How files are kept current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Refresh(Parts);

/// What happens to the files of a source that the Pod may no longer have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnRevoked {
    /// The last value stays.
    #[default]
    Keep,
    /// Its files go away.
    Remove,
    /// Its files go away and the fetcher ends with the exit code of the refusal.
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRefresh {
    #[error("the interval is {0} seconds; {MIN_INTERVAL} to {MAX_INTERVAL} are allowed")]
    Interval(u32),
    #[error(
        "max-staleness is {staleness} seconds and the refresh interval {interval}; it must be at least the interval, and at most {MAX_STALENESS}"
    )]
    Staleness { staleness: u32, interval: u32 },
    #[error("{shown} is not valid; write keep, remove or fail", shown = Quoted(.0))]
    OnRevoked(String),
}

/// Seconds; a shorter interval would use up an account's request quota.
const MIN_INTERVAL: u32 = 10;
/// A day.
const MAX_INTERVAL: u32 = 86_400;
/// Thirty days.
const MAX_STALENESS: u32 = 30 * 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parts {
    /// Seconds.
    interval: u32,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_staleness: Option<u32>,
    #[serde(default)]
    on_revoked: OnRevoked,
}

impl Refresh {
    /// Durations in seconds.
    pub fn new(
        interval: u32,
        max_staleness: Option<u32>,
        on_revoked: OnRevoked,
    ) -> Result<Self, InvalidRefresh> {
        Parts { interval, max_staleness, on_revoked }.try_into()
    }

    /// The longest time between two fetches of a source.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.0.interval.into())
    }

    /// How long a value stays that could not be confirmed; `None` for as long as the Pod lives.
    #[must_use]
    pub fn max_staleness(&self) -> Option<Duration> {
        self.0.max_staleness.map(|seconds| Duration::from_secs(seconds.into()))
    }

    #[must_use]
    pub fn on_revoked(&self) -> OnRevoked {
        self.0.on_revoked
    }
}

impl TryFrom<Parts> for Refresh {
    type Error = InvalidRefresh;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        let Parts { interval, max_staleness, .. } = parts;
        if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
            return Err(InvalidRefresh::Interval(interval));
        }
        match max_staleness {
            Some(staleness) if !(interval..=MAX_STALENESS).contains(&staleness) => {
                Err(InvalidRefresh::Staleness { staleness, interval })
            }
            _ => Ok(Self(parts)),
        }
    }
}

impl From<Refresh> for Parts {
    fn from(refresh: Refresh) -> Self {
        refresh.0
    }
}

impl OnRevoked {
    pub fn parse(text: &str) -> Result<Self, InvalidRefresh> {
        match text {
            "keep" => Ok(Self::Keep),
            "remove" => Ok(Self::Remove),
            "fail" => Ok(Self::Fail),
            _ => Err(InvalidRefresh::OnRevoked(shorten(text))),
        }
    }
}
