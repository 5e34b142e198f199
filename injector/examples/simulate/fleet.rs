//! Pods that ask by the fetcher's rules, one event after the other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use injector::{Round, Schedule};
use secret::{RetryPolicy, Trouble};

use super::plan::{Batches, Plan};
use super::pod::{Pod, State};
use super::service::Service;

pub(crate) struct Fleet {
    plan: Plan,
    events: BinaryHeap<Reverse<(Duration, u64, usize, Event)>>,
    number: u64,
    dice: fastrand::Rng,
    kms: Service,
    sts: Service,
    pods: Vec<Option<Pod>>,
    /// Secrets of each question to KMS.
    questions: Vec<u32>,
    oldest: Duration,
    /// Requests of Pods that were not ready yet, and what they got: credentials and values.
    for_starts: u64,
    got: u64,
    marked: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// One STS request, so many before it.
    Exchange(u32),
    /// As many requests as there is room for.
    Send,
    /// One request of a question arrives, so many before it.
    Arrive(usize, u32),
    /// The pause of a question is over, of the ask with this number.
    Retry(usize, u32, u32),
    Due,
}

/// In place of a number of attempts: there is no other.
const LAST: u32 = u32::MAX;
/// A request and its answer take so long on their way.
const TRIP: Duration = Duration::from_millis(20);
/// Before a container starts again.
const BACK_OFF: Duration = Duration::from_secs(20);
/// Credentials live for an hour and are renewed ten minutes before its end.
const RENEWED: Duration = Duration::from_secs(3000);

impl Fleet {
    pub(crate) fn new(plan: Plan) -> Self {
        let questions = plan.questions();
        let secrets = questions.len();
        let mut fleet = Self {
            kms: Service::new(plan.kms, Duration::from_secs(1)),
            sts: Service::new(plan.sts.requests, plan.sts.per),
            pods: (0..plan.pods).map(|_| Some(Pod::new(secrets))).collect(),
            questions,
            plan,
            events: BinaryHeap::new(),
            number: 0,
            dice: fastrand::Rng::with_seed(1),
            oldest: Duration::ZERO,
            for_starts: 0,
            got: 0,
            marked: Duration::MAX,
        };
        for index in 0..fleet.pods.len() {
            let start = Duration::from_micros(fleet.dice.u64(..1_000_000));
            if let Some(Some(pod)) = fleet.pods.get_mut(index) {
                pod.deadline = start + plan.timeout;
            }
            fleet.at(start, index, Event::Exchange(0));
        }
        fleet
    }

    pub(crate) fn run_until(&mut self, end: Duration) {
        while let Some(Reverse((now, _, index, event))) = self.events.pop() {
            if now > end {
                self.at(now, index, event);
                return;
            }
            // Out of the list, so that it and the rest can be changed.
            let Some(mut pod) = self.pods.get_mut(index).and_then(Option::take) else { continue };
            self.happen(now, index, &mut pod, event);
            if let Some(place) = self.pods.get_mut(index) {
                *place = Some(pod);
            }
        }
    }

    fn at(&mut self, moment: Duration, pod: usize, event: Event) {
        self.number += 1;
        self.events.push(Reverse((moment, self.number, pod, event)));
    }

    fn is_out(&self, now: Duration) -> bool {
        self.plan.outage.is_some_and(|(from, to)| (from..to).contains(&now))
    }

    fn happen(&mut self, now: Duration, index: usize, pod: &mut Pod, event: Event) {
        match (event, pod.state) {
            (_, State::GaveUp) | (Event::Exchange(_) | Event::Send, State::Quiet) => {}
            (Event::Due, _) => self.ask(now, index, pod),
            (Event::Exchange(before), _) => self.exchange(now, index, pod, before),
            (Event::Send, _) => self.send(now, index, pod),
            (Event::Retry(secret, before, ask), _) => {
                if ask == pod.asks && pod.state != State::Quiet {
                    pod.waiting.push((secret, before));
                    self.send(now, index, pod);
                }
            }
            (Event::Arrive(secret, before), _) => self.arrive(now, index, pod, secret, before),
        }
    }

