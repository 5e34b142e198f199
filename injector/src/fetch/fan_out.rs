//! Runs many fetches at once and decides when it is over. It does not know what a fetch is; its
//! caller says which server a fetch may have to wait for.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How one fetch ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T, E> {
    Fetched(T),
    Failed(E),
    /// The fetch was given up, because another one had failed for good or the time was over.
    Unfinished,
}

impl<T, E> Outcome<T, E> {
    pub(crate) fn fetched(&self) -> Option<&T> {
        match self {
            Self::Fetched(value) => Some(value),
            Self::Failed(_) | Self::Unfinished => None,
        }
    }
}

/// So many fetches fill four connections of several hosts; the rest waits here and not in memory.
const CONCURRENT: usize = 32;

/// One server always gets so many fetches, however many wait for others: as many as it has
/// connections.
/// A server that says nothing holds its fetches until their time is over.
const ITS_OWN: usize = 4;

/// When a fetch failed for good, the others get this long: enough to hear of other problems of the
/// same kind at once, not enough to sit through their retries.
const GRACE: Duration = Duration::from_secs(2);

/// Fetches that go out together, and how.
pub(crate) struct Together<B> {
    /// None is in two of them.
    pub(crate) groups: Vec<Vec<usize>>,
    /// What came for each fetch of a group, in its order; `None` where it is to be fetched by itself.
    pub(crate) fetch: B,
}

/// Outcomes in the order of `0..count`. A fetch keeps to `deadline` itself; the grace after it is
/// for one that does not. `server` says who answers a fetch, and `is_final` whether a failure makes
/// the whole run fail.
pub(crate) async fn fan_out<T, E, S, F, Fut, B, BFut>(
    count: usize,
    server: impl Fn(usize) -> S,
    fetch: F,
    together: Together<B>,
    is_final: impl Fn(usize, &E) -> bool,
    deadline: Instant,
) -> Vec<Outcome<T, E>>
where
    T: Send + 'static,
    E: Send + 'static,
    S: Eq + Hash,
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    B: Fn(&[usize]) -> BFut,
    BFut: Future<Output = Vec<Option<Result<T, E>>>> + Send + 'static,
{
    let mut outcomes: Vec<Outcome<T, E>> = Vec::new();
    outcomes.resize_with(count, || Outcome::Unfinished);
    let mut running = JoinSet::new();
    let mut waiting = Waiting::new(count, together.groups, server);
    let mut give_up_at = deadline + GRACE;
    loop {
        while let Some(group) = waiting.next(running.len()) {
            match *group {
                [index] => {
                    let work = fetch(index);
                    running.spawn(async move { (group, vec![Some(work.await)]) });
                }
                _ => {
                    let work = (together.fetch)(&group);
                    running.spawn(async move { (group, work.await) });
                }
            }
        }
        let finished = tokio::select! {
            finished = running.join_next() => finished,
            () = sleep_until(give_up_at) => None,
        };
        let Some(finished) = finished else { return outcomes };
        // A task that was cancelled stays unfinished; panics end the process.
        let Ok((group, results)) = finished else { continue };
        waiting.ended(&group);
        let mut results = results.into_iter();
        for index in &group {
            let outcome = match results.next().flatten() {
                Some(Ok(value)) => Outcome::Fetched(value),
                Some(Err(error)) => {
                    if is_final(*index, &error) {
                        give_up_at = give_up_at.min(Instant::now() + GRACE);
                    }
                    Outcome::Failed(error)
                }
                None if group.len() > 1 => {
                    waiting.alone(*index);
                    continue;
                }
                None => Outcome::Unfinished,
            };
            if let Some(slot) = outcomes.get_mut(*index) {
                *slot = outcome;
            }
        }
    }
}

/// Fetches that have not begun, in their order, and how many of each server have. Those of a group count
/// as one.
struct Waiting<S, F> {
    groups: VecDeque<Vec<usize>>,
    server: F,
    running: HashMap<S, usize>,
}

