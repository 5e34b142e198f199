//! Many more connections than there are places.

use std::time::Duration;

use tokio::net::TcpStream;
use webhook::serve::server::Limits;

use crate::harness::{Lab, connect_from, http1_over, review, text};
use crate::process::Webhook;

fn few(connections: usize) -> Limits {
    let long = Duration::from_secs(60);
    Limits { connections, handshake: long, head: long, idle: long, ..Limits::default() }
}

#[tokio::test]
async fn idle_connections_make_room_and_the_one_that_works_stays() {
    let lab = Lab::start(few(16)).await;
    let mut api_server = http1_over(lab.tls_of_another().await).await;
    assert_eq!(text(api_server.send_request(review("0")).await.unwrap()).await.1, "0");
    let mut idle = Vec::new();
    for number in 0..400 {
        // One too many may end before its client knows that it began.
        idle.push(TcpStream::connect(lab.address).await);
        if number % 80 == 0 {
            // Through with its handshake, then silent.
            drop(lab.tls_of_another().await);
            let body = number.to_string();
            let answer = api_server.send_request(review(&body)).await.unwrap();
            assert_eq!(text(answer).await.1, body);
            let mut another = http1_over(lab.tls_of_another().await).await;
            let answer = another.send_request(review(&body)).await.unwrap();
            assert_eq!(text(answer).await.1, body);
        }
        assert!(lab.count("secrets_webhook_connections") <= 16);
    }
    let closed =
        |why| lab.count(&format!("secrets_webhook_closed_connections_total{{reason={why}}}"));
    let (displaced, refused) = (closed("\"displaced\""), closed("\"refused\""));
    // All others are in place, or wait.
    assert!(displaced + refused >= 240, "{displaced} displaced, {refused} refused");
}

#[tokio::test]
async fn thousands_of_idle_connections_cost_bounded_memory_and_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let more = ["--write-ca=ca.pem", "--max-connections=256"];
    let webhook = Webhook::start(directory, &more).await;
    let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
    let mut api_server = http1_over(connect_from(2, webhook.listen, &ca).await.unwrap()).await;
    api_server.send_request(review("{}")).await.unwrap();
    let before = webhook.resident();
    let mut idle = Vec::new();
    for number in 0..2_000 {
        idle.push(TcpStream::connect(webhook.listen).await);
        if number % 100 == 0 {
            api_server.send_request(review("{}")).await.unwrap();
            assert!(webhook.get("/healthz").await.is_some());
        }
    }
    assert!(webhook.metric("secrets_webhook_connections").await <= 256);
    let grown = webhook.resident().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB more");
}

#[tokio::test]
async fn few_file_descriptors_mean_fewer_connections_and_no_failed_request() {
    let directory = tempfile::tempdir().unwrap();
    let webhook = Webhook::start_with_descriptors(320, directory, &["--write-ca=ca.pem"]).await;
    let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
    let mut idle = Vec::new();
    for number in 0..300 {
        idle.push(TcpStream::connect(webhook.listen).await);
        if number % 60 == 0 {
            let stream = connect_from(2, webhook.listen, &ca).await.unwrap();
            http1_over(stream).await.send_request(review("{}")).await.unwrap();
            assert!(webhook.metric("secrets_webhook_connections").await <= 32);
        }
    }
    assert!(webhook.log().contains("for want of descriptors"), "{}", webhook.log());
}
