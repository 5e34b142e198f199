//! One replica through the years, and single decisions that the small world is too small for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::{MOST_PUBLISHED, MOST_STORED, Scene, Step, next_step};
use crate::anchor::Anchor;
use crate::coverage::Coverage;
use crate::issue::issue;
use crate::lifetimes::Lifetimes;
use crate::pair::Pair;
use crate::published::Published;
use crate::stored::{Contents, Stored};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A replica alone with its objects; time passes only when it waits.
struct Alone {
    stored: Option<Stored>,
    published: Option<Published>,
    serving: Option<Pair>,
    coverage: Coverage,
    up: Duration,
    jitter: f64,
}

impl Alone {
    fn new() -> Self {
        Self {
            stored: None,
            published: Some(Published::with("uid", Vec::new())),
            serving: None,
            coverage: Coverage::default(),
            up: Duration::ZERO,
            jitter: 0.0,
        }
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.up
    }

    fn scene<T>(&self, look: impl FnOnce(&Scene<'_>) -> T) -> T {
        look(&Scene {
            stored: self.stored.as_ref(),
            published: self.published.as_ref(),
            serving: self.serving.as_ref(),
            coverage: &self.coverage,
            now: self.now(),
            up: self.up,
            lifetimes: &Lifetimes::default(),
            jitter: self.jitter,
        })
    }

    /// The next step, done, in a word.
    fn go(&mut self) -> &'static str {
        let store = |contents| Some(Stored::with(contents));
        match self.scene(next_step) {
            Step::Serve(pair) => {
                self.serving = Some(pair);
                "serve"
            }
            Step::Publish(anchors) => {
                self.publish(anchors);
                "publish"
            }
            Step::Promote(contents) => {
                self.stored = store(contents);
                "promote"
            }
            Step::Issue(contents) => {
                self.stored = store(contents.with_next(self.make()));
                "issue"
            }
            Step::Prune(contents) => {
                self.stored = store(contents);
                "prune"
            }
            Step::Wait(_) => "wait",
        }
    }

    fn publish(&mut self, anchors: Vec<Anchor>) {
        self.published = Some(Published::with("uid", anchors));
        self.coverage.observe(self.published.as_ref(), self.up);
    }

    fn make(&self) -> Pair {
        let names = ["webhook.ns.svc".to_owned()];
        Pair::issued(issue(&names, self.now(), 90 * DAY).unwrap()).unwrap()
    }

    /// Until it waits; what it did.
    fn act(&mut self) -> Vec<&'static str> {
        std::iter::repeat_with(|| self.go()).take_while(|word| *word != "wait").collect()
    }

    /// Sleeps for as long as it is told, looking up one second before.
    fn sleep(&mut self) -> Duration {
        let Step::Wait(Some(wait)) = self.scene(next_step) else { panic!("it would not wait") };
        let second = Duration::from_secs(1);
        if wait > second {
            self.up += wait - second;
            assert_eq!(self.go(), "wait", "one second too late");
            self.up += second;
        } else {
            self.up += wait;
        }
        wait
    }

    fn anchors(&self) -> [usize; 2] {
        let stored = self.stored.as_ref().map_or(0, |stored| stored.anchors.len());
        [stored, self.published.as_ref().map_or(0, |published| published.anchors.len())]
    }
}

#[test]
fn a_replica_that_sleeps_for_as_long_as_it_is_told_misses_nothing() {
    let mut alone = Alone::new();
    assert_eq!(alone.act(), ["issue", "publish"]);
    assert_eq!(alone.sleep(), Duration::from_secs(2));
    assert_eq!(alone.act(), ["promote", "serve"]);

    assert_eq!(alone.sleep(), 60 * DAY - Duration::from_secs(2));
    assert_eq!(alone.act(), ["issue", "publish"]);
    assert_eq!(alone.sleep(), Duration::from_secs(60));
    assert_eq!(alone.act(), ["promote", "serve"]);
    assert_eq!(alone.anchors(), [2, 2]);

    // The first certificate ends, and a little later no clock can find it valid.
    assert_eq!(alone.sleep(), 30 * DAY + Duration::from_secs(15 * 60 - 60));
    assert_eq!(alone.act(), ["publish", "prune"]);
    assert_eq!(alone.anchors(), [1, 1]);
    assert!(alone.scene(|scene| scene.is_covered()));
}

#[test]
fn replicas_that_draw_different_numbers_do_not_all_begin_at_once() {
    let mut alone = Alone::new();
    alone.act();
    let first = alone.scene(|scene| scene.rotates_at()).unwrap();
    alone.jitter = 1.0;
    let last = alone.scene(|scene| scene.rotates_at()).unwrap();
    assert_eq!(last.duration_since(first).unwrap(), 90 * DAY / 20);
}

#[test]
fn while_the_bundle_cannot_be_written_the_old_certificate_is_served() {
    let mut alone = Alone::new();
    alone.act();
    alone.sleep();
    alone.act();
    let first = alone.serving.clone().unwrap();
    alone.up += 61 * DAY;
    assert_eq!(alone.go(), "issue");
    for _ in 0..28 {
        alone.up += DAY;
        assert!(matches!(alone.scene(next_step), Step::Publish(_)));
        assert!(alone.scene(|scene| scene.is_covered()));
    }
    assert!(alone.serving.unwrap().same(&first));
}

#[test]
fn a_certificate_from_a_clock_that_is_a_year_ahead_is_replaced() {
    let mut alone = Alone::new();
    alone.up = 365 * DAY;
    alone.act();
    alone.sleep();
    alone.act();
    alone.up = Duration::ZERO;
    assert_eq!(alone.go(), "issue");
}

#[test]
fn nothing_is_stored_where_nobody_would_remove_it() {
    let mut alone = Alone::new();
    alone.published = None;
    assert!(matches!(alone.scene(next_step), Step::Wait(None)));
}

#[test]
fn the_lists_stay_short_however_often_the_secret_is_deleted() {
    let mut alone = Alone::new();
    let theirs = Anchor::named("theirs", alone.now() + 3650 * DAY, false);
    alone.publish(vec![theirs.clone()]);
    for _ in 0..3 * MOST_PUBLISHED {
        alone.stored = None;
        alone.act();
        alone.sleep();
        alone.act();
        assert!(alone.scene(|scene| scene.is_covered()));
        let [stored, published] = alone.anchors();
        assert!(stored <= MOST_STORED && published <= MOST_PUBLISHED);
        assert!(alone.published.as_ref().unwrap().anchors.contains(&theirs));
    }
    assert_eq!(alone.anchors()[1], MOST_PUBLISHED);
}

#[test]
fn the_lists_stay_short_however_many_cas_others_add() {
    let mut alone = Alone::new();
    let ends = alone.now() + 3650 * DAY;
    let theirs: Vec<_> =
        (0..50).map(|id| Anchor::named(&format!("theirs {id}"), ends, false)).collect();
    alone.stored =
        Some(Stored::with(Contents { current: None, next: None, anchors: theirs.clone() }));
    alone.publish(theirs);
    alone.act();
    alone.sleep();
    assert_eq!(alone.act(), ["promote", "serve"]);
    assert_eq!(alone.anchors(), [MOST_STORED, MOST_PUBLISHED]);
    assert!(alone.scene(|scene| scene.is_covered()));
}