    fn exchange(&mut self, now: Duration, index: usize, pod: &mut Pod, before: u32) {
        if now >= pod.deadline {
            return self.end(now, index, pod);
        }
        if before == 0 {
            pod.sts.begin();
        }
        // It is the only one under way.
        let Some(entry) = pod.sts.enter() else { return };
        self.for_starts += u64::from(pod.ready.is_none());
        let (trouble, tried) = if self.is_out(now) {
            self.sts.lost(now);
            pod.sts.left(entry);
            (Trouble::Other, before.saturating_add(1))
        } else if self.sts.answers(now, 1) {
            pod.sts.answered(entry);
            pod.sts.end();
            pod.exchanged = now;
            pod.has_credentials = true;
            self.got += u64::from(pod.ready.is_none());
            return self.at(now + TRIP, index, Event::Send);
        } else {
            let (row, strain) = pod.sts.throttled(entry, now);
            (Trouble::Throttled(strain), row)
        };
        if before == LAST {
            return self.at(pod.deadline, index, Event::Exchange(LAST));
        }
        let left = pod.deadline.saturating_sub(now);
        let next = pod.retry.next(tried, trouble, None, left, self.dice.u32(..));
        let tried = if next.last { LAST } else { before + 1 };
        self.at(now + TRIP + next.pause, index, Event::Exchange(tried));
    }

    fn ask(&mut self, now: Duration, index: usize, pod: &mut Pod) {
        let Some(schedule) = &pod.schedule else { return };
        (_, pod.asked) = schedule.due();
        let wait = schedule.window();
        pod.state = State::Asking;
        pod.retry = RetryPolicy::new(wait / 2, wait).unwrap_or_default();
        pod.deadline = now + wait;
        pod.waiting = (pod.failing.iter().enumerate())
            .filter(|(_, failing)| pod.asked == Round::All || **failing)
            .map(|(secret, _)| (secret, 0))
            .collect();
        pod.asks += 1;
        for (secret, _) in &pod.waiting {
            pod.window.begin();
            if let Some(pending) = pod.pending.get_mut(*secret) {
                *pending = true;
            }
        }
        let renew = now.saturating_sub(pod.exchanged) >= RENEWED;
        self.at(now, index, if renew { Event::Exchange(0) } else { Event::Send });
    }

    fn send(&mut self, now: Duration, index: usize, pod: &mut Pod) {
        if pod.state == State::Starting && pod.asks == 0 {
            pod.asks = 1;
            pod.pending.fill(true);
            pod.waiting = (0..pod.entries.len()).map(|secret| (secret, 0)).collect();
            pod.waiting.iter().for_each(|_| pod.window.begin());
        }
        if now >= pod.deadline {
            return self.end(now, index, pod);
        }
        // The process before this one had some.
        if pod.waiting.is_empty() || !pod.has_credentials {
            return;
        }
        if now < pod.not_before {
            return self.at(pod.not_before, index, Event::Send);
        }
        while let Some((secret, before)) = pod.waiting.pop() {
            let Some(entry) = pod.window.enter() else {
                pod.waiting.push((secret, before));
                return;
            };
            if let Some(place) = pod.entries.get_mut(secret) {
                *place = Some(entry);
            }
            self.at(now + TRIP / 2, index, Event::Arrive(secret, before));
        }
    }

    fn arrive(&mut self, now: Duration, index: usize, pod: &mut Pod, secret: usize, before: u32) {
        let Some(entry) = pod.entries.get_mut(secret).and_then(Option::take) else { return };
        self.for_starts += u64::from(pod.ready.is_none());
        let left = pod.deadline.saturating_sub(now);
        let roll = self.dice.u32(..);
        if self.is_out(now) {
            self.kms.lost(now);
            pod.window.left(entry);
            if before == LAST {
                return self.at(pod.deadline, index, Event::Send);
            }
            let next = pod.retry.next(before + 1, Trouble::Other, None, left, roll);
            let tried = if next.last { LAST } else { before + 1 };
            let again = Event::Retry(secret, tried, pod.asks);
            return self.at(now + TRIP + next.pause, index, again);
        }
        let holds = self.questions.get(secret).copied().unwrap_or(1);
        let counts = if self.plan.batches == Batches::AsOne { 1 } else { holds };
        if self.kms.answers(now, counts) {
            pod.window.answered(entry);
            pod.window.end();
            if pod.ready.is_none() {
                self.got += u64::from(holds);
            }
            if let Some(pending) = pod.pending.get_mut(secret) {
                *pending = false;
            }
            if let Some(confirmed) = pod.confirmed.get_mut(secret) {
                if pod.ready.is_some() {
                    self.oldest = self.oldest.max(now - *confirmed);
                }
                *confirmed = now;
            }
            if let Some(seen) = pod.seen.get_mut(secret).filter(|_| now >= self.marked) {
                seen.get_or_insert(now);
            }
            if let Some(failing) = pod.failing.get_mut(secret) {
                *failing = false;
            }
            if !pod.pending.contains(&true) {
                return self.end(now, index, pod);
            }
        } else {
            let (row, strain) = pod.window.throttled(entry, now);
            if before == LAST {
                return self.at(pod.deadline, index, Event::Send);
            }
            let next = pod.retry.next(row, Trouble::Throttled(strain), None, left, roll);
            pod.not_before = pod.not_before.max(now + next.pause);
            pod.waiting.push((secret, if next.last { LAST } else { before + 1 }));
        }
        self.at(now + TRIP / 2, index, Event::Send);
    }

