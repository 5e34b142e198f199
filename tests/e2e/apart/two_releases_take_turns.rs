//! The last release and this one answer at the same time while one replaces the other. Every Pod is
//! admitted, whichever of them is asked first and which of them again, and every Pod has its files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lab::cluster::{FETCHER, Look, Tool, until};
use serde_json::{Value, json};

use crate::install::helm;
use crate::last_release::LastRelease;
use crate::other_injector::{Again, OtherInjector, Turn};
use crate::pods::{OURS, app, checks_files, container, container_mut, named, push};
use crate::release::{annotated_pods, at_work, is, name, none_failed, ours, replicas, settled};
use crate::stage::{Namespace, PATIENCE, RELEASE, kubectl};

const PER_SECOND: u32 = 10;
/// More Pods than are started while one release replaces the other.
const MOST_PODS: usize = 60;

/// What another injector does to each Pod, so that the API server asks us again.
fn adds_a_variable(pod: &mut Value) {
    let env = &mut container_mut(pod, "app")["env"];
    if named(env, "OTHER").is_none() {
        push(env, json!({ "name": "OTHER", "value": "1" }));
    }
}

#[test]
fn while_one_replaces_the_other() {
    let last = LastRelease::import();
    let place = Namespace::opted_in("two-releases");
    let other = OtherInjector::start(&place, Turn::AfterUs, Again::Never, adds_a_variable);
    let stream = annotated_pods(&place, PER_SECOND);
    let back = pods_start_during(&place, "back", last.helm("upgrade", &["--wait"]));
    assert_eq!(fetchers(&place, &back), [last.fetcher.as_str()]);
    let forth = pods_start_during(&place, "forth", helm("upgrade", &["--wait"]));
    assert_eq!(fetchers(&place, &forth), [FETCHER]);
    none_failed(stream);
    drop(other);
    at_work(&place);
}

/// Starts Pods that look for their files until a change of the release is through, and one more. Returns
/// the name of that one, when all of them have ended well.
fn pods_start_during(place: &Namespace, prefix: &str, change: Tool) -> String {
    let change = thread::spawn(move || change.output().unwrap());
    let mut started = Vec::new();
    while !change.is_finished() && started.len() < MOST_PODS {
        let pod = format!("{prefix}-{}", started.len());
        place.create(&app(&pod, &checks_files()));
        place.succeeded(&pod);
        started.push(pod);
    }
    let changed = change.join().unwrap();
    assert!(changed.success, "{}", changed.stderr);
    settled();
    println!("{} Pods ran while {prefix}", started.len());
    let pod = format!("{prefix}-last");
    place.create(&app(&pod, &checks_files()));
    place.succeeded(&pod);
    pod
}

/// The image of our container.
fn fetchers(place: &Namespace, pod: &str) -> [String; 1] {
    let pod = place.get(&format!("pod/{pod}"));
    [container(&pod, OURS)["image"].as_str().unwrap().to_owned()]
}

#[test]
fn whichever_is_asked_again() {
    let last = LastRelease::import();
    let place = Namespace::opted_in("asked-again");
    let beside = Beside::start(&last);
    for (first, second) in [(LAST, THIS), (THIS, LAST)] {
        let alone = [first, second].map(|one| {
            beside.only(one);
            place.admitted(&app("alone", "true")).0
        });
        // From here on the API server knows none but the first.
        beside.only(first);
        let armed = Arc::new(AtomicBool::new(false));
        let fires = Arc::clone(&armed);
        let other = OtherInjector::start(&place, Turn::AfterUs, Again::Never, move |pod| {
            adds_a_variable(pod);
            if fires.swap(false, Ordering::SeqCst) {
                only(second);
            }
        });
        let pod = format!("{first}-then-{second}");
        armed.store(true, Ordering::SeqCst);
        place.create(&app(&pod, &checks_files()));
        assert!(!armed.load(Ordering::SeqCst), "the other injector was not asked");
        place.succeeded(&pod);
        let made = place.get(&format!("pod/{pod}"));
        // The newer plan stays; of two that are as new, that of the release that was asked last.
        let [one, two] = &alone;
        let wanted = if version(one) > version(two) { one } else { two };
        let shown = |pod: &Value| {
            let ours = container(pod, OURS);
            (ours["image"].clone(), ours["args"].clone(), ours["env"].clone())
        };
        assert_eq!(shown(&made), shown(wanted), "{first}, then {second}");
        assert_eq!(named(&container(&made, "app")["env"], "OTHER").unwrap()["value"], "1");
        drop(other);
    }
    drop(beside);
    at_work(&place);
}

