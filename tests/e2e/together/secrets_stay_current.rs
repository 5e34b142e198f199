//! A secret that is rotated reaches the application while it runs, and what stays beside it for that
//! stands in nobody's way: Jobs end, failures are told.

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::cloud;
use crate::pods::{annotated, app, sum, with, workload};
use crate::stage::{Namespace, PATIENCE};

const FIRST: &str = "lab-canary-Wd3kQz8n";
const SECOND: &str = "lab-canary-Bs6vJt1x";

/// The Pod with two secrets of its own, kept current.
pub(super) fn kept(pod: Value, user: &str, password: &str) -> Value {
    let secrets = format!("user: kms://{user}\npassword: kms://{password}\n");
    let more = [("secrets", secrets.as_str()), ("mode", "refresh"), ("refresh-interval", "10s")];
    annotated(pod, &more)
}

/// The sum of a file's content, as the application sees it.
pub(super) fn seen(place: &Namespace, pod: &str, file: &str) -> String {
    let path = format!("/mnt/secrets-store/{file}");
    let said = place.exec(pod, "app", &["sha256sum", &path]).stdout;
    said.split(' ').next().unwrap_or_default().to_owned()
}

pub(super) fn shows(place: &Namespace, pod: &str, file: &str, content: &str) {
    until(&format!("{pod} to see the new {file}"), PATIENCE, || {
        let now = seen(place, pod, file);
        Ok(if now == sum(content) { Look::Found(()) } else { Look::Missing(now) })
    })
    .unwrap();
}

#[test]
fn a_rotated_secret_reaches_the_application_that_runs() {
    let place = Namespace::opted_in("rotated");
    let (user, password) = (cloud::secret("rotated", FIRST), cloud::secret("rotated", FIRST));
    // It never finds a file missing or empty, however often it looks.
    let script = "cd /mnt/secrets-store; while :; do for file in user password; do \
                  test -s $file || exit 1; done; done";
    let pod =
        with(kept(app("reader", script), &user, &password), "/spec/restartPolicy", json!("Always"));
    place.create(&pod);
    place.ready("reader");
    let spec = place.get("pod/reader");
    let names: Vec<_> = spec["spec"]["initContainers"].as_array().unwrap().iter().collect();
    assert_eq!((names.len(), &names[0]["name"]), (1, &json!("kms-secrets")));
    assert_eq!(seen(&place, "reader", "password"), sum(FIRST));
    cloud::rotate(&password, SECOND);
    shows(&place, "reader", "password", SECOND);
    assert_eq!(seen(&place, "reader", "user"), sum(FIRST));
    let status = place.get("pod/reader")["status"].clone();
    for list in ["containerStatuses", "initContainerStatuses"] {
        assert_eq!(status[list][0]["restartCount"], 0, "{status}");
    }
    let log = place.logs("reader", "kms-secrets");
    assert!(log.contains("a new version") && !log.contains("lab-canary"), "{log}");
}

#[test]
fn a_workload_is_ready_with_an_ordinary_sidecar_too() {
    let place = Namespace::opted_in("beside");
    let secret = cloud::secret("beside", FIRST);
    let pod = kept(app("", "test -s /mnt/secrets-store/user && exec sleep 1000"), &secret, &secret);
    let pod = annotated(pod, &[("native-sidecar", "false")]);
    place.create(&workload("Deployment", "web", &pod, json!({ "replicas": 1 })));
    place.wait("deployment/web", ".status.readyReplicas", "1");
    let pods = place.kubectl(&["get", "pods", "-o", "json"]).json().unwrap();
    let containers = pods["items"][0]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers[1]["name"], "kms-secrets");
    let name = pods["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    cloud::rotate(&secret, SECOND);
    shows(&place, &name, "password", SECOND);
    shows(&place, &name, "user", SECOND);
}

#[test]
fn a_job_ends_and_fails_as_without_a_sidecar() {
    let place = Namespace::opted_in("kept-jobs");
    let secret = cloud::secret("kept-jobs", FIRST);
    let job = |name: &str, pod: Value, more: Value| {
        let template = json!({
            "metadata": { "annotations": pod["metadata"]["annotations"] }, "spec": pod["spec"],
        });
        let mut spec = json!({ "template": template, "backoffLimit": 3 });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name }, "spec": spec })
    };
    let pod = kept(app("", "test -s /mnt/secrets-store/user"), &secret, &secret);
    place.create(&job("ends", pod, json!({})));
    // What is denied does not get better by trying again. Of any container: the Job's template has
    // none of our name.
    let denied = kept(app("", "true"), "other/db", "other/db");
    let policy = json!({ "podFailurePolicy": { "rules": [{
        "action": "FailJob",
        "onExitCodes": { "operator": "In", "values": [12] },
    }]}});
    place.create(&job("denied", denied, policy));
    place.wait("job/ends", ".status.succeeded", "1");
    let failed = ".status.conditions[?(@.type==\"Failed\")].reason";
    place.wait("job/denied", failed, "PodFailurePolicy");
    let pods =
        place.kubectl(&["get", "pods", "-l", "job-name=denied", "-o", "json"]).json().unwrap();
    let pods = pods["items"].as_array().unwrap();
    assert_eq!(pods.len(), 1, "it was tried again");
    let ended = place.ended(pods[0]["metadata"]["name"].as_str().unwrap());
    assert_eq!(ended.code, 12, "{}", ended.message);
    // What the sidecar of the one that ended saw of it: its files, and no second fetch.
    let pods = place.kubectl(&["get", "pods", "-l", "job-name=ends", "-o", "json"]).json().unwrap();
    let name = pods["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let log = place.logs(&name, "kms-secrets");
    assert!(log.contains("the files are there already") && !log.contains("\"fetching\""), "{log}");
}

#[test]
fn a_revoked_secret_takes_its_pod_out_of_service_where_the_pod_says_so() {
    let place = Namespace::opted_in("revoked");
    let (gone, stays) = (cloud::secret("revoked", FIRST), cloud::secret("revoked", FIRST));
    let server = |name: &str, on_revoked: &str| {
        let pod = kept(app(name, "exec sleep 1000"), &stays, &gone);
        let pod = annotated(pod, &[("on-revoked", on_revoked)]);
        place.create(&with(pod, "/spec/restartPolicy", json!("Always")));
    };
    for (name, on_revoked) in [("keeps", "keep"), ("removes", "remove"), ("fails", "fail")] {
        server(name, on_revoked);
    }
    for name in ["keeps", "removes", "fails"] {
        place.ready(name);
    }
    cloud::delete(&gone);
    shows(&place, "removes", "user", FIRST);
    until("the file to be removed", PATIENCE, || {
        let there = place.exec("removes", "app", &["ls", "/mnt/secrets-store/"]).stdout;
        let removed = there.contains("user") && !there.contains("password");
        Ok(if removed { Look::Found(()) } else { Look::Missing(there) })
    })
    .unwrap();
    until("the one that keeps to have asked", PATIENCE, || {
        let log = place.logs("keeps", "kms-secrets");
        Ok(log.contains("the last good files of a source stay").then_some(()).into())
    })
    .unwrap();
    let path = ".status.conditions[?(@.type==\"Ready\")].status";
    place.wait("pod/fails", path, "False");
    let ours = ".status.initContainerStatuses[0].lastState.terminated.exitCode";
    place.wait("pod/fails", ours, "13");
    let described = place.describe("pod/fails");
    assert!(described.contains(&format!("kms://{gone}: ")), "{described}");
    for name in ["keeps", "removes"] {
        place.ready(name);
    }
    assert_eq!(seen(&place, "keeps", "password"), sum(FIRST));
}
