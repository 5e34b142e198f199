//! Keeps the certificate: one task of each replica, which follows Secret and configuration and
//! takes one step after the other. There is no leader.

use std::convert::Infallible;
use std::time::SystemTime;

use kube::Client;
use tokio::sync::watch;

use crate::act::Actor;
use crate::api::NamedObject;
use crate::backoff::Jitter;
use crate::follow::follow;
use crate::lifetimes::Lifetimes;
use crate::place::Place;
use crate::published::Published;
use crate::report::Report;
use crate::setup::Setup;
use crate::state::State;
use crate::stored::Stored;

/// Makes, stores, publishes and rotates the webhook's certificate.
pub struct Keeper(Setup);

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
        (Self(Setup { client, place, lifetimes, clock, seed, report }), states)
    }

    /// Until it is dropped, which is safe at any moment.
    pub async fn run(self) -> Infallible {
        let Self(setup) = self;
        let Place { namespace, secret, target } = &setup.place;
        let secret = NamedObject::secret(setup.client.clone(), namespace, secret);
        let configuration = NamedObject::configuration(setup.client.clone(), &target.configuration);
        let (secrets, found_secret) = watch::channel(None);
        let (configurations, found_configuration) = watch::channel(None);
        let following_secret = follow(
            &secret,
            |object| Some(Stored::read(object, &target.names, (setup.clock)())),
            &secrets,
            |error| setup.report.failed(error),
            Jitter::new(setup.seed ^ 1),
        );
        let following_configuration = follow(
            &configuration,
            |object| Published::read(object, target),
            &configurations,
            |error| setup.report.failed(error),
            Jitter::new(setup.seed ^ 2),
        );
        let actor =
            Actor::new(&setup, (&secret, found_secret), (&configuration, found_configuration));
        tokio::select! {
            never = following_secret => never,
            never = following_configuration => never,
            never = actor.run() => never,
        }
    }
}
