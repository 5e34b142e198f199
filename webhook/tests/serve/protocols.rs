//! HTTP/1.1 and HTTP/2, and what the metrics say about them.

use tokio::task::JoinSet;
use webhook::server::Limits;

use crate::harness::{Lab, review, text};

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let lab = Lab::start(Limits::default()).await;
    let mut one = lab.http1().await;
    let mut two = lab.http2().await;
    for body in ["{\"a\":1}", "[]", "x"] {
        let answer = one.send_request(review(body)).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(text(answer).await.1, body);
        assert_eq!(text(two.send_request(review(body)).await.unwrap()).await.1, body);
    }
    let admissions = "secrets_webhook_admissions_total{outcome=\"unchanged\"}";
    assert_eq!(lab.count(admissions), 6);
    assert_eq!(lab.count("secrets_webhook_admission_seconds_count"), 6);
}

#[tokio::test]
async fn a_hundred_requests_at_once_are_all_answered() {
    let lab = Lab::start(Limits::default()).await;
    let sender = lab.http2().await;
    let mut requests = JoinSet::new();
    for number in 0..100 {
        let mut sender = sender.clone();
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
