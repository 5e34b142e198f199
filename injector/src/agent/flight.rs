//! One question to KMS at a time for each version of a secret: whoever asks meanwhile shares the
//! outcome.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::key::Key;

#[derive(Debug)]
pub(crate) struct Flights<T>(Mutex<HashMap<Key, Flight<T>>>);

type Flight<T> = Arc<OnceCell<T>>;

/// A place on a flight, which ends when the outcome is there, or nobody waits for it.
struct Seat<'a, T> {
    flights: &'a Flights<T>,
    key: &'a Key,
    flight: Flight<T>,
    /// Whether the flight began before this question came up.
    joined: bool,
}

impl<T: Clone> Flights<T> {
    /// What `read` gives; if `anew`, to a read that began after this call.
    pub(crate) async fn ask<F: Future<Output = T>>(
        &self,
        key: &Key,
        anew: bool,
        read: impl Fn() -> F,
    ) -> T {
        let seat = self.seat(key);
        let outcome = seat.flight.get_or_init(&read).await.clone();
        if !(anew && seat.joined) {
            return outcome;
        }
        drop(seat);
        // The one that was joined is over, so that this one began later.
        let seat = self.seat(key);
        seat.flight.get_or_init(&read).await.clone()
    }

    fn seat<'a>(&'a self, key: &'a Key) -> Seat<'a, T> {
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

impl<T> Flights<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Flight<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Drop for Seat<'_, T> {
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
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::task::JoinSet;
    use tokio::time::{Duration, sleep};

    use super::*;

    /// Counts its reads; each takes a second.
    #[derive(Default)]
    struct Service {
        flights: Flights<u32>,
        reads: AtomicU32,
    }

    impl Service {
        async fn ask(self: Arc<Self>, key: &'static str, anew: bool) -> u32 {
            let read = || async {
                let number = self.reads.fetch_add(1, Ordering::SeqCst) + 1;
                sleep(Duration::from_secs(1)).await;
                number
            };
            self.flights.ask(&Key::new(key, None, None), anew, read).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_questions_are_one_read_and_other_keys_are_others() {
        let service = Arc::new(Service::default());
        let mut asks = JoinSet::new();
        for _ in 0..100 {
            asks.spawn(Arc::clone(&service).ask("a", false));
        }
        asks.spawn(Arc::clone(&service).ask("b", false));
        asks.join_all().await;
        assert_eq!(service.reads.load(Ordering::SeqCst), 2);
        Arc::clone(&service).ask("a", false).await;
        assert_eq!(service.reads.load(Ordering::SeqCst), 3);
        assert!(service.flights.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_wants_it_anew_gets_a_read_that_began_later() {
        let service = Arc::new(Service::default());
        let first = tokio::spawn(Arc::clone(&service).ask("a", false));
        sleep(Duration::from_millis(500)).await;
        let mut anew = JoinSet::new();
        for _ in 0..10 {
            anew.spawn(Arc::clone(&service).ask("a", true));
        }
        assert_eq!(first.await.unwrap(), 1);
        assert!(anew.join_all().await.into_iter().all(|number| number == 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_leaves_takes_the_question_of_no_other_with_it() {
        let service = Arc::new(Service::default());
        let first = tokio::spawn(Arc::clone(&service).ask("a", false));
        sleep(Duration::from_millis(500)).await;
        let second = tokio::spawn(Arc::clone(&service).ask("a", false));
        sleep(Duration::from_millis(1)).await;
        first.abort();
        assert_eq!(second.await.unwrap(), 2);
        let alone = tokio::spawn(Arc::clone(&service).ask("a", false));
        sleep(Duration::from_millis(1)).await;
        alone.abort();
        assert!(alone.await.is_err() && service.flights.lock().is_empty());
    }
}
