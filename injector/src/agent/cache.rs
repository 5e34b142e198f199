//! The answers that are kept: for how long, how many, how much memory they may take, and that none
//! is older than the files. It is pure: times since boot go in.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use super::key::Key;

#[derive(Debug)]
pub(crate) struct Cache {
    bounds: Bounds,
    entries: HashMap<Key, KeptAnswer>,
    /// The size of all answers together.
    bytes: usize,
    /// What the keeper reported last, also of secrets whose answers are not kept; there are at most
    /// as many as the plan's lookups.
    learned: HashMap<Key, Learned>,
}

#[derive(Debug)]
struct Learned {
    /// The moment at which the files showed it. An answer to a question that began before may be
    /// older.
    at: Duration,
    /// It is `None` where the files were taken away.
    version: Option<String>,
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
struct KeptAnswer {
    answer: Bytes,
    /// When KMS was asked for it.
    asked: Duration,
    /// It is known to be the newest answer there was.
    certain: bool,
    /// Nobody asks again before this moment: KMS could not answer a moment ago.
    not_before: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Fresh(Bytes),
    /// Expired; a refetch is not due yet.
    Held(Bytes),
    /// Expired, but usable if the refetch fails.
    Stale(Bytes),
    Nothing,
}

/// The pause after KMS could not be asked, which costs a client seconds each time.
const PAUSE: Duration = Duration::from_secs(5);

impl Cache {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, entries: HashMap::new(), bytes: 0, learned: HashMap::new() }
    }

    pub(crate) fn find(&self, key: &Key, now: Duration) -> Found {
        let Some(entry) = self.entries.get(key) else { return Found::Nothing };
        let age = now.saturating_sub(entry.asked);
        let answer = entry.answer.clone();
        if entry.certain && age < self.bounds.ttl.min(self.bounds.staleness) {
            Found::Fresh(answer)
        } else if age >= self.bounds.staleness {
            Found::Nothing
        } else if now < entry.not_before {
            Found::Held(answer)
        } else {
            Found::Stale(answer)
        }
    }

    /// Keeps an answer to a question of `asked`, unless there is an answer to a later question.
    /// Returns the answer that counts, and `None` where the files have changed since the question.
    pub(crate) fn put(&mut self, key: &Key, answer: Bytes, asked: Duration) -> Option<Bytes> {
        let of_secret = self.learned.iter().filter(|(known, _)| known.id() == key.id());
        if of_secret.map(|(_, learned)| learned.at).any(|at| asked < at) {
            return None;
        }
        self.forget_old(asked);
        match self.entries.get(key) {
            Some(known) if known.asked > asked => return Some(known.answer.clone()),
            _ => self.keep(key, answer.clone(), asked, true),
        }
        Some(answer)
    }

    /// The files show this version since `now`, by a question of `asked`. There is no `answer`
    /// where none can be made of the value.
    pub(crate) fn learn(
        &mut self,
        key: &Key,
        version: &str,
        answer: Option<Bytes>,
        asked: Duration,
        now: Duration,
    ) {
        // Nobody knows which of two questions at the same time has the newer answer: the next
        // client finds out.
        let certain = self.entries.get(key).is_none_or(|known| known.asked <= asked);
        self.forget_old(now);
        let learned = Learned { at: now, version: Some(version.to_owned()) };
        let before = self.learned.insert(key.clone(), learned);
        if before.and_then(|before| before.version).as_deref() != Some(version) {
            // The stages move with the version.
            self.forget_secret(key);
        }
        match answer {
            Some(answer) => self.keep(key, answer, asked, certain),
            None => self.forget(key),
        }
    }

    /// The files were taken away at `now`: every version of the secret goes with them.
    pub(crate) fn revoke(&mut self, key: &Key, now: Duration) {
        self.learned.insert(key.clone(), Learned { at: now, version: None });
        self.forget_secret(key);
    }

    fn keep(&mut self, key: &Key, answer: Bytes, asked: Duration, certain: bool) {
        self.forget(key);
        if self.bounds.ttl.is_zero() || answer.len() > self.bounds.bytes {
            return;
        }
        self.bytes += answer.len();
        let entry = KeptAnswer { answer, asked, certain, not_before: Duration::ZERO };
        self.entries.insert(key.clone(), entry);
        while self.entries.len() > self.bounds.entries || self.bytes > self.bounds.bytes {
            // The answer that was asked for longest ago goes; reading it does not make it younger.
            let others = self.entries.iter().filter(|(other, _)| *other != key);
            let oldest = others.min_by_key(|(_, entry)| entry.asked).map(|(key, _)| key.clone());
            match oldest {
                Some(oldest) => self.forget(&oldest),
                None => break,
            }
        }
    }

    /// KMS could not be asked just now.
    pub(crate) fn postpone(&mut self, key: &Key, now: Duration) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.not_before = now + PAUSE;
        }
    }

    pub(crate) fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.answer.len();
        }
    }

    /// What is never given again takes no memory: its value may be one that was replaced since.
    fn forget_old(&mut self, now: Duration) {
        let staleness = self.bounds.staleness;
        let is_old = |entry: &KeptAnswer| now.saturating_sub(entry.asked) >= staleness;
        let old = self.entries.iter().filter(|(_, entry)| is_old(entry));
        for key in old.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.forget(&key);
        }
    }

    fn forget_secret(&mut self, of: &Key) {
        let keys = self.entries.keys().filter(|key| key.id() == of.id());
        for key in keys.cloned().collect::<Vec<_>>() {
            self.forget(&key);
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

    fn key(id: &str) -> Key {
        Key::new(id, None, None)
    }

    #[test]
    fn an_answer_is_fresh_for_its_time_then_stale_then_nothing() {
        let mut cache = cache(300, 10, 100);
        cache.put(&key("a"), answer("x"), seconds(1000));
        let found = |now| cache.find(&key("a"), seconds(now));
        assert_eq!(found(1299), Found::Fresh(answer("x")));
        assert_eq!(found(1300), Found::Stale(answer("x")));
        assert_eq!(found(4599), Found::Stale(answer("x")));
        assert_eq!(found(4600), Found::Nothing);
        assert_eq!(cache.find(&key("b"), seconds(1000)), Found::Nothing);
    }

    #[test]
    fn nothing_is_fresh_for_longer_than_a_value_may_be_unconfirmed() {
        let bounds = Bounds { ttl: seconds(300), staleness: seconds(60), entries: 1, bytes: 10 };
        let mut cache = Cache::new(bounds);
        cache.put(&key("a"), answer("x"), seconds(1000));
        assert_eq!(cache.find(&key("a"), seconds(1059)), Found::Fresh(answer("x")));
        assert_eq!(cache.find(&key("a"), seconds(1060)), Found::Nothing);
    }

    #[test]
    fn an_answer_that_is_never_given_again_is_gone_with_the_next_look_or_answer() {
        let (mut cache, a) = (cache(300, 10, 100), key("a"));
        cache.put(&a, answer("x"), seconds(1000));
        cache.put(&key("b"), answer("y"), seconds(4599));
        assert_eq!(cache.bytes, 2);
        cache.put(&key("c"), answer("z"), seconds(4600));
        assert_eq!((cache.entries.contains_key(&a), cache.bytes), (false, 2));
        cache.learn(&key("d"), "v1", None, seconds(9000), seconds(9000));
        assert_eq!((cache.entries.len(), cache.bytes), (0, 0));
    }

    #[test]
    fn after_a_failure_nobody_asks_for_a_moment() {
        let (mut cache, a) = (cache(300, 10, 100), key("a"));
        cache.put(&a, answer("x"), seconds(0));
        cache.postpone(&a, seconds(400));
        assert_eq!(cache.find(&a, seconds(404)), Found::Held(answer("x")));
        assert_eq!(cache.find(&a, seconds(405)), Found::Stale(answer("x")));
        cache.put(&a, answer("y"), seconds(406));
        assert_eq!(cache.find(&a, seconds(407)), Found::Fresh(answer("y")));
    }

    #[test]
    fn an_answer_to_an_earlier_question_replaces_none_to_a_later_one() {
        let (mut cache, a) = (cache(300, 10, 100), key("a"));
        assert_eq!(cache.put(&a, answer("new"), seconds(20)), Some(answer("new")));
        assert_eq!(cache.put(&a, answer("old"), seconds(10)), Some(answer("new")));
        assert_eq!(cache.find(&a, seconds(20)), Found::Fresh(answer("new")));
        cache.forget(&a);
        assert_eq!((cache.find(&a, seconds(20)), cache.bytes), (Found::Nothing, 0));
    }

    /// The keeper asked first, in vain, then a client, then the keeper again.
    #[test]
    fn what_the_files_show_replaces_the_answer_to_a_question_of_meanwhile() {
        let (mut cache, a) = (cache(300, 10, 100), key("a"));
        cache.put(&a, answer("old"), seconds(11));
        cache.learn(&a, "v2", Some(answer("new")), seconds(10), seconds(12));
        // Nobody knows which is the newer: the client's answer is gone, the next one asks.
        assert_eq!(cache.find(&a, seconds(12)), Found::Stale(answer("new")));
        cache.put(&a, answer("new"), seconds(13));
        assert_eq!(cache.find(&a, seconds(13)), Found::Fresh(answer("new")));
    }

    #[test]
    fn an_answer_to_a_question_from_before_the_files_changed_is_none() {
        for ttl in [0, 300] {
            let (mut cache, a) = (cache(ttl, 10, 100), key("a"));
            cache.learn(&a, "v2", Some(answer("new")), seconds(9), seconds(12));
            assert_eq!(cache.put(&a, answer("old"), seconds(11)), None, "{ttl}");
            let stage = Key::new("a", None, Some("ACSPrevious"));
            assert_eq!(cache.put(&stage, answer("older"), seconds(11)), None, "{ttl}");
            assert_eq!(cache.put(&a, answer("new"), seconds(12)), Some(answer("new")), "{ttl}");
            cache.revoke(&a, seconds(20));
            assert_eq!(cache.put(&a, answer("new"), seconds(19)), None, "{ttl}");
            assert_eq!(cache.find(&a, seconds(20)), Found::Nothing, "{ttl}");
        }
    }

    #[test]
    fn a_new_version_and_a_refusal_concern_every_version_of_a_secret_and_no_other() {
        let mut cache = cache(300, 10, 100);
        let (a, previous, b) = (key("a"), Key::new("a", None, Some("ACSPrevious")), key("b"));
        cache.learn(&a, "v1", Some(answer("1")), seconds(1), seconds(1));
        for key in [&previous, &b] {
            cache.put(key, answer("0"), seconds(1));
        }
        cache.learn(&a, "v1", Some(answer("1")), seconds(2), seconds(2));
        assert_eq!(cache.find(&previous, seconds(2)), Found::Fresh(answer("0")));
        cache.learn(&a, "v2", Some(answer("2")), seconds(3), seconds(3));
        assert_eq!(cache.find(&previous, seconds(3)), Found::Nothing);
        cache.put(&previous, answer("1"), seconds(3));
        cache.revoke(&a, seconds(4));
        assert_eq!(cache.find(&a, seconds(4)), Found::Nothing);
        assert_eq!(cache.find(&previous, seconds(4)), Found::Nothing);
        assert_eq!(cache.find(&b, seconds(4)), Found::Fresh(answer("0")));
    }

    #[test]
    fn without_a_time_to_live_nothing_is_kept() {
        let (mut cache, a) = (cache(0, 10, 100), key("a"));
        assert_eq!(cache.put(&a, answer("x"), seconds(0)), Some(answer("x")));
        assert_eq!(cache.find(&a, seconds(0)), Found::Nothing);
    }

    #[test]
    fn what_was_asked_for_longest_ago_makes_room() {
        let mut cache = cache(300, 2, 10);
        for (id, text, at) in [("a", "12", 3), ("b", "12", 1), ("c", "12", 2)] {
            cache.put(&key(id), answer(text), seconds(at));
        }
        assert_eq!(cache.find(&key("b"), seconds(3)), Found::Nothing);
        assert_eq!((cache.entries.len(), cache.bytes), (2, 4));
        cache.put(&key("d"), answer("1234567890"), seconds(0));
        assert_eq!((cache.entries.len(), cache.bytes), (1, 10));
        // One that never fits displaces nothing but its own earlier answer.
        cache.put(&key("e"), answer("12345678901"), seconds(9));
        assert_eq!((cache.entries.len(), cache.bytes), (1, 10));
        cache.put(&key("d"), answer("12345678901"), seconds(9));
        assert_eq!((cache.entries.len(), cache.bytes), (0, 0));
    }
}
