//! What can go wrong in the small world, each a single event.

use super::world::{Config, FOREIGN, Replica, Secret, Set, World};

/// What happened, to which replica.
pub(super) type Event = (&'static str, Option<usize>);

impl<const N: usize> World<N> {
    /// Every world that one fault leads to.
    pub(super) fn faults(&self) -> Vec<(Event, Self)> {
        if self.faults == 0 {
            return Vec::new();
        }
        let spent = Self { faults: self.faults - 1, ..*self };
        let mut worlds = spent.faults_of_replicas();
        if let Some(secret) = self.secret {
            worlds.extend(spent.faults_of_secret(secret));
        }
        if let Some(config) = self.config {
            worlds.extend(spent.faults_of_config(config));
        }
        worlds.retain(|(_, world)| Self { faults: self.faults, ..*world } != *self);
        worlds
    }

    fn faults_of_replicas(&self) -> Vec<(Event, Self)> {
        let mut worlds = Vec::new();
        for (index, replica) in self.replicas.iter().enumerate() {
            let mut add = |what, world: Self| worlds.push(((what, Some(index)), world));
            let mut crashed = *self;
            crashed.replicas[index] = Replica::NEW;
            add("crash of", crashed);
            let mut stale = *self;
            stale.replicas[index].secret = Some(self.old_secret);
            add("stale read of the Secret by", stale);
            let mut stale = *self;
            stale.replicas[index].sees(self.old_config);
            add("stale read of the configuration by", stale);
            let Some(write) = replica.flight else { continue };
            let mut unanswered = *self;
            unanswered.replicas[index].flight = None;
            unanswered.arrive(write);
            add("answer lost to", unanswered);
            if self.late.is_none() {
                let mut given_up = *self;
                given_up.replicas[index].flight = None;
                given_up.late = Some(write);
                add("write given up by", given_up);
                let mut crashed = crashed;
                crashed.late = Some(write);
                add("crash with a write under way of", crashed);
            }
        }
        worlds
    }

    fn faults_of_secret(&self, secret: Secret) -> Vec<(Event, Self)> {
        let with = |what, secret: Option<Secret>| {
            let mut world = *self;
            world.store(secret);
            // Whoever puts a certificate there by hand takes the time to settle away.
            world.lost |= secret.map_or(0, |secret| 1 << secret.current) & !world.low_mark();
            ((what, None), world)
        };
        let first = Secret { current: 1, next: 0, anchors: 1 << 1, ..secret };
        vec![
            with("Secret deleted", None),
            with("Secret overwritten", Some(Secret { current: 0, next: 0, anchors: 0, ..secret })),
            with("tls.crt of another name or key", Some(Secret { current: 0, ..secret })),
            with("next.crt of another name or key", Some(Secret { next: 0, ..secret })),
            with("next.crt in place of tls.crt", Some(Secret { current: secret.next, ..secret })),
            with("ca.crt emptied", Some(Secret { anchors: 0, ..secret })),
            with("first backup restored", Some(first)),
            with(
                "foreign CA in ca.crt",
                Some(Secret { anchors: secret.anchors | FOREIGN, ..secret }),
            ),
        ]
    }

    fn faults_of_config(&self, config: Config) -> Vec<(Event, Self)> {
        let with = |what, config: Option<Config>| {
            let mut world = *self;
            let before = world.bundle();
            world.publish(config);
            world.uids = world.uids.max(config.map_or(0, |config| config.uid));
            world.lost |= before & !world.bundle();
            ((what, None), world)
        };
        let bundle = |bundle: Set| Some(Config { bundle, ..config });
        vec![
            with("caBundle stripped", bundle(0)),
            with("caBundle replaced", bundle(FOREIGN)),
            with("foreign CA in caBundle", bundle(config.bundle | FOREIGN)),
            with("caBundle as it was first", bundle(1 << 1)),
            with("webhook renamed", Some(Config { has_webhook: false, ..config })),
            with("configuration deleted", None),
            with(
                "configuration replaced",
                Some(Config { uid: self.uids + 1, has_webhook: true, bundle: 0 }),
            ),
        ]
    }
}
