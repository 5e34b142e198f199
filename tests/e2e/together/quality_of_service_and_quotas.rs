//! Our container within what namespaces allow: a Guaranteed Pod stays Guaranteed, and what a
//! LimitRange or a ResourceQuota refuses can be put right by an annotation.

use serde_json::{Value, json};

use crate::pods::{SECRETS, annotated, app, plain, with};
use crate::stage::Namespace;

const READ: &str = "sha256sum < /mnt/secrets-store/password";

fn sized(pod: Value, cpu: &str, memory: &str) -> Value {
    let amounts = json!({ "cpu": cpu, "memory": memory });
    let resources = json!({ "requests": amounts, "limits": amounts });
    with(pod, "/spec/containers/0/resources", resources)
}

fn limits(item: Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": { "name": "limits" },
        "spec": { "limits": [with(item, "/type", json!("Container"))] },
    })
}

fn quota(hard: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": "quota" },
        "spec": { "hard": hard },
    })
}

#[track_caller]
fn qos(place: &Namespace, pod: &str, class: &str) {
    assert_eq!(place.get(&format!("pod/{pod}"))["status"]["qosClass"], class, "{pod}");
}

#[test]
fn a_pod_keeps_its_class() {
    let place = Namespace::opted_in("qos");
    place.create(&sized(app("guaranteed", READ), "50m", "32Mi"));
    place.create(&with(
        app("burstable", READ),
        "/spec/containers/0/resources",
        json!({ "requests": { "cpu": "10m" } }),
    ));
    place.succeeded("guaranteed");
    place.succeeded("burstable");
    qos(&place, "guaranteed", "Guaranteed");
    qos(&place, "burstable", "Burstable");
    let ours = &place.get("pod/burstable")["spec"]["initContainers"][0]["resources"];
    assert!(ours["limits"]["cpu"].is_null() && ours["limits"]["memory"].is_string(), "{ours}");
}

/// Resources of a whole Pod leave nothing over for ours, in any mode.
#[test]
fn a_pod_with_resources_of_its_own() {
    let place = Namespace::opted_in("whole");
    let amounts = json!({ "cpu": "100m", "memory": "64Mi" });
    for mode in ["init", "refresh", "agent"] {
        let agent = [("agent-secrets", "app/*")];
        let more = if mode == "agent" { &agent[..] } else { &[] };
        let pod = annotated(app(mode, READ), &[&[("mode", mode)], more].concat());
        let pod = with(pod, "/spec/resources", json!({ "requests": amounts, "limits": amounts }));
        let requests = json!({ "requests": amounts });
        place.create(&with(pod, "/spec/containers/0/resources", requests));
    }
    for mode in ["init", "refresh", "agent"] {
        place.succeeded(mode);
        qos(&place, mode, "Guaranteed");
    }
    let refused = with(app("more", READ), "/spec/resources", json!({ "limits": amounts }));
    let refused = place.refused(&annotated(refused, &[("resources.limits.memory", "65Mi")]));
    assert!(refused.contains("65Mi is more than the whole Pod has"), "{refused}");
}

#[test]
fn defaults_of_a_limit_range_reach_our_container_too() {
    let place = Namespace::opted_in("defaults");
    let all = json!({ "cpu": "200m", "memory": "128Mi" });
    place.create(&limits(json!({ "default": all, "defaultRequest": all })));
    // By the defaults alone it is Guaranteed.
    place.create(&plain("plain", "true"));
    place.create(&app("ours", READ));
    place.succeeded("ours");
    qos(&place, "plain", "Guaranteed");
    qos(&place, "ours", "Guaranteed");
}

#[test]
fn a_limit_range_that_our_container_does_not_fit() {
    let place = Namespace::opted_in("limit-range");
    place.create(&limits(json!({
        "min": { "memory": "64Mi" },
        "max": { "cpu": "1", "memory": "1Gi" },
        "maxLimitRequestRatio": { "memory": "1" },
    })));
    let pod = sized(app("once", READ), "50m", "64Mi");
    let burstable = with(
        app("once", READ),
        "/spec/containers/0/resources",
        json!({ "requests": { "cpu": "10m", "memory": "64Mi" }, "limits": { "cpu": "1", "memory": "64Mi" } }),
    );
    let said = place.refused(&pod);
    println!("{said}");
    assert!(
        said.contains(
            "is forbidden: minimum memory usage per Container is 64Mi, but request is 33Mi"
        ),
        "{said}"
    );
    let said = place.refused(&burstable);
    println!("{said}");
    for words in [
        "minimum memory usage per Container is 64Mi, but request is 16Mi",
        "memory max limit to request ratio per Container is 1, but provided ratio is",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let fitting = annotated(
        burstable,
        &[("resources.requests.memory", "64Mi"), ("resources.limits.memory", "64Mi")],
    );
    place.create(&fitting);
    place.succeeded("once");
}

#[test]
fn a_quota_that_wants_limits_of_every_container() {
    let place = Namespace::opted_in("quota-limits");
    place.create(&quota(&json!({ "limits.cpu": "1", "limits.memory": "256Mi" })));
    let limits = json!({ "limits": { "cpu": "100m", "memory": "64Mi" }, "requests": { "cpu": "10m", "memory": "64Mi" } });
    let pod = with(app("once", READ), "/spec/containers/0/resources", limits);
    let said = place.refused(&pod);
    println!("{said}");
    assert!(
        said.contains("failed quota: quota: must specify limits.cpu for: kms-secrets-init"),
        "{said}"
    );
    place.create(&annotated(pod, &[("resources.limits.cpu", "100m")]));
    place.succeeded("once");
}

#[test]
fn a_quota_that_is_used_up() {
    let place = Namespace::opted_in("quota-used");
    place.create(&quota(&json!({ "requests.memory": "40Mi" })));
    let small = |name: &str| {
        with(
            plain(name, "exec sleep 1000"),
            "/spec/containers/0/resources",
            json!({ "requests": { "memory": "16Mi" } }),
        )
    };
    place.create(&small("first"));
    place.wait("resourcequota/quota", ".status.used.requests\\.memory", "16Mi");
    // Beside a small application ours costs nothing: they do not run at the same time.
    place.create(&annotated(small("second"), &[("secrets", SECRETS)]));
    place.wait("resourcequota/quota", ".status.used.requests\\.memory", "32Mi");
    let third = annotated(small("third"), &[("secrets", SECRETS)]);
    let said = place.refused(&third);
    println!("{said}");
    assert!(said.contains("exceeded quota: quota, requested: requests.memory=16Mi"), "{said}");
}
