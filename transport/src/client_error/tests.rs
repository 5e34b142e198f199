//! What is said of certificates that no library of ours would make. Each file of `weak` has a CA and
//! what it signed for a server, made with `openssl req -x509` and `openssl x509 -req`.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, RootCertStore};

use super::*;

#[test]
fn a_certificate_of_a_ca_that_signs_weakly_says_what_is_needed_instead() {
    for (pem, words) in [
        (include_str!("weak/sha1.pem"), "it needs a certificate with SHA-256 or better"),
        (include_str!("weak/p521.pem"), "by RSA of 2048 bits or more, P-256 or P-384"),
        (
            include_str!("weak/rsa1024.pem"),
            "an RSA key of less than 2048 bits, which no other CA mends",
        ),
    ] {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect();
        let mut roots = RootCertStore::empty();
        roots.add(chain[0].clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from("kst-1.cryptoservice.kms.aliyuncs.com").unwrap();
        // A day on which all of them are valid.
        let day = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_900_000_000));
        let error = verifier.verify_server_cert(&chain[1], &[], &name, &[], day).unwrap_err();
        let told = tls(&error);
        assert!(told.to_string().contains(words), "{error:?}: {told}");
        assert!(!told.may_pass());
    }
}

#[test]
fn a_server_that_ends_the_handshake_for_want_of_anything_in_common_is_told_so() {
    for alert in [AlertDescription::HandshakeFailure, AlertDescription::ProtocolVersion] {
        let told = tls(&rustls::Error::AlertReceived(alert));
        assert!(told.to_string().contains("kind of certificate in common"), "{told}");
    }
    let other = tls(&rustls::Error::AlertReceived(AlertDescription::InternalError));
    assert_eq!(other, Unreachable::Handshake);
}
