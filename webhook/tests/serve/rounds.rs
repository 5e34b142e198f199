//! Small reviews are decided on the thread of the server, some of each address in a round of it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::runtime::Builder;
use tokio::sync::watch;
use webhook::metrics::Metrics;
use webhook::serve::mutate::{Admit, Judge, router};
use webhook::serve::server::{Phase, Server};
use webhook::settings::Settings;
use webhook::wire::reply::{Outcome, Reply};

use crate::gate::patient;
use crate::harness::{PATIENCE, tcp_from};

/// Rounds that a review goes through behind the one in which it arrives: it is read, gets its share,
/// and is decided.
const ROUNDS: usize = 3;

/// Longer than all reviews of an address may take in a round.
const DEAR: Duration = Duration::from_millis(5);

/// A client whose review arrives while the first one of a crowd at another address is decided.
struct Newcomer(Mutex<State>);

struct State {
    connection: Option<TcpStream>,
    of_the_crowd: usize,
    before: Option<usize>,
}

impl Newcomer {
    const fn new() -> Self {
        Self(Mutex::new(State { connection: None, of_the_crowd: 0, before: None }))
    }

    fn decide(&self, body: &[u8]) -> Reply {
        let mut state = self.0.lock().unwrap();
        if body[0] == b'x' {
            state.before = Some(state.of_the_crowd);
        } else {
            state.of_the_crowd += 1;
            if let Some(mut connection) = state.connection.take() {
                connection.write_all(&request('x', 1)).unwrap();
            }
        }
        let (outcome, body) = (Outcome::Unchanged, vec![body[0]]);
        Reply { status: 200, body, outcome, about: None, reason: None }
    }

    /// How many of the crowd's reviews, of so many bytes each, are decided before the newcomer's. All
    /// have been sent when the server begins, which speaks plain HTTP, so that each is a read away.
    fn waits_for(&self, admit: Admit, crowd: usize, bytes: usize) -> usize {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (settings, metrics) = (ArcSwap::from_pointee(Settings::default()), Metrics::new());
        let metrics = Arc::new(metrics);
        let router =
            router(Judge::Alone(admit), Arc::new(settings), patient(), Arc::clone(&metrics));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any, None, router, patient(), metrics);
        let server = runtime.block_on(server).unwrap();
        let address = server.address().unwrap();
        let connect = |last| {
            let connection = runtime.block_on(tcp_from(last, address)).unwrap();
            let connection = connection.into_std().unwrap();
            connection.set_nonblocking(false).unwrap();
            connection
        };

        let mut newcomer = connect(2);
        self.0.lock().unwrap().connection = Some(newcomer.try_clone().unwrap());
        let crowd: Vec<_> = (0..crowd)
            .map(|_| {
                let mut connection = connect(1);
                connection.write_all(&request('c', bytes)).unwrap();
                connection
            })
            .collect();
        let (phase, phases) = watch::channel(Phase::Serving);
        let server = std::thread::spawn(move || runtime.block_on(server.run(phases)));
        newcomer.set_read_timeout(Some(PATIENCE)).unwrap();
        newcomer.read_exact(&mut [0; 12]).unwrap();
        drop((phase, crowd, newcomer));
        server.join().unwrap();
        self.0.lock().unwrap().before.unwrap()
    }
}

fn request(letter: char, bytes: usize) -> Vec<u8> {
    let body = letter.to_string().repeat(bytes);
    let head = format!(
        "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {bytes}\r\n\r\n"
    );
    (head + &body).into_bytes()
}

#[test]
fn nobody_waits_for_more_than_32_kib_of_another_address_in_a_round() {
    static NEWCOMER: Newcomer = Newcomer::new();
    let of_16_kib = NEWCOMER.waits_for(|body, _| NEWCOMER.decide(body), 32, 16 * 1024);
    assert!(of_16_kib <= ROUNDS * 2, "{of_16_kib}");
}

#[test]
fn the_smallest_reviews_count_as_4_kib_each() {
    static NEWCOMER: Newcomer = Newcomer::new();
    let of_one_byte = NEWCOMER.waits_for(|body, _| NEWCOMER.decide(body), 56, 1);
    assert!(of_one_byte <= ROUNDS * 8, "{of_one_byte}");
}

/// What a small review costs is told by nothing but the clock.
#[test]
fn of_small_reviews_that_take_long_one_is_decided_in_a_round() {
    static NEWCOMER: Newcomer = Newcomer::new();
    let dear = NEWCOMER.waits_for(
        |body, _| {
            let until = Instant::now() + DEAR;
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            NEWCOMER.decide(body)
        },
        56,
        1,
    );
    assert!(dear <= ROUNDS + 1, "{dear}");
}
