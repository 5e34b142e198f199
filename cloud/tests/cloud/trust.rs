//! Which certificates are accepted for which host.

use cloud::{Error, Lookup, RootsError, Transport, TransportConfig, TransportError};
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa};
use secret::{Failure, Fetched};

use crate::authority::{Authority, Leaf};
use crate::server::{KMS, Server, after_sts, config, quick, secret, session, soon, value};

const DEDICATED: &str = "kst-hzz65f176a0.cryptoservice.kms.aliyuncs.com";
const DEDICATED_NAMES: [&str; 1] = ["*.cryptoservice.kms.aliyuncs.com"];
const PUBLIC_NAMES: [&str; 1] = ["*.cn-hangzhou.aliyuncs.com"];

/// STS with a good certificate, and `host` behind the certificate of the test.
async fn fetch_from(
    host: &str,
    certificate: Leaf,
    trust: impl Fn(&mut TransportConfig),
) -> Result<Fetched, Error> {
    let public = Authority::root("public");
    let sts = Server::start(public.leaf(&PUBLIC_NAMES), after_sts(|_| value("x"))).await;
    let server = Server::start(certificate, after_sts(|_| value("x"))).await;
    let mut config = config(&public, sts.address);
    config.connect_to.insert(0, (host.to_owned(), server.address));
    trust(&mut config);
    let session = session(Transport::new(config).unwrap(), quick());
    let result = session.fetch(&Lookup { endpoint: host.to_owned(), ..secret("db") }, soon()).await;
    if result.is_err() {
        assert_eq!(
            server.seen().len(),
            0,
            "nothing may be sent before the certificate is accepted"
        );
    }
    result
}

fn ca(authority: &Authority) -> Option<Vec<u8>> {
    Some(authority.pem.clone().into_bytes())
}

fn assert_certificate_problem(result: Result<Fetched, Error>, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.failure(), Failure::Unreachable, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    // Waiting does not help, so nobody waits.
    assert_eq!((error.is_retriable(), error.attempts()), (false, 1));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let other = Authority::root("other");
    let result = fetch_from(KMS, other.leaf(&["evil.example"]), |config| {
        config.extra_ca = config.extra_ca.take().map(|pem| [pem, ca(&other).unwrap()].concat());
    })
    .await;
    assert_certificate_problem(result, "it is for another name");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_ca_is_refused() {
    let other = Authority::root("other");
    let result = fetch_from(KMS, other.leaf(&PUBLIC_NAMES), |_| {}).await;
    assert_certificate_problem(result, "its issuer is not trusted");
}

#[tokio::test]
async fn each_fault_of_a_certificate_has_its_own_words() {
    let private = Authority::root("private");
    let unknown = || {
        let mut extension =
            CustomExtension::from_oid_content(&[1, 2, 3, 4, 5], vec![0x0c, 1, b'x']);
        extension.set_criticality(true);
        extension
    };
    type Fault = fn(&mut CertificateParams);
    let faults: [(Fault, &str); 2] = [
        (|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), "it is that of a CA"),
        (
            |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "it is not for servers",
        ),
    ];
    for (differs, words) in faults {
        let leaf = private.leaf_that(&DEDICATED_NAMES, differs);
        let result = fetch_from(DEDICATED, leaf, |config| config.private_ca = ca(&private)).await;
        assert_certificate_problem(result, words);
    }
    let leaf = private.leaf_that(&DEDICATED_NAMES, |leaf| leaf.custom_extensions = vec![unknown()]);
    let result = fetch_from(DEDICATED, leaf, |config| config.private_ca = ca(&private)).await;
    assert_certificate_problem(result, "a critical extension that is not known here");
}

