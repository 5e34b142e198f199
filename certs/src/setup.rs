//! What one replica keeps the certificate with.

use std::time::SystemTime;

use kube::Client;

use crate::lifetimes::Lifetimes;
use crate::place::Place;
use crate::report::Report;

pub(crate) struct Setup {
    pub(crate) client: Client,
    pub(crate) place: Place,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) clock: fn() -> SystemTime,
    /// Differs between replicas.
    pub(crate) seed: u64,
    pub(crate) report: Report,
}
