//! Uninstalled in any order, nothing of ours is left in the cluster: Pods can be created at once,
//! annotated or not, those that run go on, and it can be installed again.

use std::time::{Duration, Instant};

use lab::cluster::{CLOUD_CA, FETCHER, Load, LoadStream, Look, until};
use serde_json::{Value, json};

use crate::install::helm;
use crate::pods::{PASSWORD, app, checks_files, plain, sum};
use crate::release::{asks, at_work, is_injected, list, replicas, settled, since, start};
use crate::stage::{Namespace, PATIENCE, RELEASE, RELEASE_NAMESPACE, cluster, kubectl};

const MANIFEST: &str = include_str!("../../../manifests/install.yaml");

/// API servers learn by a watch that there are no webhook and no policy any more.
const LAG: Duration = Duration::from_secs(5);

#[test]
fn by_helm() {
    let place = Namespace::opted_in("uninstalled");
    running(&place);
    let (annotated, plain) = streams(&place);
    uninstall();
    let returned = Instant::now();
    free(&place, annotated, returned);
    let calls = plain.end().unwrap();
    assert!(calls.failed().next().is_none(), "{}", list(&calls, returned));
    nothing_left();
    go_on(&place);
    install(&place);
}

/// Helm forgets a release with its namespace, so it cannot uninstall what has none.
#[test]
fn after_the_namespace() {
    let place = Namespace::opted_in("no-namespace");
    running(&place);
    let (annotated, plain) = streams(&place);
    delete_namespace();
    let refusal = asks(&place).unwrap_err();
    assert!(refusal.contains("failed calling webhook"), "{refusal}");
    let said = helm_uninstall().output().unwrap();
    assert!(!said.success && said.stderr.contains("not found"), "{}", said.stderr);
    // As the chart's README says.
    let kinds = "mutatingwebhookconfigurations,validatingadmissionpolicies,\
                 validatingadmissionpolicybindings,clusterroles,clusterrolebindings";
    let ours = format!("app.kubernetes.io/instance={RELEASE}");
    kubectl(&["delete", "-l", &ours, kinds]).run().unwrap();
    let returned = Instant::now();
    free(&place, annotated, returned);
    let calls = plain.end().unwrap();
    assert!(calls.failed().next().is_none(), "{}", list(&calls, returned));
    nothing_left();
    go_on(&place);

    // The other way: install again, then uninstall.
    install(&place);
    delete_namespace();
    install(&place);
    uninstall();
    nothing_left();
    install(&place);
}

/// The guard refuses annotated Pods as long as it is there: they would have no secrets.
#[test]
fn after_the_webhook_configuration() {
    let place = Namespace::opted_in("no-configuration");
    running(&place);
    kubectl(&["delete", "mutatingwebhookconfiguration", RELEASE]).run().unwrap();
    until("the guard to refuse what is not injected", PATIENCE, || match asks_plainly(&place) {
        Ok(()) => Ok(Look::Missing("it was accepted".to_owned())),
        Err(refusal) if refusal.contains("the webhook was not called") => Ok(Look::Found(())),
        Err(refusal) => Ok(Look::Missing(refusal)),
    })
    .unwrap();
    uninstall();
    nothing_left();
    go_on(&place);
    install(&place);
}

/// Replicas that have lost their rights know what they knew, and do no harm.
#[test]
fn after_the_rights() {
    let place = Namespace::opted_in("no-rights");
    running(&place);
    kubectl(&["delete", "clusterrolebinding,clusterrole", RELEASE]).run().unwrap();
    asks(&place).unwrap();
    assert_eq!(replicas().len(), 2);
    uninstall();
    nothing_left();
    go_on(&place);
    install(&place);
}

/// Without Helm, by what is rendered for that.
#[test]
fn by_the_manifest() {
    let place = Namespace::opted_in("manifest");
    uninstall();
    nothing_left();
    // What a reader puts in, and what only a lab needs.
    let mut manifest = MANIFEST.to_owned();
    let fetcher = format!("image: {FETCHER}\n      extraArgs: [\"--ca={CLOUD_CA}\"]");
    let released =
        format!("image: registry.example/secrets-injector:{}", env!("CARGO_PKG_VERSION"));
    let guarded = format!("'init' : 'refresh'] + [\"--ca={CLOUD_CA}\"]");
    for (theirs, ours) in [
        (
            "clusterId: c0123456789abcdef",
            "clusterId: clab\n    region: cn-hangzhou\n    accountId: \"1234567890123456\"",
        ),
        (released.as_str(), fetcher.as_str()),
        ("'init' : 'refresh'] + []", guarded.as_str()),
    ] {
        assert_eq!(manifest.matches(theirs).count(), 1, "{theirs}");
        manifest = manifest.replace(theirs, ours);
    }
    let apply = |verb: &str| {
        kubectl(&[verb, "-f", "-"]).input(manifest.as_str()).run().unwrap();
    };
    apply("apply");
    settled();
    running(&place);
    apply("delete");
    nothing_left();
    go_on(&place);
    install(&place);
}

