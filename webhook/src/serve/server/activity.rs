//! What one connection is doing, and until when it may.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::limits::Limits;
use super::silence;
use crate::metrics::Closed;

/// Shared by a connection's task, its stream, its requests and the accept loop.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<ActivityState>>);

#[derive(Debug)]
struct ActivityState {
    in_flight: usize,
    /// Those of them whose body has not arrived.
    arriving: usize,
    /// When the first of them began.
    busy_since: Instant,
    /// Small records of TLS that may still come.
    records: usize,
    /// More of them came.
    hollow: bool,
    /// Something came and was read, be it a part of a handshake.
    spoke: bool,
    /// What is read from as soon as something comes.
    unread: Weak<TcpStream>,
    served: bool,
    /// When it was accepted, or when its last request ended.
    since: Instant,
    /// First byte after `since`.
    head_since: Option<Instant>,
    /// A head did not arrive in time.
    late: bool,
    /// A body was not read to its end: nothing can follow it.
    cut: bool,
    /// When each answer that has not been taken whole was ready. Numbers grow with time. There are
    /// several where a client sends its next request before it takes the answer to the last.
    answers: BTreeMap<u64, Instant>,
    next: u64,
    /// Since when the client takes nothing of what there is to send.
    stuck_since: Option<Instant>,
}

/// A client that writes a request in pieces, renews its keys and takes leave needs fewer.
const RECORDS: usize = 256;
/// Bytes of content that pay for a record.
const RECORD: usize = 32;
/// What a client saves up for later.
const RECORDS_AT_MOST: usize = 256;

/// What a connection does that does not work, the most dispensable first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Idleness {
    /// Nothing ever came.
    Silent,
    /// It never made a request.
    Unused,
    /// All of its requests wait for the rest of their bodies.
    Arriving,
    Served,
}

/// An answer that is being taken. Ends when dropped.
#[derive(Debug)]
pub(super) struct Answering {
    activity: Activity,
    number: u64,
}

/// A body that has not arrived. One that is dropped before it has will not.
#[derive(Debug)]
pub(super) struct Arriving {
    activity: Activity,
    whole: bool,
}

/// A request being answered. Ends when dropped.
#[derive(Debug)]
pub(super) struct InFlight(Activity);

impl Activity {
    pub(super) fn new(unread: Weak<TcpStream>) -> Self {
        Self(Arc::new(Mutex::new(ActivityState {
            in_flight: 0,
            arriving: 0,
            busy_since: Instant::now(),
            records: RECORDS,
            hollow: false,
            spoke: false,
            unread,
            served: false,
            since: Instant::now(),
            head_since: None,
            late: false,
            cut: false,
            answers: BTreeMap::new(),
            next: 0,
            stuck_since: None,
        })))
    }

    /// Takes the connection out of the hands of whoever looks whether something lies in it unread.
    pub(super) fn is_read(&self, tcp: Arc<TcpStream>) -> Option<TcpStream> {
        // The others hold it under this lock alone.
        let mut state = self.lock();
        state.unread = Weak::new();
        Arc::into_inner(tcp)
    }

    pub(super) fn speaks(&self) {
        self.lock().spoke = true;
    }

    /// Whether so many records are no more than what came before them allows.
    pub(super) fn records_arrived(&self, records: usize) -> bool {
        let mut state = self.lock();
        let left = state.records.checked_sub(records);
        state.records = left.unwrap_or_default();
        state.hollow |= left.is_none();
        !state.hollow
    }

    pub(super) fn is_hollow(&self) -> bool {
        self.lock().hollow
    }

