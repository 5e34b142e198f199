//! Whoever consumes the secrets can read them, and nobody else gains anything.

use serde_json::{Value, json};

use crate::pods::{SECRETS, annotated, password_sum, plain, shell, with};
use crate::stage::Namespace;

/// Mode, user and group of a file and of the directory that it really lies in, then its content.
const SHOW: &str = "\
cd /mnt/secrets-store
stat -L -c '%a %u %g' password
stat -L -c '%a %u %g' ..data
sha256sum < password
";

/// What [`SHOW`] says, apart from the directory's mode and owner.
fn shown(place: &Namespace, pod: &str, container: &str) -> (String, String) {
    let log = place.logs(pod, container);
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert_eq!(lines[2], password_sum().trim());
    (lines[0].to_owned(), lines[1].to_owned())
}

/// A Pod with a container for each security context, each with a script.
fn pod(name: &str, script: &str, contexts: &[Value]) -> Value {
    let containers = contexts.iter().enumerate().map(|(index, context)| {
        let mut container = shell(&format!("app-{index}"), script);
        container["securityContext"] = context.clone();
        container
    });
    let pod = with(plain(name, ""), "/spec/containers", containers.collect());
    annotated(pod, &[("secrets", SECRETS)])
}

fn user(uid: u32) -> Value {
    json!({ "runAsUser": uid })
}

/// Root without any power over files of others.
fn bare_root() -> Value {
    json!({ "runAsUser": 0, "capabilities": { "drop": ["ALL"] } })
}

#[test]
fn consumers_of_one_user_own_them_alone() {
    let place = Namespace::opted_in("one-user");
    place.create(&pod("once", SHOW, &[user(1000), user(1000)]));
    place.succeeded("once");
    for container in ["app-0", "app-1"] {
        let (file, directory) = shown(&place, "once", container);
        assert!(file.starts_with("400 1000 "), "{file}");
        assert!(directory.starts_with("700 1000 "), "{directory}");
    }
    let ours = &place.get("pod/once")["spec"]["initContainers"][0]["securityContext"];
    assert_eq!(ours["runAsUser"], 1000);
}

#[test]
fn other_projected_volumes_keep_their_modes_then() {
    let place = Namespace::opted_in("other-tokens");
    let script = "\
cd /var/run/secrets/kubernetes.io/serviceaccount
stat -L -c '%n %a %u %g' token ca.crt namespace
cd /var/run/vault
stat -L -c '%n %a %u %g' token name
";
    let mount = json!([{ "name": "vault", "mountPath": "/var/run/vault" }]);
    let vault = json!([{ "name": "vault", "projected": { "sources": [
        { "serviceAccountToken": { "audience": "vault.example", "path": "token" } },
        { "downwardAPI": { "items": [{ "path": "name", "fieldRef": { "fieldPath": "metadata.namespace" } }] } },
    ]}}]);
    let with_us = pod("with", script, &[user(1000), user(1000)]);
    let with_us = with(with_us, "/spec/containers/0/volumeMounts", mount.clone());
    let with_us = with(with_us, "/spec/containers/1/volumeMounts", mount);
    let with_us = with(with_us, "/spec/volumes", vault);
    let without =
        annotated(with(with_us.clone(), "/metadata/name", json!("without")), &[("secrets", "")]);
    place.create(&with_us);
    place.create(&without);
    place.succeeded("with");
    place.succeeded("without");
    let (with_us, without) = (place.logs("with", "app-0"), place.logs("without", "app-0"));
    // Kubernetes keeps tokens from others only where one user is known for all containers.
    assert!(without.contains("token 600 1000 "), "{without}");
    assert_eq!(with_us, without);
    assert_eq!(place.get("pod/with")["spec"]["initContainers"][0]["name"], "kms-secrets-init");
}

