//! One client that takes all it can get, and another one.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;
use webhook::serve::server::Limits;

use crate::harness::{Lab, connect_from, http1_over, review, text};

fn patient() -> Limits {
    let long = Duration::from_secs(60);
    Limits { wait: long, handshake: long, head: long, body: long, idle: long, ..Limits::default() }
}

/// A connection whose request waits for its body.
async fn slow(lab: &Lab) -> TlsStream<TcpStream> {
    let mut stream = lab.tls().await;
    let head = b"POST /mutate HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
        content-type: application/json\r\ncontent-length: 2\r\n\r\n";
    stream.write_all(head).await.unwrap();
    // Until then its head may not have been read.
    let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
    stream.read_exact(&mut go_on).await.unwrap();
    stream
}

#[tokio::test]
async fn a_burst_of_one_peer_is_answered_whole() {
    let lab = Lab::start(Limits { connections: 8, ..patient() }).await;
    let mut answers = JoinSet::new();
    for number in 0..100 {
        let (address, ca) = (lab.address, lab.ca.clone());
        answers.spawn(async move {
            let body = number.to_string();
            let mut client = http1_over(connect_from(1, address, &ca).await.unwrap()).await;
            let answer = client.send_request(review(&body)).await.unwrap();
            assert_eq!(text(answer).await.1, body);
        });
    }
    answers.join_all().await;
    assert_eq!(lab.count("secrets_webhook_closed_connections_total{reason=\"refused\"}"), 0);
}

#[tokio::test]
async fn a_peer_that_fills_the_server_with_slow_bodies_keeps_no_other_from_an_answer() {
    let lab = Lab::start(Limits { connections: 16, ..patient() }).await;
    let mut kept = http1_over(lab.tls_of_another().await).await;
    assert_eq!(text(kept.send_request(review("0")).await.unwrap()).await.1, "0");
    let mut held = Vec::new();
    for _ in 0..15 {
        held.push(slow(&lab).await);
    }
    let mut others = Vec::new();
    for _ in 0..6 {
        let mut new = http1_over(lab.tls_of_another().await).await;
        assert_eq!(text(new.send_request(review("1")).await.unwrap()).await.1, "1");
        others.push(new);
    }
    assert_eq!(text(kept.send_request(review("2")).await.unwrap()).await.1, "2");
    assert_eq!(lab.count(DISPLACED), 6);
}

#[tokio::test]
async fn who_has_fewer_gets_in_however_many_addresses_fill_the_server() {
    let lab = Lab::start(Limits { connections: 16, ..patient() }).await;
    let mut held = Vec::new();
    for number in 0..16 {
        // Each has asked, so that none is more dispensable than one that is about to.
        let mut client = http1_over(lab.tls_from(3 + number % 5).await).await;
        client.send_request(review("x")).await.unwrap();
        held.push(client);
    }
    for number in 0..10 {
        let mut probe = http1_over(lab.tls_of_another().await).await;
        let body = number.to_string();
        assert_eq!(text(probe.send_request(review(&body)).await.unwrap()).await.1, body);
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_a_body_makes_room_before_one_that_served() {
    let lab = Lab::start(Limits { connections: 4, ..patient() }).await;
    let mut kept = lab.http1().await;
    assert_eq!(text(kept.send_request(review("0")).await.unwrap()).await.1, "0");
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(slow(&lab).await);
    }
    let mut another = http1_over(lab.tls_of_another().await).await;
    another.send_request(review("1")).await.unwrap();
    assert_eq!(lab.count(DISPLACED), 1);
    assert_eq!(text(kept.send_request(review("2")).await.unwrap()).await.1, "2");
}

const DISPLACED: &str = "secrets_webhook_closed_connections_total{reason=\"displaced\"}";

#[tokio::test]
async fn who_fills_places_and_queue_with_silent_connections_loses_nobody_a_call() {
    let limits = Limits { connections: 4, waiting_connections: 6, ..patient() };
    let lab = Lab::start(limits).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(lab.address).await.unwrap());
    }
    lab.until("secrets_webhook_waiting_connections", 4).await;
    let mut answers = JoinSet::new();
    for number in 0..5 {
        let (address, ca) = (lab.address, lab.ca.clone());
        answers.spawn(async move {
            let body = number.to_string();
            let mut client = http1_over(connect_from(2, address, &ca).await.unwrap()).await;
            let answer = client.send_request(review(&body)).await.unwrap();
            assert_eq!(text(answer).await.1, body);
        });
    }
    answers.join_all().await;
}
