//! The clients that may connect where not everybody may: those with a certificate by the operator's CA.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::error::TlsError;
use super::file::read;

/// What the operator says of clients.
#[derive(Clone, Debug)]
pub struct ClientCa {
    /// CA certificates (PEM).
    pub file: PathBuf,
    /// The common names that clients may have; all where there are none. A CA often signs for
    /// others than API servers, a cluster's own for every node.
    pub names: Vec<String>,
}

/// The CA in use. New handshakes take the current one; connections stay.
#[derive(Debug)]
pub struct Clients {
    current: ArcSwap<Verifier>,
    names: Vec<String>,
}

/// Knows which chains lead to one of the CA certificates.
#[derive(Debug)]
pub(crate) struct Verifier(Arc<dyn ClientCertVerifier>);

impl ClientCa {
    pub(crate) fn read(&self) -> Result<Vec<u8>, TlsError> {
        read(&self.file)
    }

    pub(crate) fn verifier(
        &self,
        pem: &[u8],
        provider: &Arc<CryptoProvider>,
    ) -> Result<Verifier, TlsError> {
        let name = || self.file.display().to_string();
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| TlsError::BadCertificate(name()))?;
            roots.add(certificate).map_err(|_| TlsError::BadCertificate(name()))?;
        }
        if roots.is_empty() {
            return Err(TlsError::NoCertificate(name()));
        }
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        builder.build().map(Verifier).map_err(|_| TlsError::BadCertificate(name()))
    }

    /// What the file holds now.
    pub(crate) fn load(&self, provider: &Arc<CryptoProvider>) -> Result<Clients, TlsError> {
        let verifier = self.verifier(&self.read()?, provider)?;
        Ok(Clients { current: ArcSwap::from_pointee(verifier), names: self.names.clone() })
    }
}

/// Certificates between a client's and the CA's. There is one at most where a cluster made them.
const INTERMEDIATES: usize = 4;

impl Clients {
    pub(crate) fn exchange(&self, verifier: Verifier) {
        self.current.store(Arc::new(verifier));
    }

    fn is_named(&self, certificate: &CertificateDer<'_>) -> bool {
        let named = |name| self.names.contains(&name);
        self.names.is_empty() || certs::common_name(certificate).is_some_and(named)
    }
}

impl ClientCertVerifier for Clients {
    /// None: they could not change with the CA, and strangers need not learn whom it is for.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // Which of them leads to which is found by trying: with a hundred that a stranger made alike
        // it takes seconds, for one with a certificate of nobody's.
        if intermediates.len() > INTERMEDIATES {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        let current = self.current.load();
        let verified = current.0.verify_client_cert(certificate, intermediates, now)?;
        if self.is_named(certificate) {
            Ok(verified)
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.current.load().0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.current.load().0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.current.load().0.supported_verify_schemes()
    }
}
