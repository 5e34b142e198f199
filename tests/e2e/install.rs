//! Installed on a bare cluster as the README says, the webhook is at work within seconds.

use std::time::{Duration, Instant};

use lab::cluster::{CLOUD_CA, FETCHER, Look, Tool, until};

use crate::pods::app;
use crate::stage::{Namespace, PATIENCE, RELEASE, RELEASE_NAMESPACE, cluster, kubectl};

/// From `helm install` to the first Pod that was injected, with images on the node.
const SOON: Duration = Duration::from_secs(15);

/// The chart's values for this cluster: where its images are, and that its cloud is emulated.
pub(crate) fn values() -> Vec<String> {
    let (repository, tag) = FETCHER.rsplit_once(':').unwrap();
    let repository = repository.strip_prefix("registry.example/").unwrap();
    [
        "image.registry=registry.example".to_owned(),
        format!("injector.image.repository={repository}"),
        format!("injector.image.tag={tag}"),
        format!("settings.injector.extraArgs={{--ca={CLOUD_CA}}}"),
        "settings.region=cn-hangzhou".to_owned(),
        "settings.clusterId=clab".to_owned(),
        "settings.accountId=1234567890123456".to_owned(),
    ]
    .into_iter()
    .collect()
}

/// `helm VERB` of the chart with these values and more.
pub(crate) fn helm(verb: &str, more: &[&str]) -> Tool {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/alibabacloud-secrets-injector");
    let mut helm = cluster()
        .tool("helm")
        .args([verb, RELEASE, chart, "--namespace", RELEASE_NAMESPACE])
        .args(more);
    for value in values() {
        let flag = if value.starts_with("settings.accountId") { "--set-string" } else { "--set" };
        helm = helm.args([flag, &value]);
    }
    helm
}

#[test]
fn the_first_pod_is_injected_soon_after_helm_install() {
    let place = Namespace::opted_in("first");
    let began = Instant::now();
    let notes = helm("install", &["--create-namespace"]).run().unwrap();
    assert!(notes.contains("kms.alibabacloud/injection=enabled"), "no next step in: {notes}");
    let pod = app("first", "cat /mnt/secrets-store/password");
    until("the first injected Pod", PATIENCE, || {
        let applied = place.apply(&pod);
        Ok(match applied.success {
            true => Look::Found(()),
            false => Look::Missing(applied.stderr),
        })
    })
    .unwrap();
    let took = began.elapsed();
    let injected = place.get("pod/first");
    assert_eq!(injected["spec"]["initContainers"][0]["name"], "kms-secrets-init");
    place.succeeded("first");
    assert_eq!(place.logs("first", "app"), "lab-canary-Hb3kTq9w");
    println!(
        "from helm install to the first injected Pod: {took:.1?} (expected: {SOON:?} at most)"
    );

    // Both replicas have to be there before other stories disturb them.
    let rollout = format!("deployment/{RELEASE}");
    kubectl(&["--namespace", RELEASE_NAMESPACE, "rollout", "status", &rollout, "--timeout=120s"])
        .run()
        .unwrap();
}
