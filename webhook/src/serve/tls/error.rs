//! Why a certificate, a key or a CA cannot be used.

use std::path::PathBuf;

/// A chain of three certificates is 6 KB.
pub(super) const FILE_LIMIT: u64 = 256 * 1024;

/// Never says what is in the files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("reading {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("writing {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{} is larger than {FILE_LIMIT} bytes", .0.display())]
    TooLarge(PathBuf),
    #[error("no certificate in PEM format in {0}")]
    NoCertificate(String),
    #[error("no private key in PEM format in {0}")]
    NoKey(String),
    #[error("the certificate in {0} cannot be read")]
    BadCertificate(String),
    #[error(
        "the private key in {key} does not belong to the certificate in {cert}, or cannot be used"
    )]
    Mismatch { cert: String, key: String },
    #[error("making the certificate: {0}")]
    Issue(#[from] certs::Error),
    #[error("setting up TLS: {0}")]
    Config(rustls::Error),
}
