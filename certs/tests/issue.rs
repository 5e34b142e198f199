//! What is issued, seen by a TLS client.

#![cfg(test)]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn verify(ca: &str, cert: &str, name: &str, at: SystemTime) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
    let cert = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
    let name = ServerName::try_from(name).unwrap();
    let at = UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap());
    verifier.verify_server_cert(&cert, &[], &name, &[], at).map(|_| ())
}

#[test]
fn a_client_that_trusts_the_ca_accepts_every_name() {
    let issued =
        certs::issue(&names(&["localhost", "127.0.0.1", "webhook.ns.svc"]), now(), DAY).unwrap();
    for name in ["localhost", "127.0.0.1", "webhook.ns.svc"] {
        verify(&issued.ca_pem, &issued.cert_pem, name, now()).expect(name);
    }
    assert!(verify(&issued.ca_pem, &issued.cert_pem, "other.svc", now()).is_err());
}

#[test]
fn it_is_valid_for_its_lifetime_and_for_clocks_a_little_behind() {
    let issued = certs::issue(&names(&["localhost"]), now(), DAY).unwrap();
    assert_eq!(issued.not_after, now() + DAY);
    let at = |time| verify(&issued.ca_pem, &issued.cert_pem, "localhost", time);
    at(now() - Duration::from_secs(240)).unwrap();
    at(now() + DAY - Duration::from_secs(1)).unwrap();
    let early = at(now() - Duration::from_secs(600)).unwrap_err();
    assert!(
        matches!(
            early,
            rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { .. })
        ),
        "{early:?}"
    );
    let late = at(now() + DAY + Duration::from_secs(1)).unwrap_err();
    assert!(
        matches!(late, rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { .. })),
        "{late:?}"
    );
}

#[test]
fn another_ca_does_not_vouch_for_it() {
    let one = certs::issue(&names(&["localhost"]), now(), DAY).unwrap();
    let other = certs::issue(&names(&["localhost"]), now(), DAY).unwrap();
    assert_ne!(one.ca_pem, other.ca_pem);
    assert!(verify(&other.ca_pem, &one.cert_pem, "localhost", now()).is_err());
}

#[test]
fn the_key_belongs_to_the_certificate_and_is_not_printed() {
    let issued = certs::issue(&names(&["localhost"]), now(), DAY).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.pem().as_bytes()).unwrap();
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).unwrap();
    let line = issued.key.pem().lines().nth(1).unwrap();
    assert!(!format!("{issued:?}").contains(line));
}

#[test]
fn names_and_lifetimes_that_make_no_certificate_are_refused() {
    assert!(matches!(certs::issue(&[], now(), DAY), Err(certs::Error::NoName)));
    assert!(matches!(
        certs::issue(&names(&["localhost"]), now(), Duration::MAX),
        Err(certs::Error::Lifetime)
    ));
    let problem = certs::issue(&names(&["höst"]), now(), DAY).unwrap_err().to_string();
    assert!(problem.starts_with("making a certificate for höst: "), "{problem}");
}

#[test]
fn the_end_of_a_certificate_can_be_read_back() {
    let issued = certs::issue(&names(&["localhost"]), now(), DAY).unwrap();
    let der = CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap();
    assert_eq!(certs::not_after(&der), Some(issued.not_after));
    assert_eq!(certs::not_after(b"not a certificate"), None);
}
