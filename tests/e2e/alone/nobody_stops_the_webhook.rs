//! Neither the author of one Pod nor a peer on the Pod network keeps others from their secrets:
//! what they send is refused or answered, no replica ends, and ordinary Pods are admitted meanwhile.

use lab::cluster::Load;
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::pods::{annotated, app, shell};
use crate::release::{annotated_pods, at_work, name, none_failed, replicas, restarts, start};
use crate::stage::{Namespace, ROLE};

/// Every container is given every variable: what is asked for grows with the square of the Pod.
fn heavy(containers: usize, variables: usize) -> Value {
    let env: Vec<String> = (0..variables).map(|at| format!("A{at}: kms://app/db")).collect();
    let mut pod = annotated(app("heavy", "true"), &[("env", &env.join("\n"))]);
    let all: Vec<Value> = (0..containers).map(|at| shell(&format!("c{at}"), "true")).collect();
    pod["spec"]["containers"] = json!(all);
    pod
}

fn restarts_of_all() -> Vec<(String, u64)> {
    let mut all: Vec<_> =
        replicas().iter().map(|pod| (name(pod).to_owned(), restarts(pod))).collect();
    all.sort();
    all
}

#[test]
fn heavy_pods_are_refused_in_words_and_hold_up_no_other() {
    let place = Namespace::opted_in("heavy");
    let before = restarts_of_all();
    let ordinary = annotated_pods(&place, 20);
    // What cost seconds once, then as many containers as may be and more variables for them.
    for (containers, variables, words) in
        [(700, 700, "more than 256 containers"), (200, 250, "more than 256 variables")]
    {
        let refusal = place.refused(&heavy(containers, variables));
        assert!(refusal.contains(words), "{refusal}");
    }
    let again = start(Load {
        namespace: place.name.clone(),
        pod: heavy(64, 4),
        contains: "\"kms-secrets-init\"".to_owned(),
        per_second: 10,
    });
    none_failed(again);
    none_failed(ordinary);
    assert_eq!(restarts_of_all(), before);
    at_work(&place);
}

/// The review of a Pod in this namespace, as a peer would write one.
fn review(place: &Namespace, pod: &Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "peer",
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "operation": "CREATE",
            "namespace": place.name,
            "object": pod,
        },
    })
    .to_string()
}

#[test]
fn a_peer_that_posts_bodies_of_nothing_ends_no_replica() {
    let place = Namespace::opted_in("nothing");
    let before = restarts_of_all();
    let ordinary = annotated_pods(&place, 20);
    for replica in replicas() {
        for list in ["containers", "initContainers", "volumes"] {
            let items = vec!["{}"; 950_000].join(",");
            let pod = json!({
                "metadata": { "annotations": { "kms.alibabacloud/secrets": "app/db" } },
                "spec": { list: "ITEMS" },
            });
            let body = review(&place, &pod).replace("\"ITEMS\"", &format!("[{items}]"));
            let (status, answer) = Peer::connect(&replica).post(&body);
            assert!(status == 200 || status == 400, "{status} {answer}");
            assert!(!answer.contains("\"allowed\":true"), "{answer:.500}");
        }
    }
    none_failed(ordinary);
    assert_eq!(restarts_of_all(), before);
    at_work(&place);
}

#[test]
fn a_peer_that_takes_no_answers_ends_no_replica() {
    let place = Namespace::opted_in("untaken");
    let before = restarts_of_all();
    let containers: Vec<Value> =
        (0..200).map(|at| shell(&format!("container-{at}"), "true")).collect();
    let role = [("role-arn", ROLE)];
    let mut pod = annotated(app("large", "true"), &role);
    pod["spec"]["containers"] = json!(containers);
    let body = review(&place, &pod);
    let ordinary = annotated_pods(&place, 20);
    // Connections are kept until the end of the story: only the replica can give up.
    let mut held = Vec::new();
    for replica in replicas() {
        for _ in 0..90 {
            let mut peer = Peer::connect(&replica);
            peer.ask(&body);
            held.push(peer);
        }
    }
    none_failed(ordinary);
    assert_eq!(restarts_of_all(), before);
    drop(held);
    at_work(&place);
}
