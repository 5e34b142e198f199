//! Takes the steps that the machine names, one at a time, and no faster than is decent.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::anchor::Anchor;
use crate::api::{Cause, Error, NamedObject};
use crate::backoff::{Backoff, Jitter};
use crate::coverage::Coverage;
use crate::follow::LastRead;
use crate::issue::issue;
use crate::pair::Pair;
use crate::published::Published;
use crate::setup::Setup;
use crate::step::{Scene, Step, next_step};
use crate::stored::{Contents, Stored};

type Configuration = MutatingWebhookConfiguration;

/// One replica's view and memory.
pub(crate) struct Actor<'a> {
    setup: &'a Setup,
    secret: &'a NamedObject<Secret>,
    configuration: &'a NamedObject<Configuration>,
    found_secret: watch::Receiver<LastRead<Stored>>,
    found_configuration: watch::Receiver<LastRead<Published>>,
    stored: LastRead<Stored>,
    published: LastRead<Published>,
    coverage: Coverage,
    serving: Option<Pair>,
    start: Instant,
    /// How much later than at the first moment this replica begins a rotation.
    later: f64,
    jitter: Jitter,
    publishing: Backoff,
    storing: Backoff,
    issuing: Backoff,
}

impl<'a> Actor<'a> {
    pub(crate) fn new(
        setup: &'a Setup,
        (secret, found_secret): (&'a NamedObject<Secret>, watch::Receiver<LastRead<Stored>>),
        (configuration, found_configuration): (
            &'a NamedObject<Configuration>,
            watch::Receiver<LastRead<Published>>,
        ),
    ) -> Self {
        let mut jitter = Jitter::new(setup.seed);
        // A rotation begins long after the one before has come to rest, however short they are.
        let backoff =
            |most: Duration| Backoff::new(FIRST, most, most.min(setup.lifetimes.leaf / 8));
        Self {
            setup,
            secret,
            configuration,
            found_secret,
            found_configuration,
            stored: None,
            published: None,
            coverage: Coverage::default(),
            serving: None,
            start: Instant::now(),
            later: jitter.draw(),
            jitter,
            publishing: backoff(MOST),
            storing: backoff(MOST),
            issuing: backoff(MOST_ISSUING),
        }
    }

    pub(crate) async fn run(mut self) -> Infallible {
        loop {
            self.take_in();
            let step = self.decide();
            let up = self.start.elapsed();
            let pause = match &step {
                Step::Serve(_) => Duration::ZERO,
                Step::Publish(_) => self.publishing.pause(up),
                Step::Promote(_) | Step::Prune(_) => self.storing.pause(up),
                Step::Issue(_) => self.issuing.pause(up),
                Step::Wait(wait) => wait.unwrap_or(LONGEST).min(LONGEST),
            };
            if pause.is_zero() {
                self.take(step).await;
            } else {
                self.wait(pause).await;
            }
        }
    }

    /// Nothing is done before both have been read.
    fn decide(&self) -> Step {
        let scene = Scene {
            stored: self.stored.as_ref().and_then(Option::as_deref),
            published: self.published.as_ref().and_then(Option::as_deref),
            serving: self.serving.as_ref(),
            coverage: &self.coverage,
            now: (self.setup.clock)(),
            up: self.start.elapsed(),
            lifetimes: &self.setup.lifetimes,
            jitter: self.later,
        };
        let conditions = scene.published.is_some_and(|published| published.conditions);
        let (covered, rotates_at) = (scene.is_covered(), scene.rotates_at());
        self.setup.report.is(self.serving.as_ref(), covered, conditions, rotates_at);
        match (&self.stored, &self.published) {
            (Some(_), Some(_)) => next_step(&scene),
            _ => Step::Wait(None),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Serve(pair) => {
                let until = pair.serving.not_after.duration_since((self.setup.clock)());
                let hours = until.unwrap_or_default().as_secs() / 3600;
                tracing::info!(hours, "certificate: serving what is stored");
                self.serving = Some(pair);
            }
            Step::Publish(anchors) => self.publish(&anchors).await,
            Step::Promote(contents) => {
                if self.store(&contents).await {
                    self.setup.report.count(|counts| counts.promoted += 1);
                }
            }
            Step::Prune(contents) => {
                if self.store(&contents).await {
                    self.setup.report.count(|counts| counts.pruned += 1);
                }
            }
            Step::Issue(contents) => self.issue(contents).await,
            Step::Wait(_) => {}
        }
    }

    async fn publish(&mut self, anchors: &[Anchor]) {
        let Some(Some(published)) = self.published.clone() else { return };
        self.publishing.done(self.start.elapsed(), self.jitter.draw());
        match self.configuration.change(published.patch(anchors)).await {
            Ok(object) => {
                self.read_configuration(Some(object));
                tracing::info!(authorities = anchors.len(), "certificate: caBundle is written");
                self.setup.report.count(|counts| counts.published += 1);
            }
            Err(error) => {
                let object = self.configuration.read().await;
                let changed = match object {
                    Ok(object) => {
                        self.read_configuration(object);
                        let now = self.published.as_ref().and_then(Option::as_deref);
                        now.is_none_or(|now| !now.is_version_of(&published))
                    }
                    Err(_) => false,
                };
                self.failed(&error, changed);
            }
        }
    }

    async fn issue(&mut self, contents: Contents) {
        self.issuing.done(self.start.elapsed(), self.jitter.draw());
        if let Some(None) = self.stored {
            // An owner that is gone by now would take the Secret along.
            let before = self.owner();
            match self.configuration.read().await {
                Ok(object) => self.read_configuration(object),
                Err(error) => return self.setup.report.failed(&error),
            }
            if before != self.owner() {
                return;
            }
        }
        let names = &self.setup.place.target.names;
        let issued = issue(names, (self.setup.clock)(), self.setup.lifetimes.leaf);
        let next = match issued.map(Pair::issued) {
            Ok(Some(next)) => next,
            Ok(None) => return self.setup.report.failed(&"the new certificate cannot be read"),
            Err(error) => return self.setup.report.failed(&error),
        };
        let reason = match &self.stored {
            Some(Some(stored)) => match &stored.current {
                Ok(pair) if pair.is_alive((self.setup.clock)()) => "it is time".to_owned(),
                Ok(_) => "the one in tls.crt has ended".to_owned(),
                Err(unusable) => format!("the one in tls.crt is of no use: {unusable}"),
            },
            _ => "there is no Secret".to_owned(),
        };
        if self.store(&contents.with_next(next)).await {
            tracing::info!(reason, "certificate: a new one is stored");
            self.setup.report.count(|counts| counts.issued += 1);
        }
    }

    /// Whether it was stored.
    async fn store(&mut self, contents: &Contents) -> bool {
        self.storing.done(self.start.elapsed(), self.jitter.draw());
        let Some(before) = self.stored.clone() else { return false };
        let written = match (&before, self.owner()) {
            (Some(stored), _) => self.secret.merge(&stored.patch(contents)).await,
            (None, Some(owner)) => {
                let object = contents.object(&self.setup.place, &owner);
                let manager = format!("secrets-webhook-{:016x}", self.setup.seed);
                self.secret.create(&object, &manager).await
            }
            (None, None) => return false,
        };
        match written {
            Ok(object) => {
                self.read_secret(Some(object));
                true
            }
            Err(error) => {
                let changed = match self.secret.read().await {
                    Ok(object) => {
                        self.read_secret(object);
                        let now = self.stored.as_ref().and_then(Option::as_deref);
                        match (now, &before) {
                            (Some(now), Some(before)) => !now.is_version_of(before),
                            (now, before) => now.is_some() != before.is_some(),
                        }
                    }
                    Err(_) => false,
                };
                self.failed(&error, changed);
                false
            }
        }
    }

    /// That somebody was faster is nothing to worry about.
    fn failed(&self, error: &Error, changed: bool) {
        if changed && matches!(error.cause, Cause::Invalid(_)) {
            tracing::debug!(%error, "certificate: somebody was faster");
            self.setup.report.count(|counts| counts.conflicts += 1);
        } else {
            self.setup.report.failed(error);
        }
    }

    fn owner(&self) -> Option<String> {
        let published = self.published.as_ref().and_then(Option::as_deref);
        published.map(|published| published.uid.clone())
    }

    fn read_secret(&mut self, object: Option<Secret>) {
        let names = &self.setup.place.target.names;
        let read = |object| Arc::new(Stored::read(object, names, (self.setup.clock)()));
        self.stored = Some(object.map(read));
    }

    fn read_configuration(&mut self, object: Option<Configuration>) {
        let read = |object| Published::read(object, &self.setup.place.target);
        self.see(object.and_then(read).map(Arc::new));
    }

    fn see(&mut self, published: Option<Arc<Published>>) {
        self.coverage.observe(published.as_deref(), self.start.elapsed());
        self.published = Some(published);
    }

    /// What was found meanwhile.
    fn take_in(&mut self) {
        if self.found_secret.has_changed().unwrap_or(false) {
            self.stored = self.found_secret.borrow_and_update().clone();
        }
        if self.found_configuration.has_changed().unwrap_or(false) {
            let found = self.found_configuration.borrow_and_update().clone();
            if let Some(published) = found {
                self.see(published);
            }
        }
    }

    async fn wait(&mut self, most: Duration) {
        tokio::select! {
            Ok(()) = self.found_secret.changed() => self.found_secret.mark_changed(),
            Ok(()) = self.found_configuration.changed() => self.found_configuration.mark_changed(),
            () = sleep(most) => {}
        }
    }
}

const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(60);
/// A new certificate is a CA more in every list.
const MOST_ISSUING: Duration = Duration::from_secs(600);
/// A clock that is set is noticed by then.
const LONGEST: Duration = Duration::from_secs(600);