/// A Pod with secrets that runs all the time.
fn running(place: &Namespace) {
    place.create(&app("running", &(checks_files() + "exec sleep 1000")));
    place.ready("running");
}

/// What runs still has its files, and new Pods have none.
fn go_on(place: &Namespace) {
    place.ready("running");
    let password = ["sha256sum", "/mnt/secrets-store/password"];
    let seen = place.exec("running", "app", &password);
    assert_eq!(seen.stdout.split(' ').next(), Some(sum(PASSWORD).as_str()), "{}", seen.stderr);
    place.create(&app("afterwards", "test ! -e /mnt/secrets-store"));
    place.succeeded("afterwards");
    assert!(!is_injected(&place.get("pod/afterwards")));
}

/// Annotated Pods and plain ones; these must never be refused.
fn streams(place: &Namespace) -> (LoadStream, LoadStream) {
    let load = |pod: Value| {
        let contains = "\"kind\":\"Pod\"".to_owned();
        start(Load { namespace: place.name.clone(), pod, contains, per_second: 10 })
    };
    (load(app("annotated", "true")), load(plain("plain", "true")))
}

/// From now on Pods can be created, but for the time that the API server needs to see it.
fn free(place: &Namespace, annotated: LoadStream, since_when: Instant) {
    annotated.wait_for(100).unwrap();
    let calls = annotated.end().unwrap();
    let last = calls.failed().map(|call| since(call.due, since_when)).fold(f64::MIN, f64::max);
    println!(
        "{}: {} annotated Pods were refused, the last one {last:+.2} s after the command returned",
        place.name,
        calls.failed().count(),
    );
    assert!(last <= LAG.as_secs_f64(), "{}", list(&calls, since_when));
}

/// Like [`asks`], whether it would be injected or not.
fn asks_plainly(place: &Namespace) -> Result<(), String> {
    let create = place.kubectl(&["create", "--dry-run=server", "-f", "-"]);
    let output = create.input(app("asked", "true").to_string()).output().unwrap();
    if output.success { Ok(()) } else { Err(output.stderr) }
}

fn helm_uninstall() -> lab::cluster::Tool {
    cluster().tool("helm").args(["uninstall", RELEASE, "--namespace", RELEASE_NAMESPACE])
}

fn uninstall() {
    helm_uninstall().run().unwrap();
}

fn delete_namespace() {
    kubectl(&["delete", "namespace", RELEASE_NAMESPACE, "--timeout=120s"]).run().unwrap();
}

fn install(place: &Namespace) {
    helm("install", &["--create-namespace", "--wait"]).run().unwrap();
    settled();
    at_work(place);
}

/// Nothing in the whole cluster has our name or labels, or lies in our namespace.
fn nothing_left() {
    let began = Instant::now();
    until("everything of ours to be gone", PATIENCE, || {
        let left = left()?;
        Ok(if left.is_empty() { Look::Found(()) } else { Look::Missing(left.join(", ")) })
    })
    .unwrap();
    println!("nothing was left {:.1?} later", began.elapsed());
}

fn left() -> anyhow::Result<Vec<String>> {
    let resources = kubectl(&["api-resources", "--verbs=list", "-o", "name"]).run()?;
    // Events tell what was, for an hour.
    let resources: Vec<_> = resources.lines().filter(|name| !name.starts_with("events")).collect();
    assert!(resources.len() > 40, "{resources:?}");
    let all = kubectl(&["get", &resources.join(","), "--all-namespaces", "-o", "json"]).json()?;
    let items = all["items"].as_array().unwrap();
    assert!(items.iter().any(|item| item["kind"] == "ClusterRole"), "the list is not complete");
    Ok(items.iter().filter(|item| is_ours(item)).map(described).collect())
}

fn is_ours(item: &Value) -> bool {
    let metadata = &item["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let labels = metadata["labels"].to_string();
    let named = name.contains(RELEASE) || labels.contains(RELEASE);
    let made = metadata["labels"]["app.kubernetes.io/managed-by"] == "secrets-webhook";
    // What every namespace has: Helm leaves the namespace, which it may not have made.
    let usual = ["default", "kube-root-ca.crt"].contains(&name);
    let inside = metadata["namespace"] == json!(RELEASE_NAMESPACE) && !usual;
    named || made || inside
}

fn described(item: &Value) -> String {
    let namespace = item["metadata"]["namespace"].as_str().unwrap_or_default();
    format!("{} {namespace}/{}", item["kind"], item["metadata"]["name"])
}
