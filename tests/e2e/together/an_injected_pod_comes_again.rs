//! A Pod that was injected before: copied to debug it, restored from its own YAML, or written by
//! another version. It gets the same files as a new one.

use lab::cluster::{BUSYBOX, Tool};
use serde_json::{Value, json};

use crate::pods::{OURS, annotated, app, container, container_mut, named, password_sum, with};
use crate::stage::Namespace;

const SHOW: &str = "sha256sum < /mnt/secrets-store/password";
const STATUS: &str = "/metadata/annotations/kms.alibabacloud~1status";

/// `kubectl debug web --copy-to=NAME` with a container `peek` that stays.
fn copy(place: &Namespace, name: &str, more: &[&str]) -> Tool {
    let image = format!("--image={BUSYBOX}");
    let to = format!("--copy-to={name}");
    let debug = place.kubectl(&["debug", "web", &to, "--container=peek", &image]);
    debug.args(more).args(["--", "sleep", "1000"])
}

/// The same with the annotations of the original, which older versions of kubectl copy unasked.
fn copy_with_annotations(place: &Namespace, name: &str, more: &[&str]) -> Tool {
    let help = place.kubectl(&["debug", "--help"]).run().unwrap();
    let flag = help.contains("--keep-annotations").then_some("--keep-annotations");
    let more: Vec<_> = flag.into_iter().chain(more.iter().copied()).collect();
    copy(place, name, &more)
}

#[track_caller]
fn runs_with_files_for_the_application_alone(place: &Namespace, pod: &str) {
    place.ready(pod);
    assert_eq!(place.exec(pod, "app", &["sh", "-c", SHOW]).stdout, password_sum());
    let peeked = place.exec(pod, "peek", &["ls", "/mnt/secrets-store"]);
    assert!(!peeked.success && peeked.stderr.contains("No such file"), "{peeked:?}");
}

#[test]
fn as_a_copy_made_by_kubectl_debug() {
    let place = Namespace::opted_in("debug-copy");
    place.create(&app("web", "sleep 1000"));
    place.ready("web");

    // As kubectl leaves it, without annotations: what was injected into the original still runs.
    copy(&place, "bare", &["--profile=baseline"]).run().unwrap();
    // With them the webhook looks again. It does not know the debugger from the first time.
    let said = copy_with_annotations(&place, "kept", &["--profile=baseline"]).output().unwrap();
    assert!(said.success, "{}", said.stderr);
    assert!(said.stderr.contains("container peek was added later and gets no"), "{}", said.stderr);
    let other = format!("--set-image=app={BUSYBOX}");
    let alone = ["--share-processes=false", &other];
    copy_with_annotations(&place, "alone", &alone).run().unwrap();

    for pod in ["bare", "kept", "alone"] {
        runs_with_files_for_the_application_alone(&place, pod);
    }
    let original = place.get("pod/web");
    for pod in ["bare", "alone"] {
        assert_eq!(container(&place.get(&format!("pod/{pod}")), OURS), container(&original, OURS));
    }
    // The debugger shares its processes, and only its image says its user: ours is another one.
    let kept = container(&place.get("pod/kept"), OURS).clone();
    assert_ne!(kept["securityContext"]["runAsUser"], 65532);
    let as_before = with(kept, "/securityContext/runAsUser", json!(65532));
    assert_eq!(as_before, *container(&original, OURS));
}

#[test]
fn as_a_copy_whose_debugger_could_read_the_fetchers_memory_it_is_refused() {
    let place = Namespace::opted_in("debug-traces");
    place.create(&app("web", "sleep 1000"));
    place.ready("web");
    let said = copy_with_annotations(&place, "tracing", &["--profile=general"]);
    let said = said.output().unwrap();
    assert!(!said.success, "{}", said.stdout);
    for part in ["\"peek\"", "SYS_PTRACE", "remove shareProcessNamespace"] {
        assert!(said.stderr.contains(part), "no {part} in {}", said.stderr);
    }
}

/// Without annotations no webhook sees it, and the guard does.
#[test]
fn as_a_bare_copy_too() {
    let place = Namespace::opted_in("debug-bare");
    place.create(&app("web", "sleep 1000"));
    place.ready("web");
    for name in ["general", "sysadmin"] {
        let profile = format!("--profile={name}");
        let said = copy(&place, name, &[&profile]).output().unwrap();
        assert!(!said.success, "{}", said.stdout);
        for part in ["container peek could trace", "read its token", "--profile=baseline"] {
            assert!(said.stderr.contains(part), "no {part} in {}", said.stderr);
        }
        // Where it sees its own processes alone, there is nothing to trace.
        copy(&place, &format!("{name}-alone"), &[&profile, "--share-processes=false"])
            .run()
            .unwrap();
    }
    for profile in ["baseline", "restricted"] {
        copy(&place, profile, &[&format!("--profile={profile}")]).run().unwrap();
    }
    runs_with_files_for_the_application_alone(&place, "baseline");
}

