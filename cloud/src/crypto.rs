//! The digests that signatures are made of.

use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use secret::hex;

/// Lower-case hex of SHA-256.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Lower-case hex of HMAC-SHA-256.
pub(crate) fn hmac_sha256_hex(key: &[u8], message: &[u8]) -> String {
    hex(sign(&Key::new(HMAC_SHA256, key), message).as_ref())
}

#[cfg(test)]
mod tests {
    use super::{hmac_sha256_hex, sha256_hex};

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
