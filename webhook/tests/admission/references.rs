//! No variable is read from a file of ours by a Pod's own reference, whatever the operator allows.

use serde_json::{Value, json};
use webhook::settings::Settings;

use crate::support::{ask_with, injected_with, pod, review, settings_with as settings};

fn denied(pod: &Value, settings: &Settings) -> String {
    ask_with(&review(pod), settings).message().to_owned()
}

/// A variable that the kubelet would read from a file.
fn read(volume: &str, path: &str, key: &str) -> Value {
    json!({"name": "PW", "valueFrom": {
        "fileKeyRef": {"volumeName": volume, "path": path, "key": key}}})
}

fn started(annotations: &[(&str, &str)]) -> Value {
    let mut pod = pod(annotations);
    pod["spec"]["containers"][0]["command"] = json!(["/app"]);
    pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "side"}));
    pod["spec"]["initContainers"] = json!([{"name": "early"}]);
    pod
}

const VOLUMES: [&str; 6] =
    ["kms-secrets", "kms-env", "kms-agent", "kms-ca", "kms-rrsa-token", "kms-credentials"];

#[test]
fn no_container_refers_to_a_file_of_ours_by_hand_whatever_the_operator_allows() {
    for way in ["never", "asked", "auto"] {
        let settings = settings(&[&format!("fileKeyRef={way}"), "oldestKubelet=1.36"]);
        for volume in VOLUMES {
            for (list, at) in [("containers", 0), ("containers", 1), ("initContainers", 0)] {
                let mut pod = started(&[("secrets", "e: shop/x"), ("containers", "app")]);
                pod["spec"][list][at]["env"] = json!([read(volume, "..data/e", "PW")]);
                let message = denied(&pod, &settings);
                let name = pod["spec"][list][at]["name"].as_str().unwrap();
                assert!(
                    message.contains(&format!(
                        "container {name:?}: its variable \"PW\" would be read"
                    )),
                    "{message}"
                );
                assert!(message.contains(&format!("from the volume {volume:?}")), "{message}");
                assert!(message.contains("kms.alibabacloud/env"), "{message}");
            }
        }
    }
}

#[test]
fn a_reference_by_hand_that_comes_with_a_later_call_is_refused_or_undone() {
    let settings = settings(&["fileKeyRef=never"]);
    let first =
        injected_with(&started(&[("secrets", "e: shop/x"), ("env.app", "A: shop/a")]), &settings);
    for volume in VOLUMES {
        for (list, at) in
            [("containers", 0), ("containers", 1), ("initContainers", 0), ("initContainers", 1)]
        {
            let mut again = first.clone();
            let container = &mut again["spec"][list][at];
            let of_ours = container["name"] == "kms-secrets-init";
            match container.get_mut("env") {
                Some(env) => env.as_array_mut().unwrap().push(read(volume, "..data/e", "PW")),
                None => container["env"] = json!([read(volume, "..data/e", "PW")]),
            }
            if volume == "kms-env" && !of_ours {
                // What is ours to write is written as it must be.
                let after = injected_with(&again, &settings);
                assert!(!after["spec"].to_string().contains("fileKeyRef"), "{after}");
            } else {
                let message = denied(&again, &settings);
                assert!(message.contains("its variable \"PW\" would be read"), "{message}");
            }
        }
    }
}

#[test]
fn what_the_operator_lets_the_kubelet_read_stays_as_it_is_at_a_later_call() {
    let settings = settings(&["fileKeyRef=asked", "oldestKubelet=1.36"]);
    let pod = pod(&[("env", "A: shop/a"), ("env-method", "file-key-ref")]);
    let after = injected_with(&pod, &settings);
    assert!(after["spec"]["containers"].to_string().contains("fileKeyRef"));
    let answer = ask_with(&review(&after), &settings);
    assert!(answer.response.get("patch").is_none(), "{}", answer.response);
    // A file of the Pod's own is no business of ours.
    let mut own = after;
    let volume = json!({"name": "own", "emptyDir": {}});
    own["spec"]["volumes"].as_array_mut().unwrap().push(volume);
    own["spec"]["containers"][0]["env"].as_array_mut().unwrap().push(read("own", "e", "PW"));
    let answer = ask_with(&review(&own), &settings);
    assert_eq!(answer.response["allowed"], true, "{}", answer.response);
}
