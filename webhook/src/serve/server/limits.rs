//! How much of everything a client may take.

use std::time::Duration;

/// Bounds on connections and requests. `Default` is what is shipped.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections. API servers keep as many as they have calls in flight: beyond that
    /// somebody is wasting them. One costs 20 KB before its handshake, 40 KB after it, up to 128 KB
    /// with a head and a message of TLS that do not end, and what the kernel keeps for it.
    pub connections: usize,
    /// Connections that wait for one of those places, and how long. An API server waits for five
    /// seconds. The kernel may have as much for each as for any other; we have nothing.
    pub waiting_connections: usize,
    pub wait: Duration,
    /// From accepting a connection to the end of its TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request head to its last, and from the handshake to the first
    /// request.
    pub head: Duration,
    /// From the head of a request to the end of its body. The API server gives up on a call
    /// after 5 seconds.
    pub body: Duration,
    /// Silence between requests. Clients written in Go drop idle connections after 90 seconds;
    /// the side that sends should be the first to close.
    pub idle: Duration,
    /// Bytes of one body. The API server takes objects of up to 3 MiB.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read or decided, and of answers that are being taken. One
    /// peer, which is an address, has half of them at most.
    pub bodies_bytes: usize,
    /// Large reviews that wait for their turn to be decided, each for a few milliseconds of those
    /// before it. They wait no longer than a body may take to arrive.
    pub waiting: usize,
    /// From the head of an answer to its last byte being taken. An answer has some kilobytes, and
    /// an API server that waits for it takes it at once.
    pub answer: Duration,
    /// How long bytes that were on their way when the server stopped are waited for.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            waiting_connections: 128,
            wait: Duration::from_secs(5),
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(5),
            body: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            body_bytes: 3 * 1024 * 1024,
            bodies_bytes: 32 * 1024 * 1024,
            waiting: 128,
            answer: Duration::from_secs(10),
            linger: Duration::from_millis(250),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class;
    use crate::cluster::{accounts, bounded, classes, reader};
    use crate::serve::ADMIN_CONNECTIONS;
    use crate::serve::server::{RECEIVED, SENT};

    const VALUES: &str =
        include_str!("../../../../charts/alibabacloud-secrets-injector/values.yaml");
    const MEBIBYTE: usize = 1024 * 1024;
    /// The program with its settings.
    const IDLE: usize = 6 * MEBIBYTE;
    /// The client of the API collects an answer in pieces, joins them, and copies that as text: two of
    /// these are there at once, and a third is room for what is made of it.
    const COPIES: usize = 3;
    /// The kernel takes twice what it is asked for, and counts it as ours.
    const BUFFERS: usize = 2 * (SENT + RECEIVED) as usize;
    const CONNECTION: usize = 128 * 1024 + BUFFERS;
    /// Nothing of TLS, and a head.
    const ADMIN_CONNECTION: usize = 32 * 1024 + BUFFERS;
    /// What deciding costs at most with the dearest body there is, one at a time, and with a small one
    /// beside it.
    const DECISIONS: usize = 16_000_000 + 2_000_000;

    #[test]
    fn all_that_the_limits_allow_at_once_fits_into_the_memory_of_the_chart() {
        let (_, rest) = VALUES.split_once("limits: {memory: ").unwrap();
        let (mebibytes, _) = rest.split_once("Mi}").unwrap();
        let chart = mebibytes.parse::<usize>().unwrap() * MEBIBYTE;
        let limits = Limits::default();
        let connections = limits.connections * CONNECTION + limits.waiting_connections * BUFFERS;
        let admin = ADMIN_CONNECTIONS * (ADMIN_CONNECTION + BUFFERS);
        let api = COPIES * (bounded::ONE + reader::AT_ONCE * bounded::CLASS);
        let own = IDLE + accounts::MOST_BYTES + classes::MOST * class::MOST_BYTES + api;
        let all = own + connections + admin + limits.bodies_bytes + DECISIONS;
        assert!(all <= chart, "{all} bytes of {chart}");
    }
}
