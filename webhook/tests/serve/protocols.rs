//! What is spoken, and what the metrics say about them.

use tokio::task::JoinSet;
use webhook::serve::server::Limits;

use crate::harness::{Lab, http1_over, review, text};

/// A client that could speak HTTP/2 speaks HTTP/1.1, and one that speaks nothing else is turned away.
#[tokio::test]
async fn http1_alone_is_spoken() {
    let lab = Lab::start(Limits::default()).await;
    let stream = lab.tls().await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut sender = http1_over(stream).await;
    for body in ["{\"a\":1}", "[]", "x"] {
        let answer = sender.send_request(review(body)).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(text(answer).await.1, body);
    }
    let admissions = "secrets_webhook_admissions_total{outcome=\"unchanged\"}";
    assert_eq!(lab.count(admissions), 3);
    assert_eq!(lab.count("secrets_webhook_admission_seconds_count"), 3);
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let answer = lab.raw(preface.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{answer:?}");
    assert_eq!(lab.count(admissions), 3);
}

#[tokio::test]
async fn requests_at_once_are_all_answered() {
    let lab = Lab::start(Limits::default()).await;
    let mut requests = JoinSet::new();
    for number in 0..30 {
        let mut sender = lab.http1().await;
        requests.spawn(async move {
            let body = format!("{{\"number\":{number}}}");
            let answer = text(sender.send_request(review(&body)).await.unwrap()).await;
            assert_eq!((answer.0.as_u16(), answer.1), (200, body));
        });
    }
    while let Some(done) = requests.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn metrics_have_a_name_a_version_and_an_end() {
    let lab = Lab::start(Limits::default()).await;
    let text = lab.metrics.text().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(text.contains(&format!("secrets_webhook_build_info{{version=\"{version}\"}} 1")));
    assert!(text.ends_with("# EOF\n"));
}
