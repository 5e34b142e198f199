//! A cloud that is away for longer than the credentials live that it gave out. It is the cloud's
//! clock that goes on meanwhile, for everybody who asks it.
//!
//! The kubelet renews the token that it projects by the node's clock, so this one stays good here:
//! it lives longer than the outage. One that does not is told in `tests/fetcher_refresh.rs`: it is
//! read anew for each exchange.

use lab::cluster::{Look, until};
use serde_json::json;

use crate::cloud;
use crate::pods::{annotated, app, sum, with};
use crate::stage::{Namespace, PATIENCE};

const FIRST: &str = "lab-canary-Uk7dHs3r";
const SECOND: &str = "lab-canary-Ew2zPb9f";
/// The shortest time for which STS gives credentials, in seconds.
const LIFE: &str = "900";
/// Longer than that, and than requests may be old; shorter than the life of a token.
const AWAY: i64 = 1800;

#[test]
fn and_the_files_are_those_of_before_and_then_of_after() {
    let place = Namespace::opted_in("long-outage");
    let secret = cloud::secret("long-outage", FIRST);
    let list = format!("password: kms://{secret}\n");
    let more = [
        ("secrets", list.as_str()),
        ("mode", "refresh"),
        ("refresh-interval", "10s"),
        ("role-session-expiration", LIFE),
    ];
    let pod = annotated(app("reader", "exec sleep 1000"), &more);
    place.create(&with(pod, "/spec/restartPolicy", json!("Always")));
    place.ready("reader");
    let shows = |content: &str| {
        until("the application to see its file", PATIENCE, || {
            let path = "/mnt/secrets-store/password";
            let now = place.exec("reader", "app", &["sha256sum", path]).stdout;
            let is = now.starts_with(&sum(content));
            Ok(if is { Look::Found(()) } else { Look::Missing(now) })
        })
        .unwrap();
    };
    shows(FIRST);
    let exchanged = cloud::exchanges();
    // More than one look makes, however its pauses fall.
    cloud::outage(&secret, 12);
    cloud::rotate(&secret, SECOND);
    until("the fetcher to have asked in vain", PATIENCE, || {
        let log = place.logs("reader", "kms-secrets");
        let is = log.contains("the last good files of a source stay");
        Ok(if is { Look::Found(()) } else { Look::Missing(log) })
    })
    .unwrap();
    let later = cloud::Later::by(AWAY);
    shows(FIRST);
    place.ready("reader");
    shows(SECOND);
    // By the machine's clock alone there was no reason to.
    assert!(cloud::exchanges() > exchanged, "the credentials of before were taken");
    drop(later);
    let status = place.get("pod/reader")["status"].clone();
    for list in ["containerStatuses", "initContainerStatuses"] {
        assert_eq!(status[list][0]["restartCount"], 0, "{status}");
    }
}
