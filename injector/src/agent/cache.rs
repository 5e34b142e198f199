//! Answers that are kept: for how long, how many, and how much memory they may take. Pure: times
//! since boot go in.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

#[derive(Debug)]
pub(crate) struct Cache {
    bounds: Bounds,
    entries: HashMap<String, Entry>,
    /// Of all answers together.
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Zero keeps nothing.
    pub(crate) ttl: Duration,
    /// How old an answer may be that is given because none can be had anew.
    pub(crate) staleness: Duration,
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

#[derive(Debug)]
struct Entry {
    answer: Bytes,
    /// When KMS was asked for it.
    asked: Duration,
    /// Until then nobody asks again: KMS could not answer a moment ago.
    not_before: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Fresh(Bytes),
    /// Over, and not to be asked for yet.
    Held(Bytes),
    /// Over: better than nothing.
    Stale(Bytes),
    Nothing,
}

/// After KMS could not be asked; that costs a client seconds each time.
const PAUSE: Duration = Duration::from_secs(5);

impl Cache {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, entries: HashMap::new(), bytes: 0 }
    }

    pub(crate) fn find(&self, key: &str, now: Duration) -> Found {
        let Some(entry) = self.entries.get(key) else { return Found::Nothing };
        let age = now.saturating_sub(entry.asked);
        let answer = entry.answer.clone();
        if age < self.bounds.ttl {
            Found::Fresh(answer)
        } else if age >= self.bounds.staleness {
            Found::Nothing
        } else if now < entry.not_before {
            Found::Held(answer)
        } else {
            Found::Stale(answer)
        }
    }

    /// Keeps an answer to a question of `asked`, unless there is one to a later question. Returns
    /// the one that counts.
    pub(crate) fn put(&mut self, key: &str, answer: Bytes, asked: Duration) -> Bytes {
        match self.entries.get(key) {
            Some(known) if known.asked > asked => return known.answer.clone(),
            _ => self.forget(key),
        }
        if self.bounds.ttl.is_zero() || answer.len() > self.bounds.bytes {
            return answer;
        }
        self.bytes += answer.len();
        let entry = Entry { answer: answer.clone(), asked, not_before: Duration::ZERO };
        self.entries.insert(key.to_owned(), entry);
        while self.entries.len() > self.bounds.entries || self.bytes > self.bounds.bytes {
            // The one that was asked for longest ago; reading it does not make it younger.
            let others = self.entries.iter().filter(|(other, _)| *other != key);
            let oldest = others.min_by_key(|(_, entry)| entry.asked).map(|(key, _)| key.clone());
            match oldest {
                Some(oldest) => self.forget(&oldest),
                None => break,
            }
        }
        answer
    }

    /// KMS could not be asked just now.
    pub(crate) fn postpone(&mut self, key: &str, now: Duration) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.not_before = now + PAUSE;
        }
    }

    pub(crate) fn forget(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.answer.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(ttl: u64, entries: usize, bytes: usize) -> Cache {
        let staleness = seconds(3600);
        Cache::new(Bounds { ttl: seconds(ttl), staleness, entries, bytes })
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn answer(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn an_answer_is_fresh_for_its_time_then_stale_then_nothing() {
        let mut cache = cache(300, 10, 100);
        cache.put("a", answer("x"), seconds(1000));
        let found = |now| cache.find("a", seconds(now));
        assert_eq!(found(1299), Found::Fresh(answer("x")));
        assert_eq!(found(1300), Found::Stale(answer("x")));
        assert_eq!(found(4599), Found::Stale(answer("x")));
        assert_eq!(found(4600), Found::Nothing);
        assert_eq!(cache.find("b", seconds(1000)), Found::Nothing);
    }

    #[test]
    fn after_a_failure_nobody_asks_for_a_moment() {
        let mut cache = cache(300, 10, 100);
        cache.put("a", answer("x"), seconds(0));
        cache.postpone("a", seconds(400));
        assert_eq!(cache.find("a", seconds(404)), Found::Held(answer("x")));
        assert_eq!(cache.find("a", seconds(405)), Found::Stale(answer("x")));
        cache.put("a", answer("y"), seconds(406));
        assert_eq!(cache.find("a", seconds(407)), Found::Fresh(answer("y")));
    }

    #[test]
    fn an_answer_to_an_earlier_question_replaces_none_to_a_later_one() {
        let mut cache = cache(300, 10, 100);
        assert_eq!(cache.put("a", answer("new"), seconds(20)), answer("new"));
        assert_eq!(cache.put("a", answer("old"), seconds(10)), answer("new"));
        assert_eq!(cache.find("a", seconds(20)), Found::Fresh(answer("new")));
        cache.forget("a");
        assert_eq!((cache.find("a", seconds(20)), cache.bytes), (Found::Nothing, 0));
    }

    #[test]
    fn without_a_time_to_live_nothing_is_kept() {
        let mut cache = cache(0, 10, 100);
        assert_eq!(cache.put("a", answer("x"), seconds(0)), answer("x"));
        assert_eq!(cache.find("a", seconds(0)), Found::Nothing);
    }

    #[test]
    fn what_was_asked_for_longest_ago_makes_room() {
        let mut cache = cache(300, 2, 10);
        for (key, text, at) in [("a", "12", 3), ("b", "12", 1), ("c", "12", 2)] {
            cache.put(key, answer(text), seconds(at));
        }
        assert_eq!(cache.find("b", seconds(3)), Found::Nothing);
        assert_eq!((cache.entries.len(), cache.bytes), (2, 4));
        cache.put("d", answer("1234567890"), seconds(0));
        assert_eq!((cache.entries.len(), cache.bytes), (1, 10));
        // One that never fits displaces nothing but its own earlier answer.
        cache.put("e", answer("12345678901"), seconds(9));
        assert_eq!((cache.entries.len(), cache.bytes), (1, 10));
        cache.put("d", answer("12345678901"), seconds(9));
        assert_eq!((cache.entries.len(), cache.bytes), (0, 0));
    }
}
