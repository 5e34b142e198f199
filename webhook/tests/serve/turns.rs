//! Large reviews take turns; nobody else waits for them.

use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use webhook::serve::mutate::Judge;
use webhook::serve::server::{Limits, Phase};
use webhook::settings::Settings;
use webhook::wire::reply::{Outcome, Reply};

use crate::harness::{Lab, PATIENCE, connect, connect_from, http1_over, review, text, until};

/// Holds up the decision of each review that begins with an `H` until it is opened, and notes with
/// which letters the reviews began that were decided.
struct Gate {
    state: Mutex<State>,
    opened: Condvar,
}

struct State {
    open: bool,
    gave_up: bool,
    seen: String,
}

impl Gate {
    const fn closed() -> Self {
        let state = State { open: false, gave_up: false, seen: String::new() };
        Self { state: Mutex::new(state), opened: Condvar::new() }
    }

    fn decide(&self, body: &[u8]) -> Reply {
        let first = char::from(body[0]);
        let mut state = self.state.lock().unwrap();
        state.seen.push(first);
        if first == 'H' {
            // A server that waits here altogether must fail the test and not hang it.
            let (mut state, timeout) = self
                .opened
                .wait_timeout_while(state, Duration::from_secs(5), |state| !state.open)
                .unwrap();
            state.gave_up |= timeout.timed_out();
        }
        Reply {
            status: 200,
            body: first.to_string().into_bytes(),
            outcome: Outcome::Unchanged,
            about: None,
            reason: None,
        }
    }

    fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.opened.notify_all();
    }

    fn seen(&self) -> String {
        self.state.lock().unwrap().seen.clone()
    }

    fn gave_up(&self) -> bool {
        self.state.lock().unwrap().gave_up
    }

    async fn saw(&self, letters: &str) {
        until(&format!("{letters} to be decided"), async || self.seen() == letters).await;
    }
}

fn patient() -> Limits {
    let long = Duration::from_secs(60);
    Limits { handshake: long, head: long, body: long, idle: long, ..Limits::default() }
}

fn large(letter: char) -> String {
    letter.to_string().repeat(100_000)
}

async fn lab(decide: fn(&[u8], &Settings) -> Reply, limits: Limits) -> Lab {
    Lab::start_with(Judge::Alone(decide), Settings::default(), limits).await
}

type Posted = JoinHandle<(u16, String)>;

fn post(mut sender: http1::SendRequest<Full<Bytes>>, body: &str) -> Posted {
    let request = review(body);
    tokio::spawn(async move {
        let (status, body) = text(sender.send_request(request).await.unwrap()).await;
        (status.as_u16(), body)
    })
}

async fn answer(posted: Posted) -> (u16, String) {
    tokio::time::timeout(PATIENCE, posted).await.unwrap().unwrap()
}

fn ok(letter: &str) -> (u16, String) {
    (200, letter.to_owned())
}

const WAITING: &str = "secrets_webhook_waiting_reviews";
const QUEUED: &str = "secrets_webhook_waiting_connections";
const REFUSED: &str = "secrets_webhook_closed_connections_total{reason=\"refused\"}";

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
async fn a_connection_too_many_waits_and_is_served_before_those_of_who_has_more() {
    static GATE: Gate = Gate::closed();
    let limits = Limits { connections: 2, ..patient() };
    let lab = lab(|body, _| GATE.decide(body), limits).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let waits = post(lab.http1().await, &large('w'));
    lab.until(WAITING, 1).await;
    let (address, ca) = (lab.address, lab.ca.clone());
    let late = |last: u8, letter: char| {
        let ca = ca.clone();
        tokio::spawn(async move {
            let client = http1_over(connect_from(last, address, &ca).await.unwrap()).await;
            answer(post(client, &large(letter))).await
        })
    };
    let own = late(1, 'o');
    lab.until(QUEUED, 1).await;
    let another = late(2, 'a');
    lab.until(QUEUED, 2).await;
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!(answer(waits).await, ok("w"));
    assert_eq!((own.await.unwrap(), another.await.unwrap()), (ok("o"), ok("a")));
    assert_eq!(lab.count(REFUSED), 0);
    let seen = GATE.seen();
    assert!(seen.find('a') < seen.find('o'), "{seen}");
}

#[tokio::test]
async fn those_who_wait_for_a_place_are_bounded_in_number_and_time() {
    static GATE: Gate = Gate::closed();
    let wait = Duration::from_secs(1);
    let limits = Limits { connections: 1, waiting_connections: 2, wait, ..patient() };
    let lab = lab(|body, _| GATE.decide(body), limits).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let (address, ca) = (lab.address, lab.ca.clone());
    let late = |last: u8| {
        let ca = ca.clone();
        tokio::spawn(async move { connect_from(last, address, &ca).await.is_ok() })
    };
    let first = late(1);
    lab.until(QUEUED, 1).await;
    let second = late(1);
    lab.until(QUEUED, 2).await;
    let other = late(2);
    lab.until(REFUSED, 1).await;
    assert!(!second.await.unwrap(), "who has most of them has one less");
    lab.until(REFUSED, 3).await;
    assert!(!first.await.unwrap() && !other.await.unwrap());
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
}

#[tokio::test]
async fn a_new_connection_has_a_second_to_ask_whoever_wants_its_place() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), Limits { connections: 2, ..patient() }).await;
    let silent = [lab.tls_from(3).await, lab.tls_from(4).await];
    let (address, ca) = (lab.address, lab.ca.clone());
    let another = tokio::spawn(async move {
        let client = http1_over(connect_from(2, address, &ca).await.unwrap()).await;
        answer(post(client, &large('a'))).await
    });
    lab.until(QUEUED, 1).await;
    assert_eq!(another.await.unwrap(), ok("a"));
    drop(silent);
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
