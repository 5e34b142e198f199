//! How often secrets are fetched: once, or again and again while the Pod runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::refresh::Refresh;

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
    use crate::refresh::OnRevoked;

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
