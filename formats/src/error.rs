//! An error says why no value was made, in words that hold none.

use std::fmt::Display;

use printable::shorten;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("it takes too much work or makes too much text")]
    OutOfFuel,
    #[error("{0}")]
    Words(String),
}

impl Error {
    pub fn words(words: impl Into<String>) -> Self {
        Self::Words(words.into())
    }

    /// The words then say in which operation it came about.
    #[must_use]
    pub fn with_place(self, place: impl Display) -> Self {
        match self {
            Self::Words(words) => Self::Words(format!("{words}, in {place}")),
            Self::OutOfFuel => self,
        }
    }

    /// The words then name the key of a mapping.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        match self {
            Self::Words(words) => Self::Words(format!("key {:?}: {words}", shorten(key))),
            Self::OutOfFuel => self,
        }
    }
}
