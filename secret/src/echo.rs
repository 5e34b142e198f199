//! Which texts may be shown: none that repeats a secret, of the request or of the answer.

use std::collections::HashSet;

use crate::sensitive::Sensitive;

/// Whether a secret is part of the text, or a stretch of one that is long enough to matter. A text that
/// is longer than any that may be shown counts as one that does.
pub fn echoes(text: &str, secrets: &[&Sensitive]) -> bool {
    let text = text.as_bytes();
    if text.len() > LONGEST_TEXT {
        return true;
    }
    let blocks: HashSet<&[u8]> = text.windows(BLOCK).collect();
    let stretches: HashSet<&[u8]> = text.windows(STRETCH).collect();
    secrets.iter().any(|secret| {
        let secret = secret.expose();
        let is_whole = !secret.is_empty() && memchr::memmem::find(text, secret).is_some();
        // Each stretch of a secret has a whole block at one of these steps, so that one look in nine is
        // enough where nothing is repeated.
        let mut steps = (0..secret.len()).step_by(STRETCH - BLOCK + 1);
        is_whole
            || steps.any(|at| {
                let is_known = |block: &[u8]| blocks.contains(block);
                secret.get(at..at + BLOCK).is_some_and(is_known) && {
                    let around = at.saturating_sub(STRETCH - BLOCK)..secret.len().min(at + STRETCH);
                    let around = secret.get(around).unwrap_or_default();
                    around.windows(STRETCH).any(|stretch| stretches.contains(stretch))
                }
            })
    })
}

/// An id or code: a bounded word that cannot carry text.
pub fn identifier(text: &str, secrets: &[&Sensitive]) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(allowed);
    (fits && !echoes(text, secrets)).then(|| text.to_owned())
}

/// Sixteen characters of base64 are 96 bits, and no word of prose.
const STRETCH: usize = 16;
const BLOCK: usize = 8;
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
