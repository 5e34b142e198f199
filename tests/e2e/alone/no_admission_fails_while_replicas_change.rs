//! Upgrades, drains, scaling and rotation under a steady stream of Pod creations: none of them fails.

use std::thread;

use lab::cluster::{Look, NODE, Program, until};

use crate::install::helm;
use crate::release::{
    CERTIFICATE, annotated_pods, at_work, is, metric, name, none_failed, order, ours,
    pods_that_are_there, replicas, scale, settled,
};
use crate::stage::{Namespace, PATIENCE, RELEASE, RELEASE_NAMESPACE, cluster, kubectl};

const PER_SECOND: u32 = 20;

#[test]
fn at_a_rolling_upgrade() {
    let place = Namespace::opted_in("upgrade");
    let before = names();
    let stream = annotated_pods(&place, PER_SECOND);
    let mark = format!("webhook.podAnnotations.changed={:08x}", fastrand::u32(..));
    helm("upgrade", &["--wait", "--set-string", &mark]).run().unwrap();
    settled();
    none_failed(stream);
    assert!(names().iter().all(|now| !before.contains(now)), "not replaced: {before:?}");
    at_work(&place);
}

/// There is one node: the second replica must not go before the first one has a successor, which
/// can start when the node takes Pods again.
#[test]
fn at_a_drain() {
    let place = Namespace::opted_in("drain");
    let before = names();
    let stream = annotated_pods(&place, PER_SECOND);
    let selector = "--pod-selector=app.kubernetes.io/component=webhook";
    let drain = thread::spawn(move || {
        kubectl(&["drain", NODE, selector, "--timeout=120s"]).output().unwrap()
    });
    until("the first replica to go", PATIENCE, || Ok(left(&before).eq(&1).then_some(()).into()))
        .unwrap();
    // The budget holds however often one asks.
    let other = names().into_iter().find(|name| before.contains(name)).unwrap();
    for _ in 0..3 {
        let said = evict(&other);
        assert!(said.contains("would violate the pod's disruption budget"), "{said}");
    }
    assert!(!drain.is_finished());
    kubectl(&["uncordon", NODE]).run().unwrap();
    let drained = drain.join().unwrap();
    assert!(drained.success, "{}", drained.stderr);
    assert!(drained.stderr.contains("would violate"), "{}", drained.stderr);
    settled();
    none_failed(stream);
    assert_eq!(left(&before), 0);
    at_work(&place);
}

/// The API server has heard of one replica alone when that one is told to end: the other is ready,
/// and the controllers are behind by more than a drain.
#[test]
fn at_an_end_that_endpoints_hear_of_late() {
    let place = Namespace::opted_in("late");
    scale(1);
    until("one Pod", PATIENCE, || Ok((pods_that_are_there() == 1).then_some(()).into())).unwrap();
    let first = names().remove(0);
    order(2);
    until("two Pods", PATIENCE, || Ok((replicas().len() == 2).then_some(()).into())).unwrap();
    let cluster = cluster();
    let controllers = cluster.component(Program::ControllerManager);
    let halted = controllers.freeze().unwrap();
    let ready = || replicas().iter().filter(|pod| is(pod, "Ready")).count();
    until("both to be ready", PATIENCE, || Ok((ready() == 2).then_some(()).into())).unwrap();
    assert_eq!(endpoints(), 1, "the controllers were not behind");
    let stream = annotated_pods(&place, PER_SECOND);
    ours(&["delete", "pod", &first, "--wait=false"]).run().unwrap();
    // A drain is 5 s.
    stream.wait_for(8 * PER_SECOND).unwrap();
    drop(halted);
    settled();
    none_failed(stream);
    at_work(&place);
}

#[test]
fn at_scaling_down_and_up() {
    let place = Namespace::opted_in("scaling");
    let stream = annotated_pods(&place, PER_SECOND);
    for count in [1, 2, 3, 2] {
        scale(count);
        stream.wait_for(2 * PER_SECOND).unwrap();
    }
    // The last one that went goes on answering for some seconds.
    let gone = "the last Pod to be gone";
    until(gone, PATIENCE, || Ok((pods_that_are_there() == 2).then_some(()).into())).unwrap();
    none_failed(stream);
    at_work(&place);
}

/// Whoever wants another certificate now deletes the Secret.
#[test]
fn at_a_rotation() {
    let place = Namespace::opted_in("rotation");
    let served = || -> Vec<_> { names().iter().map(|pod| metric(pod, NOT_AFTER)).collect() };
    let before = served();
    let stream = annotated_pods(&place, PER_SECOND);
    ours(&["delete", CERTIFICATE]).run().unwrap();
    until("both replicas to serve another certificate", 3 * PATIENCE, || {
        let now = served();
        let done = now.iter().zip(&before).all(|(now, before)| now > before);
        Ok(if done { Look::Found(()) } else { Look::Missing(format!("{before:?}, now {now:?}")) })
    })
    .unwrap();
    none_failed(stream);
    at_work(&place);
}

const NOT_AFTER: &str = "secrets_webhook_certificate_not_after";

/// How many replicas the API server would dial.
fn endpoints() -> usize {
    let selector = format!("kubernetes.io/service-name={RELEASE}");
    let list = ours(&["get", "endpointslices", "-l", &selector, "-o", "json"]).json().unwrap();
    let slices = list["items"].as_array().unwrap().iter();
    let all = slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    all.filter(|endpoint| endpoint["conditions"]["ready"] == true).count()
}

/// The names of the replicas.
fn names() -> Vec<String> {
    replicas().iter().map(|pod| name(pod).to_owned()).collect()
}

/// How many of these are still replicas.
fn left(before: &[String]) -> usize {
    names().iter().filter(|name| before.contains(name)).count()
}

/// What the API server says to an eviction that it refuses.
fn evict(pod: &str) -> String {
    let body = serde_json::json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "name": pod, "namespace": RELEASE_NAMESPACE },
    });
    let path = format!("/api/v1/namespaces/{RELEASE_NAMESPACE}/pods/{pod}/eviction");
    let output =
        kubectl(&["create", "--raw", &path, "-f", "-"]).input(body.to_string()).output().unwrap();
    assert!(!output.success, "{pod} was evicted");
    output.stderr
}
