//! Bytes that a secret keeps as text.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use plan::Encoding;
use secret::Sensitive;
use zeroize::Zeroizing;

use super::content::Content;
use crate::render::environment::Unfit;

/// The content as its entry wants it decoded.
pub(super) fn encoded_as(encoding: Encoding, content: Content<'_>) -> Result<Content<'_>, Unfit> {
    match encoding {
        Encoding::AsIs => Ok(content),
        Encoding::Base64 => from_base64(content.bytes()).map(Content::Made),
    }
}

/// Some tools write padding, some leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Line breaks and spaces between the letters say nothing.
fn from_base64(text: &[u8]) -> Result<Sensitive, Unfit> {
    // The room is reserved at once: a buffer that grows leaves copies behind.
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    letters.extend(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()));
    BASE64.decode(letters.as_slice()).map(Sensitive::new).map_err(|_| Unfit::NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_the_bytes_that_it_stands_for() {
        for (text, bytes) in [
            ("/u3+7QAAAAI=", &b"\xfe\xed\xfe\xed\x00\x00\x00\x02"[..]),
            ("/u3+7QAAAAI", b"\xfe\xed\xfe\xed\x00\x00\x00\x02"),
            ("aGVs\nbG8=\n", b"hello"),
            ("  aGVs\r\nbG8 ", b"hello"),
            ("", b""),
        ] {
            assert_eq!(from_base64(text.as_bytes()).unwrap().expose(), bytes, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_base64_is_refused_without_a_word_of_it() {
        for text in ["CANARY!", "a", "a===", "-_-_", "\u{e9}"] {
            let error = from_base64(text.as_bytes()).unwrap_err();
            assert_eq!(error, Unfit::NotBase64, "{text}");
            assert!(!error.to_string().contains("CANARY"));
        }
    }
}