    pub(super) fn bytes_arrived(&self, bytes: usize) {
        let mut state = self.lock();
        state.spoke = true;
        state.records = state.records.saturating_add(bytes / RECORD).min(RECORDS_AT_MOST);
        if state.in_flight == 0 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    pub(super) fn head_is_late(&self) {
        self.lock().late = true;
    }

    pub(super) fn is_cut(&self) -> bool {
        self.lock().cut
    }

    pub(super) fn is_late(&self) -> bool {
        self.lock().late
    }

    pub(super) fn request_begins(&self) -> InFlight {
        let mut state = self.lock();
        if state.in_flight == 0 {
            state.busy_since = Instant::now();
        }
        state.in_flight += 1;
        state.head_since = None;
        InFlight(self.clone())
    }

    pub(super) fn body_begins(&self) -> Arriving {
        self.lock().arriving += 1;
        Arriving { activity: self.clone(), whole: false }
    }

    pub(super) fn answer_begins(&self) -> Answering {
        let mut state = self.lock();
        let number = state.next;
        state.next = number.wrapping_add(1);
        state.answers.insert(number, Instant::now());
        Answering { activity: self.clone(), number }
    }

    /// Whether the client takes what is sent.
    pub(super) fn sends(&self, taken: bool) {
        let mut state = self.lock();
        if taken {
            state.stuck_since = None;
        } else if state.stuck_since.is_none() {
            state.stuck_since = Some(Instant::now());
        }
    }

    /// When the connection is to be closed if nothing happens before, and what for. Requests
    /// in flight have deadlines of their own; an answer that is not taken ends the connection
    /// whatever else it does, since its memory is somebody else's.
    pub(super) fn due(&self, limits: &Limits) -> Option<(Instant, Closed)> {
        let state = self.lock();
        let oldest = state.answers.first_key_value().map(|(_, since)| *since);
        if let Some(since) = oldest.into_iter().chain(state.stuck_since).min() {
            return Some((since + limits.answer, Closed::AnswerTimeout));
        }
        if state.in_flight > 0 {
            return None;
        }
        Some(match state.head_since {
            Some(head) => (head + limits.head, Closed::HeaderTimeout),
            _ if state.served => (state.since + limits.idle, Closed::Idle),
            _ => (state.since + limits.head, Closed::Idle),
        })
    }

    /// How dispensable the connection is, smallest first; `None` while it works. One that waits
    /// for its client does not.
    pub(super) fn rank(&self) -> Option<(Idleness, Instant)> {
        let state = self.lock();
        match state.in_flight {
            0 if state.served => Some((Idleness::Served, state.since)),
            0 if state.is_silent() => Some((Idleness::Silent, state.since)),
            0 => Some((Idleness::Unused, state.since)),
            all => (state.arriving >= all).then_some((Idleness::Arriving, state.busy_since)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ActivityState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActivityState {
    /// The kernel is asked of those alone that are no longer new: in a flood each newcomer has all of
    /// them looked at.
    fn is_silent(&self) -> bool {
        let has_said =
            |tcp: Arc<TcpStream>| silence::is_over(self.since) && !silence::is_empty(&tcp);
        !self.spoke && !self.unread.upgrade().is_some_and(has_said)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.served = true;
        state.since = Instant::now();
    }
}

impl Arriving {
    pub(super) fn end(mut self) {
        self.whole = true;
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        state.cut |= !self.whole;
        state.arriving = state.arriving.saturating_sub(1);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.activity.lock().answers.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    fn due(activity: &Activity) -> Option<(Duration, Closed)> {
        let limits = Limits {
            head: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            answer: Duration::from_secs(10),
            ..Limits::default()
        };
        activity.due(&limits).map(|(at, why)| (at - Instant::now(), why))
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_must_make_a_request_soon() {
        let activity = Activity::new(Weak::new());
        assert_eq!(due(&activity), Some((Duration::from_secs(5), Closed::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_a_deadline_that_more_bytes_do_not_move() {
        let activity = Activity::new(Weak::new());
        tokio::time::advance(Duration::from_secs(1)).await;
        activity.bytes_arrived(1);
        tokio::time::advance(Duration::from_secs(2)).await;
        activity.bytes_arrived(1);
        assert_eq!(due(&activity), Some((Duration::from_secs(3), Closed::HeaderTimeout)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_flight_has_no_deadline_here_and_starts_the_idle_time_when_it_ends() {
        let activity = Activity::new(Weak::new());
        let request = activity.request_begins();
        activity.bytes_arrived(1);
        assert_eq!((due(&activity), activity.rank()), (None, None));
        tokio::time::advance(Duration::from_secs(7)).await;
        drop(request);
        assert_eq!(due(&activity), Some((Duration::from_secs(120), Closed::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_answer_that_is_not_taken_has_a_deadline_beside_other_requests() {
        let activity = Activity::new(Weak::new());
        let first = activity.answer_begins();
        tokio::time::advance(Duration::from_secs(4)).await;
        let (_request, second) = (activity.request_begins(), activity.answer_begins());
        assert_eq!(due(&activity), Some((Duration::from_secs(6), Closed::AnswerTimeout)));
        drop(first);
        assert_eq!(due(&activity), Some((Duration::from_secs(10), Closed::AnswerTimeout)));
        drop(second);
        assert_eq!(due(&activity), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_has_a_deadline_until_it_takes_something() {
        let activity = Activity::new(Weak::new());
        drop(activity.request_begins());
        activity.sends(false);
        tokio::time::advance(Duration::from_secs(3)).await;
        activity.sends(false);
        assert_eq!(due(&activity), Some((Duration::from_secs(7), Closed::AnswerTimeout)));
        activity.sends(true);
        assert_eq!(due(&activity), Some((Duration::from_secs(117), Closed::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_served_goes_before_one_that_did() {
        let served = Activity::new(Weak::new());
        drop(served.request_begins());
        tokio::time::advance(Duration::from_secs(1)).await;
        let (silent, unused) = (Activity::new(Weak::new()), Activity::new(Weak::new()));
        unused.speaks();
        assert!(silent.rank() < unused.rank() && unused.rank() < served.rank());
    }

    /// Our thread may be late; whoever sent something in time is not silent.
    #[tokio::test]
    async fn what_lies_in_the_kernel_unread_was_said_too() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let tcp = Arc::new(listener.accept().await.unwrap().0);
        let activity = Activity::new(Arc::downgrade(&tcp));
        tokio::time::pause();
        tokio::time::advance(silence::SILENT).await;
        assert_eq!(activity.rank().unwrap().0, Idleness::Silent);
        client.write_all(b"x").unwrap();
        tcp.readable().await.unwrap();
        assert_eq!(activity.rank().unwrap().0, Idleness::Unused);
        assert!(activity.is_read(tcp).is_some());
        activity.bytes_arrived(1);
        assert_eq!(activity.rank().unwrap().0, Idleness::Unused);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_waits_for_bodies_alone_goes_before_one_that_served() {
        let served = Activity::new(Weak::new());
        drop(served.request_begins());
        tokio::time::advance(Duration::from_secs(1)).await;
        let slow = Activity::new(Weak::new());
        let (_one, body) = (slow.request_begins(), slow.body_begins());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(Activity::new(Weak::new()).rank() < slow.rank() && slow.rank() < served.rank());
        let (_two, _rest) = (slow.request_begins(), slow.body_begins());
        assert!(slow.rank().is_some());
        drop(body);
        assert_eq!(slow.rank(), None, "one of its requests can be decided");
    }
}