impl<S: Eq + Hash, F: Fn(usize) -> S> Waiting<S, F> {
    fn new(count: usize, together: Vec<Vec<usize>>, server: F) -> Self {
        let is_in_none = |index: &usize| !together.iter().any(|group| group.contains(index));
        let alone = (0..count).filter(is_in_none).map(|index| vec![index]);
        let mut groups: Vec<Vec<usize>> = alone.collect();
        groups.extend(together);
        // In the order in which they are wanted.
        groups.sort_by_key(|group| group.first().copied());
        Self { groups: groups.into(), server, running: HashMap::new() }
    }

    /// The first that may begin while so many run.
    fn next(&mut self, running: usize) -> Option<Vec<usize>> {
        let may_begin = |group: &Vec<usize>| {
            let own = self.server(group).and_then(|server| self.running.get(&server).copied());
            own.unwrap_or(0) < ITS_OWN || running < CONCURRENT
        };
        let place = self.groups.iter().position(may_begin)?;
        let group = self.groups.remove(place)?;
        if let Some(server) = self.server(&group) {
            *self.running.entry(server).or_default() += 1;
        }
        Some(group)
    }

    fn ended(&mut self, group: &[usize]) {
        let server = self.server(group);
        if let Some(running) = server.and_then(|server| self.running.get_mut(&server)) {
            *running = running.saturating_sub(1);
        }
    }

    /// It did not come with its group.
    fn alone(&mut self, index: usize) {
        self.groups.push_back(vec![index]);
    }

    /// All of a group have the same one.
    fn server(&self, group: &[usize]) -> Option<S> {
        group.first().map(|index| (self.server)(*index))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Pending, pending};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use tokio::time::sleep;

    use super::*;

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    type Parts<T, E> = Vec<Option<Result<T, E>>>;

    /// Nothing goes out together.
    fn none<T, E>() -> Together<impl Fn(&[usize]) -> Pending<Parts<T, E>>> {
        Together { groups: Vec::new(), fetch: |_: &[usize]| pending() }
    }

    /// Each fetch as seconds until it ends, and how.
    async fn run(fetches: &'static [(u64, Result<u8, u8>)]) -> Vec<Outcome<u8, u8>> {
        let fetch = |index: usize| async move {
            let (seconds, result) = fetches[index];
            sleep(Duration::from_secs(seconds)).await;
            result
        };
        fan_out(fetches.len(), |_| (), fetch, none(), |_, error| *error > 9, in_a_minute()).await
    }

