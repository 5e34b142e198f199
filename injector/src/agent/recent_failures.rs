//! The failures of a moment ago: a client that asks again and again asks us and not KMS, and the
//! log has one line of it. It is pure: times since boot go in.

use std::collections::HashMap;
use std::time::Duration;

use secret::Failure;

use super::answer::ErrorResponse;
use super::key::Key;

#[derive(Debug, Default)]
pub(crate) struct RecentFailures(HashMap<Key, Failed>);

#[derive(Debug)]
struct Failed {
    response: ErrorResponse,
    failure: Failure,
    /// It is the answer until this moment.
    until: Duration,
}

/// A client may ask for any name.
const MOST: usize = 256;
/// A secret that is not there, or not for this Pod, is not asked for again so soon.
const REFUSED: Duration = Duration::from_secs(2);
const OTHER: Duration = Duration::from_secs(1);

impl RecentFailures {
    pub(crate) fn find(&self, key: &Key, now: Duration) -> Option<&ErrorResponse> {
        let failed = self.0.get(key).filter(|failed| now < failed.until);
        failed.map(|failed| &failed.response)
    }

    /// Returns whether the failure is another one than before.
    pub(crate) fn put(
        &mut self,
        key: &Key,
        failure: Failure,
        response: ErrorResponse,
        now: Duration,
    ) -> bool {
        let time = match failure {
            Failure::NotFound | Failure::Denied => REFUSED,
            _ => OTHER,
        };
        let failed = Failed { response, failure, until: now + time };
        let before = self.0.insert(key.clone(), failed);
        if self.0.len() > MOST {
            let oldest = self.0.iter().min_by_key(|(_, failed)| failed.until);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.0.remove(&oldest);
            }
        }
        before.is_none_or(|before| before.failure != failure)
    }

    /// The question was answered.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn put(failures: &mut RecentFailures, id: &str, failure: Failure, now: u64) -> bool {
        let response = ErrorResponse::new(404, "code", "message", false);
        failures.put(&Key::new(id, None, None), failure, response, seconds(now))
    }

    #[test]
    fn a_refusal_is_known_for_two_seconds_and_trouble_for_one() {
        let mut failures = RecentFailures::default();
        put(&mut failures, "a", Failure::NotFound, 10);
        put(&mut failures, "b", Failure::Unreachable, 10);
        let known = |id, now| failures.find(&Key::new(id, None, None), seconds(now)).is_some();
        assert_eq!((known("a", 11), known("a", 12)), (true, false));
        assert_eq!((known("b", 10), known("b", 11)), (true, false));
        failures.forget(&Key::new("a", None, None));
        assert!(failures.find(&Key::new("a", None, None), seconds(10)).is_none());
    }

    #[test]
    fn it_is_news_once_for_as_long_as_it_is_the_same() {
        let mut failures = RecentFailures::default();
        assert!(put(&mut failures, "a", Failure::Denied, 10));
        assert!(!put(&mut failures, "a", Failure::Denied, 1000));
        assert!(put(&mut failures, "a", Failure::NotFound, 1001));
    }

    #[test]
    fn whatever_names_are_asked_for_few_are_remembered() {
        let mut failures = RecentFailures::default();
        for at in 0..1000 {
            put(&mut failures, &at.to_string(), Failure::NotFound, at);
        }
        assert_eq!(failures.0.len(), MOST);
        assert!(failures.find(&Key::new("999", None, None), seconds(1000)).is_some());
    }
}
