//! How many questions to the cloud are under way for clients at once: the files need connections too,
//! and a host that is silent, or a role that is throttled, keeps the clients of others waiting as
//! little as it keeps the files.

use std::collections::HashMap;

use cloud::{AssumedRole, Lookup};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Half of the connections that a host gets.
const OF_A_HOST: usize = 2;

type Caller = Option<AssumedRole>;

/// Hosts, and who asks there.
pub(super) struct Asking(HashMap<String, Host>);

struct Host {
    places: Semaphore,
    callers: HashMap<Caller, Semaphore>,
}

/// A question that is under way.
pub(super) struct Place<'a> {
    _of_the_caller: SemaphorePermit<'a>,
    _of_the_host: SemaphorePermit<'a>,
}

impl Asking {
    /// For all ways in which may be asked.
    pub(super) fn new<'l>(ways: impl Iterator<Item = &'l Lookup>) -> Self {
        let mut hosts: HashMap<String, Host> = HashMap::new();
        for Lookup { endpoint, assume, .. } in ways {
            let host = hosts.entry(endpoint.clone()).or_insert_with(|| Host {
                places: Semaphore::new(OF_A_HOST),
                callers: HashMap::new(),
            });
            host.callers.entry(assume.clone()).or_insert_with(|| Semaphore::new(0));
        }
        for host in hosts.values() {
            // Of several nobody gets all places.
            let of_a_caller = if host.callers.len() > 1 { OF_A_HOST - 1 } else { OF_A_HOST };
            host.callers.values().for_each(|places| places.add_permits(of_a_caller));
        }
        Self(hosts)
    }

    /// Waits for a place. `None` for a way that was not announced.
    pub(super) async fn enter(&self, lookup: &Lookup) -> Option<Place<'_>> {
        let host = self.0.get(&lookup.endpoint)?;
        let caller = host.callers.get(&lookup.assume)?;
        // The caller's own first, or those of one would wait at the others' expense.
        let _of_the_caller = caller.acquire().await.ok()?;
        Some(Place { _of_the_caller, _of_the_host: host.places.acquire().await.ok()? })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloud::Subject;
    use tokio::time::timeout;

    use super::*;

    fn way(endpoint: &str, role: Option<&str>) -> Lookup {
        let assume = role.map(|role| AssumedRole { role_arn: role.to_owned(), external_id: None });
        let subject =
            Subject::KmsSecret { name: "a".into(), version_id: None, version_stage: None };
        Lookup { endpoint: endpoint.to_owned(), subject, assume }
    }

    async fn may_enter<'a>(asking: &'a Asking, way: &Lookup) -> Option<Place<'a>> {
        timeout(Duration::from_secs(1), asking.enter(way)).await.ok().flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_whose_places_are_taken_keeps_no_other_host_waiting() {
        let (silent, well) = (way("silent", None), way("well", None));
        let asking = Asking::new([&silent, &well, &silent].into_iter());
        let taken = [may_enter(&asking, &silent).await, may_enter(&asking, &silent).await];
        assert!(taken.iter().all(Option::is_some));
        assert!(may_enter(&asking, &silent).await.is_none());
        assert!(may_enter(&asking, &well).await.is_some());
        drop(taken);
        assert!(may_enter(&asking, &silent).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_callers_of_a_host_none_gets_all_its_places() {
        let (throttled, other) = (way("host", Some("a")), way("host", Some("b")));
        let asking = Asking::new([&throttled, &other].into_iter());
        let _taken = may_enter(&asking, &throttled).await.unwrap();
        assert!(may_enter(&asking, &throttled).await.is_none());
        assert!(may_enter(&asking, &other).await.is_some());
    }
}