#[tokio::test]
async fn an_intermediate_is_enough_for_a_dedicated_gateway() {
    let private = Authority::root("private root").intermediate("private");
    for leaf in [private.leaf(&DEDICATED_NAMES), private.leaf_with_chain(&DEDICATED_NAMES)] {
        let result = fetch_from(DEDICATED, leaf, |config| config.private_ca = ca(&private)).await;
        assert_eq!(result.unwrap().value.expose(), b"x");
    }
}

#[tokio::test]
async fn a_chain_longer_than_any_real_one_is_not_looked_at() {
    let private = Authority::root("private root").intermediate("private");
    let fetch = async |more| {
        let leaf = private.leaf_with_more(&DEDICATED_NAMES, more);
        fetch_from(DEDICATED, leaf, |config| config.private_ca = ca(&private)).await
    };
    assert_eq!(fetch(7).await.unwrap().value.expose(), b"x");
    assert_certificate_problem(fetch(8).await, "too many others come with it");
}

#[tokio::test]
async fn the_private_ca_is_not_trusted_for_public_hosts() {
    let private = Authority::root("private");
    let result = fetch_from(KMS, private.leaf(&PUBLIC_NAMES), |config| {
        config.private_ca = ca(&private);
    })
    .await;
    assert_certificate_problem(result, "its issuer is not trusted");
}

#[tokio::test]
async fn a_dedicated_gateway_is_trusted_by_the_private_ca_alone() {
    let (private, other) = (Authority::root("private"), Authority::root("other"));
    let result = fetch_from(DEDICATED, other.leaf(&DEDICATED_NAMES), |config| {
        config.private_ca = ca(&private);
        config.extra_ca = config.extra_ca.take().map(|pem| [pem, ca(&other).unwrap()].concat());
    })
    .await;
    assert_certificate_problem(result, "its issuer is not trusted");
}

#[tokio::test]
async fn a_dedicated_gateway_without_a_private_ca_is_an_error_of_its_own() {
    let other = Authority::root("other");
    let result = fetch_from(DEDICATED, other.leaf(&DEDICATED_NAMES), |config| {
        config.extra_ca = config.extra_ca.take().map(|pem| [pem, ca(&other).unwrap()].concat());
    })
    .await;
    assert_certificate_problem(result, "no CA is configured for this dedicated gateway");
}

#[tokio::test]
async fn an_endpoint_that_is_no_host_name_is_refused_before_anything_is_sent() {
    for host in ["127.0.0.1", "kms.example:444", "kms.example/x", "a@kms.example", ""] {
        let other = Authority::root("other");
        let error = fetch_from(host, other.leaf(&PUBLIC_NAMES), |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("not a plain host name"), "{error}");
        assert_eq!(error.failure(), Failure::Refused);
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_may_open() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let session = session(Transport::new(config(&Authority::root("x"), address)).unwrap(), quick());
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(500);
    let error = session.fetch(&secret("db"), deadline).await.unwrap_err();
    assert_eq!((error.failure(), error.is_retriable()), (Failure::Unreachable, true));
    assert!(error.to_string().contains("could not connect: connection refused"), "{error}");
    assert!(error.attempts() > 1);
}

#[test]
fn a_ca_that_is_none_is_refused_at_once() {
    let with = |private_ca: Option<&str>, extra_ca: Option<&str>| {
        Transport::new(TransportConfig {
            private_ca: private_ca.map(|pem| pem.as_bytes().to_vec()),
            extra_ca: extra_ca.map(|pem| pem.as_bytes().to_vec()),
            ..TransportConfig::default()
        })
        .err()
        .unwrap()
    };
    let roots = |error: TransportError| match error {
        TransportError::Roots(roots) => roots,
        TransportError::Proxy(_) => panic!("there is no proxy"),
    };
    assert!(matches!(roots(with(Some(""), None)), RootsError::NoCertificate("private")));
    assert!(matches!(roots(with(None, Some("no pem"))), RootsError::NoCertificate("extra")));
    let broken = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let error = with(Some(broken), None);
    assert_eq!(error.to_string(), "certificate 1 of the private CA cannot be used");
}
