//! How much of everything a client may take.

use std::time::Duration;

/// Bounds on connections and requests. `Default` is what is shipped.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections. API servers keep one each (HTTP/2), or as many as they have calls in
    /// flight (HTTP/1.1, some hundreds): beyond that somebody is wasting them. An idle one costs
    /// 20 KB before its handshake and 40 KB after, so this many are 40 MB.
    pub connections: usize,
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
    /// Bytes of all bodies that are being read or decided.
    pub bodies_bytes: usize,
    /// Requests that are being read or decided.
    pub requests: usize,
    /// How long bytes that were on their way when the server stopped are waited for.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(5),
            body: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            body_bytes: 3 * 1024 * 1024,
            bodies_bytes: 32 * 1024 * 1024,
            requests: 2048,
            linger: Duration::from_millis(250),
        }
    }
}
