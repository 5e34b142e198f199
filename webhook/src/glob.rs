//! Patterns over names: `*` stands for any run of characters, `?` for exactly one.

/// A pattern of printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Box<str>);

impl Glob {
    /// `None` where it is empty, longer than any name, or has characters that no name has.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = (1..=LONGEST).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.into()))
    }

    /// Whether the whole of `text` is of this form. Its time is at most the product of both
    /// lengths: a pattern cannot make it worse.
    pub(crate) fn matches(&self, text: &str) -> bool {
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
    fn what_cannot_be_a_pattern_is_none() {
        for text in ["", "a b", "a\n", "ä", &"a".repeat(257)] {
            assert_eq!(Glob::parse(text), None, "{text:?}");
        }
    }
}
