//! Something of the Pod or its namespace keeps the secrets from being written: what people are told,
//! and that it heals where it can.

use std::fs;

use plan::VERSION;
use serde_json::{Value, json};

use crate::cloud;
use crate::failure::{Case, asking, tell, told};
use crate::pods::{annotated, app, with, workload};
use crate::stage::{Namespace, cluster};

#[test]
fn when_the_memory_volume_is_too_small() {
    let whole = "lab-canary-Uf5tKi8o".repeat(2500);
    let secret = cloud::secret("large", &whole);
    let pod = annotated(
        asking("", &[("size-limit", "64Ki")]),
        &[("secrets", &format!("one: kms://{secret}\ntwo: kms://{secret}"))],
    );
    let words = [
        "could not write \"two\": the mount is full",
        "check: the volume's size limit (annotation size-limit)",
    ]
    .map(str::to_owned)
    .to_vec();
    tell("local", &[Case { name: "full", pod, code: 16, words }]);
}

#[test]
fn when_the_plan_was_made_by_another_version() {
    let place = Namespace::opted_in("plan");
    let dry = place
        .kubectl(&["create", "-f", "-", "--dry-run=server", "-o", "json"])
        .input(app("copy", "echo the application started").to_string())
        .json()
        .unwrap();
    // What a webhook of the future would have written, in a namespace where none corrects it.
    let plan = dry["spec"]["initContainers"][0]["env"][0]["value"].as_str().unwrap();
    let newer = plan.replacen(&format!("\"version\":{VERSION}"), "\"version\":99", 1);
    assert_ne!(plan, newer);
    let elsewhere = Namespace::plain("plan-elsewhere");
    let mut copy = with(dry, "/spec/initContainers/0/env/0/value", json!(newer));
    copy["metadata"] = json!({ "name": "copy" });
    elsewhere.create(&copy);
    elsewhere.phase("copy", "Failed");
    told(
        &elsewhere,
        &Case {
            name: "copy",
            pod: Value::Null,
            code: 10,
            words: vec![
                format!("the plan has version 99, and this fetcher reads version {VERSION}"),
                "use the fetcher image that belongs to the webhook".to_owned(),
                "check: that webhook and fetcher are of one release".to_owned(),
            ],
        },
    );
}

#[test]
fn when_the_config_map_of_the_private_ca_is_missing() {
    let place = Namespace::opted_in("ca");
    place.create(&with(
        asking("kms://app/db", &[("ca-config-map", "kms-gateway-ca")]),
        "/metadata/name",
        json!("once"),
    ));
    // It waits for the ConfigMap; what it waits for is the kubelet's to say.
    let told = place.event("Pod", "FailedMount");
    println!("{told}");
    assert!(
        told.contains("\"kms-ca\"") && told.contains("configmap \"kms-gateway-ca\" not found"),
        "{told}"
    );
    let file = cluster().layout().root().join("gateway-ca.crt");
    fs::write(&file, cluster().cloud_ca().unwrap()).unwrap();
    let from = format!("--from-file=ca.crt={}", file.display());
    place.kubectl(&["create", "configmap", "kms-gateway-ca", &from]).run().unwrap();
    place.succeeded("once");
}

#[test]
fn of_every_replica_of_a_workload() {
    let place = Namespace::opted_in("replica");
    let secret = cloud::unused("late");
    let stays = json!(["/bin/sh", "-c", "exec sleep 1000"]);
    let pod = asking(&format!("kms://{secret}"), &[]);
    let pod = with(pod, "/spec/containers/0/command", stays);
    place.create(&workload("Deployment", "web", &pod, json!({})));
    let status = ".items[0].status.initContainerStatuses[0].lastState.terminated.exitCode";
    place.wait("pods", status, "13");
    let table = place.kubectl(&["get", "pods"]).run().unwrap();
    println!("{table}");
    assert!(table.contains("Init:"), "{table}");
    let told = place.kubectl(&["describe", "pods", "--selector=app=web"]).run().unwrap();
    println!("{told}");
    assert!(told.contains(&format!("check: that \"{secret}\" exists in cn-hangzhou")), "{told}");

    // Put right, it starts by itself.
    cloud::put(&secret, "lab-canary-Ws6jRn3y");
    place.wait("deployment/web", ".status.readyReplicas", "1");
}
