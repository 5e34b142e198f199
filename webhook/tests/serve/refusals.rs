//! Requests that are no review, and clients that do not finish.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use webhook::serve::server::Limits;

use crate::harness::{Lab, PATIENCE, read_to_end, review, text};

/// Short where the test waits for a deadline, long where it must not meet one.
fn patient() -> Limits {
    let long = Duration::from_secs(60);
    Limits { handshake: long, head: long, body: long, idle: long, ..Limits::default() }
}

const SHORT: Duration = Duration::from_millis(100);

fn head(method: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n\r\n")
        .into_bytes()
}

#[tokio::test]
async fn a_wrong_path_is_not_found() {
    let lab = Lab::start(patient()).await;
    for path in ["/", "/mutate/", "/mutat", "/healthz", "/metrics", "/../mutate"] {
        let answer = lab.raw(&head("POST", path, "content-length: 0")).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
    assert_eq!(lab.count("secrets_webhook_rejected_requests_total{reason=\"path\"}"), 6);
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_the_right_one() {
    let lab = Lab::start(patient()).await;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = lab.raw(&head(method, "/mutate", "content-length: 0")).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{method}: {answer}");
        assert!(answer.contains("\r\nallow: POST\r\n"), "{method}: {answer}");
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let lab = Lab::start(patient()).await;
    for kind in ["text/plain", "application/jsonp", "application/yaml", ""] {
        let headers = format!("content-type: {kind}\r\ncontent-length: 2");
        let mut request = head("POST", "/mutate", &headers);
        request.extend(b"{}");
        let answer = lab.raw(&request).await;
        assert!(answer.starts_with("HTTP/1.1 415 "), "{kind}: {answer}");
    }
    let answer = lab.raw(&head("POST", "/mutate", "content-length: 0")).await;
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    let headers = "content-type: Application/JSON; charset=utf-8\r\ncontent-length: 2";
    let mut request = head("POST", "/mutate", headers);
    request.extend(b"{}");
    assert!(lab.raw(&request).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_empty_body_is_refused() {
    let lab = Lab::start(patient()).await;
    let headers = "content-type: application/json\r\ncontent-length: 0";
    let answer = lab.raw(&head("POST", "/mutate", headers)).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_and_the_answer_arrives() {
    let lab = Lab::start(patient()).await;
    let size = 20 * 1024 * 1024;
    let headers = format!("content-type: application/json\r\ncontent-length: {size}");
    let mut request = head("POST", "/mutate", &headers);
    request.extend(vec![b' '; size]);
    let answer = lab.raw(&request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    assert!(answer.contains("3145728 bytes"), "{answer}");
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_refused_and_the_answer_arrives() {
    let lab = Lab::start(patient()).await;
    let headers = "content-type: application/json\r\ntransfer-encoding: chunked";
    let mut request = head("POST", "/mutate", headers);
    for _ in 0..(4 * 16) {
        request.extend(b"10000\r\n");
        request.extend(vec![b' '; 0x10000]);
        request.extend(b"\r\n");
    }
    let answer = lab.raw(&request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let lab = Lab::start(patient()).await;
    let body = " ".repeat(3 * 1024 * 1024);
    let (status, echoed) = text(lab.http1().await.send_request(review(&body)).await.unwrap()).await;
    assert_eq!((status.as_u16(), echoed.len()), (200, body.len()));
    let more = body + " ";
    let (status, _) = text(lab.http1().await.send_request(review(&more)).await.unwrap()).await;
    assert_eq!(status.as_u16(), 413);
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let lab = Lab::start(Limits { head: SHORT, ..patient() }).await;
    let mut stream = lab.tls().await;
    stream.write_all(b"POST /mutate HTTP/1.1\r\nhost: loc").await.unwrap();
    is_late(&read_to_end(&mut stream).await);
    lab.until("secrets_webhook_closed_connections_total{reason=\"header_timeout\"}", 1).await;
    lab.until("secrets_webhook_connections", 0).await;
}

#[tokio::test]
async fn a_slow_head_behind_an_answer_is_cut_off_with_an_answer_of_its_own() {
    let lab = Lab::start(Limits { head: SHORT, ..patient() }).await;
    let mut stream = lab.tls().await;
    let request = b"POST /mutate HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(request).await.unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"{}") {
        first.push(stream.read_u8().await.unwrap());
    }
    assert!(first.starts_with(b"HTTP/1.1 200 "));
    stream.write_all(b"P").await.unwrap();
    is_late(&read_to_end(&mut stream).await);
}

/// One answer, complete, and nothing behind it.
fn is_late(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer:?}");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", text.len())), "{answer:?}");
    assert_eq!(text, "the head of the request did not arrive in time\n");
}

#[tokio::test]
async fn a_slow_body_is_answered_and_cut_off() {
    let lab = Lab::start(Limits { body: SHORT, ..patient() }).await;
    let headers = "content-type: application/json\r\ncontent-length: 100";
    let mut stream = lab.tls().await;
    let mut request = head("POST", "/mutate", headers);
    request.extend(b"{\"kind\":");
    stream.write_all(&request).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_handshake_that_says_nothing_is_cut_off() {
    let lab = Lab::start(Limits { handshake: SHORT, ..patient() }).await;
    let mut stream = TcpStream::connect(lab.address).await.unwrap();
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    assert_eq!((read.unwrap_or(0), bytes.len()), (0, 0));
    lab.until("secrets_webhook_closed_connections_total{reason=\"handshake_timeout\"}", 1).await;
}

#[tokio::test]
async fn a_handshake_of_something_else_is_cut_off() {
    let lab = Lab::start(patient()).await;
    let mut stream = TcpStream::connect(lab.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    lab.until("secrets_webhook_closed_connections_total{reason=\"handshake_failed\"}", 1).await;
}

#[tokio::test]
async fn a_handshake_that_is_longer_than_any_is_ended_before_its_deadline() {
    let lab = Lab::start(patient()).await;
    let mut stream = TcpStream::connect(lab.address).await.unwrap();
    // A client's hello that says it has 60,000 bytes, in records of 4,000.
    let mut hello = vec![1, 0, 0xea, 0x60];
    hello.resize(40_000, 0);
    for part in hello.chunks(4_000) {
        let mut record = vec![22, 3, 1];
        record.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
        record.extend(part);
        // It may have been closed by then.
        drop(stream.write_all(&record).await);
    }
    lab.until("secrets_webhook_closed_connections_total{reason=\"handshake_failed\"}", 1).await;
}

/// What has no content meets no other limit, and each record costs as much as one with content.
#[tokio::test]
async fn a_client_whose_records_hold_next_to_nothing_is_cut_off() {
    for renewals in [0, 20] {
        let lab = Lab::start(patient()).await;
        let mut stream = lab.tls().await;
        let request = head("POST", "/mutate", "content-length: 100000");
        stream.write_all(&request).await.unwrap();
        let mut crumbs = 0;
        while crumbs < 5_000 {
            for _ in 0..renewals {
                stream.get_mut().1.refresh_traffic_keys().unwrap();
            }
            let written = stream.write_all(b"x").await;
            if written.is_err() || stream.flush().await.is_err() {
                break;
            }
            crumbs += 1;
        }
        assert!(crumbs < 5_000, "{crumbs} records of a byte and {renewals} of none each");
        lab.until("secrets_webhook_closed_connections_total{reason=\"empty_records\"}", 1).await;
    }
}

#[tokio::test]
async fn a_request_in_many_small_records_is_answered() {
    let lab = Lab::start(patient()).await;
    let mut stream = lab.tls().await;
    let body = vec![b'x'; 40 * 1_000];
    let headers = format!("content-type: application/json\r\ncontent-length: {}", body.len());
    stream.write_all(&head("POST", "/mutate", &headers)).await.unwrap();
    for part in body.chunks(40) {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
    }
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_soon() {
    let lab = Lab::start(Limits { head: SHORT, ..patient() }).await;
    assert_eq!(read_to_end(&mut lab.tls().await).await, "");
}

#[tokio::test]
async fn a_connection_that_served_is_closed_after_the_idle_time_only() {
    let lab = Lab::start(Limits { idle: SHORT, ..patient() }).await;
    let mut one = lab.http1().await;
    assert_eq!(text(one.send_request(review("1")).await.unwrap()).await.1, "1");
    lab.until("secrets_webhook_closed_connections_total{reason=\"idle\"}", 1).await;
    lab.until("secrets_webhook_connections", 0).await;
}

#[tokio::test]
async fn slow_heads_and_bodies_do_not_touch_other_requests() {
    let lab = Lab::start(patient()).await;
    let mut held = Vec::new();
    for number in 0..100 {
        let mut stream = lab.tls().await;
        let headers = "content-type: application/json\r\ncontent-length: 100";
        let request = head("POST", "/mutate", headers);
        let part = if number % 2 == 0 { &request[..20] } else { &request[..] };
        stream.write_all(part).await.unwrap();
        held.push(stream);
    }
    let mut sender = lab.http1().await;
    for number in 0..100 {
        let body = number.to_string();
        assert_eq!(text(sender.send_request(review(&body)).await.unwrap()).await.1, body);
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let lab = Lab::start(patient()).await;
    let headers = format!("x-long: {}", "x".repeat(100_000));
    let answer = lab.raw(&head("POST", "/mutate", &headers)).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
}

/// What has arrived of a head is memory on nobody's account.
#[tokio::test]
async fn a_head_is_refused_before_it_takes_more_than_a_few_kilobytes() {
    let lab = Lab::start(patient()).await;
    let headers = format!("x-long: {}\r\ncontent-length: 0", "x".repeat(12_000));
    let answer = lab.raw(&head("POST", "/mutate", &headers)).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
}

#[tokio::test]
async fn who_is_refused_before_his_body_is_read_hears_that_the_connection_ends() {
    let lab = Lab::start(Limits { bodies_bytes: 1000, ..patient() }).await;
    for (path, kind, status) in [
        ("/mutat", "application/json", 404),
        ("/mutate", "text/plain", 415),
        ("/mutate", "application/json", 503),
    ] {
        let mut stream = lab.tls().await;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n\
             content-length: 9000\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        // More than there is room for, and not all.
        stream.write_all(&[b' '; 6000]).await.unwrap();
        stream.flush().await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    }
    let mut client = lab.http1().await;
    let answer = client.send_request(review("{}")).await.unwrap();
    assert!(!answer.headers().contains_key("connection"));
}
