//! Many more connections than there are places.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use webhook::server::Limits;

use crate::harness::{Lab, connect, http2_over, read_to_end, review, text};
use crate::process::Webhook;

fn few(connections: usize) -> Limits {
    let long = Duration::from_secs(60);
    Limits { connections, handshake: long, head: long, idle: long, ..Limits::default() }
}

#[tokio::test]
async fn idle_connections_make_room_and_the_one_that_works_stays() {
    let lab = Lab::start(few(16)).await;
    let mut api_server = lab.http2().await;
    assert_eq!(text(api_server.send_request(review("0")).await.unwrap()).await.1, "0");
    let mut idle = Vec::new();
    for number in 0..400 {
        idle.push(TcpStream::connect(lab.address).await.unwrap());
        if number % 10 == 0 {
            // Through with its handshake, then silent.
            drop(connect(lab.address, &lab.ca, b"http/1.1").await.unwrap());
            let body = number.to_string();
            let answer = api_server.send_request(review(&body)).await.unwrap();
            assert_eq!(text(answer).await.1, body);
            let mut another = lab.http1().await;
            let answer = another.send_request(review(&body)).await.unwrap();
            assert_eq!(text(answer).await.1, body);
        }
        assert!(lab.count("secrets_webhook_connections") <= 16);
    }
    assert!(lab.count("secrets_webhook_closed_connections_total{reason=\"displaced\"}") >= 300);
    assert_eq!(lab.count("secrets_webhook_closed_connections_total{reason=\"refused\"}"), 0);
}

#[tokio::test]
async fn a_connection_too_many_is_refused_when_all_others_work() {
    let lab = Lab::start(few(2)).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = lab.tls().await;
        let head = b"POST /mutate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
            expect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
        stream.write_all(head).await.unwrap();
        // Until its head has been read it looks idle, and a newcomer would take its place.
        let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
        let expected = go_on;
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(go_on, expected);
        busy.push(stream);
    }
    let refused = "secrets_webhook_closed_connections_total{reason=\"refused\"}";
    assert!(connect(lab.address, &lab.ca, b"http/1.1").await.is_err());
    assert_eq!(lab.count(refused), 1);
    for stream in &mut busy {
        stream.write_all(b"{}").await.unwrap();
        let answer = read_to_end(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn thousands_of_idle_connections_cost_bounded_memory_and_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let more = ["--write-ca=ca.pem", "--max-connections=256"];
    let webhook = Webhook::start(directory, &more).await;
    let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
    let mut api_server = http2_over(connect(webhook.listen, &ca, b"h2").await.unwrap()).await;
    api_server.send_request(review("{}")).await.unwrap();
    let before = webhook.resident();
    let mut idle = Vec::new();
    for number in 0..2_000 {
        idle.push(TcpStream::connect(webhook.listen).await.unwrap());
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
    let webhook = Webhook::start_with_descriptors(128, directory, &["--write-ca=ca.pem"]).await;
    let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
    let mut idle = Vec::new();
    for number in 0..300 {
        idle.push(TcpStream::connect(webhook.listen).await.unwrap());
        if number % 30 == 0 {
            let stream = connect(webhook.listen, &ca, b"h2").await.unwrap();
            http2_over(stream).await.send_request(review("{}")).await.unwrap();
            assert!(webhook.metric("secrets_webhook_connections").await <= 32);
        }
    }
    assert!(webhook.log().contains("for want of descriptors"), "{}", webhook.log());
}
