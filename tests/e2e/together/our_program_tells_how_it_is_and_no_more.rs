//! A user who may run commands in a Pod asks the fetcher how it is, and has it do nothing else: its
//! options could send the Pod's token elsewhere.

use super::secrets_stay_current::kept;
use crate::cloud;
use crate::pods::app;
use crate::stage::Namespace;

#[test]
fn in_the_container_that_fetches_only_its_probe_is_run() {
    let place = Namespace::opted_in("commands");
    let (user, password) = (cloud::secret("commands", "u"), cloud::secret("commands", "p"));
    place.create(&kept(app("web", "sleep 1000"), &user, &password));
    place.ready("web");
    let probe = ["/secrets-injector", "probe"];
    let said = place.exec("web", "kms-secrets", &probe);
    assert!(said.success, "{}", said.stderr);
    let source = format!("kms://{user}");
    for command in [
        &["/secrets-injector", "get", &source][..],
        &["/secrets-injector", "get", &source, "--ca=/proc/self/cmdline"],
        &["/secrets-injector", "probe", "--log-level=debug"],
    ] {
        let said = place.exec("web", "kms-secrets", command);
        assert!(!said.success, "{command:?}: {}", said.stdout);
        assert!(said.stderr.contains("no other command may be run"), "{}", said.stderr);
        assert!(said.stderr.contains("/secrets-injector probe"), "{}", said.stderr);
    }
    let said = place.exec("web", "app", &["true"]);
    assert!(said.success, "{}", said.stderr);
}
