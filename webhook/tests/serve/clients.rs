//! Clients that must show a certificate.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::harness::{Credential, connect_as, http1_over, review, text, until};
use crate::process::Webhook;

/// A CA, as whoever configures API servers has one.
struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn client(&self, name: &str) -> Credential {
        let mut params = named(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let chain = vec![CertificateDer::from(certificate)];
        (chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

struct Server {
    webhook: Webhook,
    ca: String,
}

impl Server {
    async fn start(client_ca: &Ca, more: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("clients.pem"), &client_ca.pem).unwrap();
        let mut args = vec!["--write-ca=ca.pem", "--client-ca=clients.pem"];
        args.extend(more);
        let webhook = Webhook::start(directory, &args).await;
        let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
        Self { webhook, ca }
    }

    /// Whether a client with this certificate gets an answer. With TLS 1.3 a client hears of a refusal
    /// after it has said what it wanted to.
    async fn answers(&self, credential: Option<&Credential>) -> bool {
        let answered = async {
            let stream = connect_as(self.webhook.listen, &self.ca, credential).await.ok()?;
            let mut sender = http1_over(stream).await;
            Some(text(sender.send_request(review("{}")).await.ok()?).await.0)
        };
        // The body is no review: that it is read is what counts.
        answered.await.inspect(|status| assert_eq!(status.as_u16(), 400)).is_some()
    }

    /// As a mounted ConfigMap changes: at once.
    fn exchange(&self, client_ca: &str) {
        let temporary = self.webhook.path("clients.new");
        std::fs::write(&temporary, client_ca).unwrap();
        std::fs::rename(temporary, self.webhook.path("clients.pem")).unwrap();
    }
}

const FAILED: &str = "secrets_webhook_closed_connections_total{reason=\"handshake_failed\"}";

#[tokio::test]
async fn only_a_client_with_a_certificate_of_the_ca_is_answered() {
    let (ca, other) = (Ca::new("clients"), Ca::new("clients"));
    let server = Server::start(&ca, &[]).await;
    assert!(!server.answers(None).await);
    assert_eq!(server.webhook.metric(FAILED).await, 1);
    assert!(!server.answers(Some(&other.client("kube-apiserver"))).await);
    assert_eq!(server.webhook.metric(FAILED).await, 2);
    assert!(server.answers(Some(&ca.client("kube-apiserver"))).await);
    assert!(server.answers(Some(&ca.client("anybody"))).await);
    assert_eq!(server.webhook.metric(FAILED).await, 2);
    // Probes have no certificate and need none.
    assert_eq!(server.webhook.get("/healthz").await, Some((200, "ok\n".to_owned())));
    assert_eq!(server.webhook.get("/readyz").await, Some((200, "ready\n".to_owned())));
}

#[tokio::test]
async fn with_names_only_a_client_of_such_a_name_is_answered() {
    let ca = Ca::new("clients");
    let names = ["--client-name=kube-apiserver", "--client-name=front"];
    let server = Server::start(&ca, &names).await;
    for (name, answered) in [
        ("kube-apiserver", true),
        ("front", true),
        ("system:node:one", false),
        ("kube-apiserver-2", false),
        ("Kube-apiserver", false),
        ("", false),
    ] {
        assert_eq!(server.answers(Some(&ca.client(name))).await, answered, "{name}");
    }
}

#[tokio::test]
async fn a_changed_ca_counts_for_new_connections_and_a_bad_one_does_not() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let server = Server::start(&old, &[]).await;
    let (old_client, new_client) = (old.client("a"), new.client("a"));
    assert!(server.answers(Some(&old_client)).await);
    server.exchange(&new.pem);
    until("the new CA", async || server.answers(Some(&new_client)).await).await;
    assert!(!server.answers(Some(&old_client)).await);
    server.exchange("canary");
    let failures = "secrets_webhook_client_ca_reload_failures_total";
    until("the failure", async || server.webhook.metric(failures).await == 1).await;
    assert_eq!(server.webhook.metric("secrets_webhook_client_ca_stale").await, 1);
    assert!(server.answers(Some(&new_client)).await);
    let log = server.webhook.log();
    assert!(log.contains("no certificate in PEM format in clients.pem"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_chain_longer_than_any_real_one_is_not_looked_at() {
    let ca = Ca::new("clients");
    let server = Server::start(&ca, &[]).await;
    let (own, key) = ca.client("kube-apiserver");
    let other = Ca::new("another");
    let (unneeded, _) = other.client("unneeded");
    for (more, answered) in [(4, true), (5, false)] {
        let chain: Vec<_> =
            own.iter().cloned().chain(unneeded.iter().cloned().cycle().take(more)).collect();
        let credential = (chain, key.clone_key());
        assert_eq!(server.answers(Some(&credential)).await, answered, "{more} more");
    }
}
