//! Secrets as environment variables: through the container's command, or by the kubelet.

use lab::cluster::{BUSYBOX, Look, until};
use serde_json::{Value, json};

use crate::cloud;
use crate::node::Process;
use crate::pods::{annotated, container, plain, shell, sum, with};
use crate::search::holders;
use crate::stage::{Namespace, PATIENCE, kubelet_minor};

const FIRST: &str = "lab-canary-Tn5wYc2m 'a' \"b\" $HOME";
const SECOND: &str = "lab-canary-Rg7hLq4z";

/// Prints what it was started with as a sum, and what of its environment could be ours. Of two
/// dollars the kubelet leaves one.
const LOOKS: &str = "set -e; test $$$$ = 1; printf %s \"$PASSWORD\" | sha256sum; \
                     env | grep -iE 'kms|injector' | grep -v ^KUBERNETES_ || echo none of ours";

fn wants(pod: Value, secret: &str, more: &[(&str, &str)]) -> Value {
    let env = format!("PASSWORD: kms://{secret}\n");
    annotated(annotated(pod, &[("env", &env)]), more)
}

#[test]
fn an_application_starts_with_its_variable_and_nothing_of_ours() {
    let place = Namespace::opted_in("variables");
    let secret = cloud::secret("variables", FIRST);
    let said = place.create(&wants(plain("reads", LOOKS), &secret, &[]));
    assert!(said.contains("kubectl exec do not see them"), "{said}");
    place.succeeded("reads");
    let seen = format!("{}  -\nnone of ours\n", sum(FIRST));
    assert_eq!(place.logs("reads", "app"), seen);
}

#[test]
fn an_image_without_a_shell_is_started_the_same_way() {
    let place = Namespace::opted_in("no-shell");
    let secret = cloud::secret("no-shell", FIRST);
    let pod = wants(plain("pause", ""), &secret, &[]);
    let pod = with(pod, "/spec/containers/0/image", json!(lab::cluster::PAUSE));
    let pod = with(pod, "/spec/containers/0/command", json!(["/pause", "-P"]));
    place.create(&pod);
    place.ready("pause");
    let process = Process::of_container(&place, "pause", "app");
    assert_eq!(process.file("cmdline"), "/pause\0-P\0");
    let environment = process.file("environ");
    assert!(environment.split('\0').any(|one| one == format!("PASSWORD={FIRST}")));
    assert!(!environment.contains("INJECTOR"));
}

#[test]
fn a_container_that_starts_again_gets_the_value_of_now() {
    let place = Namespace::opted_in("restarts");
    let secret = cloud::secret("restarts", FIRST);
    let more = [("mode", "refresh"), ("refresh-interval", "10s")];
    // Ends with the value that it was started with, once that is no longer the current one.
    let script = format!("{LOOKS}; sleep 15");
    let pod = with(plain("again", &script), "/spec/restartPolicy", json!("Always"));
    place.create(&wants(pod, &secret, &more));
    place.ready("again");
    says(&place, "again", &sum(FIRST));
    cloud::rotate(&secret, SECOND);
    says(&place, "again", &sum(SECOND));
}

/// Waits until the application says this, which is some time after it has been started.
fn says(place: &Namespace, pod: &str, words: &str) {
    until(&format!("{pod} to say {words:?}"), PATIENCE, || {
        let said = place.logs(pod, "app");
        Ok(if said.contains(words) { Look::Found(()) } else { Look::Missing(said) })
    })
    .unwrap();
}

#[test]
fn init_containers_and_others_get_what_is_meant_for_them() {
    let place = Namespace::opted_in("each");
    let (one, other) = (cloud::secret("each", FIRST), cloud::secret("each", SECOND));
    let mut pod = plain("each", "test -z \"$OWN\"; printf %s \"$ALL\" | sha256sum");
    pod["spec"]["initContainers"] = json!([shell("migrate", "printf %s \"$OWN$ALL\" | sha256sum")]);
    let all = format!("ALL: kms://{one}\n");
    let own = format!("OWN: kms://{other}\n");
    place.create(&annotated(pod, &[("env", &all), ("env.migrate", &own)]));
    place.succeeded("each");
    assert_eq!(place.logs("each", "app"), format!("{}  -\n", sum(FIRST)));
    let both = format!("{SECOND}{FIRST}");
    assert_eq!(place.logs("each", "migrate"), format!("{}  -\n", sum(both)));
}

#[test]
fn without_a_command_nothing_is_guessed() {
    let place = Namespace::opted_in("no-command");
    let mut pod = wants(plain("bare", ""), "app/db", &[]);
    pod["spec"]["containers"][0].as_object_mut().unwrap().remove("command");
    let refusal = place.refused(&pod);
    assert!(refusal.contains("write the image's entrypoint"), "{refusal}");
}

/// The one way on which a value comes to the node's disk, as it is documented.
#[test]
fn the_kubelet_sets_variables_where_it_can_and_its_runtime_keeps_them() {
    let place = Namespace::opted_in("kubelet");
    // Not as other values begin, which must be nowhere.
    let value = format!("kept-by-the-runtime-{:08x}", fastrand::u32(..));
    let secret = cloud::secret("kubelet", &value);
    let script = format!("{LOOKS}; exec sleep 1000");
    let pod = wants(plain("kubelet", &script), &secret, &[("env-method", "file-key-ref")]);
    if kubelet_minor() < 35 {
        let refusal = place.refused(&pod);
        assert!(refusal.contains("before 1.35"), "{refusal}");
        return;
    }
    let said = place.create(&pod);
    assert!(said.contains("on the node's disk"), "{said}");
    place.ready("kubelet");
    says(&place, "kubelet", &format!("{}  -\nnone of ours\n", sum(&value)));
    let stored = place.get("pod/kubelet");
    assert_eq!(container(&stored, "app")["image"], BUSYBOX);
    assert!(!stored.to_string().contains(&value));
    let found = holders(&value);
    assert!(found.iter().any(|file| file.contains("/containerd/")), "{found:?}");
    let elsewhere = found.iter().find(|file| file.contains("/etcd/") || file.contains("/pods/"));
    assert_eq!(elsewhere, None);
}
