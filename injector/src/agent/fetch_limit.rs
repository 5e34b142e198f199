//! How many questions to the cloud are under way for clients at once. The files need connections
//! too, and a host that is silent, or a role that is throttled, keeps the clients of others waiting
//! as little as it keeps the files.

use std::collections::HashMap;

use cloud::{AssumedRole, Lookup};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Half of the connections that a host gets.
const OF_A_HOST: usize = 2;

type Caller = Option<AssumedRole>;

/// The places of each host, and of each caller there.
pub(super) struct FetchLimit(HashMap<String, Host>);

struct Host {
    places: Semaphore,
    callers: HashMap<Caller, Semaphore>,
}

/// A question that is under way.
pub(super) struct FetchPermit<'a> {
    _of_the_caller: SemaphorePermit<'a>,
    _of_the_host: SemaphorePermit<'a>,
}

impl FetchLimit {
    /// The limit has places for all of these routes.
    pub(super) fn new<'l>(routes: impl Iterator<Item = &'l Lookup>) -> Self {
        let mut hosts: HashMap<String, Host> = HashMap::new();
        for Lookup { endpoint, assume, .. } in routes {
            let host = hosts.entry(endpoint.clone()).or_insert_with(|| Host {
                places: Semaphore::new(OF_A_HOST),
                callers: HashMap::new(),
            });
            host.callers.entry(assume.clone()).or_insert_with(|| Semaphore::new(0));
        }
        for host in hosts.values() {
            // No caller gets all places of a host that has several.
            let of_a_caller = if host.callers.len() > 1 { OF_A_HOST - 1 } else { OF_A_HOST };
            host.callers.values().for_each(|places| places.add_permits(of_a_caller));
        }
        Self(hosts)
    }

    /// Waits for a place. Returns `None` for a route that the limit does not know.
    pub(super) async fn enter(&self, lookup: &Lookup) -> Option<FetchPermit<'_>> {
        let host = self.0.get(&lookup.endpoint)?;
        let caller = host.callers.get(&lookup.assume)?;
        // The caller's own place is taken first, or the questions of one caller would wait at the
        // others' expense.
        let _of_the_caller = caller.acquire().await.ok()?;
        Some(FetchPermit { _of_the_caller, _of_the_host: host.places.acquire().await.ok()? })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloud::Subject;
    use tokio::time::timeout;

    use super::*;

    fn route(endpoint: &str, role: Option<&str>) -> Lookup {
        let assume = role.map(|role| AssumedRole { role_arn: role.to_owned(), external_id: None });
        let subject =
            Subject::KmsSecret { name: "a".into(), version_id: None, version_stage: None };
        Lookup { endpoint: endpoint.to_owned(), subject, assume }
    }

    async fn may_enter<'a>(limit: &'a FetchLimit, route: &Lookup) -> Option<FetchPermit<'a>> {
        timeout(Duration::from_secs(1), limit.enter(route)).await.ok().flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_whose_places_are_taken_keeps_no_other_host_waiting() {
        let (silent, well) = (route("silent", None), route("well", None));
        let limit = FetchLimit::new([&silent, &well, &silent].into_iter());
        let taken = [may_enter(&limit, &silent).await, may_enter(&limit, &silent).await];
        assert!(taken.iter().all(Option::is_some));
        assert!(may_enter(&limit, &silent).await.is_none());
        assert!(may_enter(&limit, &well).await.is_some());
        drop(taken);
        assert!(may_enter(&limit, &silent).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_callers_of_a_host_none_gets_all_its_places() {
        let (throttled, other) = (route("host", Some("a")), route("host", Some("b")));
        let limit = FetchLimit::new([&throttled, &other].into_iter());
        let _taken = may_enter(&limit, &throttled).await.unwrap();
        assert!(may_enter(&limit, &throttled).await.is_none());
        assert!(may_enter(&limit, &other).await.is_some());
    }
}
