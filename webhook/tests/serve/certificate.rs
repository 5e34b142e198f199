//! Certificate files that change under a running server.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::harness::{connect, http1_over, review, until};
use crate::process::Webhook;

fn issue() -> certs::Issued {
    let day = Duration::from_secs(24 * 60 * 60);
    certs::issue(&["localhost".to_owned()], SystemTime::now(), day).unwrap()
}

fn write(directory: &Path, cert: &certs::Issued, key: &certs::Issued) {
    std::fs::write(directory.join("tls.crt"), &cert.cert_pem).unwrap();
    std::fs::write(directory.join("tls.key"), key.key.pem()).unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_served_without_one_failed_request() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (issue(), issue());
    write(directory.path(), &old, &old);
    let webhook = Webhook::start(directory, &["--tls-cert=tls.crt", "--tls-key=tls.key"]).await;
    let kept = connect(webhook.listen, &old.ca_pem).await.unwrap();
    let mut kept = http1_over(kept).await;
    write(webhook.directory.path(), &new, &new);
    let deadline = tokio::time::Instant::now() + crate::harness::PATIENCE;
    loop {
        kept.send_request(review("{}")).await.unwrap();
        // Old and new CA overlap, as in a caBundle: each new connection must verify by one.
        let old_one = connect(webhook.listen, &old.ca_pem).await;
        let stream = match old_one {
            Ok(stream) => stream,
            Err(_) => connect(webhook.listen, &new.ca_pem).await.unwrap(),
        };
        http1_over(stream).await.send_request(review("{}")).await.unwrap();
        if connect(webhook.listen, &new.ca_pem).await.is_ok() {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "still the old one");
    }
    assert!(connect(webhook.listen, &old.ca_pem).await.is_err());
    kept.send_request(review("{}")).await.unwrap();
    let seconds = new.not_after.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(webhook.metric("secrets_webhook_certificate_not_after").await, seconds);
    assert_eq!(webhook.metric("secrets_webhook_certificate_reload_failures_total").await, 0);
}

#[tokio::test]
async fn a_pair_that_does_not_match_keeps_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (issue(), issue());
    write(directory.path(), &old, &old);
    let webhook = Webhook::start(directory, &["--tls-cert=tls.crt", "--tls-key=tls.key"]).await;
    // Half of a rotation.
    write(webhook.directory.path(), &new, &old);
    let failures = "secrets_webhook_certificate_reload_failures_total";
    until("the failure", async || webhook.metric(failures).await == 1).await;
    assert_eq!(webhook.metric("secrets_webhook_certificate_stale").await, 1);
    connect(webhook.listen, &old.ca_pem).await.unwrap();
    assert!(webhook.log().contains("does not belong to"), "{}", webhook.log());
    // The other half.
    write(webhook.directory.path(), &new, &new);
    until("the new one", async || webhook.metric("secrets_webhook_certificate_stale").await == 0)
        .await;
    connect(webhook.listen, &new.ca_pem).await.unwrap();
    for line in old.key.pem().lines().chain(new.key.pem().lines()).filter(|l| !l.contains('-')) {
        assert!(!webhook.log().contains(line));
    }
    assert_eq!(webhook.metric(failures).await, 1);
}
