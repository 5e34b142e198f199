//! The certificate authorities that hosts are trusted by: the public ones, or a few of one's own.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::chain::ShortChains;

/// Cheap to share.
pub struct Roots(ClientConfig);

#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    #[error("the {0} CA holds no certificate in PEM form")]
    NoCertificate(&'static str),
    #[error("certificate {index} of the {which} CA cannot be used")]
    BadCertificate { which: &'static str, index: usize },
    #[error("TLS could not be set up")]
    Tls,
}

impl Roots {
    /// The public roots, and beside them what is in `extra`, in PEM.
    pub fn public(extra: Option<&[u8]>) -> Result<Self, RootsError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(pem) = extra {
            add(&mut roots, pem, "extra")?;
        }
        config(roots).map(Self)
    }

    /// What is in `pem` and nothing else.
    pub fn private(pem: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        add(&mut roots, pem, "private")?;
        config(roots).map(Self)
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.0
    }
}

fn add(roots: &mut RootCertStore, pem: &[u8], which: &'static str) -> Result<(), RootsError> {
    let mut count = 0;
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let bad = || RootsError::BadCertificate { which, index: index + 1 };
        // Anything that is listed is an anchor, an intermediate too: the cloud publishes those.
        roots.add(certificate.map_err(|_| bad())?).map_err(|_| bad())?;
        count += 1;
    }
    if count == 0 {
        return Err(RootsError::NoCertificate(which));
    }
    Ok(())
}

fn config(roots: RootCertStore) -> Result<ClientConfig, RootsError> {
    let mut provider = rustls::crypto::ring::default_provider();
    // As strong here, and its handshake hashes with SHA-256, which processors know; the default
    // puts AES-256 with SHA-384 first.
    provider
        .cipher_suites
        .sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    let provider = Arc::new(provider);
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|_| RootsError::Tls)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| RootsError::Tls)?;
    // Not less is verified: chains are refused that the usual verifier would look at.
    let verifier = Arc::new(ShortChains(verifier));
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    Ok(builder.with_no_client_auth())
}
