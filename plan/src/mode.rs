//! How often secrets are fetched: once, or again and again while the Pod runs.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::source::shorten;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Fetch once, before the application starts.
    #[default]
    Init,
    /// Fetch before the application starts, and keep the files current while it runs.
    Refresh(Refresh),
    /// The same, and serve secrets over HTTP inside the Pod.
    Agent(Box<Agent>),
}

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
pub enum InvalidMode {
    #[error("the interval is {0} seconds; {MIN_INTERVAL} to {MAX_INTERVAL} are allowed")]
    Interval(u32),
    #[error(
        "max-staleness is {staleness} seconds and the refresh interval {interval}; it must be at least the interval, and at most {MAX_STALENESS}"
    )]
    Staleness { staleness: u32, interval: u32 },
    #[error("{0:?} is not valid; write keep, remove or fail")]
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
    ) -> Result<Self, InvalidMode> {
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
    type Error = InvalidMode;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        let Parts { interval, max_staleness, .. } = parts;
        if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
            return Err(InvalidMode::Interval(interval));
        }
        match max_staleness {
            Some(staleness) if !(interval..=MAX_STALENESS).contains(&staleness) => {
                Err(InvalidMode::Staleness { staleness, interval })
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
    pub fn parse(text: &str) -> Result<Self, InvalidMode> {
        match text {
            "keep" => Ok(Self::Keep),
            "remove" => Ok(Self::Remove),
            "fail" => Ok(Self::Fail),
            _ => Err(InvalidMode::OnRevoked(shorten(text))),
        }
    }
}

impl Mode {
    /// How files are kept current, where they are.
    #[must_use]
    pub fn refresh(&self) -> Option<&Refresh> {
        match self {
            Self::Init => None,
            Self::Refresh(refresh) => Some(refresh),
            Self::Agent(agent) => Some(&agent.refresh),
        }
    }

    #[must_use]
    pub fn agent(&self) -> Option<&Agent> {
        match self {
            Self::Init | Self::Refresh(_) => None,
            Self::Agent(agent) => Some(agent),
        }
    }
}

/// As in the annotation.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "init",
            Self::Refresh(_) => "refresh",
            Self::Agent(_) => "agent",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_a_word_or_a_word_with_how() {
        let refresh = Refresh::new(300, Some(3600), OnRevoked::Remove).unwrap();
        for (mode, json) in [
            (Mode::Init, r#""init""#),
            (
                Mode::Refresh(refresh),
                r#"{"refresh":{"interval":300,"maxStaleness":3600,"onRevoked":"remove"}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&mode).unwrap(), json);
            assert_eq!(serde_json::from_str::<Mode>(json).unwrap(), mode);
        }
    }

    #[test]
    fn durations_have_bounds_also_in_json() {
        for (interval, staleness) in
            [(9, None), (86_401, None), (60, Some(59)), (60, Some(30 * 86_400 + 1))]
        {
            assert!(Refresh::new(interval, staleness, OnRevoked::Keep).is_err());
            let staleness = staleness.map_or_else(|| "null".to_owned(), |s| s.to_string());
            let json =
                format!(r#"{{"refresh":{{"interval":{interval},"maxStaleness":{staleness}}}}}"#);
            assert!(serde_json::from_str::<Mode>(&json).is_err(), "{json}");
        }
        assert!(Refresh::new(10, Some(10), OnRevoked::Keep).is_ok());
        assert!(serde_json::from_str::<Mode>(r#"{"refresh":{"interval":60,"x":1}}"#).is_err());
    }
}
