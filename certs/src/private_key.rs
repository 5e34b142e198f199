//! A private key on its way to a TLS server or a Secret.

use std::fmt;

use zeroize::Zeroizing;

/// PKCS#8 in PEM: wiped when dropped, never printed.
pub struct PrivateKey(Zeroizing<String>);

impl PrivateKey {
    pub(crate) fn new(pem: String) -> Self {
        Self(Zeroizing::new(pem))
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