/// The version of a Pod's plan.
fn version(pod: &Value) -> u64 {
    let plan = named(&container(pod, OURS)["env"], "SECRETS_INJECTOR_PLAN").unwrap();
    let plan: Value = serde_json::from_str(plan["value"].as_str().unwrap()).unwrap();
    plan["version"].as_u64().unwrap()
}

/// A label of replicas that says which release they are.
const LABEL: &str = "example.com/release";
const LAST: &str = "last";
const THIS: &str = "this";
const BESIDE: &str = "last-release";

/// Replicas of the last release beside those of this one, behind the same Service. Dropped, those of
/// this one are alone again.
struct Beside;

impl Beside {
    fn start(last: &LastRelease) -> Self {
        let beside = Self;
        let label = format!("webhook.podLabels.{}={THIS}", LABEL.replace('.', "\\."));
        helm("upgrade", &["--wait", "--set", &label]).run().unwrap();
        settled();
        // Its Deployment and its settings, under another name.
        let rendered = last.helm("template", &[]).run().unwrap();
        let create = kubectl(&["create", "--dry-run=client", "-o", "json", "-f", "-"]);
        let objects = create.input(rendered).run().unwrap();
        let objects: Vec<Value> =
            serde_json::Deserializer::from_str(&objects).into_iter().map(Result::unwrap).collect();
        let find = |kind: &str, name: &str| {
            let is = |item: &&Value| item["kind"] == kind && item["metadata"]["name"] == name;
            objects.iter().find(is).unwrap().clone()
        };
        let settings = format!("{RELEASE}-settings");
        let mut map = find("ConfigMap", &settings);
        map["metadata"]["name"] = json!(format!("{BESIDE}-settings"));
        let mut deployment = find("Deployment", RELEASE);
        deployment["metadata"]["name"] = json!(BESIDE);
        deployment["spec"]["replicas"] = json!(1);
        deployment["spec"]["selector"]["matchLabels"][LABEL] = json!(LAST);
        deployment["spec"]["template"]["metadata"]["labels"][LABEL] = json!(LAST);
        let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array_mut().unwrap();
        for volume in volumes {
            if volume["configMap"]["name"] == settings {
                volume["configMap"]["name"] = json!(format!("{BESIDE}-settings"));
            }
        }
        for object in [map, deployment] {
            ours(&["create", "-f", "-"]).input(object.to_string()).run().unwrap();
        }
        ours(&["rollout", "status", "deployment", BESIDE, "--timeout=120s"]).run().unwrap();
        beside
    }

    /// One release answers, and the API server has no connection to the other.
    fn only(&self, release: &str) {
        only(release);
        until("as many replicas as before", PATIENCE, || {
            let there = replicas();
            let ready = there.iter().filter(|pod| is(pod, "Ready")).count();
            Ok(if there.len() == 3 && ready == 3 {
                Look::Found(())
            } else {
                Look::Missing(format!("{ready} of {} are ready", there.len()))
            })
        })
        .unwrap();
    }
}

/// Lets the Service lead to this release, and ends the replicas of the other, with their connections.
fn only(release: &str) {
    let other = if release == LAST { THIS } else { LAST };
    select(&json!(release));
    ours(&["delete", "pods", "--wait", "-l", &format!("{LABEL}={other}")]).run().unwrap();
    let slices = format!("kubernetes.io/service-name={RELEASE}");
    let path = "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].targetRef.name}";
    until("the Service to lead to one release alone", PATIENCE, || {
        let led = ours(&["get", "endpointslices", "-l", &slices, "-o", path]).run()?;
        let pods = replicas();
        let selected: Vec<_> = pods
            .iter()
            .filter(|pod| pod["metadata"]["labels"][LABEL] == release && is(pod, "Ready"))
            .map(name)
            .collect();
        let mut led: Vec<_> = led.split_whitespace().collect();
        led.sort_unstable();
        let all = !led.is_empty() && led.iter().all(|pod| selected.contains(pod));
        Ok(if all { Look::Found(()) } else { Look::Missing(format!("it leads to {led:?}")) })
    })
    .unwrap();
}

/// `null` selects the replicas of all releases.
fn select(release: &Value) {
    let patch = json!({ "spec": { "selector": { LABEL: release } } }).to_string();
    ours(&["patch", "service", RELEASE, "--type=merge", "-p", &patch]).run().unwrap();
}

impl Drop for Beside {
    fn drop(&mut self) {
        select(&Value::Null);
        let objects = [format!("deployment/{BESIDE}"), format!("configmap/{BESIDE}-settings")];
        for object in &objects {
            let _ = ours(&["delete", "--ignore-not-found", object]).output();
        }
        let _ = helm("upgrade", &["--wait"]).output();
    }
}
