//! The one place that names the cryptography library.

use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::rand::{SecureRandom, SystemRandom};

use crate::sensitive::Sensitive;

#[derive(Debug, thiserror::Error)]
#[error("no randomness from the operating system")]
pub(crate) struct NoRandomness;

/// Lower-case hex of SHA-256.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Lower-case hex of HMAC-SHA-256.
pub(crate) fn hmac_sha256_hex(key: &[u8], message: &[u8]) -> String {
    hex(sign(&Key::new(HMAC_SHA256, key), message).as_ref())
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Uniform over u32, for jitter: it needs no secret randomness, and does without rather than fail.
#[must_use]
pub fn roll() -> u32 {
    random().map_or(u32::MAX, u32::from_ne_bytes)
}

/// 64 hex digits that nobody can guess; `None` where the system has no randomness.
#[must_use]
pub fn secret_hex() -> Option<Sensitive> {
    let bytes = Sensitive::new(random::<32>().ok()?.to_vec());
    Some(Sensitive::from(hex(bytes.expose())))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{hmac_sha256_hex, secret_hex, sha256_hex};

    #[test]
    fn a_secret_has_64_digits_and_is_another_each_time() {
        let (one, two) = (secret_hex().unwrap(), secret_hex().unwrap());
        assert!(one.len() == 64 && one.expose().iter().all(u8::is_ascii_hexdigit));
        assert!(one.expose() != two.expose());
    }

    #[test]
    fn digests_match_published_vectors() {
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        // RFC 4231, test case 2.
        assert_eq!(
            hmac_sha256_hex(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
