//! A Pod of the fleet, by the fetcher's rules.

use std::time::Duration;

use cloud::{InFlightRequest, Window};
use injector::{Round, Schedule};
use secret::RetryPolicy;

pub(crate) struct Pod {
    pub(crate) state: State,
    pub(crate) retry: RetryPolicy,
    pub(crate) deadline: Duration,
    pub(crate) window: Window,
    pub(crate) sts: Window,
    /// By question, of requests under way.
    pub(crate) entries: Vec<Option<InFlightRequest>>,
    /// Questions to be sent, with the attempts so far.
    pub(crate) waiting: Vec<(usize, u32)>,
    pub(crate) not_before: Duration,
    /// Questions of this ask without an answer.
    pub(crate) pending: Vec<bool>,
    pub(crate) asks: u32,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) asked: Round,
    pub(crate) exchanged: Duration,
    pub(crate) has_credentials: bool,
    pub(crate) failing: Vec<bool>,
    pub(crate) confirmed: Vec<Duration>,
    /// The first answer since the mark.
    pub(crate) seen: Vec<Option<Duration>>,
    pub(crate) ready: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    Quiet,
    Asking,
    GaveUp,
}

impl Pod {
    pub(crate) fn new(questions: usize) -> Self {
        Self {
            state: State::Starting,
            retry: RetryPolicy::default(),
            deadline: Duration::ZERO,
            window: Window::default(),
            sts: Window::default(),
            entries: vec![None; questions],
            waiting: Vec::new(),
            not_before: Duration::ZERO,
            pending: vec![false; questions],
            asks: 0,
            schedule: None,
            asked: Round::All,
            exchanged: Duration::ZERO,
            has_credentials: false,
            failing: vec![false; questions],
            confirmed: vec![Duration::ZERO; questions],
            seen: vec![None; questions],
            ready: None,
        }
    }
}
