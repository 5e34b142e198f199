//! Changed settings reach replicas that run, and settings that are wrong change nothing.

use std::time::{Duration, Instant};

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::install::helm;
use crate::pods::app;
use crate::release::{admits, at_work, metric, name, ours, replicas, restarts};
use crate::stage::{Namespace, PATIENCE, RELEASE};

/// The kubelet brings a changed ConfigMap to its Pods after its syncFrequency, at most.
const KUBELET: Duration = Duration::from_secs(3 * 60);
const FAILURES: &str = "secrets_webhook_settings_reload_failures_total";
const STALE: &str = "secrets_webhook_settings_stale";

#[test]
fn unless_they_are_wrong() {
    let place = Namespace::opted_in("settings");
    let before = names();

    helm("upgrade", &["--set", "settings.timeoutSeconds=77"]).run().unwrap();
    let changed = Instant::now();
    reached(&place, 77);
    println!("an upgrade that changes settings reached all replicas in {:.0?}", changed.elapsed());

    let settings = format!("configmap/{RELEASE}-settings");
    let stored = ours(&["get", &settings, "-o", "json"]).json().unwrap();
    let good = stored["data"]["settings.yaml"].as_str().unwrap().to_owned();
    let bad = good.replace("timeoutSeconds: 77", "timeoutSeconds: soon");
    assert_ne!(good, bad);
    let counted: Vec<_> = before.iter().map(|pod| metric(pod, FAILURES)).collect();
    edit(&settings, &bad);
    until("both replicas to refuse the settings", KUBELET, || {
        let now: Vec<_> = before.iter().map(|pod| metric(pod, FAILURES)).collect();
        Ok(now.iter().zip(&counted).all(|(now, before)| now > before).then_some(()).into())
    })
    .unwrap();
    for pod in &before {
        assert_eq!(metric(pod, STALE), Some(1.0));
        let log = ours(&["logs", pod]).run().unwrap();
        let line = log.lines().find(|line| line.contains("not reloaded, the old one stays in use"));
        assert!(line.unwrap().contains("timeoutSeconds"), "{line:?}");
    }
    for _ in 0..10 {
        assert_eq!(timeout(&place), 77);
    }

    edit(&settings, &good);
    until("both replicas to have settings again", KUBELET, || {
        let stale = before.iter().any(|pod| metric(pod, STALE) != Some(0.0));
        Ok((!stale).then_some(()).into())
    })
    .unwrap();
    // kubectl shares the field with Helm now.
    helm("upgrade", &["--force-conflicts"]).run().unwrap();
    reached(&place, 300);

    assert_eq!(names(), before);
    assert!(replicas().iter().all(|pod| restarts(pod) == 0));
    at_work(&place);
}

/// A rollout with settings that are wrong does not take a single replica away.
#[test]
fn and_a_bad_rollout_ends_with_its_first_replica() {
    let place = Namespace::opted_in("bad-rollout");
    let before = names();
    let settings = format!("configmap/{RELEASE}-settings");
    let stored = ours(&["get", &settings, "-o", "json"]).json().unwrap();
    let good = stored["data"]["settings.yaml"].as_str().unwrap().to_owned();
    edit(&settings, &format!("{good}colour: blue\n"));
    ours(&["rollout", "restart", "deployment", RELEASE]).run().unwrap();
    let new = until("a new replica to end", PATIENCE, || {
        let new = replicas().into_iter().find(|pod| !before.iter().any(|old| old == name(pod)));
        let Some(new) = new else { return Ok(Look::Missing("there is none".to_owned())) };
        let last = &new["status"]["containerStatuses"][0]["lastState"]["terminated"];
        Ok(last.is_object().then(|| last.clone()).into())
    })
    .unwrap();
    assert_eq!(new["exitCode"], 64);
    assert!(new["message"].as_str().unwrap().contains("colour"), "{new}");
    let now = names();
    assert!(before.iter().all(|old| now.contains(old)), "{now:?}");
    admits(&place);

    helm("upgrade", &["--force-conflicts"]).run().unwrap();
    ours(&["rollout", "restart", "deployment", RELEASE]).run().unwrap();
    at_work(&place);
}

/// Replaces the text, as `kubectl edit` does.
fn edit(settings: &str, text: &str) {
    let patch = json!({ "data": { "settings.yaml": text } }).to_string();
    ours(&["patch", settings, "-p", &patch]).run().unwrap();
}

/// Waits until every answer has this timeout: either replica may give it.
fn reached(place: &Namespace, wanted: u64) {
    until(&format!("a timeout of {wanted} s in Pods"), KUBELET, || {
        for _ in 0..10 {
            let now = timeout(place);
            if now != wanted {
                return Ok(Look::Missing(format!("it is {now}")));
            }
        }
        Ok(Look::Found(()))
    })
    .unwrap();
}

/// The first fetch's, by the plan of a Pod.
fn timeout(place: &Namespace) -> u64 {
    let create = place.kubectl(&["create", "--dry-run=server", "-o", "json", "-f", "-"]);
    let pod = create.input(app("asked", "true").to_string()).json().unwrap();
    let ours = &pod["spec"]["initContainers"][0];
    let all = ours["env"].as_array().unwrap();
    let plan = all.iter().find(|variable| variable["name"] == "SECRETS_INJECTOR_PLAN").unwrap();
    let plan: Value = serde_json::from_str(plan["value"].as_str().unwrap()).unwrap();
    plan["timeout"].as_u64().unwrap_or_else(|| panic!("no timeout in {plan}"))
}

fn names() -> Vec<String> {
    replicas().iter().map(|pod| name(pod).to_owned()).collect()
}
