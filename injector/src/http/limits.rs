//! How many connections are served, and for how long.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections that are served; some more are answered that there are too many.
    pub(crate) connections: usize,
    /// How long a new connection may take to ask for something, and any for a head that has begun.
    pub(crate) head: Duration,
    /// How long a connection that asked for something may take to ask again, or to take its answer.
    pub(crate) idle: Duration,
    /// How long an answer may take.
    pub(crate) answer: Duration,
}

impl Limits {
    pub(crate) fn new(connections: usize) -> Self {
        Self {
            connections,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            // The KMS Agent's model has this limit.
            answer: Duration::from_secs(61),
        }
    }
}
