//! Patterns over names: `*` stands for any run of characters, `?` for exactly one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::source::shorten;

/// A pattern of printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(Box<str>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no pattern of names; use up to 256 of the characters of a name, with * for any run of them and ? for one"
)]
pub struct InvalidGlob(String);

impl Glob {
    /// Not where it is empty, longer than any name, or has characters that no name has.
    pub fn parse(text: &str) -> Result<Self, InvalidGlob> {
        let fits = (1..=LONGEST).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidGlob(shorten(text)))
        }
    }

    /// Whether a secret of this name is meant. An ARN may name another account's: only a pattern
    /// that is about ARNs means one.
    #[must_use]
    pub fn means(&self, name: &str) -> bool {
        self.matches(name) && (!name.starts_with(ARN) || self.0.starts_with(ARN))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` is of this form. Its time is at most the product of both
    /// lengths: a pattern cannot make it worse.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Behind the latest `*`, and the end of what it has taken so far.
        let mut star: Option<(usize, usize)> = None;
        while let Some(byte) = text.get(seen) {
            match pattern.get(at) {
                Some(b'*') => {
                    at += 1;
                    star = Some((at, seen));
                }
                Some(wanted) if wanted == byte || *wanted == b'?' => {
                    at += 1;
                    seen += 1;
                }
                _ => {
                    let Some((behind, taken)) = &mut star else { return false };
                    *taken += 1;
                    (at, seen) = (*behind, *taken);
                }
            }
        }
        pattern.iter().skip(at).all(|byte| *byte == b'*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Glob {
    type Error = InvalidGlob;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0.into()
    }
}

const ARN: &str = "acs:";
/// An ARN of a role has at most 180 characters.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_pattern_without_wildcards_is_the_name_itself() {
        assert!(matches("shop", "shop"));
        for other in ["", "sho", "shops", "Shop", "a-shop"] {
            assert!(!matches("shop", other), "{other}");
        }
    }

    #[test]
    fn a_star_takes_any_run_and_a_question_mark_exactly_one() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "shop"),
            ("pay-*", "pay-"),
            ("pay-*", "pay-eu"),
            ("*-eu", "pay-eu"),
            ("*-eu", "pay-eu-eu"),
            ("a*b*c", "abbbc"),
            ("a**c", "ac"),
            ("shop-?", "shop-1"),
            ("*?", "x"),
            ("acs:ram::*:role/shop-*", "acs:ram::1:role/shop-db"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("pay-*", "pay"),
            ("pay-*", "xpay-1"),
            ("*-eu", "pay-eu-"),
            ("a*b*c", "abbb"),
            ("shop-?", "shop-"),
            ("shop-?", "shop-12"),
            ("*?", ""),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_arn_is_meant_by_patterns_of_arns_alone() {
        let arn = "acs:kms:cn-hangzhou:1234567890123456:secret/shop/db";
        let means = |pattern: &str, name: &str| Glob::parse(pattern).unwrap().means(name);
        assert!(means("*", "shop/db") && means("shop/*", "shop/db") && means("acs:*", arn));
        assert!(!means("*", arn) && !means("*shop/db", arn) && !means("acs:*", "shop/db"));
    }

    #[test]
    fn what_cannot_be_a_pattern_is_none() {
        for text in ["", "a b", "a\n", "ä", &"a".repeat(257)] {
            assert!(Glob::parse(text).is_err(), "{text:?}");
        }
    }
}