/// What people take out of a Pod before they create it again.
fn stripped(mut pod: Value, name: &str) -> Value {
    let known = pod["metadata"].take();
    pod["metadata"] = json!({ "name": name, "annotations": known["annotations"] });
    pod.as_object_mut().unwrap().remove("status");
    pod["spec"].as_object_mut().unwrap().remove("nodeName");
    pod
}

#[test]
fn from_its_own_yaml() {
    let place = Namespace::opted_in("own-yaml");
    place.create(&app("web", SHOW));
    place.succeeded("web");
    let saved = place.kubectl(&["get", "pod", "web", "-o", "yaml"]).run().unwrap();
    let before = place.get("pod/web");

    place.create(&stripped(before.clone(), "other"));
    place.succeeded("other");
    assert_eq!(place.logs("other", "app"), password_sum());

    // Just as it was, with the fields that the server sets.
    place.kubectl(&["delete", "pod", "web"]).run().unwrap();
    for verb in [vec!["create", "-f", "-"], vec!["replace", "--force", "-f", "-"]] {
        place.kubectl(&verb).input(&saved).run().unwrap();
        place.succeeded("web");
        assert_eq!(place.logs("web", "app"), password_sum());
    }
    let after = place.get("pod/web");
    assert_ne!(before["metadata"]["uid"], after["metadata"]["uid"]);
    for field in ["initContainers", "containers", "volumes"] {
        assert_eq!(before["spec"][field], after["spec"][field]);
    }
}

#[test]
fn with_other_annotations_it_gets_other_files() {
    let place = Namespace::opted_in("other-files");
    let (pod, _) = place.admitted(&app("web", "ls /mnt/secrets-store"));
    let pod = annotated(stripped(pod, "web"), &[("secrets", "flags: oos-parameter://app-flags")]);
    place.create(&pod);
    place.succeeded("web");
    assert_eq!(place.logs("web", "app"), "flags\n");
}

#[test]
fn from_an_earlier_release_it_is_brought_up_to_date() {
    let place = Namespace::opted_in("earlier-release");
    let (now, _) = place.admitted(&app("web", SHOW));
    let mut pod = stripped(now.clone(), "earlier");
    let ours = container_mut(&mut pod, OURS);
    ours["image"] = json!("registry.example/secrets-injector:of-another-version");
    ours["command"] = json!(["/fetch"]);
    ours["args"] = json!(["init", "--an-option-of-another-version"]);
    ours["env"][0]["value"] = json!(r#"{"version":0,"secrets":["db"]}"#);
    ours["securityContext"]["runAsUser"] = json!(1000);
    ours["resources"] = json!({ "limits": { "memory": "1Mi" } });
    place.create(&with(pod, STATUS, json!(r#"{"version":"of-another-version"}"#)));
    place.succeeded("earlier");
    assert_eq!(place.logs("earlier", "app"), password_sum());
    let after = place.get("pod/earlier");
    assert_eq!(container(&after, OURS), container(&now, OURS));
    assert_eq!(after.pointer(STATUS), now.pointer(STATUS));
    for volume in ["kms-secrets", "kms-rrsa-token"] {
        let [after, now] = [&after, &now].map(|pod| named(&pod["spec"]["volumes"], volume));
        assert!(after.is_some());
        assert_eq!(after, now);
    }
}

#[test]
fn from_a_later_release_it_stays_as_it_is() {
    let place = Namespace::opted_in("later-release");
    let (now, _) = place.admitted(&app("web", SHOW));
    let mut pod = annotated(stripped(now, "later"), &[("of-a-later-release", "true")]);
    let ours = container_mut(&mut pod, OURS);
    let (repository, _) = ours["image"].as_str().unwrap().rsplit_once(':').unwrap();
    ours["image"] = json!(format!("{repository}:of-a-later-release"));
    ours["env"][0]["value"] = json!(r#"{"version":99,"secrets":["db"]}"#);
    let (after, said) = place.admitted(&pod);
    assert_eq!(container(&after, OURS), container(&pod, OURS));
    assert!(said.contains("a later release of the webhook made it"), "{said}");
}
