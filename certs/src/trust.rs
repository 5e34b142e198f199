//! Whether a client that trusts certain CAs accepts a certificate for certain names.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

/// `chain` begins with the certificate itself.
pub(crate) fn accepts<'a>(
    roots: impl IntoIterator<Item = CertificateDer<'a>>,
    chain: &[CertificateDer<'_>],
    names: &[String],
    at: SystemTime,
) -> bool {
    let Some((leaf, intermediates)) = chain.split_first() else { return false };
    let mut store = RootCertStore::empty();
    let mut itself = false;
    for root in roots {
        itself |= root == *leaf;
        // One that cannot be read vouches for nobody.
        store.add(root.into_owned()).unwrap_or_default();
    }
    let at = at.duration_since(UNIX_EPOCH).map(UnixTime::since_unix_epoch);
    let (Ok(at), false) = (at, names.is_empty()) else { return false };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), provider).build();
    names.iter().all(|name| {
        let Ok(name) = ServerName::try_from(name.as_str()) else { return false };
        // API servers trust a certificate that is its own root, rustls does not.
        if itself {
            let parsed = ParsedCertificate::try_from(leaf);
            return parsed.is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok());
        }
        verifier.as_ref().is_ok_and(|verifier| {
            verifier.verify_server_cert(leaf, intermediates, &name, &[], at).is_ok()
        })
    })
}
