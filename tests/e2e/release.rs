//! The release under test: what it consists of, how it is changed, and whether it is at work.

use std::time::Instant;

use lab::cluster::{Calls, Creation, Load, LoadStream, Look, Tool, until};
use serde_json::{Value, json};

use crate::pods::app;
use crate::stage::{Namespace, PATIENCE, RELEASE, RELEASE_NAMESPACE, cluster, kubectl};

/// The Secret in which the webhook keeps its certificate.
pub(crate) const CERTIFICATE: &str = "secret/alibabacloud-secrets-injector-certificate";

/// kubectl in the release's namespace.
pub(crate) fn ours(arguments: &[&str]) -> Tool {
    kubectl(&["--namespace", RELEASE_NAMESPACE]).args(arguments)
}

/// The webhook's Pods that are not about to end.
pub(crate) fn replicas() -> Vec<Value> {
    let selector = "app.kubernetes.io/component=webhook";
    let list = ours(&["get", "pods", "-l", selector, "-o", "json"]).json().unwrap();
    let mut pods = list["items"].as_array().unwrap().clone();
    pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    pods
}

/// How many of the webhook's Pods there are, those that are ending too: these still answer, and
/// do what replicas do.
pub(crate) fn pods_that_are_there() -> usize {
    let selector = "app.kubernetes.io/component=webhook";
    ours(&["get", "pods", "-l", selector, "-o", "name"]).run().unwrap().lines().count()
}

/// Takes all replicas away and waits until nothing of them runs.
pub(crate) fn none() {
    scale(0);
    until("the last replica to end", PATIENCE, || {
        Ok((pods_that_are_there() == 0).then_some(()).into())
    })
    .unwrap();
}

pub(crate) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// Whether a condition of a Pod is true.
pub(crate) fn is(pod: &Value, condition: &str) -> bool {
    let all = pod["status"]["conditions"].as_array().into_iter().flatten();
    all.into_iter().any(|one| one["type"] == condition && one["status"] == "True")
}

/// How often the container of a replica has ended.
pub(crate) fn restarts(pod: &Value) -> u64 {
    pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap()
}

/// As many replicas as wanted, and all of them ready.
pub(crate) fn scale(count: usize) {
    order(count);
    settled();
}

/// The same without waiting for them.
pub(crate) fn order(count: usize) {
    let count = format!("--replicas={count}");
    ours(&["scale", "deployment", RELEASE, &count]).run().unwrap();
}

/// The Deployment is as it is to be.
pub(crate) fn settled() {
    let rollout = format!("deployment/{RELEASE}");
    ours(&["rollout", "status", &rollout, "--timeout=120s"]).run().unwrap();
    let wanted = ours(&["get", &rollout, "-o", "jsonpath={.spec.replicas}"]).run().unwrap();
    until(&format!("{wanted} replicas"), PATIENCE, || {
        let there = replicas();
        let ready = there.iter().filter(|pod| is(pod, "Ready")).count();
        let done = there.len() == ready && ready.to_string() == wanted;
        Ok(if done { Look::Found(()) } else { Look::Missing(format!("{ready} are ready")) })
    })
    .unwrap();
}

/// What a story must leave to the next one: two ready replicas, and Pods are injected.
#[track_caller]
pub(crate) fn at_work(place: &Namespace) {
    settled();
    assert_eq!(replicas().len(), 2);
    admits(place);
}

/// Waits until an annotated Pod is accepted. One that is accepted without our container ends the
/// story: that must never be.
#[track_caller]
pub(crate) fn admits(place: &Namespace) {
    until("an annotated Pod to be accepted", PATIENCE, || match asks(place) {
        Ok(()) => Ok(Look::Found(())),
        Err(refusal) => Ok(Look::Missing(refusal)),
    })
    .unwrap();
}

