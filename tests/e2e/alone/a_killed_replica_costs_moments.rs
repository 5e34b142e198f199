//! A replica that is killed answers nobody, and API servers do not ask twice: creations fail until
//! it is no endpoint any more, which must be soon. What owners of Pods ask for comes true.

use std::fs;
use std::time::{Duration, Instant};

use lab::cluster::until;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::pods::{server, workload};
use crate::release::{
    annotated_pods, at_work, list, metric, name, none_started_without, replicas, restarts, since,
};
use crate::stage::{Namespace, PATIENCE};

/// Calls that were sent until then may fail.
const WINDOW: Duration = Duration::from_secs(2);

/// API servers keep a connection to one replica for long, so both are killed, one after the other.
#[test]
fn until_it_is_no_endpoint_any_more() {
    let place = Namespace::opted_in("killed");
    place.create(&workload("Deployment", "web", &server(), json!({ "replicas": 1 })));
    place.wait("deployment/web", ".status.readyReplicas", "1");
    let names: Vec<_> = replicas().iter().map(|pod| name(pod).to_owned()).collect();
    for (victim, wanted) in names.iter().zip(["2", "3"]) {
        let stream = annotated_pods(&place, 50);
        let before = replica(victim);
        let calls = metric(victim, "secrets_webhook_admission_seconds_count").unwrap_or_default();
        kill_process(process(&before), Signal::KILL).unwrap();
        let killed = Instant::now();
        let replicas = format!("--replicas={wanted}");
        place.kubectl(&["scale", "deployment", "web", &replicas]).run().unwrap();
        until("the container to start again", PATIENCE, || {
            Ok((restarts(&replica(victim)) > restarts(&before)).then_some(()).into())
        })
        .unwrap();
        at_work(&place);
        stream.wait_for(100).unwrap();
        let all = stream.end().unwrap();
        let last = all.failed().map(|call| since(call.due, killed)).fold(0.0, f64::max);
        println!(
            "killed after {calls} answers: {} of {} creations failed, the last {last:.2} s later",
            all.failed().count(),
            all.all().len(),
        );
        let excused = all.failed().all(|call| {
            let under_way = call.due + call.took >= killed;
            under_way && call.due <= killed + WINDOW
        });
        assert!(excused, "{}", list(&all, killed));
        place.wait("deployment/web", ".status.readyReplicas", wanted);
    }
    none_started_without(&place);
    at_work(&place);
}

fn replica(wanted: &str) -> Value {
    replicas().into_iter().find(|pod| name(pod) == wanted).unwrap()
}

/// The first process of a Pod's only container; its cgroup is called after the container.
fn process(pod: &Value) -> Pid {
    let id = pod["status"]["containerStatuses"][0]["containerID"].as_str().unwrap();
    let id = id.rsplit('/').next().unwrap();
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let inside = pids.filter(|pid| {
        // One that has ended since is none.
        fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default().contains(id)
    });
    Pid::from_raw(inside.min().unwrap()).unwrap()
}
