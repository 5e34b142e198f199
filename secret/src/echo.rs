//! Which texts may be shown: none that repeats a secret, of the request or of the answer.

use std::cell::LazyCell;

use crate::sensitive::Sensitive;

/// Whether a secret is part of the text, or a stretch of one that is long enough to matter. A text that
/// is longer than any that may be shown counts as one that does.
pub fn echoes(text: &str, secrets: &[&Sensitive]) -> bool {
    let text = text.as_bytes();
    if text.len() > LONGEST_TEXT {
        return true;
    }
    let blocks = Windows::new(text, u64::from_ne_bytes);
    // Most texts have no block of a secret, and never get here.
    let stretches = LazyCell::new(|| Windows::new(text, u128::from_ne_bytes));
    secrets.iter().any(|secret| {
        let secret = secret.expose();
        // Each stretch of a secret has a whole block at one of these steps, so that one look in nine is
        // enough where nothing is repeated.
        let mut steps = (0..secret.len()).step_by(STRETCH - BLOCK + 1);
        is_within(text, secret)
            || steps.any(|at| {
                blocks.has(secret.get(at..at + BLOCK)) && {
                    let around = at.saturating_sub(STRETCH - BLOCK)..secret.len().min(at + STRETCH);
                    let around = secret.get(around).unwrap_or_default();
                    around.windows(STRETCH).any(|stretch| stretches.has(Some(stretch)))
                }
            })
    })
}

/// What is looked for is prepared at the price of its length, which the text may not have.
fn is_within(text: &[u8], secret: &[u8]) -> bool {
    (1..=text.len()).contains(&secret.len()) && memchr::memmem::find(text, secret).is_some()
}

/// All stretches of some length in a text, each a number, in order.
struct Windows<T, const LENGTH: usize> {
    sorted: Vec<T>,
    number: fn([u8; LENGTH]) -> T,
}

impl<T: Ord, const LENGTH: usize> Windows<T, LENGTH> {
    fn new(text: &[u8], number: fn([u8; LENGTH]) -> T) -> Self {
        let windows = text.windows(LENGTH).filter_map(|window| window.try_into().ok());
        let mut sorted: Vec<T> = windows.map(number).collect();
        sorted.sort_unstable();
        Self { sorted, number }
    }

    fn has(&self, stretch: Option<&[u8]>) -> bool {
        let stretch = stretch.and_then(|stretch| stretch.try_into().ok());
        stretch.is_some_and(|stretch| self.sorted.binary_search(&(self.number)(stretch)).is_ok())
    }
}

/// An id or code: a bounded word that cannot carry text.
pub fn identifier(text: &str, secrets: &[&Sensitive]) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(allowed);
    (fits && !echoes(text, secrets)).then(|| text.to_owned())
}

/// Sixteen characters of base64 are 96 bits, and no word of prose.
const STRETCH: usize = size_of::<u128>();
const BLOCK: usize = size_of::<u64>();
/// A text that may be shown has at most so many bytes.
pub const LONGEST_TEXT: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Sensitive {
        Sensitive::from(text.to_owned())
    }

    #[test]
    fn a_stretch_of_sixteen_is_found_wherever_it_stands_and_none_of_fifteen() {
        let whole: String = ('!'..='~').collect();
        let secret = secret(&whole);
        for at in 0..=whole.len() - STRETCH {
            for (before, after) in [("", ""), ("a word ", ""), ("", " and more"), ("x", "y")] {
                let stretch = whole.get(at..at + STRETCH).unwrap();
                assert!(echoes(&format!("{before}{stretch}{after}"), &[&secret]), "{stretch}");
                let short = whole.get(at..at + STRETCH - 1).unwrap();
                assert!(!echoes(&format!("\t{short}\t"), &[&secret]), "{short}");
            }
        }
    }

    #[test]
    fn a_secret_that_repeats_itself_is_found_as_well() {
        let repeated = secret(&"Q".repeat(1000));
        assert!(echoes(&"Q".repeat(STRETCH), &[&repeated]));
        assert!(!echoes(&format!("{}R", "Q".repeat(STRETCH - 1)), &[&repeated]));
        assert!(echoes("it is abc", &[&secret("abc")]) && !echoes("it is ab", &[&secret("abc")]));
        assert!(!echoes("anything", &[&secret("")]));
    }
}