/// Asks for an annotated Pod by dry run; an error is the refusal.
pub(crate) fn asks(place: &Namespace) -> Result<(), String> {
    let pod = app("asked", "true").to_string();
    let create = place.kubectl(&["create", "--dry-run=server", "-o", "json", "-f", "-"]);
    let output = create.input(pod).output().unwrap();
    match output.success {
        true => {
            assert!(is_injected(&serde_json::from_str(&output.stdout).unwrap()));
            Ok(())
        }
        false => Err(output.stderr),
    }
}

pub(crate) fn is_injected(pod: &Value) -> bool {
    let containers = pod["spec"]["initContainers"].as_array().into_iter().flatten();
    containers.into_iter().any(|container| container["name"] == "kms-secrets-init")
}

/// No Pod of a namespace asked for secrets and started without our container.
#[track_caller]
pub(crate) fn none_started_without(place: &Namespace) {
    let list = place.kubectl(&["get", "pods", "-o", "json"]).json().unwrap();
    for pod in list["items"].as_array().unwrap() {
        let asked = &pod["metadata"]["annotations"]["kms.alibabacloud/secrets"];
        assert!(asked.is_null() || is_injected(pod), "{} started without secrets", name(pod));
    }
}

/// Annotated Pods, each of which must be injected, by dry run.
pub(crate) fn annotated_pods(place: &Namespace, per_second: u32) -> LoadStream {
    let contains = "\"kms-secrets-init\"".to_owned();
    start(Load { namespace: place.name.clone(), pod: app("load", "true"), contains, per_second })
}

pub(crate) fn start(load: Load) -> LoadStream {
    let stream = load.start(&cluster()).unwrap();
    stream.wait_for(20).unwrap();
    stream
}

/// Nothing failed from the beginning to the end.
#[track_caller]
pub(crate) fn none_failed(stream: LoadStream) {
    stream.wait_for(20).unwrap();
    let calls = stream.end().unwrap();
    let began = calls.all().iter().map(|call| call.due).min().unwrap();
    println!(
        "{} creations, {} failed; median {:.1?}, 99 of 100 below {:.1?}",
        calls.all().len(),
        calls.failed().count(),
        calls.percentile(50),
        calls.percentile(99),
    );
    assert!(calls.failed().next().is_none(), "{}", list(&calls, began));
}

/// Failures, a line each, with the time since an event.
pub(crate) fn list(calls: &Calls, event: Instant) -> String {
    let line = |call: &Creation| {
        let text = call.failure.as_deref().unwrap_or_default();
        format!("{:+.3} s, after {:.3?}: {text}\n", since(call.due, event), call.took)
    };
    calls.failed().map(line).collect()
}

/// Seconds from an event, negative before it.
pub(crate) fn since(time: Instant, event: Instant) -> f64 {
    match time.checked_duration_since(event) {
        Some(later) => later.as_secs_f64(),
        None => -event.duration_since(time).as_secs_f64(),
    }
}

/// What a replica tells of itself.
pub(crate) fn metric(pod: &str, metric: &str) -> Option<f64> {
    let path = format!("/api/v1/namespaces/{RELEASE_NAMESPACE}/pods/{pod}:8080/proxy/metrics");
    let text = kubectl(&["get", "--raw", &path]).run().ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line?.parse().ok()
}

/// Sets what the API server trusts, as an administrator.
pub(crate) fn set_ca_bundle(pem: &str) {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(pem);
    let path = "/webhooks/0/clientConfig/caBundle";
    patch_configuration(&json!([{ "op": "add", "path": path, "value": encoded }]));
}

/// What the API server trusts, as PEM.
pub(crate) fn ca_bundle() -> String {
    use base64::Engine as _;
    let path = "jsonpath={.webhooks[0].clientConfig.caBundle}";
    let get = ["get", "mutatingwebhookconfiguration", RELEASE, "-o", path];
    let encoded = kubectl(&get).run().unwrap();
    let pem = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).unwrap();
    String::from_utf8(pem).unwrap()
}

pub(crate) fn patch_configuration(patch: &Value) {
    let patch = patch.to_string();
    kubectl(&["patch", "mutatingwebhookconfiguration", RELEASE, "--type=json", "-p", &patch])
        .run()
        .unwrap();
}
