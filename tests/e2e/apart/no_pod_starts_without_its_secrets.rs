//! The webhook is not asked, for whatever reason: annotated Pods are refused, never started without
//! their secrets, and all others start. When it is back, what waited goes on by itself.

use std::time::Instant;

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::install::helm;
use crate::pods::{PASSWORD, app, plain, workload};
use crate::stage::{Namespace, PATIENCE, RELEASE, RELEASE_NAMESPACE, kubectl};

const CONFIGURATION: &str = "mutatingwebhookconfiguration";
const REFUSAL: &str = "has no container that fetches them: the webhook was not called";

/// Puts everything back as the chart has it, also when a story fails.
struct Restored {
    done: bool,
}

impl Restored {
    fn at_the_end() -> Self {
        Self { done: false }
    }

    fn now(&mut self) {
        self.done = true;
        // What was changed by hand has another owner by now.
        helm("upgrade", &["--force-conflicts"]).run().unwrap();
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        if !self.done {
            let _ = helm("upgrade", &["--force-conflicts"]).output();
        }
    }
}

fn change(patch: &Value) {
    let patch = patch.to_string();
    kubectl(&["patch", CONFIGURATION, RELEASE, "--type=json", "-p", &patch]).run().unwrap();
}

/// Annotated Pods are refused in every way that they are made, others are not.
#[track_caller]
fn nothing_starts_without_secrets(place: &Namespace) {
    // The API server learns of a change after a moment.
    until("the webhook not to be asked", PATIENCE, || {
        let tried = place.kubectl(&["create", "--dry-run=server", "-f", "-"]);
        let said = tried.input(app("probe", "true").to_string()).output()?;
        let refused = !said.success && said.stderr.contains(REFUSAL);
        Ok(if refused { Look::Found(()) } else { Look::Missing(said.stderr) })
    })
    .unwrap();
    let said = place.refused(&app("bare", "true"));
    for part in [REFUSAL, "kms.alibabacloud/", RELEASE] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    place.create(&workload("Deployment", "web", &app("", "sleep 1000"), json!({ "replicas": 1 })));
    place.wait(
        "deployment/web",
        ".status.conditions[?(@.type==\"ReplicaFailure\")].status",
        "True",
    );
    let described = place.describe("replicaset");
    assert!(described.contains("FailedCreate") && described.contains(REFUSAL), "{described}");
    place.create(&plain("plain", "true"));
    place.succeeded("plain");
    let pods = place.kubectl(&["get", "pods", "-o", "name"]).run().unwrap();
    assert_eq!(pods, "pod/plain\n");
}

#[track_caller]
fn all_goes_on(place: &Namespace, restored: &mut Restored) {
    let began = Instant::now();
    restored.now();
    until("annotated Pods to be injected again", PATIENCE, || {
        let tried = place.kubectl(&["create", "--dry-run=server", "-f", "-"]);
        let said = tried.input(app("probe", "true").to_string()).output()?;
        Ok(if said.success { Look::Found(()) } else { Look::Missing(said.stderr) })
    })
    .unwrap();
    let injected = began.elapsed();
    place.wait("deployment/web", ".status.readyReplicas", "1");
    let pods = place.kubectl(&["get", "pods", "--selector=app=web", "-o", "name"]).run().unwrap();
    let password = ["cat", "/mnt/secrets-store/password"];
    let name = pods.trim().trim_start_matches("pod/");
    assert_eq!(place.exec(name, "app", &password).stdout, PASSWORD);
    println!(
        "from helm upgrade to the first injected Pod {injected:.1?}, to the Deployment that waited {:.1?}",
        began.elapsed()
    );
}

#[test]
fn while_its_configuration_is_gone() {
    let place = Namespace::opted_in("no-configuration");
    let mut restored = Restored::at_the_end();
    kubectl(&["delete", CONFIGURATION, RELEASE]).run().unwrap();
    nothing_starts_without_secrets(&place);
    all_goes_on(&place, &mut restored);
}

#[test]
fn while_its_configuration_leaves_the_namespace_out() {
    let place = Namespace::opted_in("left-out");
    let mut restored = Restored::at_the_end();
    let selector = json!({ "matchLabels": { "kms.alibabacloud/injection": "of-nobody" } });
    change(&json!([
        { "op": "replace", "path": "/webhooks/0/namespaceSelector", "value": selector },
    ]));
    nothing_starts_without_secrets(&place);
    all_goes_on(&place, &mut restored);
}

#[test]
fn while_it_is_away_and_its_failures_are_ignored() {
    let place = Namespace::opted_in("ignored");
    let mut restored = Restored::at_the_end();
    change(&json!([{ "op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore" }]));
    let webhook = format!("deployment/{RELEASE}");
    let at = ["--namespace", RELEASE_NAMESPACE];
    kubectl(&at).args(["scale", "--replicas=0", &webhook]).run().unwrap();
    nothing_starts_without_secrets(&place);
    all_goes_on(&place, &mut restored);
    kubectl(&at).args(["rollout", "status", &webhook, "--timeout=120s"]).run().unwrap();
}
