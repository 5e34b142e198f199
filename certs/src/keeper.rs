//! Keeps the certificate: one task of each replica, which follows Secret and configuration and
//! takes one step after the other. There is no leader.

use std::convert::Infallible;
use std::time::SystemTime;

use kube::Client;
use tokio::sync::watch;

use crate::act::Actor;
use crate::api::Object;
use crate::backoff::Jitter;
use crate::follow::follow;
use crate::lifetimes::Lifetimes;
use crate::place::Place;
use crate::published::Published;
use crate::report::Report;
use crate::state::State;
use crate::stored::Stored;

/// Makes, stores, publishes and rotates the webhook's certificate.
pub struct Keeper {
    pub(crate) client: Client,
    pub(crate) place: Place,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) clock: fn() -> SystemTime,
    pub(crate) seed: u64,
    pub(crate) report: Report,
}

impl Keeper {
    /// `seed` is to differ between replicas: it spreads what they do, and no secret depends on
    /// it.
    pub fn new(
        client: Client,
        place: Place,
        lifetimes: Lifetimes,
        clock: fn() -> SystemTime,
        seed: u64,
    ) -> (Self, watch::Receiver<State>) {
        let (report, states) = Report::new();
        (Self { client, place, lifetimes, clock, seed, report }, states)
    }

    /// Until it is dropped, which is safe at any moment.
    pub async fn run(self) -> Infallible {
        let Place { namespace, secret, target } = &self.place;
        let secret = Object::secret(self.client.clone(), namespace, secret);
        let configuration = Object::configuration(self.client.clone(), &target.configuration);
        let (secrets, found_secret) = watch::channel(None);
        let (configurations, found_configuration) = watch::channel(None);
        let following_secret = follow(
            &secret,
            |object| Some(Stored::read(object, &target.names, (self.clock)())),
            &secrets,
            |error| self.report.failed(error),
            Jitter::new(self.seed ^ 1),
        );
        let following_configuration = follow(
            &configuration,
            |object| Published::read(object, target),
            &configurations,
            |error| self.report.failed(error),
            Jitter::new(self.seed ^ 2),
        );
        let actor =
            Actor::new(&self, (&secret, found_secret), (&configuration, found_configuration));
        tokio::select! {
            never = following_secret => never,
            never = following_configuration => never,
            never = actor.run() => never,
        }
    }
}
