//! A service mesh: its proxy starts before our container, which may need it to reach the cloud, and
//! gets no secrets.

use serde_json::{Value, json};

use crate::other_injector::{Again, OtherInjector, Turn};
use crate::pods::{OURS, app, container, push, shell, with};
use crate::stage::Namespace;

const CHECK: &str = "test -s /mnt/secrets-store/password";

fn native_proxy() -> Value {
    with(shell("istio-proxy", "exec sleep 1000"), "/restartPolicy", json!("Always"))
}

/// An application whose own init container needs the secrets too.
fn meshed(name: &str) -> Value {
    let mut pod = app(name, CHECK);
    push(&mut pod["spec"]["initContainers"], shell("migrate", CHECK));
    pod
}

fn order(pod: &Value) -> Vec<&str> {
    let init = pod["spec"]["initContainers"].as_array().unwrap();
    init.iter().filter_map(|container| container["name"].as_str()).collect()
}

#[track_caller]
fn has_the_secrets_mounted(pod: &Value, name: &str) -> bool {
    let mounts = container(pod, name)["volumeMounts"].as_array();
    mounts.is_some_and(|mounts| mounts.iter().any(|mount| mount["name"] == "kms-secrets"))
}

#[test]
fn ours_comes_directly_behind_a_native_proxy() {
    let place = Namespace::opted_in("native-proxy");
    let mut pod = meshed("web");
    let init = pod["spec"]["initContainers"].as_array_mut().unwrap();
    init.splice(0..0, [shell("istio-init", "true"), native_proxy()]);
    place.create(&pod);
    place.succeeded("web");
    let pod = place.get("pod/web");
    assert_eq!(order(&pod), ["istio-init", "istio-proxy", OURS, "migrate"]);
    for name in ["istio-init", "istio-proxy"] {
        assert!(!has_the_secrets_mounted(&pod, name), "{name}");
    }
    for name in ["migrate", "app"] {
        assert!(has_the_secrets_mounted(&pod, name), "{name}");
    }
}

#[test]
fn ours_comes_first_where_the_proxy_starts_with_the_application() {
    let place = Namespace::opted_in("late-proxy");
    let mut pod = meshed("web");
    // It ends with the Pod's other containers, so that the Pod can.
    push(&mut pod["spec"]["containers"], shell("istio-proxy", "true"));
    place.create(&pod);
    place.succeeded("web");
    let pod = place.get("pod/web");
    assert_eq!(order(&pod), [OURS, "migrate"]);
    assert!(!has_the_secrets_mounted(&pod, "istio-proxy"));
}

#[test]
fn a_proxy_that_is_injected_after_us_comes_before_ours_and_ours_is_not_moved() {
    for (story, at) in [("proxy-first", Some(0)), ("proxy-last", None)] {
        let place = Namespace::opted_in(story);
        let mesh = OtherInjector::start(&place, Turn::AfterUs, Again::IfNeeded, move |pod| {
            let spec = pod["spec"].as_object_mut().unwrap();
            let list = spec.entry("initContainers").or_insert_with(|| json!([]));
            let list = list.as_array_mut().unwrap();
            if !list.iter().any(|container| container["name"] == "istio-proxy") {
                list.insert(at.unwrap_or(list.len()), native_proxy());
            }
        });
        place.create(&meshed("web"));
        place.succeeded("web");
        drop(mesh);
        let pod = place.get("pod/web");
        match at {
            Some(_) => assert_eq!(order(&pod), ["istio-proxy", OURS, "migrate"]),
            None => assert_eq!(order(&pod), [OURS, "migrate", "istio-proxy"]),
        }
        assert!(!has_the_secrets_mounted(&pod, "istio-proxy"));
    }
}