    /// Everything is answered, or the time is over.
    fn end(&mut self, now: Duration, index: usize, pod: &mut Pod) {
        if pod.state == State::Quiet {
            return;
        }
        pod.sts.end();
        let failed = pod.asks == 0 || pod.pending.contains(&true);
        pod.waiting.clear();
        for entry in pod.entries.iter_mut().filter_map(Option::take) {
            pod.window.left(entry);
        }
        for (pending, failing) in pod.pending.iter_mut().zip(&mut pod.failing) {
            if *pending {
                pod.window.end();
            }
            *failing |= std::mem::take(pending);
        }
        if pod.state == State::Starting {
            if failed && self.plan.restarts {
                return self.restart(now, index, pod);
            }
            if failed {
                pod.state = State::GaveUp;
                return;
            }
            pod.ready = Some(now);
            let roll = self.dice.u32(..);
            pod.schedule = Some(Schedule::new(self.plan.interval, now, now, false, roll));
        } else if let Some(schedule) = &mut pod.schedule {
            let failed = pod.failing.contains(&true);
            schedule.done(pod.asked, failed, now, self.dice.u32(..));
        }
        pod.state = State::Quiet;
        if let Some(schedule) = &pod.schedule {
            self.at(schedule.due().0.max(now), index, Event::Due);
        }
    }

    /// The kubelet waits longer each time, up to five minutes; it is one Pod's second start here.
    fn restart(&mut self, now: Duration, index: usize, pod: &mut Pod) {
        let next = Pod::new(pod.pending.len());
        let began = pod.asks > 0;
        let open: Vec<usize> = (pod.failing.iter().enumerate())
            .filter(|(_, failing)| !began || **failing)
            .map(|(question, _)| question)
            .collect();
        let start = now + BACK_OFF;
        *pod = Pod { deadline: start + self.plan.timeout, asks: 1, ..next };
        for question in open {
            pod.window.begin();
            pod.waiting.push((question, 0));
            if let Some(pending) = pod.pending.get_mut(question) {
                *pending = true;
            }
        }
        self.at(start, index, Event::Exchange(0));
    }

    pub(crate) fn last_ready(&self) -> Option<Duration> {
        self.all().filter_map(|pod| pod.ready).max()
    }

    pub(crate) fn ready_by(&self, moment: Duration) -> u64 {
        self.all().filter(|pod| pod.ready.is_some_and(|ready| ready <= moment)).count() as u64
    }

    pub(crate) fn given_up(&self) -> u64 {
        self.all().filter(|pod| pod.state == State::GaveUp).count() as u64
    }

    /// Requests of Pods that were not ready yet.
    pub(crate) fn for_starts(&self) -> u64 {
        self.for_starts
    }

    /// What Pods got that were not ready yet.
    pub(crate) fn got(&self) -> u64 {
        self.got
    }

    /// From this moment on it counts who has seen what there is.
    pub(crate) fn mark(&mut self, moment: Duration) {
        self.marked = moment;
    }

    fn all(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().flatten()
    }

    pub(crate) fn throttled(&self) -> u64 {
        self.kms.throttled.iter().chain(&self.sts.throttled).sum()
    }

    pub(crate) fn throttled_since(&self, moment: Duration) -> u64 {
        let second = moment.as_secs() as usize;
        self.kms.throttled.iter().skip(second).chain(self.sts.throttled.iter().skip(second)).sum()
    }

    /// KMS requests a second: the most in ten seconds, and the mean.
    pub(crate) fn load(&self, from: Duration, to: Duration) -> (f64, f64) {
        let (from, to) = (from.as_secs() as usize, to.as_secs() as usize);
        let seconds: Vec<u64> = self.kms.offered.iter().copied().take(to).skip(from).collect();
        let most = seconds.windows(10).map(|ten| ten.iter().sum::<u64>()).max().unwrap_or(0);
        let all: u64 = seconds.iter().sum();
        (super::ratio(most, 10), super::ratio(all, (to - from) as u64))
    }

    /// The greatest age of a value when it was confirmed.
    pub(crate) fn oldest(&self) -> Duration {
        self.oldest
    }

    /// How long after the mark the last secret of the last Pod was fetched for the first time.
    pub(crate) fn all_seen_after(&self) -> Duration {
        let seen = self.all().filter(|pod| pod.ready.is_some()).flat_map(|pod| &pod.seen);
        let last = seen.map(|seen| seen.unwrap_or(Duration::MAX)).max().unwrap_or_default();
        last.saturating_sub(self.marked)
    }
}
