//! The files are there, byte for byte, before the application's first instruction.

use lab::cluster::{Look, until};
use serde_json::json;

use crate::pods::{app, checks_files, server, with, workload};
use crate::stage::{Namespace, PATIENCE};

#[test]
fn of_a_bare_pod() {
    let place = Namespace::opted_in("bare-pod");
    place.create(&app("once", &checks_files()));
    place.succeeded("once");
    let log = place.logs("once", "app");
    assert_eq!(log, "db.json: OK\npassword: OK\nbinary: OK\ntoken: OK\n");
}

#[test]
fn of_a_pod_that_the_api_server_names() {
    let place = Namespace::opted_in("generated-name");
    let mut pod = app("", &checks_files());
    pod["metadata"].as_object_mut().unwrap().remove("name");
    let said = place.create(&with(pod, "/metadata/generateName", json!("generated-")));
    let name = said.trim().strip_prefix("pod/").and_then(|rest| rest.split(' ').next()).unwrap();
    place.succeeded(name);
}

#[test]
fn of_workloads() {
    let place = Namespace::opted_in("workloads");
    let pod = server();
    place.create(&workload("Deployment", "web", &pod, json!({ "replicas": 2 })));
    place.create(&workload("StatefulSet", "db", &pod, json!({ "serviceName": "db" })));
    place.create(&workload("DaemonSet", "agent", &pod, json!({})));
    place.wait("deployment/web", ".status.readyReplicas", "2");
    place.wait("statefulset/db", ".status.readyReplicas", "1");
    place.wait("daemonset/agent", ".status.numberReady", "1");
}

#[test]
fn of_jobs() {
    let place = Namespace::opted_in("jobs");
    let pod = app("", &checks_files());
    let template = json!({ "metadata": { "annotations": pod["metadata"]["annotations"] }, "spec": pod["spec"] });
    let spec = json!({ "template": template, "backoffLimit": 0 });
    place.create(&json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "once" }, "spec": spec,
    }));
    place.create(&json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": "every-minute" },
        "spec": { "schedule": "* * * * *", "jobTemplate": { "spec": spec } },
    }));
    place.wait("job/once", ".status.succeeded", "1");
    until("a Job of the CronJob to succeed", 2 * PATIENCE, || {
        let succeeded = "jsonpath={.items[?(@.metadata.ownerReferences)].status.succeeded}";
        let found = place.kubectl(&["get", "jobs", "-o", succeeded]).run()?;
        Ok(if found.starts_with('1') { Look::Found(()) } else { Look::Missing(found) })
    })
    .unwrap();
}
