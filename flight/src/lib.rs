//! One read at a time for each key: whoever asks meanwhile shares its outcome. Who came in the middle
//! of a read may ask for one that began later, so that nothing is answered that was true before the
//! question only.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

/// The reads that are under way, by key.
#[derive(Debug)]
pub struct Flights<K: Eq + Hash, T>(Mutex<HashMap<K, Flight<T>>>);

type Flight<T> = Arc<OnceCell<T>>;

/// A place on a flight; the flight ends when the outcome is there, or nobody waits for it.
struct Seat<'a, K: Eq + Hash, T> {
    flights: &'a Flights<K, T>,
    key: &'a K,
    flight: Flight<T>,
    /// Whether the flight began before this question came up.
    joined: bool,
}

impl<K: Eq + Hash + Clone, T: Clone> Flights<K, T> {
    /// What `read` gives. An outcome that may be older than this question counts only if it
    /// `lasts`; else a read is waited for, or made, that began after it. A read goes on as long as
    /// somebody waits for it; it has no deadline but theirs.
    pub async fn ask<F: Future<Output = T>>(
        &self,
        key: &K,
        read: impl Fn() -> F,
        lasts: impl Fn(&T) -> bool,
    ) -> T {
        let seat = self.seat(key);
        let outcome = seat.flight.get_or_init(&read).await.clone();
        if !seat.joined || lasts(&outcome) {
            return outcome;
        }
        drop(seat);
        // The flight that was joined is over, so that this one began later.
        let seat = self.seat(key);
        seat.flight.get_or_init(&read).await.clone()
    }

    fn seat<'a>(&'a self, key: &'a K) -> Seat<'a, K, T> {
        let mut flights = self.lock();
        let (flight, joined) = match flights.entry(key.clone()) {
            // Over, but whoever waited for it has not come to end it.
            Entry::Occupied(mut over) if over.get().initialized() => {
                over.insert(Flight::default());
                (Arc::clone(over.get()), false)
            }
            Entry::Occupied(flight) => (Arc::clone(flight.get()), true),
            Entry::Vacant(none) => (Arc::clone(none.insert(Flight::default())), false),
        };
        Seat { flights: self, key, flight, joined }
    }
}

impl<K: Eq + Hash, T> Flights<K, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Flight<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T> Drop for Seat<'_, K, T> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        let current = flights.get(self.key).is_some_and(|now| Arc::ptr_eq(now, &self.flight));
        // Two: the one of the list, and ours.
        let last = Arc::strong_count(&self.flight) <= 2;
        if current && (last || self.flight.initialized()) {
            flights.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use tokio::sync::oneshot;

    use super::*;

    /// Reads that the test ends one by one.
    #[derive(Default)]
    struct Source {
        begun: Cell<usize>,
        open: RefCell<Vec<oneshot::Sender<u32>>>,
    }

    impl Source {
        fn read(&self) -> impl Future<Output = u32> + use<> {
            self.begun.set(self.begun.get() + 1);
            let (sender, receiver) = oneshot::channel();
            self.open.borrow_mut().push(sender);
            async { receiver.await.unwrap() }
        }

        fn end(&self, outcome: u32) {
            self.open.borrow_mut().remove(0).send(outcome).unwrap();
        }
    }

    /// Lets a future go on as far as it gets.
    async fn step<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// Zero may have changed since.
    fn lasts(outcome: &u32) -> bool {
        *outcome != 0
    }

    #[tokio::test]
    async fn many_questions_are_one_read() {
        let (flights, source) = (Flights::default(), Source::default());
        let mut one = pin!(flights.ask(&"a", || source.read(), lasts));
        let mut two = pin!(flights.ask(&"a", || source.read(), lasts));
        let mut other = pin!(flights.ask(&"b", || source.read(), lasts));
        assert_eq!((step(one.as_mut()).await, step(two.as_mut()).await), (None, None));
        assert_eq!(step(other.as_mut()).await, None);
        assert_eq!(source.begun.get(), 2);
        source.end(7);
        assert_eq!((one.await, two.await), (7, 7));
        source.end(8);
        assert_eq!(other.await, 8);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn an_outcome_that_may_be_older_than_the_question_is_asked_for_again() {
        let (flights, source) = (Flights::default(), Source::default());
        let mut first = pin!(flights.ask(&"a", || source.read(), lasts));
        assert_eq!(step(first.as_mut()).await, None);
        // What it will find is there from here on, and the first read may have missed it.
        let mut late = pin!(flights.ask(&"a", || source.read(), lasts));
        let mut later = pin!(flights.ask(&"a", || source.read(), lasts));
        assert_eq!((step(late.as_mut()).await, step(later.as_mut()).await), (None, None));
        source.end(0);
        assert_eq!(first.await, 0);
        assert_eq!((step(late.as_mut()).await, step(later.as_mut()).await), (None, None));
        assert_eq!(source.begun.get(), 2);
        source.end(5);
        assert_eq!((late.await, later.await), (5, 5));
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_question_that_comes_when_a_read_is_over_makes_its_own() {
        let (flights, source) = (Flights::default(), Source::default());
        let mut first = pin!(flights.ask(&"a", || source.read(), lasts));
        let mut second = pin!(flights.ask(&"a", || source.read(), lasts));
        assert_eq!((step(first.as_mut()).await, step(second.as_mut()).await), (None, None));
        source.end(3);
        assert_eq!(step(first.as_mut()).await, Some(3));
        // `second` has its outcome and has not looked.
        let mut third = pin!(flights.ask(&"a", || source.read(), lasts));
        assert_eq!(step(third.as_mut()).await, None);
        source.end(4);
        assert_eq!((second.await, third.await), (3, 4));
    }

    #[tokio::test]
    async fn when_the_reader_goes_away_another_reads() {
        let (flights, source) = (Flights::default(), Source::default());
        let mut gone = Box::pin(flights.ask(&"a", || source.read(), lasts));
        let mut stays = pin!(flights.ask(&"a", || source.read(), lasts));
        assert_eq!((step(gone.as_mut()).await, step(stays.as_mut()).await), (None, None));
        drop(gone);
        drop(source.open.borrow_mut().remove(0));
        assert_eq!(step(stays.as_mut()).await, None);
        source.end(9);
        assert_eq!(stays.await, 9);
    }

    #[tokio::test]
    async fn questions_that_are_given_up_leave_nothing_behind() {
        let (flights, source) = (Flights::default(), Source::default());
        let mut one = Box::pin(flights.ask(&"a", || source.read(), lasts));
        let mut two = Box::pin(flights.ask(&"a", || source.read(), lasts));
        assert_eq!((step(one.as_mut()).await, step(two.as_mut()).await), (None, None));
        drop(one);
        drop(two);
        assert!(flights.lock().is_empty());
    }
}
