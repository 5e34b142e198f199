//! A private key on its way to a TLS server or a Secret.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// PKCS#8 in PEM: wiped when dropped, never printed.
pub struct PrivateKey(Zeroizing<String>);

impl PrivateKey {
    pub(crate) fn new(pem: String) -> Self {
        Self(Zeroizing::new(pem))
    }

    /// Takes the bytes over, so that no second copy stays behind. `None` if they are no text.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        match String::from_utf8(bytes) {
            Ok(pem) => Some(Self::new(pem)),
            Err(error) => {
                error.into_bytes().zeroize();
                None
            }
        }
    }

    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}
