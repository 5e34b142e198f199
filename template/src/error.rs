//! An error says why an operation made no value, in words that hold none.

use std::fmt::Display;

use printable::shorten;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("it takes too much work or makes too much text")]
    OutOfFuel,
    /// The template is only checked, and what the secrets hold decides.
    #[error("a value is not known")]
    Unknown,
    #[error("{0}")]
    Words(String),
}

impl Error {
    pub(crate) fn words(words: impl Into<String>) -> Self {
        Self::Words(words.into())
    }

    /// The words then say in which filter or function it came about.
    pub(crate) fn with_place(self, place: impl Display) -> Self {
        match self {
            Self::Words(words) => Self::Words(format!("{words}, in {place}")),
            other => other,
        }
    }

    /// The words then name the key of a mapping.
    pub(crate) fn with_key(self, key: &str) -> Self {
        match self {
            Self::Words(words) => Self::Words(format!("key {:?}: {words}", shorten(key))),
            other => other,
        }
    }
}
