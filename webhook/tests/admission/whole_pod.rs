//! Resources of a whole Pod, which its containers share with ours.

use serde_json::{Value, json};
use webhook::wire::reply::Outcome;

use crate::support::{ask, injected, ours, pod};

/// A Pod with 100m and 64Mi for all its containers, of which the application requests all.
fn whole(annotations: &[(&str, &str)]) -> Value {
    let mut whole = pod(&[("secrets", "db: kms://shop/db")]);
    for (key, value) in annotations {
        whole["metadata"]["annotations"][format!("kms.alibabacloud/{key}")] = json!(value);
    }
    let amounts = json!({"cpu": "100m", "memory": "64Mi"});
    whole["spec"]["resources"] = json!({"requests": amounts, "limits": amounts});
    whole["spec"]["containers"][0]["resources"] = json!({"requests": amounts});
    whole
}

#[test]
fn our_container_requests_nothing_of_a_pod_with_resources_of_its_own_and_stays_within_its_limit() {
    for mode in ["init", "refresh", "agent"] {
        let after = injected(&whole(&[("mode", mode)]));
        let mut all = after["spec"]["initContainers"].as_array().unwrap().iter();
        let ours = all.find(|it| it["name"].as_str().unwrap().starts_with("kms-secrets")).unwrap();
        let resources = &ours["resources"];
        assert_eq!(resources["requests"], json!({"cpu": "0", "memory": "0"}), "{mode}");
        let memory = resources["limits"]["memory"].as_str().unwrap();
        assert!(["33Mi", "64Mi"].contains(&memory) || memory.ends_with("Ki"), "{mode}: {memory}");
        assert_eq!(resources["limits"]["cpu"], Value::Null, "{mode}");
        assert_eq!(ask(&after).outcome, Outcome::Unchanged, "{mode}");
    }
    let mut small = whole(&[("secrets", &files(100))]);
    small["spec"]["resources"]["limits"]["memory"] = json!("40Mi");
    assert_eq!(ours(&injected(&small))["resources"]["limits"]["memory"], "40Mi");
}

fn files(count: usize) -> String {
    (0..count).map(|n| format!("f{n}: kms://shop/db\n")).collect()
}

#[test]
fn without_limits_of_its_own_a_pod_leaves_ours_as_they_are() {
    let mut requests = whole(&[]);
    requests["spec"]["resources"] = json!({"requests": {"cpu": "1"}});
    let after = injected(&requests);
    let resources = &ours(&after)["resources"];
    assert_eq!(
        *resources,
        json!({"requests": {"cpu": "0", "memory": "0"}, "limits": {"memory": "33Mi"}})
    );
    let mut empty = whole(&[]);
    empty["spec"]["resources"] = json!({});
    assert_eq!(
        ours(&injected(&empty))["resources"]["requests"],
        json!({"cpu": "10m", "memory": "16Mi"})
    );
}

#[test]
fn what_an_annotation_asks_for_is_kept_where_it_fits_and_refused_in_our_words_where_not() {
    let room = |key: &str, value: &str| {
        let mut roomy = whole(&[(key, value)]);
        roomy["spec"]["containers"][0]["resources"] =
            json!({"requests": {"cpu": "60m", "memory": "32Mi"}});
        roomy
    };
    let asked = injected(&room("resources.requests.cpu", "40m"));
    assert_eq!(ours(&asked)["resources"]["requests"]["cpu"], "40m");
    for (pod, words) in [
        (
            room("resources.requests.cpu", "41m"),
            "resources.requests.cpu: 41m is more than the whole Pod has (spec.resources: 100m), and other containers take a part of it",
        ),
        (
            whole(&[("resources.requests.memory", "1Mi")]),
            "resources.requests.memory: 1Mi is more than the whole Pod has (spec.resources: 64Mi)",
        ),
        (
            whole(&[("resources.limits.memory", "65Mi")]),
            "resources.limits.memory: 65Mi is more than the whole Pod has (spec.resources: 64Mi);",
        ),
        (
            whole(&[("resources.limits.cpu", "1")]),
            "resources.limits.cpu: 1 is more than the whole Pod has",
        ),
    ] {
        let message = ask(&pod).message().to_owned();
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn nothing_may_be_requested_of_any_pod() {
    let after = injected(&pod(&[
        ("secrets", "a: b"),
        ("resources.requests.cpu", "0"),
        ("resources.requests.memory", "0"),
    ]));
    assert_eq!(ours(&after)["resources"]["requests"], json!({"cpu": "0", "memory": "0"}));
    assert_eq!(ask(&after).outcome, Outcome::Unchanged);
}
