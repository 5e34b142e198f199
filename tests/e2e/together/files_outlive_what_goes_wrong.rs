//! Rotations, an outage, credentials that expired in it, a killed fetcher: the application keeps what
//! it has, reads it without a gap, and gets what is new when all is well again.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use super::secrets_stay_current::{kept, seen, shows};
use crate::cloud;
use crate::node::Process;
use crate::pods::{annotated, app, sum, with};
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

/// How it goes with a reader who never rests.
#[derive(Default)]
struct Race {
    reads: AtomicU64,
    over: AtomicBool,
}

/// Ends the race, also where the story fails.
struct Finish<'r>(&'r Race);

/// Files of one secret: enough to show a swap that is not at one instant.
const NAMES: [&str; 5] = ["user", "password", "a", "b", "c"];
const MILLIONS: u64 = 2_000_000;

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

impl Race {
    fn count(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Reads by the container's own mount. Every content that is ever there is one of `known`, each
    /// newer than the one before. Returns which of them were seen.
    fn reads(&self, mount: &Path, known: &[Vec<u8>]) -> HashSet<usize> {
        let version = |path: &Path| {
            let content = fs::read(path).unwrap();
            let version = known.iter().position(|known| *known == content);
            version.unwrap_or_else(|| panic!("{} bytes of {}", content.len(), path.display()))
        };
        let (mut seen, mut newest) = (HashSet::new(), 0);
        while !self.over.load(Ordering::Relaxed) {
            // One generation: all of the same version.
            let shown = mount.join(fs::read_link(mount.join("..data")).unwrap());
            let versions = NAMES.map(|name| version(&shown.join(name)));
            assert_eq!(versions, [versions[0]; NAMES.len()], "mixed");
            seen.insert(versions[0]);
            // Name by name: never missing, never older than what was there before.
            for name in NAMES {
                let now = version(&mount.join(name));
                assert!(now >= newest, "{name} is older than before");
                newest = now;
            }
            self.reads.fetch_add(2 * NAMES.len() as u64, Ordering::Relaxed);
        }
        seen
    }
}

#[test]
fn a_racing_reader_sees_whole_generations_in_millions_of_reads() {
    let place = Namespace::opted_in("raced");
    // Longer than a page, so that half of it would be noticed.
    let value = |version: usize| format!("lab-canary-Qm{version}-{}", "x".repeat(5000));
    let secret = cloud::secret("raced", &value(0));
    let list: String = NAMES.map(|name| format!("{name}: kms://{secret}\n")).concat();
    place.create(&annotated(reader(&secret), &[("secrets", &list)]));
    place.ready("reader");
    let mount = Process::of_container(&place, "reader", "app").path("/mnt/secrets-store");
    let known: Vec<_> = (0..1000).map(|version| value(version).into_bytes()).collect();
    let (race, mut rotated) = (Race::default(), 0);
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| race.reads(&mount, &known));
        let finish = Finish(&race);
        while !reader.is_finished() && (rotated < 4 || race.count() < MILLIONS) {
            rotated += 1;
            cloud::rotate(&secret, &value(rotated));
            shows(&place, "reader", "c", &value(rotated));
        }
        drop(finish);
        reader.join().unwrap()
    });
    println!("{} reads, {rotated} rotations", race.count());
    assert_eq!(seen.len(), rotated + 1, "a generation was not seen");
    for list in ["containerStatuses", "initContainerStatuses"] {
        assert_eq!(restarts(&place, list), 0, "{list}");
    }
}
