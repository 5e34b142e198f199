//! How it ends: nothing that was sent is lost.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;
use tokio::time::Instant;
use webhook::serve::drain;
use webhook::serve::server::{Limits, Phase};

use crate::harness::{Lab, PATIENCE, connect, http1_over, read_to_end, review, text, until};
use crate::process::Webhook;

const HEAD: &[u8] = b"POST /mutate HTTP/1.1\r\nhost: localhost\r\n\
    content-type: application/json\r\ncontent-length: 2\r\n\r\n";

#[tokio::test]
async fn requests_under_way_at_sigterm_are_all_answered() {
    let directory = tempfile::tempdir().unwrap();
    let mut webhook = Webhook::start(directory, &["--write-ca=ca.pem", "--drain-seconds=1"]).await;
    assert_eq!(webhook.get("/healthz").await, Some((200, "ok\n".into())));
    assert_eq!(webhook.get("/readyz").await, Some((200, "ready\n".into())));
    let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
    let mut under_way = Vec::new();
    for _ in 0..16 {
        let mut stream = connect(webhook.listen, &ca).await.unwrap();
        stream.write_all(HEAD).await.unwrap();
        under_way.push(stream);
    }
    webhook.signal(Signal::TERM);
    let not_ready = Some((503, "not ready: draining\n".to_owned()));
    until("readiness to go", async || webhook.get("/readyz").await == not_ready).await;
    assert_eq!(webhook.get("/healthz").await, Some((200, "ok\n".into())));
    // A new connection is still served: endpoints follow later than the signal.
    let mut late = connect(webhook.listen, &ca).await.unwrap();
    late.write_all(HEAD).await.unwrap();
    under_way.push(late);
    for (number, stream) in under_way.iter_mut().enumerate() {
        if number == 8 {
            until("the socket to close", async || {
                tokio::net::TcpStream::connect(webhook.listen).await.is_err()
            })
            .await;
        }
        stream.write_all(b"{}").await.unwrap();
        let answer = read_to_end(stream).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{number}: {answer:?}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{number}: {answer:?}");
    }
    assert_eq!(webhook.exit_code().await, Some(0));
    assert!(webhook.log().contains("\"message\":\"stopped\""), "{}", webhook.log());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut webhook =
        Webhook::start(directory, &["--write-ca=ca.pem", "--drain-seconds=600"]).await;
    let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
    let mut stream = connect(webhook.listen, &ca).await.unwrap();
    stream.write_all(HEAD).await.unwrap();
    webhook.signal(Signal::INT);
    until("the drain", async || webhook.log().contains("draining")).await;
    webhook.signal(Signal::INT);
    assert_eq!(webhook.exit_code().await, Some(0));
    assert!(webhook.log().contains("second signal"), "{}", webhook.log());
}

#[tokio::test]
async fn without_drain_it_ends_as_soon_as_nothing_is_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let mut webhook = Webhook::start(directory, &["--write-ca=ca.pem", "--drain-seconds=0"]).await;
    let ca = std::fs::read_to_string(webhook.path("ca.pem")).unwrap();
    let mut sender = http1_over(connect(webhook.listen, &ca).await.unwrap()).await;
    sender.send_request(review("{}")).await.unwrap();
    webhook.signal(Signal::TERM);
    assert_eq!(webhook.exit_code().await, Some(0));
    assert!(webhook.log().contains("\"message\":\"stopped\""), "{}", webhook.log());
}

#[tokio::test]
async fn a_request_sent_on_an_idle_connection_as_it_stops_is_answered() {
    let lab = Lab::start(Limits::default()).await;
    let mut kept = Vec::new();
    for _ in 0..8 {
        let mut sender = lab.http1().await;
        assert_eq!(text(sender.send_request(review("a")).await.unwrap()).await.1, "a");
        kept.push(sender);
    }
    lab.phase.send_replace(Phase::Stopping);
    for mut sender in kept {
        let answer = sender.send_request(review("b")).await.unwrap();
        assert_eq!(answer.headers()["connection"], "close");
        assert_eq!(text(answer).await.1, "b");
    }
    tokio::time::timeout(PATIENCE, lab.server).await.unwrap().unwrap();
}

#[tokio::test]
async fn load_sees_no_error_while_it_drains() {
    let lab = Lab::start(Limits::default()).await;
    let mut one = lab.http1().await;
    for number in 0..100 {
        if number == 50 {
            lab.phase.send_replace(Phase::Draining);
        }
        // A client goes on with a new connection when it was asked to leave the old one.
        if one.ready().await.is_err() {
            one = lab.http1().await;
        }
        let answer = one.send_request(review("x")).await.unwrap();
        assert_eq!(answer.headers().contains_key("connection"), number >= 50);
        assert_eq!(text(answer).await.1, "x");
    }
    lab.phase.send_replace(Phase::Stopping);
    drop(one);
    tokio::time::timeout(PATIENCE, lab.server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_comes_while_it_drains_is_told_of() {
    let lab = Lab::start(Limits::default()).await;
    let mut one = lab.http1().await;
    one.send_request(review("a")).await.unwrap();
    lab.phase.send_replace(Phase::Draining);
    let mut told = pin!(lab.late.notified());
    assert!(futures_util::poll!(&mut told).is_pending(), "one of before counts");
    let mut late = lab.http1().await;
    late.send_request(review("b")).await.unwrap();
    tokio::time::timeout(PATIENCE, told).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_drain_goes_on_while_calls_come_and_never_thrice_as_long() {
    for (calls, halves_of_a_second) in
        [(0, 10), (1, 10), (8, 10), (9, 11), (20, 22), (28, 30), (90, 30)]
    {
        assert_eq!(drain(calls).await, halves_of_a_second * HALF, "{calls} calls");
    }
}

/// How long a drain of at least five seconds takes with a call after each half of a second.
async fn drain(calls: u32) -> Duration {
    let late = Arc::new(Notify::new());
    let caller = Arc::clone(&late);
    let caller = tokio::spawn(async move {
        for _ in 0..calls {
            tokio::time::sleep(HALF).await;
            caller.notify_one();
        }
    });
    let began = Instant::now();
    drain::until_nobody_calls(10 * HALF, &late).await;
    caller.abort();
    began.elapsed()
}

const HALF: Duration = Duration::from_millis(500);

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let linger = Duration::from_millis(50);
    let lab = Lab::start(Limits { linger, ..Limits::default() }).await;
    let mut one = lab.http1().await;
    one.send_request(review("a")).await.unwrap();
    let _silent = lab.tls().await;
    lab.phase.send_replace(Phase::Stopping);
    tokio::time::timeout(PATIENCE, lab.server).await.unwrap().unwrap();
}
