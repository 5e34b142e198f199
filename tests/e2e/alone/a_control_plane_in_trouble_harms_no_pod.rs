//! The API server ends and starts again, and etcd answers slowly: replicas stay ready, no Pod starts
//! without its secrets, and all goes on as before.

use std::thread;
use std::time::{Duration, Instant};

use lab::cluster::{Program, until};
use serde_json::json;

use crate::pods::{app, checks_files, plain, server, workload};
use crate::release::{admits, at_work, is, name, none_started_without, replicas, restarts};
use crate::stage::{Namespace, PATIENCE, cluster, kubectl};

#[test]
fn the_api_server_starts_again() {
    let place = Namespace::opted_in("api-server");
    let before: Vec<_> = replicas().iter().map(|pod| name(pod).to_owned()).collect();
    let cluster = cluster();
    cluster.component(Program::ApiServer).stop().unwrap();
    let started = Instant::now();
    cluster.component(Program::ApiServer).start().unwrap();
    until("the API server", PATIENCE, || Ok(kubectl(&["get", "--raw", "/readyz"]).run().into()))
        .unwrap();
    let answers = started.elapsed();
    admits(&place);
    println!(
        "the API server answers {answers:.1?} after its start, a Pod is injected after {:.1?}",
        started.elapsed()
    );
    place.create(&plain("plain", "true"));
    place.create(&app("annotated", &checks_files()));
    place.succeeded("plain");
    place.succeeded("annotated");
    at_work(&place);
    unharmed(&before);
}

/// It stops for moments, again and again: what is written meanwhile takes as long.
#[test]
fn etcd_is_slow() {
    const MOMENTS: u32 = 12;
    let place = Namespace::opted_in("slow-etcd");
    let before: Vec<_> = replicas().iter().map(|pod| name(pod).to_owned()).collect();
    place.create(&workload("Deployment", "web", &server(), json!({ "replicas": 3 })));
    place.create(&workload(
        "Deployment",
        "plain",
        &plain("", "sleep 1000"),
        json!({ "replicas": 3 }),
    ));
    let began = Instant::now();
    for moment in 0..MOMENTS {
        // The trouble itself, not a wait: three quarters of the time nobody is answered.
        let cluster = cluster();
        let etcd = cluster.component(Program::Etcd);
        let halted = etcd.freeze().unwrap();
        thread::sleep(Duration::from_millis(900));
        drop(halted);
        thread::sleep(Duration::from_millis(300));
        if moment == MOMENTS / 2 {
            place.kubectl(&["scale", "deployment", "web", "plain", "--replicas=5"]).run().unwrap();
        }
    }
    let trouble = began.elapsed();
    place.wait("deployment/plain", ".status.readyReplicas", "5");
    place.wait("deployment/web", ".status.readyReplicas", "5");
    println!(
        "etcd was slow for {trouble:.1?}; everything asked for meanwhile is ready {:.1?} later",
        began.elapsed() - trouble
    );
    none_started_without(&place);
    at_work(&place);
    unharmed(&before);
}

/// The same replicas, none of which ended or was found unwell.
fn unharmed(before: &[String]) {
    let now = replicas();
    let names: Vec<_> = now.iter().map(|pod| name(pod).to_owned()).collect();
    assert_eq!(names, before);
    for pod in &now {
        assert_eq!(restarts(pod), 0, "{}", name(pod));
        assert!(is(pod, "Ready"));
    }
}