    #[tokio::test(start_paused = true)]
    async fn outcomes_keep_their_order_whichever_ends_first() {
        let outcomes = run(&[(3, Ok(1)), (1, Err(2)), (2, Ok(3))]).await;
        assert_eq!(outcomes, [Outcome::Fetched(1), Outcome::Failed(2), Outcome::Fetched(3)]);
        assert!(run(&[]).await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_final_failure_the_others_get_a_short_while() {
        let began = Instant::now();
        let outcomes = run(&[(50, Ok(1)), (10, Err(10)), (11, Err(11)), (12, Err(12))]).await;
        let [first, second, third, fourth] = outcomes.try_into().unwrap();
        assert_eq!((first, second), (Outcome::Unfinished, Outcome::Failed(10)));
        assert_eq!(third, Outcome::Failed(11));
        assert!(matches!(fourth, Outcome::Failed(12) | Outcome::Unfinished));
        assert_eq!(began.elapsed().as_secs(), 12);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_is_not_final_cuts_nothing_short() {
        let outcomes = run(&[(50, Ok(1)), (1, Err(2))]).await;
        assert_eq!(outcomes, [Outcome::Fetched(1), Outcome::Failed(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_ignores_the_deadline_is_given_up() {
        let began = Instant::now();
        assert_eq!(
            run(&[(3600, Ok(1)), (1, Ok(2))]).await,
            [Outcome::Unfinished, Outcome::Fetched(2)]
        );
        assert_eq!(began.elapsed().as_secs(), 62);
    }

    #[tokio::test(start_paused = true)]
    async fn not_all_of_many_run_at_once_and_none_twice() {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let fetch = |index: usize| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(10)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<usize, u8>(index)
            }
        };
        let outcomes = fan_out(256, |_| (), fetch, none(), |_, _| true, in_a_minute()).await;
        assert!(outcomes.into_iter().eq((0..256).map(Outcome::Fetched)));
        assert_eq!(most.load(Ordering::SeqCst), CONCURRENT);
    }

    /// A fetch of the host "silent" never ends by itself, one of another host after a second.
    async fn of_hosts(hosts: &'static [&'static str]) -> Vec<Outcome<&'static str, u8>> {
        let fetch = |index: usize| async move {
            if hosts[index].starts_with("silent") {
                pending::<()>().await;
            }
            sleep(Duration::from_secs(1)).await;
            Ok(hosts[index])
        };
        fan_out(hosts.len(), |index| hosts[index], fetch, none(), |_, _| false, in_a_minute()).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_says_nothing_keeps_no_other_host_from_being_asked() {
        let others = |outcomes: Vec<Outcome<&'static str, u8>>| {
            outcomes.iter().filter(|outcome| outcome.fetched().is_some()).count()
        };
        let one: &[_] = [&["silent"; 100][..], &["well"; 20][..]].concat().leak();
        assert_eq!(others(of_hosts(one).await), 20);
        let three = [&["silent0"; 40][..], &["silent1"; 40], &["silent2"; 40]].concat();
        let mixed: &[_] = [&three[..], &["well"; 10], &["better"; 10]].concat().leak();
        assert_eq!(others(of_hosts(mixed).await), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn those_of_a_group_are_fetched_by_themselves_only_where_they_did_not_come() {
        let alone = Arc::new(Mutex::new(Vec::new()));
        let fetch = |index: usize| {
            alone.lock().unwrap().push(index);
            async move {
                sleep(Duration::from_secs(1)).await;
                Ok(index)
            }
        };
        let several = |group: &[usize]| {
            let part = |index: &usize| match index {
                2 => None,
                10 => Some(Err(10)),
                other => Some(Ok(100 + other)),
            };
            let parts: Parts<usize, u8> = group.iter().map(part).collect();
            async move {
                sleep(Duration::from_secs(10)).await;
                parts
            }
        };
        let together = Together { groups: vec![vec![0, 2, 4], vec![1, 3, 10]], fetch: several };
        let began = Instant::now();
        let outcomes = fan_out(11, |_| (), fetch, together, |_, _| true, in_a_minute()).await;
        assert_eq!(*alone.lock().unwrap(), [5, 6, 7, 8, 9, 2]);
        let values = [100, 101, 2, 103, 104, 5, 6, 7, 8, 9];
        let expected = values.into_iter().map(Outcome::Fetched).chain([Outcome::Failed(10)]);
        assert!(outcomes.into_iter().eq(expected));
        assert_eq!(began.elapsed().as_secs(), 11);
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_failed_for_good_gives_the_others_a_short_while() {
        let fetch = |_: usize| async { pending().await };
        let several = |group: &[usize]| {
            let parts: Parts<usize, u8> = group.iter().map(|_| Some(Err(1))).collect();
            async move { parts }
        };
        let together = Together { groups: vec![vec![1, 2, 3]], fetch: several };
        let began = Instant::now();
        let outcomes = fan_out(4, |_| (), fetch, together, |_, _| true, in_a_minute()).await;
        assert_eq!(outcomes.first(), Some(&Outcome::Unfinished));
        assert!(outcomes.iter().skip(1).all(|outcome| *outcome == Outcome::Failed(1)));
        assert_eq!(began.elapsed(), GRACE);
    }
}
