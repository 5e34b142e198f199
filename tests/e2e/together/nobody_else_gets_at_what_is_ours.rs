//! The token with which secrets are fetched is our container's alone, and nobody but it writes the
//! secrets: whoever asks for it, before, during or after the injection.

use lab::cluster::{BUSYBOX, Output, until};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::other_injector::{Again, OtherInjector, Turn};
use crate::pods::{
    OURS, PASSWORD, annotated, app, container, container_mut, named, push, shell, with,
};
use crate::stage::{Namespace, PATIENCE, kubectl};

const TOKEN: &str = "mounts the token with which secrets are fetched";
const WRITABLE: &str = "mounts the secrets writable";
/// The guard's words: it refuses what the webhook did not see.
const GUARD_TOKEN: &str = "mounts kms-rrsa-token";
const GUARD_WRITABLE: &str = "mounts secrets writable";

fn mount(volume: &str, read_only: bool) -> Value {
    json!({ "name": volume, "mountPath": "/stolen", "readOnly": read_only })
}

#[track_caller]
fn names(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part} in {said}");
    }
}

#[test]
fn a_pod_that_mounts_it_before_it_is_there_is_refused() {
    let place = Namespace::opted_in("mounts-early");
    for volume in ["kms-rrsa-token", "kms-secrets"] {
        let mut pod = app("web", "true");
        push(&mut container_mut(&mut pod, "app")["volumeMounts"], mount(volume, true));
        names(&place.refused(&pod), &["\"app\"", volume, "remove the mount"]);
        // Nor with a volume of that name brought along.
        push(&mut pod["spec"]["volumes"], json!({ "name": volume, "emptyDir": {} }));
        names(&place.refused(&pod), &[volume, "the name is reserved"]);
    }
}

/// An injected Pod that somebody edited before it was created, with its annotations, which call the
/// webhook, and without, which leaves it to the guard.
fn edited(place: &Namespace, edit: impl Fn(&mut Value)) -> [Value; 2] {
    let mut pod = app("web", "true");
    push(&mut pod["spec"]["initContainers"], shell("prepare", "true"));
    push(&mut pod["spec"]["containers"], shell("reader", "true"));
    let pod = annotated(pod, &[("containers", "app")]);
    let (mut pod, _) = place.admitted(&pod);
    let annotations = pod["metadata"]["annotations"].clone();
    pod["metadata"] = json!({ "name": "web" });
    edit(&mut pod);
    let bare = pod.clone();
    pod["metadata"]["annotations"] = annotations;
    [pod, bare]
}

#[test]
fn an_injected_pod_that_mounts_it_is_refused() {
    let place = Namespace::opted_in("mounts-late");
    for name in ["app", "prepare", "reader"] {
        let [pod, bare] = edited(&place, |pod| {
            push(&mut container_mut(pod, name)["volumeMounts"], mount("kms-rrsa-token", true));
        });
        names(&place.refused(&pod), &[name, TOKEN]);
        names(&place.refused(&bare), &[name, GUARD_TOKEN]);
    }
    for name in ["app", "prepare", "reader"] {
        let [pod, bare] = edited(&place, |pod| {
            push(&mut container_mut(pod, name)["volumeMounts"], mount("kms-secrets", false));
        });
        names(&place.refused(&pod), &[name, WRITABLE]);
        names(&place.refused(&bare), &[name, GUARD_WRITABLE]);
    }
}

#[test]
fn a_consumers_own_mount_is_made_read_only_again() {
    let place = Namespace::opted_in("mounts-again");
    let [pod, bare] = edited(&place, |pod| {
        container_mut(pod, "app")["volumeMounts"] =
            json!([{ "name": "kms-secrets", "mountPath": "/mnt/secrets-store" }]);
    });
    names(&place.refused(&bare), &["app", GUARD_WRITABLE]);
    place.create(&pod);
    let pod = place.get("pod/web");
    let mount = named(&container(&pod, "app")["volumeMounts"], "kms-secrets").unwrap();
    assert_eq!(mount["readOnly"], true);
}

