//! A workload whose Pods are refused: it is accepted, and its events say why there are no Pods.

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::pods::{annotated, app, with, workload};
use crate::stage::{Namespace, PATIENCE};

const SECRETS: &str = "db: {source: kms://app/db, fileMode: 0400}";
const REFUSAL: &str = "\
admission webhook \"pods.kms.alibabacloud\" denied the request: \
kms.alibabacloud/secrets, line 1, file \"db\", fileMode: \
0400 is a bare number, which YAML readers understand differently; \
write it quoted: fileMode: \"0400\"";

/// Waits until `kubectl describe` says it.
#[track_caller]
fn described(place: &Namespace, what: &[&str], words: &str) -> String {
    let told = until(&format!("{what:?} to tell {words:?}"), PATIENCE, || {
        let told = place.kubectl(&["describe"]).args(what).run()?;
        Ok(if told.contains(words) { Look::Found(told) } else { Look::Missing(told) })
    });
    told.unwrap()
}

fn refused() -> Value {
    annotated(app("", "exec sleep 1000"), &[("secrets", SECRETS)])
}

#[test]
fn of_a_deployment() {
    let place = Namespace::opted_in("deployment");
    let said = place.create(&workload("Deployment", "web", &refused(), json!({})));
    assert!(!said.contains("Warning"), "{said}");
    let message = place.event("ReplicaSet", "FailedCreate");
    println!("{message}");
    assert_eq!(message, format!("Error creating: {REFUSAL}"));
    let told = described(&place, &["replicaset", "--selector=app=web"], "FailedCreate");
    println!("{told}");
    assert!(told.contains(&format!("Error creating: {REFUSAL}")), "{told}");
    // The Deployment itself has it in its status.
    let told = described(&place, &["deployment", "web"], "ReplicaFailure");
    println!("{told}");
    place.wait(
        "deployment/web",
        ".status.conditions[?(@.type==\"ReplicaFailure\")].message",
        REFUSAL,
    );

    // Corrected, it runs.
    let good = annotated(app("", "exec sleep 1000"), &[("secrets", "db: kms://app/db")]);
    assert!(place.apply(&workload("Deployment", "web", &good, json!({}))).success);
    place.wait("deployment/web", ".status.readyReplicas", "1");
}

#[test]
fn of_other_workloads() {
    let place = Namespace::opted_in("other-kinds");
    place.create(&workload("StatefulSet", "db", &refused(), json!({ "serviceName": "db" })));
    place.create(&workload("DaemonSet", "agent", &refused(), json!({})));
    let pod = with(refused(), "/spec/restartPolicy", json!("Never"));
    place.create(&json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": "once" },
        "spec": { "template": { "metadata": { "annotations": pod["metadata"]["annotations"] }, "spec": pod["spec"] } },
    }));
    for kind in ["StatefulSet", "DaemonSet", "Job"] {
        let message = place.event(kind, "FailedCreate");
        println!("{kind}: {message}");
        assert!(message.contains(REFUSAL), "{message}");
    }
}

#[test]
fn with_a_first_line_that_is_enough_to_act_on() {
    let place = Namespace::opted_in("many-problems");
    let secrets: String =
        (0..30).map(|file| format!("file-{file}: s3://bucket/{file}\n")).collect();
    let pod = annotated(app("", "exec sleep 1000"), &[("secrets", &secrets)]);
    place.create(&workload("Deployment", "web", &pod, json!({})));
    let message = place.event("ReplicaSet", "FailedCreate");
    println!("{message}");
    let first = message.lines().next().unwrap();
    assert!(first.contains("line 1, file \"file-0\": unknown scheme \"s3://\""), "{first}");
    assert!(first.contains("write kms://NAME") && first.ends_with("(1 of 30 problems)"), "{first}");
}
