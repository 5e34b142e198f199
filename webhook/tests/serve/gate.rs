//! Decisions that wait until a test lets them go on, and the requests that they are about.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use tokio::task::JoinHandle;
use webhook::serve::mutate::Judge;
use webhook::serve::server::Limits;
use webhook::settings::Settings;
use webhook::wire::reply::{Outcome, Reply};

use crate::harness::{Lab, PATIENCE, review, text, until};

/// Holds up the decision of each review that begins with an `H` until it is opened, and notes with
/// which letters the reviews began that were decided.
pub(crate) struct Gate {
    state: Mutex<State>,
    opened: Condvar,
}

struct State {
    open: bool,
    gave_up: bool,
    seen: String,
}

impl Gate {
    pub(crate) const fn closed() -> Self {
        let state = State { open: false, gave_up: false, seen: String::new() };
        Self { state: Mutex::new(state), opened: Condvar::new() }
    }

    pub(crate) fn decide(&self, body: &[u8]) -> Reply {
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

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.opened.notify_all();
    }

    pub(crate) fn seen(&self) -> String {
        self.state.lock().unwrap().seen.clone()
    }

    pub(crate) fn gave_up(&self) -> bool {
        self.state.lock().unwrap().gave_up
    }

    pub(crate) async fn saw(&self, letters: &str) {
        until(&format!("{letters} to be decided"), async || self.seen() == letters).await;
    }
}

pub(crate) fn patient() -> Limits {
    let long = Duration::from_secs(60);
    Limits { wait: long, handshake: long, head: long, body: long, idle: long, ..Limits::default() }
}

pub(crate) fn large(letter: char) -> String {
    letter.to_string().repeat(100_000)
}

pub(crate) async fn lab(decide: fn(&[u8], &Settings) -> Reply, limits: Limits) -> Lab {
    Lab::start_with(Judge::Alone(decide), Settings::default(), limits).await
}

pub(crate) type Posted = JoinHandle<(u16, String)>;

pub(crate) fn post(mut sender: http1::SendRequest<Full<Bytes>>, body: &str) -> Posted {
    let request = review(body);
    tokio::spawn(async move {
        let (status, body) = text(sender.send_request(request).await.unwrap()).await;
        (status.as_u16(), body)
    })
}

pub(crate) async fn answer(posted: Posted) -> (u16, String) {
    tokio::time::timeout(PATIENCE, posted).await.unwrap().unwrap()
}

pub(crate) fn ok(letter: &str) -> (u16, String) {
    (200, letter.to_owned())
}
