//! Clients that ask and do not take the answer.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use webhook::serve::mutate::Judge;
use webhook::serve::server::Limits;
use webhook::settings::Settings;
use webhook::wire::reply::{Outcome, Reply};

use crate::harness::{Lab, review, text, until};

fn patient() -> Limits {
    let long = Duration::from_secs(60);
    Limits { handshake: long, head: long, body: long, idle: long, ..Limits::default() }
}

fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    );
    (head + body).into_bytes()
}

const HELD: &str = "secrets_webhook_held_bytes";
const ADMISSIONS: &str = "secrets_webhook_admissions_total{outcome=\"unchanged\"}";
const CLOSED: &str = "secrets_webhook_closed_connections_total{reason=\"answer_timeout\"}";

/// The status of an answer whose rest is not read.
async fn status(stream: &mut TlsStream<TcpStream>, body: &str) -> String {
    stream.write_all(&post(body)).await.unwrap();
    stream.flush().await.unwrap();
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.unwrap();
    String::from_utf8_lossy(&line).into_owned()
}

#[tokio::test]
async fn answers_that_nobody_takes_stay_within_the_budget_and_are_given_back() {
    let (body, budget) = ("x".repeat(400_000), 4_000_000);
    let lab = Lab::start(Limits { bodies_bytes: budget, ..patient() }).await;
    let (mut made, mut refused) = (Vec::new(), 0);
    for _ in 0..12 {
        let mut stream = lab.tls_that_keeps_little().await;
        match status(&mut stream, &body).await.as_str() {
            "HTTP/1.1 200" => made.push(stream),
            "HTTP/1.1 503" => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(!made.is_empty() && refused >= 6, "{} made, {refused} refused", made.len());
    assert_eq!(lab.count(HELD), (made.len() * body.len()) as u64);
    // Another client is not served until they are given back.
    drop(made);
    until("the answers to be given back", async || lab.count(HELD) == 0).await;
    let answer = text(lab.http1().await.send_request(review(&body)).await.unwrap()).await;
    assert_eq!((answer.0.as_u16(), answer.1.len()), (200, body.len()));
}

/// The kernel counts what it keeps for our clients as our memory, when we have closed it too.
#[tokio::test]
async fn a_client_that_takes_nothing_leaves_little_in_the_kernel() {
    let limits = Limits { answer: Duration::from_millis(200), ..patient() };
    let lab = Lab::start(limits).await;
    let (mut reader, mut writer) = tokio::io::split(lab.tls_that_keeps_little().await);
    let request = post(&"x".repeat(10_000));
    let asks = tokio::spawn(async move {
        for _ in 0..1000 {
            // It is closed long before.
            let written = writer.write_all(&request).await;
            if written.is_err() || writer.flush().await.is_err() {
                break;
            }
        }
    });
    lab.until(CLOSED, 1).await;
    until("the connection to end", async || lab.count("secrets_webhook_connections") == 0).await;
    asks.await.unwrap();
    let answered = lab.count(ADMISSIONS);
    assert!((1..=20).contains(&answered), "{answered} answers of 10 KB");
    let mut left = Vec::new();
    // However it ends.
    drop(reader.read_to_end(&mut left).await);
    assert!(left.len() < 100_000, "{} bytes", left.len());
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_closed_and_nothing_stays() {
    /// More than the kernel keeps for both sides of a connection.
    fn long(_: &[u8], _: &Settings) -> Reply {
        let body = vec![b'x'; 20_000_000];
        Reply { status: 200, body, outcome: Outcome::Unchanged, about: None, reason: None }
    }
    let limits = Limits { answer: Duration::from_millis(200), bodies_bytes: 64 << 20, ..patient() };
    let lab = Lab::start_with(Judge::Alone(long), Settings::default(), limits).await;
    let mut stream = lab.tls().await;
    stream.write_all(&post("{}")).await.unwrap();
    stream.flush().await.unwrap();
    lab.until(CLOSED, 1).await;
    until("the answer to be given back", async || lab.count(HELD) == 0).await;
    until("the connection to end", async || lab.count("secrets_webhook_connections") == 0).await;
    // What it had not taken by then is not kept for it.
    let end = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
}
