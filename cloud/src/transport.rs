//! HTTPS to the services: who is trusted for which host, how a name is resolved, how many
//! connections there are, how much is read.

use std::net::SocketAddr;
use std::time::Duration;

pub struct TransportConfig {
    /// PEM. Trusted for the gateways of dedicated KMS instances alone, which trust nothing else.
    /// An intermediate may be the anchor.
    pub private_ca: Option<Vec<u8>>,
    /// PEM, trusted beside the public roots for all other hosts.
    pub extra_ca: Option<Vec<u8>>,
    /// Host name, `*.suffix` or `*`, and the address to dial instead of asking DNS; the first
    /// match counts. The server still has to show a certificate for the real name.
    pub connect_to: Vec<(String, SocketAddr)>,
    pub connect_timeout: Duration,
    /// From the established connection to the last byte of the answer.
    pub read_timeout: Duration,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            private_ca: None,
            extra_ca: None,
            connect_to: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(10),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("the {0} CA holds no certificate in PEM form")]
    NoCertificate(&'static str),
    #[error("certificate {index} of the {which} CA cannot be used")]
    BadCertificate { which: &'static str, index: usize },
    #[error("TLS could not be set up")]
    Tls,
}

pub struct Transport {
    config: TransportConfig,
}

impl Transport {
    pub fn new(config: TransportConfig) -> Result<Self, TransportError> {
        Ok(Self { config })
    }
}
