//! How `/` in a secret's name becomes part of a file name: the CSI provider's `pathTranslation`.

use printable::Quoted;

/// `_` by default, another character, or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathTranslation {
    Replace(char),
    /// Only leading `/` are dropped; what stands before another `/` is a directory.
    Off,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "path translation {shown} is not valid; use one character that may stand in a file name, or \"False\"",
    shown = Quoted(.0)
)]
pub(crate) struct InvalidTranslation(String);

impl PathTranslation {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTranslation> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.eq_ignore_ascii_case("false") {
            return Ok(Self::Off);
        }
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(c), None) if c != '/' && c != '\\' && printable::is_printable(c) => {
                Ok(Self::Replace(c))
            }
            _ => Err(InvalidTranslation(printable::shorten(text))),
        }
    }

    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Self::Replace(c) => name.replace('/', c.encode_utf8(&mut [0; 4])),
            Self::Off => name.trim_start_matches('/').to_owned(),
        }
    }
}

impl Default for PathTranslation {
    fn default() -> Self {
        Self::Replace('_')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_translated_as_the_csi_provider_does() {
        assert_eq!(PathTranslation::parse("").unwrap().apply("/a/b"), "_a_b");
        assert_eq!(PathTranslation::parse("-").unwrap().apply("a/b"), "a-b");
        assert_eq!(PathTranslation::parse("False").unwrap().apply("//a"), "a");
        assert_eq!(PathTranslation::parse("false").unwrap(), PathTranslation::Off);
    }

    #[test]
    fn more_than_one_character_is_refused() {
        for text in ["__", "/", "\\", "\n", "no"] {
            assert!(PathTranslation::parse(text).is_err(), "{text:?}");
        }
    }
}
