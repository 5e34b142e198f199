//! Large reviews take turns; nobody else waits for them.

use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use webhook::serve::server::{Limits, Phase};
use webhook::settings::Settings;
use webhook::wire::reply::{Outcome, Reply};

use crate::gate::{Gate, answer, lab, large, ok, patient, post};
use crate::harness::{PATIENCE, connect, http1_over, review, text, until};

const WAITING: &str = "secrets_webhook_waiting_reviews";

#[tokio::test]
async fn small_reviews_are_answered_while_a_large_one_is_decided() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), patient()).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let mut one = lab.http1().await;
    assert_eq!(text(one.send_request(review("a")).await.unwrap()).await.1, "a");
    assert_eq!(answer(post(lab.http1().await, "b")).await, ok("b"));
    assert!(!GATE.gave_up(), "they waited for the large one");
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
}

/// With one core for both, nobody's ordinary Pod waits for the end of somebody's large one.
#[tokio::test]
async fn a_large_review_is_decided_behind_what_else_the_server_does() {
    fn says_how_far_back(_: &[u8], _: &Settings) -> Reply {
        let nice = rustix::process::getpriority_process(None).unwrap();
        Reply {
            status: 200,
            body: nice.to_string().into_bytes(),
            outcome: Outcome::Unchanged,
            about: None,
            reason: None,
        }
    }
    let lab = lab(says_how_far_back, patient()).await;
    let (_, ordinary) = answer(post(lab.http1().await, "a")).await;
    assert_eq!(answer(post(lab.http1().await, &large('b'))).await, ok("19"));
    assert_eq!(answer(post(lab.http1().await, "c")).await, ok(&ordinary));
}

#[tokio::test]
async fn large_reviews_are_decided_one_after_the_other_and_all_answered() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), patient()).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let mut others = Vec::new();
    for letter in "abcdefgh".chars() {
        others.push((letter, post(lab.http1().await, &large(letter))));
    }
    lab.until(WAITING, 8).await;
    assert_eq!(GATE.seen(), "H");
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    for (letter, posted) in others {
        assert_eq!(answer(posted).await, ok(&letter.to_string()));
    }
    assert_eq!(lab.count(WAITING), 0);
}

#[tokio::test]
async fn a_review_is_never_decided_for_a_caller_who_left_before_its_turn() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), patient()).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;

    let nobody_waits = async || lab.count(WAITING) == 0;
    // A connection that is closed.
    let mut stream = lab.tls().await;
    let body = large('1');
    let head = format!(
        "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    lab.until(WAITING, 1).await;
    drop(stream);
    until("the closed connection to be noticed", nobody_waits).await;

    // One that is shut down.
    let stream = connect(lab.address, &lab.ca).await.unwrap();
    let socket = stream.get_ref().0.as_fd().try_clone_to_owned().unwrap();
    let posted = post(http1_over(stream).await, &large('2'));
    lab.until(WAITING, 1).await;
    std::net::TcpStream::from(socket).shutdown(Shutdown::Both).unwrap();
    until("the lost connection to be noticed", nobody_waits).await;
    posted.abort();

    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!(answer(post(lab.http1().await, &large('x'))).await, ok("x"));
    assert_eq!(GATE.seen(), "Hx");
}

#[tokio::test]
async fn those_who_wait_for_a_turn_are_bounded_in_number() {
    static GATE: Gate = Gate::closed();
    let limits = Limits { waiting: 1, ..patient() };
    let lab = lab(|body, _| GATE.decide(body), limits).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let waits = post(lab.http1().await, &large('w'));
    lab.until(WAITING, 1).await;
    let (status, said) = answer(post(lab.http1().await, &large('x'))).await;
    assert_eq!((status, said.as_str()), (503, "too many reviews at once, try again\n"));
    assert_eq!(lab.count("secrets_webhook_rejected_requests_total{reason=\"busy\"}"), 1);
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!(answer(waits).await, ok("w"));
    assert_eq!(GATE.seen(), "Hw");
}

#[tokio::test]
async fn a_turn_that_does_not_come_in_time_is_refused() {
    static GATE: Gate = Gate::closed();
    let limits = Limits { body: Duration::from_millis(500), ..patient() };
    let lab = lab(|body, _| GATE.decide(body), limits).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    assert_eq!(answer(post(lab.http1().await, &large('w'))).await.0, 503);
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!(GATE.seen(), "H");
}

#[tokio::test]
async fn what_waits_for_a_turn_as_the_server_stops_is_answered() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), patient()).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let waits = post(lab.http1().await, &large('w'));
    lab.until(WAITING, 1).await;
    lab.phase.send_replace(Phase::Stopping);
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!(answer(waits).await, ok("w"));
    tokio::time::timeout(PATIENCE, lab.server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_decision_that_fails_is_answered_so_and_the_next_one_is_made() {
    fn decide(body: &[u8], _: &Settings) -> Reply {
        assert_ne!(body[0], b'!', "as the test wants it");
        Gate::closed().decide(body)
    }
    let lab = lab(decide, patient()).await;
    let (status, said) = answer(post(lab.http1().await, &large('!'))).await;
    assert_eq!(status, 500);
    assert!(said.starts_with("the review could not be decided"), "{said}");
    assert_eq!(lab.count("secrets_webhook_rejected_requests_total{reason=\"failed\"}"), 1);
    assert_eq!(lab.count("secrets_webhook_held_bytes"), 0);
    assert_eq!(answer(post(lab.http1().await, &large('x'))).await, ok("x"));
}

#[tokio::test]
async fn one_clients_large_reviews_leave_turns_to_another() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), patient()).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let mut waits = Vec::new();
    for (letter, waiting) in [('a', 1), ('b', 2)] {
        waits.push((letter, post(lab.http1().await, &large(letter))));
        lab.until(WAITING, waiting).await;
    }
    let another = http1_over(lab.tls_of_another().await).await;
    waits.push(('x', post(another, &large('x'))));
    lab.until(WAITING, 3).await;
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    for (letter, posted) in waits {
        assert_eq!(answer(posted).await, ok(&letter.to_string()));
    }
    assert_eq!(GATE.seen(), "Haxb", "the other one waits for one review, not for all");
}

#[tokio::test]
async fn requests_that_are_sent_ahead_of_their_answers_are_decided_between_those_of_others() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), patient()).await;
    // The most that is decided in one round.
    let size = 32 * 1024;
    let request = |letter: char| {
        format!(
            "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {size}\r\n\r\n{letter}{}",
            " ".repeat(size - 1)
        )
    };
    let mut crowd = Vec::new();
    for _ in 0..8 {
        crowd.push(lab.tls().await);
    }
    let mut other = lab.tls_of_another().await;
    for stream in &mut crowd {
        stream.write_all(request('c').repeat(8).as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
    other.write_all(request('x').as_bytes()).await.unwrap();
    other.flush().await.unwrap();
    let mut line = [0; 12];
    other.read_exact(&mut line).await.unwrap();
    let seen = GATE.seen();
    assert!(seen.find('x').unwrap() < 16, "{seen}");
}
