//! An outage, credentials that expired in it, a killed fetcher: the application keeps what it has,
//! reads it without a gap, and gets what is new when all is well again.

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use super::secrets_stay_current::{kept, seen, shows};
use crate::cloud;
use crate::node::Process;
use crate::pods::{app, sum, with};
use crate::stage::{Namespace, PATIENCE};

const VERSIONS: [&str; 3] = ["lab-canary-Xc4nRm7p", "lab-canary-Zt9wGy2d", "lab-canary-Lh5bFq3k"];

/// Both files are of one secret. Whoever opens the directory once never finds two versions in it,
/// and nobody finds a file missing or empty; one look that does ends the container.
const READER: &str = "set -e
while :; do
    cd -P /mnt/secrets-store/..data
    cmp -s user password
    cd /mnt/secrets-store
    test -s user && test -s password
    cat user password >/dev/null
done";

fn reader(secret: &str) -> Value {
    with(kept(app("reader", READER), secret, secret), "/spec/restartPolicy", json!("Always"))
}

fn says(place: &Namespace, words: &str) {
    until(&format!("the fetcher to say {words:?}"), PATIENCE, || {
        let log = place.logs("reader", "kms-secrets");
        Ok(if log.contains(words) { Look::Found(()) } else { Look::Missing(log) })
    })
    .unwrap();
}

fn restarts(place: &Namespace, list: &str) -> u64 {
    place.get("pod/reader")["status"][list][0]["restartCount"].as_u64().unwrap()
}

#[test]
fn an_outage_beyond_the_life_of_credentials_takes_nothing_away() {
    let place = Namespace::opted_in("outage");
    let secret = cloud::secret("outage", VERSIONS[0]);
    place.create(&reader(&secret));
    place.ready("reader");
    // More than one look makes, however its pauses fall.
    cloud::outage(&secret, 12);
    cloud::rotate(&secret, VERSIONS[1]);
    says(&place, "the last good files of a source stay");
    cloud::expire_credentials();
    assert_eq!(seen(&place, "reader", "user"), sum(VERSIONS[0]));
    place.ready("reader");
    for version in [VERSIONS[1], VERSIONS[2]] {
        for file in ["user", "password"] {
            shows(&place, "reader", file, version);
        }
        cloud::expire_credentials();
        cloud::rotate(&secret, VERSIONS[2]);
    }
    for list in ["containerStatuses", "initContainerStatuses"] {
        assert_eq!(restarts(&place, list), 0, "{list}");
    }
}

#[test]
fn a_fetcher_that_is_killed_comes_again_and_the_application_notices_nothing() {
    let place = Namespace::opted_in("killed");
    let secret = cloud::secret("killed", VERSIONS[0]);
    place.create(&reader(&secret));
    place.ready("reader");
    Process::of_init_container(&place, "reader", "kms-secrets").kill();
    place.wait("pod/reader", ".status.initContainerStatuses[0].restartCount", "1");
    says(&place, "the files are there already");
    cloud::rotate(&secret, VERSIONS[1]);
    shows(&place, "reader", "password", VERSIONS[1]);
    place.ready("reader");
    assert_eq!(restarts(&place, "containerStatuses"), 0);
}
