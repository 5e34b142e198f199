//! A namespace that has not opted in, a Pod that opts out, annotations in the wrong place: nothing
//! is injected, and whoever applies it is told.

use std::fs;

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::pods::{annotated, app, plain, with, workload};
use crate::stage::{Namespace, PATIENCE, cluster};

const NOTHING: &str = "test ! -e /mnt/secrets-store && ! grep secrets-store /proc/mounts";

/// Nothing of ours is in it: no container, volume, mount or status.
#[track_caller]
fn untouched(pod: &Value) {
    assert!(pod["spec"]["initContainers"].is_null(), "{pod}");
    let text = pod["spec"].to_string();
    assert!(!text.contains("kms-") && !text.contains("SECRETS_INJECTOR"), "{pod}");
    assert!(pod["metadata"]["annotations"]["kms.alibabacloud/status"].is_null(), "{pod}");
}

#[test]
fn in_a_namespace_without_the_label_but_a_warning() {
    let place = Namespace::plain("not-opted-in");
    let said = place.create(&app("once", NOTHING));
    println!("Pod: {said}");
    for words in [
        "Warning: ",
        "the Pod asks for secrets (annotations under kms.alibabacloud/) and starts without them",
        &format!("namespace {} has not opted in", place.name),
        "label it kms.alibabacloud/injection=enabled",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    place.succeeded("once");
    untouched(&place.get("pod/once"));

    // People apply workloads, and do not see what is said to their controllers.
    let pod = app("", &format!("{NOTHING} && exec sleep 1000"));
    let said = place.create(&workload("Deployment", "web", &pod, json!({})));
    println!("Deployment: {said}");
    for words in ["Warning: ", "its Pods ask for secrets", "has not opted in"] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    place.wait("deployment/web", ".status.readyReplicas", "1");
}

#[test]
fn to_a_pod_that_opts_out() {
    let place = Namespace::opted_in("opts-out");
    let pod = app("once", NOTHING);
    let label = json!({ "kms.alibabacloud/injection": "disabled" });
    let said = place.create(&with(pod, "/metadata/labels", label));
    assert!(!said.contains("Warning"), "{said}");
    place.succeeded("once");
    untouched(&place.get("pod/once"));
}

#[test]
fn to_a_pod_that_asks_for_nothing() {
    let place = Namespace::opted_in("asks-nothing");
    let said = place.create(&plain("once", NOTHING));
    assert!(!said.contains("Warning"), "{said}");
    place.succeeded("once");
    untouched(&place.get("pod/once"));
}

#[test]
fn by_annotations_of_a_workload_itself_but_a_warning() {
    let place = Namespace::opted_in("own-metadata");
    let pod = plain("", &format!("{NOTHING} && exec sleep 1000"));
    let deployment = workload("Deployment", "web", &pod, json!({}));
    let said = place.create(&annotated(deployment, &[("secrets", "x: kms://app/db")]));
    println!("{said}");
    assert!(
        said.contains("Warning: ")
            && said.contains("kms.alibabacloud/secrets on the Deployment itself does nothing")
            && said.contains("belong into spec.template.metadata.annotations"),
        "{said}"
    );
    place.wait("deployment/web", ".status.readyReplicas", "1");
    untouched(&place.get("pods")["items"][0]);
}

#[test]
fn to_the_mirror_of_a_static_pod() {
    let place = Namespace::opted_in("static");
    let mut pod = app("static", "exec sleep 1000");
    // The kubelet takes no reference to anything of the API in a file.
    pod["spec"].as_object_mut().unwrap().remove("serviceAccountName");
    let pod = with(pod, "/metadata/namespace", json!(place.name));
    let file = cluster().layout().static_pods().join(format!("{}.json", place.name));
    fs::write(&file, pod.to_string()).unwrap();
    let mirror = until("the mirror Pod", PATIENCE, || {
        Ok(match place.kubectl(&["get", "pod", "static-node", "-o", "json"]).json() {
            Ok(mirror) => Look::Found(mirror),
            Err(error) => Look::Missing(format!("{error:#}")),
        })
    });
    fs::remove_file(&file).unwrap();
    let mirror = mirror.unwrap();
    let annotations = &mirror["metadata"]["annotations"];
    assert!(annotations["kubernetes.io/config.mirror"].is_string(), "{mirror}");
    assert!(annotations["kms.alibabacloud/secrets"].is_string(), "{mirror}");
    untouched(&mirror);
}