#[test]
fn one_user_counts_more_than_a_group() {
    let place = Namespace::opted_in("user-and-group");
    let pod = pod("once", SHOW, &[user(1000)]);
    place.create(&with(pod, "/spec/securityContext", json!({ "fsGroup": 2000 })));
    place.succeeded("once");
    let (file, _) = shown(&place, "once", "app-0");
    assert!(file.starts_with("400 1000 "), "{file}");
}

#[test]
fn consumers_of_several_users_read_them_as_the_pods_group() {
    let place = Namespace::opted_in("one-group");
    let pod = pod("once", SHOW, &[user(1000), user(1001), bare_root()]);
    place.create(&with(pod, "/spec/securityContext", json!({ "fsGroup": 2000 })));
    place.succeeded("once");
    for container in ["app-0", "app-1", "app-2"] {
        let (file, directory) = shown(&place, "once", container);
        assert_eq!(file, "440 65532 2000", "{container}");
        assert_eq!(directory, "750 65532 2000", "{container}");
    }
}

#[test]
fn otherwise_everybody_in_the_pod_reads_them() {
    let place = Namespace::opted_in("everybody");
    place.create(&pod("known", SHOW, &[user(1000), user(1001), bare_root()]));
    // Whom the image names is not known, though it is root here.
    place.create(&pod("unknown", SHOW, &[json!({})]));
    place.succeeded("known");
    place.succeeded("unknown");
    for (pod, container) in
        [("known", "app-0"), ("known", "app-1"), ("known", "app-2"), ("unknown", "app-0")]
    {
        let (file, directory) = shown(&place, pod, container);
        assert!(file.starts_with("444 65532 "), "{pod} {container}: {file}");
        assert!(directory.starts_with("755 65532 "), "{pod} {container}: {directory}");
    }
}

#[test]
fn a_pod_of_root_is_served_by_a_container_that_is_not_root() {
    let place = Namespace::opted_in("root");
    let root = |name: &str| {
        let pod = pod(name, SHOW, &[json!({ "capabilities": { "drop": ["ALL"] } })]);
        with(pod, "/spec/securityContext", json!({ "runAsUser": 0, "runAsGroup": 0 }))
    };
    place.create(&root("alone"));
    place.create(&with(root("grouped"), "/spec/securityContext/fsGroup", json!(2000)));
    place.succeeded("alone");
    place.succeeded("grouped");
    assert!(shown(&place, "alone", "app-0").0.starts_with("444 65532 "));
    assert_eq!(shown(&place, "grouped", "app-0").0, "440 65532 2000");
    for pod in ["pod/alone", "pod/grouped"] {
        let ours = &place.get(pod)["spec"]["initContainers"][0]["securityContext"];
        assert_eq!((&ours["runAsUser"], &ours["runAsNonRoot"]), (&json!(65532), &json!(true)));
    }
}

#[test]
fn no_consumer_can_change_them() {
    let place = Namespace::opted_in("read-only");
    // One stream: a log has lines of two in any order.
    let script = "\
exec 2>&1
cd /mnt/secrets-store
for attempt in 'echo x >> password' 'rm password' 'mv db.json other' 'echo x > new' 'rm ..data'; do
    sh -c \"$attempt\" && exit 1
done
sha256sum < password
";
    // The owner of the files, with a root filesystem that is read-only as well; and root itself.
    let locked = json!({ "runAsUser": 1000, "readOnlyRootFilesystem": true });
    place.create(&pod("locked", script, &[locked]));
    place.create(&pod("root", script, &[json!({ "runAsUser": 0 })]));
    place.succeeded("locked");
    place.succeeded("root");
    for pod in ["locked", "root"] {
        let log = place.logs(pod, "app-0");
        let refused = log.matches("Read-only file system").count();
        // Even its owner may only read it: that is said before anything else.
        let forbidden = log.matches("can't create password: Permission denied").count();
        assert_eq!((refused, forbidden), if pod == "locked" { (4, 1) } else { (5, 0) }, "{log}");
        assert!(log.ends_with(&password_sum()), "{log}");
    }
}
