//! While there is no webhook, plain Pods start and annotated ones are refused; none of these ever
//! starts without its secrets. When it comes back, everything goes on by itself.

use std::time::{Duration, Instant, SystemTime};

use lab::cluster::{Look, until};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;

use crate::install::helm;
use crate::pods::{app, plain, server, workload};
use crate::release::{
    CERTIFICATE, admits, asks, at_work, none, none_started_without, order, ours,
    pods_that_are_there, set_ca_bundle,
};
use crate::stage::{Namespace, PATIENCE, RELEASE, RELEASE_NAMESPACE};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn scaled_to_nothing() {
    outage("scaled", none, || order(2));
}

#[test]
fn its_deployment_deleted() {
    let delete = || {
        ours(&["delete", "deployment", RELEASE]).run().unwrap();
    };
    let repair = || {
        helm("upgrade", &[]).run().unwrap();
    };
    outage("deleted", delete, repair);
}

/// After a long time off: what is stored has ended, and so has what API servers trust.
#[test]
fn its_certificate_expired() {
    let expire = || {
        none();
        let issued = certs::issue(&[host()], SystemTime::now() - 100 * DAY, 90 * DAY).unwrap();
        let stored = json!({ "stringData": {
            "ca.crt": issued.ca_pem, "tls.crt": issued.cert_pem, "tls.key": issued.key.pem(),
        }});
        ours(&["patch", CERTIFICATE, "-p", &stored.to_string()]).run().unwrap();
        set_ca_bundle(&issued.ca_pem);
        assert!(stored_until() < SystemTime::now());
    };
    outage("expired", expire, || order(2));
    assert!(stored_until() > SystemTime::now() + 80 * DAY);
}

#[test]
fn its_certificate_deleted() {
    let delete = || {
        none();
        ours(&["delete", CERTIFICATE]).run().unwrap();
    };
    outage("lost", delete, || order(2));
    assert!(stored_until() > SystemTime::now() + 80 * DAY);
}

/// What is so during any outage, and after it.
fn outage(story: &str, begins: impl FnOnce(), ends: impl FnOnce()) {
    let place = Namespace::opted_in(story);
    begins();
    until("the last replica to end", PATIENCE, || {
        Ok((pods_that_are_there() == 0).then_some(()).into())
    })
    .unwrap();
    // One that is ending still answers.
    until("annotated Pods to be refused", PATIENCE, || match asks(&place) {
        Ok(()) => Ok(Look::Missing("one was accepted".to_owned())),
        Err(_) => Ok(Look::Found(())),
    })
    .unwrap();

    let said = place.refused(&app("annotated", "true"));
    let wanted = "failed calling webhook \"pods.kms.alibabacloud\"";
    assert!(said.contains(wanted), "{said}");
    assert!(said.contains(&format!("service \"{RELEASE}\"")), "{said}");
    place.create(&plain("plain", "true"));
    place.succeeded("plain");

    place.create(&workload("Deployment", "web", &server(), json!({ "replicas": 2 })));
    let failure = ".status.conditions[?(@.type==\"ReplicaFailure\")]";
    place.wait("deployment/web", &format!("{failure}.reason"), "FailedCreate");
    let pods = place.kubectl(&["get", "pods", "-l", "app=web", "-o", "name"]).run().unwrap();
    assert_eq!(pods, "");

    let healing = Instant::now();
    ends();
    admits(&place);
    println!("{story}: a Pod is injected {:.1?} after the repair", healing.elapsed());
    place.wait("deployment/web", ".status.readyReplicas", "2");
    println!("{story}: a Deployment that waited is ready after {:.1?}", healing.elapsed());
    none_started_without(&place);
    at_work(&place);
}

fn host() -> String {
    format!("{RELEASE}.{RELEASE_NAMESPACE}.svc")
}

/// When the certificate ends that is stored.
fn stored_until() -> SystemTime {
    use base64::Engine as _;
    let path = r"jsonpath={.data.tls\.crt}";
    let encoded = ours(&["get", CERTIFICATE, "-o", path]).run().unwrap();
    let pem = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    certs::not_after(&CertificateDer::from_pem_slice(&pem).unwrap()).unwrap()
}
