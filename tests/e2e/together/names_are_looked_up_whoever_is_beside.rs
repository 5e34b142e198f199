//! The files by which names are looked up are the same in all containers of a Pod, and belong to root:
//! one that runs as root must not hold up the fetcher's look-ups by a lease on them.

use lab::lease::can_be_leased;

use super::secrets_stay_current::kept;
use crate::cloud;
use crate::node::Process;
use crate::pods::{app, plain};
use crate::stage::Namespace;

#[test]
fn while_the_fetcher_runs_nobody_gets_a_lease_on_them() {
    let place = Namespace::opted_in("looks-up");
    let (user, password) = (cloud::secret("looks-up", "u"), cloud::secret("looks-up", "p"));
    place.create(&kept(app("reader", "sleep 1000"), &user, &password));
    place.ready("reader");
    let fetched = Process::of_container(&place, "reader", "app");
    for path in ["/etc/hosts", "/etc/resolv.conf"] {
        assert!(!can_be_leased(&fetched.path(path)).unwrap(), "{path}");
    }
    // The kernel knows leases on them, where nobody has them open.
    let elsewhere = Namespace::plain("looks-up-plain");
    elsewhere.create(&plain("control", "sleep 1000"));
    elsewhere.ready("control");
    let alone = Process::of_container(&elsewhere, "control", "app");
    assert!(can_be_leased(&alone.path("/etc/hosts")).unwrap());
}
