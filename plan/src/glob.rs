//! Patterns over names: `*` stands for any run of characters, `?` for exactly one.

use std::fmt;

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

/// A pattern of printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(Box<str>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{shown} is no pattern of names; use up to 256 of the characters of a name, with * for any run of them and ? for one",
    shown = Quoted(.0)
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
    /// that is about ARNs means one. A name with `..` in it is not where a reader of the pattern
    /// expects it, though the services take it literally: only a pattern that has such a part
    /// means one.
    #[must_use]
    pub fn means(&self, name: &str) -> bool {
        self.matches(name)
            && (!name.starts_with(ARN) || self.0.starts_with(ARN))
            && (!has_dots(name) || has_dots(&self.0))
    }

    /// Whether both may mean one name. Where a wildcard stands in the place of what marks an ARN
    /// or of dots, the answer may be that they do although [`Glob::means`] never agrees.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.ends_agree(&other.0)
            && self.0.starts_with(ARN) == other.0.starts_with(ARN)
            && has_dots(&self.0) == has_dots(&other.0)
            && overlap(&self.0, &other.0)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` is of this form.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.ends_agree(text) && fits(&self.0, text, false)
    }

    /// The most bytes that are looked at to compare with this text: a few where the ends differ,
    /// else no more than both have, or their product where a `?` keeps a segment from being
    /// searched for as a whole.
    #[must_use]
    pub fn effort(&self, text: &str) -> usize {
        let (own, other) = (self.0.len(), text.len());
        match () {
            () if !self.ends_agree(text) => LOOK,
            () if self.0.contains('?') || text.contains('?') => LOOK + own * other,
            () => LOOK + own + other,
        }
    }

    /// Most patterns of a policy are about other names, which their ends say already.
    fn ends_agree(&self, text: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), text.as_bytes());
        may_agree(own.last(), other.last()) && may_agree(own.first(), other.first())
    }
}

/// Whether both are one byte, or either leaves open what the other has in its place.
fn may_agree(own: Option<&u8>, other: Option<&u8>) -> bool {
    own == other || [own, other].iter().any(|byte| matches!(byte, Some(b'*' | b'?')))
}

/// Whether the pattern takes the whole text, in which a `?` may be any byte as well. A segment
/// between stars is taken at its first place, which leaves the most to those behind it.
fn fits(pattern: &str, text: &str, both: bool) -> bool {
    let both = both && text.contains('?');
    let Some((head, rest)) = pattern.split_once('*') else { return agree(pattern, text, both) };
    let (segments, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some((start, rest)) = text.split_at_checked(head.len()) else { return false };
    let middle = rest.len().checked_sub(tail.len()).and_then(|at| rest.split_at_checked(at));
    let Some((mut middle, end)) = middle else { return false };
    agree(head, start, both)
        && agree(tail, end, both)
        && segments.split('*').all(|segment| match behind(segment, middle, both) {
            Some(rest) => {
                middle = rest;
                true
            }
            None => false,
        })
}

/// What of the text is behind the first place that the segment takes.
fn behind<'t>(segment: &str, text: &'t str, both: bool) -> Option<&'t str> {
    let at = if segment.contains('?') || both {
        let place = |at: usize| text.get(at..at + segment.len());
        let mut places = 0..=text.len().checked_sub(segment.len())?;
        places.find(|at| place(*at).is_some_and(|place| agree(segment, place, both)))?
    } else {
        text.find(segment)?
    };
    text.get(at + segment.len()..)
}

/// Whether texts without stars are of one form.
fn agree(pattern: &str, text: &str, both: bool) -> bool {
    let mut pairs = pattern.bytes().zip(text.bytes());
    pattern.len() == text.len() && pairs.all(|(a, b)| a == b || a == b'?' || (both && b == b'?'))
}

/// Whether some text is of both forms.
fn overlap(one: &str, other: &str) -> bool {
    match (one.contains('*'), other.contains('*')) {
        (_, false) => fits(one, other, true),
        (false, true) => fits(other, one, true),
        // A text with all of one's segments and then all of the other's is of both forms, where
        // what stands before the first stars and behind the last ones agrees.
        (true, true) => {
            agree_until_star(one.bytes(), other.bytes())
                && agree_until_star(one.bytes().rev(), other.bytes().rev())
        }
    }
}

fn agree_until_star(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> bool {
    let mut pairs = one.take_while(|b| *b != b'*').zip(other.take_while(|b| *b != b'*'));
    pairs.all(|(a, b)| a == b || a == b'?' || b == b'?')
}

/// Whether a part between slashes is `.` or `..`.
fn has_dots(name: &str) -> bool {
    name.split('/').any(|part| matches!(part, "." | ".."))
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
/// What it takes to look at a pattern at all, in bytes that are compared.
const LOOK: usize = 8;
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
    fn a_name_with_dots_is_meant_by_patterns_with_dots_alone() {
        let means = |pattern: &str, name: &str| Glob::parse(pattern).unwrap().means(name);
        for name in ["shop/../pay/db", "shop/./db", "shop/..", "../db"] {
            assert!(!means("*", name) && !means("shop/*", name), "{name}");
            assert!(means(name, name), "{name}");
        }
        assert!(means("shop/*", "shop/..db") && means("shop/*", "shop/a.b/c..d"));
        assert!(means("shop/../*", "shop/../db") && !means("shop/?./*", "shop/../db"));
    }

    /// All texts over these bytes with at most so many of them.
    fn texts(bytes: &str, most: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..most {
            let until = all.len();
            for at in from..until {
                for byte in bytes.chars() {
                    all.push(format!("{}{byte}", all[at]));
                }
            }
            from = until;
        }
        all
    }

    /// What a pattern means, said without a thought for time.
    fn is_of(pattern: &[u8], text: &[u8]) -> bool {
        let Some((wanted, rest)) = pattern.split_first() else { return text.is_empty() };
        match (wanted, text.split_first()) {
            (b'*', _) => (0..=text.len()).any(|taken| is_of(rest, &text[taken..])),
            (_, Some((byte, behind))) => (*wanted == b'?' || wanted == byte) && is_of(rest, behind),
            (_, None) => false,
        }
    }

    #[test]
    fn a_pattern_matches_exactly_what_its_wildcards_say() {
        let texts_of_both = texts("ab", 6);
        for pattern in texts("ab*?", 5).iter().filter_map(|t| Glob::parse(t).ok()) {
            for text in &texts_of_both {
                assert_eq!(
                    pattern.matches(text),
                    is_of(pattern.as_str().as_bytes(), text.as_bytes()),
                    "{pattern} {text}"
                );
            }
        }
    }

    #[test]
    fn patterns_overlap_exactly_where_some_text_is_of_both_forms() {
        let patterns: Vec<_> =
            texts("ab*?", 3).iter().filter_map(|t| Glob::parse(t).ok()).collect();
        // Twice the longest pattern holds a text for each pair that has any.
        let texts = texts("ab", 6);
        let sets: Vec<Vec<bool>> = patterns
            .iter()
            .map(|glob| texts.iter().map(|text| glob.matches(text)).collect())
            .collect();
        for (one, taken) in patterns.iter().zip(&sets) {
            for (other, also) in patterns.iter().zip(&sets) {
                let both = taken.iter().zip(also).any(|(one, other)| *one && *other);
                assert_eq!(one.overlaps(other), both, "{one} {other}");
            }
        }
    }

    #[test]
    fn patterns_of_arns_overlap_with_their_like_alone() {
        let overlaps = |one: &str, other: &str| {
            let (one, other) = (Glob::parse(one).unwrap(), Glob::parse(other).unwrap());
            assert_eq!(one.overlaps(&other), other.overlaps(&one));
            one.overlaps(&other)
        };
        assert!(overlaps("acs:kms:*:secret/shop/*", "acs:kms:cn-hangzhou:1:secret/*"));
        assert!(!overlaps("acs:kms:*:secret/shop/*", "acs:kms:cn-hangzhou:1:secret/pay"));
        assert!(!overlaps("*", "acs:*") && !overlaps("*", "acs:kms:r:1:secret/shop/db"));
        assert!(overlaps(&"*a".repeat(128), &"b*".repeat(128)));
    }

    #[test]
    fn patterns_with_dots_overlap_with_their_like_alone() {
        let overlaps = |one: &str, other: &str| {
            let (one, other) = (Glob::parse(one).unwrap(), Glob::parse(other).unwrap());
            assert_eq!(one.overlaps(&other), other.overlaps(&one));
            one.overlaps(&other)
        };
        for dots in ["shop/../pay/*", "shop/./*", "shop/.."] {
            assert!(!overlaps("shop/*", dots) && !overlaps("*", dots), "{dots}");
            assert!(overlaps(dots, dots), "{dots}");
        }
        assert!(overlaps("shop/../*", "shop/../pay/db") && overlaps("shop/*", "shop/..db"));
    }

    #[test]
    fn what_cannot_be_a_pattern_is_none() {
        for text in ["", "a b", "a\n", "ä", &"a".repeat(257)] {
            assert!(Glob::parse(text).is_err(), "{text:?}");
        }
    }
}
