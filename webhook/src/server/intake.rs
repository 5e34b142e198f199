//! The memory that request bodies share.
//!
//! A request that does not fit is refused and not queued: an answer after the API server's
//! deadline helps nobody. Large bodies may not take the last of it, so that a few of them, sent
//! slowly, do not shut out ordinary Pods.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::limits::Limits;

#[derive(Clone, Debug)]
pub(crate) struct Intake {
    taken: Arc<Mutex<Taken>>,
    bytes: usize,
    requests: usize,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    requests: usize,
}

/// The share of one request, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    intake: Intake,
    bytes: usize,
}

impl Intake {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { taken: Arc::default(), bytes: limits.bodies_bytes, requests: limits.requests }
    }

    pub(crate) fn enter(&self) -> Option<Share> {
        let mut taken = self.lock();
        if taken.requests >= self.requests {
            return None;
        }
        taken.requests += 1;
        Some(Share { intake: self.clone(), bytes: 0 })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes room for `more` bytes, or says that there is none.
    pub(crate) fn grow(&mut self, more: usize) -> bool {
        let mut taken = self.intake.lock();
        let own = self.bytes.saturating_add(more);
        let all = taken.bytes.saturating_add(more);
        let room = if own <= ORDINARY {
            self.intake.bytes
        } else {
            self.intake.bytes - self.intake.bytes / 4
        };
        if all > room {
            return false;
        }
        taken.bytes = all;
        self.bytes = own;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.intake.lock();
        taken.bytes = taken.bytes.saturating_sub(self.bytes);
        taken.requests = taken.requests.saturating_sub(1);
    }
}

/// Reviews of ordinary Pods are 3 to 30 KB.
const ORDINARY: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(bodies_bytes: usize, requests: usize) -> Intake {
        Intake::new(&Limits { bodies_bytes, requests, ..Limits::default() })
    }

    #[test]
    fn a_request_too_many_is_refused_until_another_ends() {
        let intake = intake(1000, 1);
        let first = intake.enter().unwrap();
        assert!(intake.enter().is_none());
        drop(first);
        assert!(intake.enter().is_some());
    }

    #[test]
    fn bytes_are_given_back() {
        let intake = intake(1000, 9);
        let mut first = intake.enter().unwrap();
        let mut second = intake.enter().unwrap();
        assert!(first.grow(600) && first.grow(400));
        assert!(!second.grow(1));
        drop(first);
        assert!(second.grow(1000));
    }

    #[test]
    fn large_bodies_leave_room_for_ordinary_ones() {
        let intake = intake(8 * ORDINARY, 9);
        let mut large = intake.enter().unwrap();
        assert!(large.grow(6 * ORDINARY));
        assert!(!large.grow(1));
        assert!(intake.enter().unwrap().grow(ORDINARY));
    }
}
