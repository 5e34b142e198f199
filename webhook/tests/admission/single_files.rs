//! Single files of the secrets, which a consumer mounts into directories that have others.

use serde_json::{Value, json};

use crate::support::{ask, injected, pod};

fn mounting(annotations: &[(&str, &str)], mount: &Value) -> Value {
    let mut pod = pod(annotations);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([mount]);
    pod
}

const SECRETS: (&str, &str) = ("secrets", "credentials.txt: kms://shop/db");

fn single() -> Value {
    json!({"name": "kms-secrets", "mountPath": "/etc/app/credentials.txt",
        "subPath": "credentials.txt", "readOnly": true})
}

#[test]
fn a_consumer_may_mount_one_file_into_a_directory_that_has_others() {
    let pod = mounting(&[SECRETS], &single());
    assert!(ask(&pod).response.get("warnings").is_none(), "{}", ask(&pod).response);
    let after = injected(&pod);
    let mounts = after["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    let whole = json!({"name": "kms-secrets", "mountPath": "/mnt/secrets-store", "readOnly": true});
    assert_eq!(mounts, &[single(), whole]);
    assert!(ask(&after).response.get("patch").is_none(), "{}", ask(&after).response);
    let refreshed = mounting(&[SECRETS, ("mode", "refresh")], &single());
    assert!(ask(&refreshed).warnings().contains("they stay as they were when it started"));
}

#[test]
fn other_mounts_of_our_volumes_are_refused_with_their_reason() {
    let with = |field: &str, value: Value| {
        let mut mount = single();
        mount[field] = value;
        mount
    };
    for (annotations, mount, words) in [
        (&[SECRETS][..], with("readOnly", json!(false)), "could write it"),
        (&[SECRETS], with("subPath", json!("other")), "name none of this name"),
        (&[SECRETS], with("subPath", json!("")), "which is added only here"),
        (&[SECRETS], with("name", json!("kms-env")), "which is added only here"),
        (
            &[SECRETS],
            with("mountPath", json!("/mnt/secrets-store/x")),
            "where all of them are anyway",
        ),
        (
            &[("secrets", "credentials.txt: {source: kms://shop/db, onMissing: skip}")],
            single(),
            "may be missing",
        ),
        (&[SECRETS, ("containers", "other")], single(), "which is added only here"),
    ] {
        let mut pod = mounting(annotations, &mount);
        let other = json!({"name": "other", "image": "b"});
        pod["spec"]["containers"].as_array_mut().unwrap().push(other);
        let message = ask(&pod).message().to_owned();
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn a_writable_mount_of_one_file_is_refused_in_an_injected_pod_too() {
    let mut after = injected(&mounting(&[SECRETS], &single()));
    after["spec"]["containers"][0]["volumeMounts"][0]["readOnly"] = json!(false);
    let message = ask(&after).message().to_owned();
    assert!(message.contains("could write it"), "{message}");
}
