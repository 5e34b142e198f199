//! What answers or lies where the local agent would, and mounts in which nothing can be made.

use serde_json::{Value, json};
use webhook::wire::reply::Outcome;

use crate::support::{ask, injected, pod};

fn agent() -> Value {
    pod(&[("mode", "agent"), ("agent-secrets", "app/*")])
}

/// The application of the KMS Agent's document, without the sidecar beside it.
fn left_behind() -> Value {
    let mut left = agent();
    left["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "kmstoken", "mountPath": "/var/run/kmstoken"}]);
    left["spec"]["volumes"] = json!([{"name": "kmstoken", "emptyDir": {}}]);
    left
}

#[test]
fn a_kms_agent_beside_ours_is_denied_with_what_to_remove() {
    let mut asked = agent();
    asked["metadata"]["annotations"]["kms-agent-webhook-injector/inject"] = json!("true");
    let beside = |container: Value| {
        let mut pod = agent();
        pod["spec"]["containers"].as_array_mut().unwrap().push(container);
        pod
    };
    let shell = "./alibabacloud-kms-agent token /var/run/kmstoken/token && ./alibabacloud-kms-agent agent config.toml";
    for (pod, words) in [
        (
            asked.clone(),
            "the Pod: with kms-agent-webhook-injector/inject another webhook adds a KMS Agent; remove it",
        ),
        (
            beside(json!({"name": "side", "image": "x", "command": ["/bin/sh", "-c", shell]})),
            "container \"side\": it runs the KMS Agent; remove it",
        ),
        (
            beside(json!({"name": "kms-agent", "image": "x"})),
            "container \"kms-agent\": it runs the KMS Agent",
        ),
    ] {
        let message = ask(&pod).message().to_owned();
        assert!(message.contains(words), "{words}: {message}");
    }
    // At another port both have room, and other modes have no port.
    asked["metadata"]["annotations"]["kms.alibabacloud/agent-port"] = json!("2026");
    injected(&asked);
    let mut files = pod(&[("secrets", "a: b")]);
    files["metadata"]["annotations"]["kms-agent-webhook-injector/inject"] = json!("true");
    injected(&files);
    let mut off = agent();
    off["metadata"]["annotations"]["kms-agent-webhook-injector/inject"] = json!("false");
    injected(&off);
}

#[test]
fn a_directory_that_a_sidecar_left_its_token_in_becomes_ours_and_the_application_stays_as_it_is() {
    let after = injected(&left_behind());
    let mounts = &after["spec"]["containers"][0]["volumeMounts"];
    assert_eq!(
        *mounts,
        json!([{"name": "kms-agent", "mountPath": "/var/run/kmstoken", "readOnly": true}])
    );
    assert_eq!(ask(&after).outcome, Outcome::Unchanged);
}

#[test]
fn what_else_lies_at_the_tokens_place_stays_refused() {
    let words = "and the token needs /var/run/kmstoken for itself";
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut pod = left_behind();
        change(&mut pod["spec"]);
        pod
    };
    for pod in [
        changed(&|spec| {
            spec["volumes"][0] = json!({"name": "kmstoken", "hostPath": {"path": "/x"}});
        }),
        changed(&|spec| {
            spec["containers"][0]["volumeMounts"][0]["mountPath"] = json!("/var/run");
        }),
        changed(&|spec| {
            spec["containers"][0]["volumeMounts"][0]["subPath"] = json!("x");
        }),
        // Somebody else mounts it too, and may write a token of its own.
        changed(&|spec| {
            spec["containers"].as_array_mut().unwrap().push(json!({
                "name": "side", "image": "x",
                "volumeMounts": [{"name": "kmstoken", "mountPath": "/tokens"}],
            }));
        }),
    ] {
        let message = ask(&pod).message().to_owned();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn an_agent_without_files_mounts_no_empty_directory() {
    let after = injected(&agent());
    let app = &after["spec"]["containers"][0];
    assert_eq!(app["volumeMounts"].as_array().unwrap().len(), 1, "{app}");
    assert_eq!(app["volumeMounts"][0]["name"], "kms-agent");
    let mut with_files = agent();
    with_files["metadata"]["annotations"]["kms.alibabacloud/secrets"] = json!("db: kms://app/db");
    let after = injected(&with_files);
    assert_eq!(after["spec"]["containers"][0]["volumeMounts"].as_array().unwrap().len(), 2);
}

#[test]
fn a_read_only_volume_above_the_mount_path_is_denied_before_the_container_fails_to_start() {
    let above = |volume: Value, mount: Value| {
        let mut pod = pod(&[("secrets", "a: b")]);
        pod["spec"]["volumes"] = json!([volume]);
        pod["spec"]["containers"][0]["volumeMounts"] = json!([mount]);
        pod
    };
    let writable = json!({"name": "data", "emptyDir": {}});
    let config = json!({"name": "data", "configMap": {"name": "x"}});
    let at_mnt = json!({"name": "data", "mountPath": "/mnt"});
    let read_only = json!({"name": "data", "mountPath": "/mnt/", "readOnly": true});
    for pod in [above(writable.clone(), read_only), above(config, at_mnt.clone())] {
        let message = ask(&pod).message().to_owned();
        assert!(message.contains("the volume \"data\" is mounted read-only at /mnt"), "{message}");
        assert!(
            message.contains("set kms.alibabacloud/mount-path to a directory outside of it"),
            "{message}"
        );
    }
    injected(&above(writable, at_mnt));
}
