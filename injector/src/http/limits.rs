//! How many connections are served, and for how long.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections that are served; some more are told that there are too many.
    pub(crate) connections: usize,
    /// How long a new connection may take to ask for something, and any for a head that has begun.
    pub(crate) head: Duration,
    /// How long one that did may take to ask again, or to take its answer.
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
            // As the KMS Agent's model has it.
            answer: Duration::from_secs(61),
        }
    }
}
