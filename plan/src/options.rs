//! What annotations say of how the fetcher works and the webhook passes on as it is said.

use printable::quoted;
use serde::{Deserialize, Serialize};

use crate::hook::OnChange;

/// The webhook's request has them whole, the plan takes them whole, and the fetcher says what it does
/// with each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetcherOptions {
    /// The process or server that hears when files changed.
    pub on_change: Option<OnChange>,
    /// Where the fetcher tells how it does.
    pub metrics_port: Option<u16>,
    pub log_level: LogLevel,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOption {
    #[error("{0} is no log level; use error, warn, info or debug")]
    LogLevel(String),
}

impl LogLevel {
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            _ => Err(InvalidOption::LogLevel(quoted(text))),
        }
    }
}
