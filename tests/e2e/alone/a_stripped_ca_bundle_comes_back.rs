//! Somebody takes away what API servers trust the webhook by, or writes something else there: it is
//! put back at once.

use std::time::{Duration, Instant};

use lab::cluster::until;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;

use crate::release::{
    CERTIFICATE, annotated_pods, at_work, list, ours, patch_configuration, set_ca_bundle, since,
};
use crate::stage::{Namespace, PATIENCE, RELEASE, RELEASE_NAMESPACE};

/// API servers learn of a change by a watch.
const LAG: Duration = Duration::from_secs(3);

#[test]
fn taken_away() {
    trouble("stripped", || {
        let path = "/webhooks/0/clientConfig/caBundle";
        patch_configuration(&json!([{ "op": "remove", "path": path }]));
    });
}

#[test]
fn replaced() {
    trouble("replaced", || {
        let host = format!("{RELEASE}.{RELEASE_NAMESPACE}.svc");
        let now = std::time::SystemTime::now();
        let issued = certs::issue(&[host], now, Duration::from_secs(3600)).unwrap();
        set_ca_bundle(&issued.ca_pem);
    });
}

fn trouble(story: &str, make: impl FnOnce()) {
    let place = Namespace::opted_in(story);
    let stream = annotated_pods(&place, 50);
    let broken = Instant::now();
    make();
    until("caBundle to be put back", PATIENCE, || Ok(vouches().then_some(()).into())).unwrap();
    let back = Instant::now();
    stream.wait_for(200).unwrap();
    let calls = stream.end().unwrap();
    let failed: Vec<_> = calls.failed().map(|call| since(call.due, broken)).collect();
    println!(
        "{story}: caBundle is back after {:.2?}; {} of {} creations failed, the last after {:.2} s",
        back - broken,
        failed.len(),
        calls.all().len(),
        failed.iter().copied().fold(0.0, f64::max),
    );
    let late = calls.failed().any(|call| call.due > back + LAG);
    assert!(!late, "{}", list(&calls, broken));
    at_work(&place);
}

/// `caBundle` has every CA that is stored beside the certificate.
fn vouches() -> bool {
    let configuration = format!("mutatingwebhookconfiguration/{RELEASE}");
    let bundle = certificates(&configuration, ".webhooks[0].clientConfig.caBundle");
    let stored = certificates(CERTIFICATE, r".data.ca\.crt");
    assert!(!stored.is_empty());
    stored.iter().all(|ca| bundle.contains(ca))
}

/// In a field of an object, in PEM.
fn certificates(object: &str, field: &str) -> Vec<CertificateDer<'static>> {
    use base64::Engine as _;
    let path = format!("jsonpath={{{field}}}");
    let encoded = ours(&["get", object, "-o", &path]).run().unwrap();
    let pem = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    CertificateDer::pem_slice_iter(&pem).map(Result::unwrap).collect()
}