#[test]
fn another_webhook_cannot_mount_it() {
    for (story, again, token, writable) in [
        // It speaks once, and we see what it did.
        ("webhook-once", Again::Never, TOKEN, WRITABLE),
        // It has the last word, and the guard sees what it did.
        ("webhook-last", Again::IfNeeded, GUARD_TOKEN, GUARD_WRITABLE),
    ] {
        let place = Namespace::opted_in(story);
        let last_word = matches!(again, Again::IfNeeded);
        let _other = OtherInjector::start(&place, Turn::AfterUs, again, move |pod| {
            let Some(volumes) = pod["spec"]["volumes"].as_array() else { return };
            if !volumes.iter().any(|volume| volume["name"] == "kms-secrets") {
                return;
            }
            let first = named(&pod["spec"]["containers"], "helper").is_none();
            if first {
                push(&mut pod["spec"]["containers"], shell("helper", "true"));
            }
            if first && last_word {
                // We set it back, and because of that it is asked again.
                container_mut(pod, OURS)["image"] = json!("registry.example/other:1");
                return;
            }
            let stolen = match pod["metadata"]["name"].as_str() {
                Some("token") => mount("kms-rrsa-token", true),
                _ => mount("kms-secrets", false),
            };
            push(&mut container_mut(pod, "helper")["volumeMounts"], stolen);
        });
        names(&place.refused(&app("token", "true")), &["helper", token]);
        names(&place.refused(&app("writable", "true")), &["helper", writable]);
    }
}

/// `kubectl debug web` with this in the debugger.
fn debug(place: &Namespace, name: &str, custom: &Value) -> Output {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), custom.to_string()).unwrap();
    let container = format!("--container={name}");
    let image = format!("--image={BUSYBOX}");
    let custom = format!("--custom={}", file.path().display());
    place
        .kubectl(&["debug", "web", &container, &image, &custom, "--profile=baseline"])
        .args(["--", "sleep", "1000"])
        // Older versions of kubectl want to be asked twice.
        .env("KUBECTL_DEBUG_CUSTOM_PROFILE", "true")
        .output()
        .unwrap()
}

