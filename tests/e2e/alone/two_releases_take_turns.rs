//! The last release and this one answer at the same time while one replaces the other. Every Pod is
//! admitted, and every Pod has its files.

use std::thread;

use lab::cluster::{FETCHER, Tool};
use serde_json::{Value, json};

use crate::install::helm;
use crate::last_release::LastRelease;
use crate::other_injector::{Again, OtherInjector, Turn};
use crate::pods::{OURS, app, checks_files, container, container_mut, named, push};
use crate::release::{annotated_pods, at_work, none_failed, settled};
use crate::stage::Namespace;

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
