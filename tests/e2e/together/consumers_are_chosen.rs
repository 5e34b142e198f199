//! Which containers get the secrets, and when: init containers too, only those that are named, and
//! first or last where that is asked for.

use serde_json::{Value, json};

use crate::pods::{annotated, app, password_sum, shell, with};
use crate::stage::Namespace;

const READ: &str = "sha256sum < /mnt/secrets-store/password";
/// Succeeds where there is nothing of ours.
const NOTHING: &str = "test ! -e /mnt/secrets-store && ! grep secrets-store /proc/mounts";

fn names(pod: &Value) -> Vec<&str> {
    let all = pod["spec"]["initContainers"].as_array().unwrap();
    all.iter().map(|container| container["name"].as_str().unwrap()).collect()
}

#[test]
fn init_containers_of_the_application_read_them() {
    let place = Namespace::opted_in("init");
    let init = json!([shell("migrate", READ), shell("warm-up", READ)]);
    place.create(&with(app("once", READ), "/spec/initContainers", init));
    place.succeeded("once");
    assert_eq!(names(&place.get("pod/once")), ["kms-secrets-init", "migrate", "warm-up"]);
    for container in ["migrate", "warm-up", "app"] {
        assert_eq!(place.logs("once", container), password_sum(), "{container}");
    }
}

#[test]
fn only_those_that_are_named() {
    let place = Namespace::opted_in("named");
    let pod = annotated(app("once", READ), &[("containers", "app, migrate")]);
    let init = json!([shell("migrate", READ), shell("fetch", NOTHING)]);
    let containers = json!([shell("app", READ), shell("metrics", NOTHING)]);
    let pod = with(pod, "/spec/initContainers", init);
    place.create(&with(pod, "/spec/containers", containers));
    place.succeeded("once");
    for container in ["migrate", "app"] {
        assert_eq!(place.logs("once", container), password_sum(), "{container}");
    }
}

#[test]
fn an_excluded_container_does_not_decide_who_may_read() {
    let place = Namespace::opted_in("excluded");
    let script = "stat -L -c '%a %u' /mnt/secrets-store/password";
    let mut consumer = shell("app", script);
    consumer["securityContext"] = json!({ "runAsUser": 1000 });
    let mut other = shell("metrics", NOTHING);
    other["securityContext"] = json!({ "runAsUser": 2000 });
    let pod = annotated(app("once", ""), &[("containers", "app")]);
    place.create(&with(pod, "/spec/containers", json!([consumer, other])));
    place.succeeded("once");
    assert_eq!(place.logs("once", "app"), "400 1000\n");
}

/// A Pod with a native sidecar of a mesh, and an init container that needs the secrets or not.
fn meshed(name: &str, init_first: &str, migrate: &str) -> Value {
    let mut proxy = shell("istio-proxy", &format!("{NOTHING} && exec sleep 1000"));
    proxy["restartPolicy"] = json!("Always");
    let pod = annotated(app(name, READ), &[("init-first", init_first)]);
    with(pod, "/spec/initContainers", json!([proxy, shell("migrate", migrate)]))
}

#[test]
fn before_the_proxy_of_a_mesh_where_it_is_asked_for() {
    let place = Namespace::opted_in("mesh");
    place.create(&meshed("once", "true", READ));
    place.succeeded("once");
    assert_eq!(names(&place.get("pod/once")), ["kms-secrets-init", "istio-proxy", "migrate"]);
}

#[test]
fn or_last_with_a_warning_to_whom_it_may_concern() {
    let place = Namespace::opted_in("last");
    let said = place.create(&meshed("once", "false", "test ! -e /mnt/secrets-store/password"));
    println!("init-first false: {said}");
    assert!(
        said.contains("Warning: init container migrate runs before the secrets are fetched")
            && said.contains("kms.alibabacloud/init-first is false"),
        "{said}"
    );
    place.succeeded("once");
    assert_eq!(names(&place.get("pod/once")), ["istio-proxy", "migrate", "kms-secrets-init"]);
    assert_eq!(place.logs("once", "app"), password_sum());
}