#[test]
fn nobody_can_mount_it_into_a_pod_that_runs() {
    let place = Namespace::opted_in("ephemeral");
    place.create(&app("web", "sleep 1000"));
    place.ready("web");
    let steal = |name: &str| {
        for (volume, read_only, refusal) in
            [("kms-rrsa-token", true, GUARD_TOKEN), ("kms-secrets", false, GUARD_WRITABLE)]
        {
            let custom = json!({ "volumeMounts": [mount(volume, read_only)] });
            let said = debug(&place, name, &custom);
            assert!(!said.success, "{}", said.stdout);
            names(&said.stderr, &[name, refusal]);
        }
    };
    steal("thief");

    // By the subresource itself.
    let mut pod = place.get("pod/web");
    let mut ephemeral = shell("thief", "sleep 1000");
    push(&mut ephemeral["volumeMounts"], mount("kms-rrsa-token", true));
    pod["spec"]["ephemeralContainers"] = json!([ephemeral]);
    let path = format!("/api/v1/namespaces/{}/pods/web/ephemeralcontainers", place.name);
    let said = kubectl(&["replace", "--raw", &path, "-f", "-"]).input(pod.to_string());
    let said = said.output().unwrap();
    assert!(!said.success, "{}", said.stdout);
    names(&said.stderr, &["thief", GUARD_TOKEN]);

    // What can be edited of a Pod that runs does not hide what it has.
    place.kubectl(&["annotate", "pod", "web", "kms.alibabacloud/secrets-"]).run().unwrap();
    place.kubectl(&["label", "pod", "web", "kms.alibabacloud/injection=disabled"]).run().unwrap();
    steal("hidden");

    // Looking is allowed.
    let custom = json!({ "volumeMounts": [{ "name": "kms-secrets", "mountPath": "/seen", "readOnly": true }] });
    let said = debug(&place, "looks", &custom);
    assert!(said.success, "{}", said.stderr);
    let running =
        ".status.ephemeralContainerStatuses[?(@.name==\"looks\")].state.running.startedAt";
    let path = format!("jsonpath={{{running}}}");
    until("the debugger to run", PATIENCE, || {
        let since = place.kubectl(&["get", "pod", "web", "-o", &path]).run()?;
        Ok((!since.is_empty()).then_some(()).into())
    })
    .unwrap();
    let seen = place.exec("web", "looks", &["cat", "/seen/password"]);
    assert_eq!(seen.stdout, PASSWORD, "{}", seen.stderr);
    let names: Vec<_> = place.get("pod/web")["spec"]["ephemeralContainers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|container| container["name"].clone())
        .collect();
    assert_eq!(names, ["looks"]);
}

/// Whoever traces our container, or shares its processes and may trace them, has its token without
/// a mount.
#[test]
fn nobody_can_trace_the_fetcher_of_a_pod_that_runs() {
    let place = Namespace::opted_in("traces");
    place.create(&app("web", "sleep 1000"));
    place.create(&with(app("shared", "sleep 1000"), "/spec/shareProcessNamespace", json!(true)));
    let debug = |pod: &str, name: &str, more: &[&str]| {
        let container = format!("--container={name}");
        let image = format!("--image={BUSYBOX}");
        let debug = place.kubectl(&["debug", pod, &container, &image]).args(more);
        debug.args(["--", "sleep", "1000"]).output().unwrap()
    };
    for (pod, name, more) in [
        ("web", "targets", &["--target=kms-secrets-init", "--profile=baseline"][..]),
        ("shared", "traces", &["--profile=general"]),
        ("shared", "rules", &["--profile=sysadmin"]),
    ] {
        let said = debug(pod, name, more);
        assert!(!said.success, "{name}: {}", said.stdout);
        names(&said.stderr, &[name, "could trace the container that fetches secrets"]);
    }
    for (pod, name, more) in [
        ("web", "application", &["--target=app", "--profile=general"][..]),
        ("shared", "looks", &["--profile=baseline"]),
    ] {
        let said = debug(pod, name, more);
        assert!(said.success, "{name}: {}", said.stderr);
    }
}

/// Without annotations no webhook sees it: a copy, or a Pod that somebody wrote by hand.
#[test]
fn nobody_can_trace_the_fetcher_from_the_start() {
    let place = Namespace::opted_in("traces-early");
    for capability in [
        "ALL",
        "SYS_PTRACE",
        "SYS_ADMIN",
        "PERFMON",
        "BPF",
        "SYS_MODULE",
        "SYS_RAWIO",
        "CHECKPOINT_RESTORE",
    ] {
        let [pod, bare] = edited(&place, |pod| {
            let add = json!({ "capabilities": { "add": [capability] } });
            container_mut(pod, "reader")["securityContext"] = add;
            pod["spec"]["shareProcessNamespace"] = json!(true);
        });
        names(&place.refused(&pod), &["reader", capability, "the fetcher's memory"]);
        let could = "could trace the container that fetches secrets";
        names(&place.refused(&bare), &["reader", capability, could]);
    }
}

/// The guard has the last word about our container too.
#[test]
fn our_container_is_not_loosened_or_covered() {
    let place = Namespace::opted_in("loosened");
    let [_, bare] = edited(&place, |pod| {
        container_mut(pod, OURS)["securityContext"]["capabilities"]["add"] = json!(["NET_RAW"]);
    });
    names(&place.refused(&bare), &[OURS, "less confined than it was injected"]);
    let [_, bare] = edited(&place, |pod| {
        push(&mut pod["spec"]["volumes"], json!({ "name": "own", "emptyDir": {} }));
        let mount = json!({ "name": "own", "mountPath": "/etc" });
        push(&mut container_mut(pod, OURS)["volumeMounts"], mount);
    });
    names(&place.refused(&bare), &[OURS, "something else mounted"]);
}
