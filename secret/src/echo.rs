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
    let within = |text: &[u8], part: &[u8]| memchr::memmem::find(text, part).is_some();
    let is_whole = |secret: &[u8]| !secret.is_empty() && within(text, secret);
    let mut secrets = secrets.iter().map(|secret| secret.expose());
    // The ids of every answer are short, and to search for each stretch is quickest.
    if text.len() <= SHORT {
        return secrets.any(|secret| {
            is_whole(secret) || text.windows(STRETCH).any(|stretch| within(secret, stretch))
        });
    }
    // Where both are long, that takes seconds.
    let stretches: HashSet<&[u8]> = text.windows(STRETCH).collect();
    let is_known = |stretch: &[u8]| stretches.contains(stretch);
    secrets.any(|secret| is_whole(secret) || secret.windows(STRETCH).any(is_known))
}

/// An id or code: a bounded word that cannot carry text.
pub fn identifier(text: &str, secrets: &[&Sensitive]) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(allowed);
    (fits && !echoes(text, secrets)).then(|| text.to_owned())
}

/// Sixteen characters of base64 are 96 bits, and no word of prose.
const STRETCH: usize = 16;
/// An id has fewer bytes.
const SHORT: usize = 128;
/// A text that may be shown has at most so many bytes.
pub const LONGEST_TEXT: usize = 16 * 1024;
