//! The certificate authorities that are trusted: the public roots for public hosts, the private CA for dedicated gateways.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::chain::ShortChains;

#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("the {0} CA holds no certificate in PEM form")]
    NoCertificate(&'static str),
    #[error("certificate {index} of the {which} CA cannot be used")]
    BadCertificate { which: &'static str, index: usize },
    #[error("TLS could not be set up")]
    Tls,
}

/// Trust for all hosts but dedicated gateways.
pub(super) fn public(extra_ca: Option<&[u8]>) -> Result<ClientConfig, TransportError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_ca {
        add(&mut roots, pem, "extra")?;
    }
    config(roots)
}

/// Trust for dedicated gateways: the private CA and nothing else.
pub(super) fn dedicated(private_ca: &[u8]) -> Result<ClientConfig, TransportError> {
    let mut roots = RootCertStore::empty();
    add(&mut roots, private_ca, "private")?;
    config(roots)
}

fn add(roots: &mut RootCertStore, pem: &[u8], which: &'static str) -> Result<(), TransportError> {
    let mut count = 0;
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let bad = || TransportError::BadCertificate { which, index: index + 1 };
        // Anything that is listed is an anchor, an intermediate too: the cloud publishes those.
        roots.add(certificate.map_err(|_| bad())?).map_err(|_| bad())?;
        count += 1;
    }
    if count == 0 {
        return Err(TransportError::NoCertificate(which));
    }
    Ok(())
}

fn config(roots: RootCertStore) -> Result<ClientConfig, TransportError> {
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
            .map_err(|_| TransportError::Tls)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| TransportError::Tls)?;
    // Not less is verified: chains are refused that the usual verifier would look at.
    let verifier = Arc::new(ShortChains(verifier));
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    Ok(builder.with_no_client_auth())
}
