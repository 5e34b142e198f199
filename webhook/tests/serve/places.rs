//! Connections that wait for a place.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use webhook::serve::server::Limits;

use crate::gate::{Gate, Posted, answer, lab, large, ok, patient, post};
use crate::harness::{Lab, connect_from, http1_over, tcp_from};

const WAITING: &str = "secrets_webhook_waiting_reviews";
const QUEUED: &str = "secrets_webhook_waiting_connections";
const REFUSED: &str = "secrets_webhook_closed_connections_total{reason=\"refused\"}";
const DISPLACED: &str = "secrets_webhook_closed_connections_total{reason=\"displaced\"}";

#[tokio::test]
async fn a_connection_too_many_waits_and_is_served_before_those_of_who_has_more() {
    static GATE: Gate = Gate::closed();
    let limits = Limits { connections: 2, ..patient() };
    let lab = lab(|body, _| GATE.decide(body), limits).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let waits = post(lab.http1().await, &large('w'));
    lab.until(WAITING, 1).await;
    let own = calls(&lab, 1, 'o');
    lab.until(QUEUED, 1).await;
    let another = calls(&lab, 2, 'a');
    lab.until(QUEUED, 2).await;
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!(answer(waits).await, ok("w"));
    assert_eq!((answer(own).await, answer(another).await), (ok("o"), ok("a")));
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
    let another = calls(&lab, 2, 'a');
    lab.until(QUEUED, 1).await;
    assert_eq!(answer(another).await, ok("a"));
    drop(silent);
}

#[tokio::test]
async fn a_free_place_is_for_who_has_spoken_before_who_is_silent() {
    static GATE: Gate = Gate::closed();
    let lab = lab(|body, _| GATE.decide(body), Limits { connections: 1, ..patient() }).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let silent = tcp_from(3, lab.address).await.unwrap();
    lab.until(QUEUED, 1).await;
    let caller = calls(&lab, 2, 'a');
    lab.until(QUEUED, 2).await;
    pass(SILENT).await;
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!(answer(caller).await, ok("a"));
    assert_eq!(lab.count(DISPLACED), 0, "the silent one had the place and was displaced");
    drop(silent);
}

#[tokio::test]
async fn where_too_many_wait_who_is_silent_goes_before_who_has_spoken() {
    static GATE: Gate = Gate::closed();
    let limits = Limits { connections: 1, waiting_connections: 2, ..patient() };
    let lab = lab(|body, _| GATE.decide(body), limits).await;
    let held = post(lab.http1().await, &large('H'));
    GATE.saw("H").await;
    let mut silent = tcp_from(3, lab.address).await.unwrap();
    lab.until(QUEUED, 1).await;
    let caller = calls(&lab, 2, 'a');
    lab.until(QUEUED, 2).await;
    pass(SILENT).await;
    let newcomer = calls(&lab, 4, 'n');
    lab.until(REFUSED, 1).await;
    assert!(silent.read_u8().await.is_err(), "somebody else was refused");
    GATE.open();
    assert_eq!(answer(held).await, ok("H"));
    assert_eq!((answer(caller).await, answer(newcomer).await), (ok("a"), ok("n")));
}

/// A client that means to ask has sent something by then.
const SILENT: Duration = Duration::from_millis(200);

/// Lets the time pass at once, for the server too.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// A call that waits for its place.
fn calls(lab: &Lab, last: u8, letter: char) -> Posted {
    let (address, ca) = (lab.address, lab.ca.clone());
    tokio::spawn(async move {
        let client = http1_over(connect_from(last, address, &ca).await.unwrap()).await;
        answer(post(client, &large(letter))).await
    })
}
