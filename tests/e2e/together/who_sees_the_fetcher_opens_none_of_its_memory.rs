//! Where containers share their processes, one that waits for the fetcher to start tries to open
//! its memory before the fetcher can close it. Of whatever user, it never can.

use serde_json::{Value, json};

use crate::pods::{annotated, app, checks_files, container, shell, with};
use crate::stage::Namespace;

/// Looks at every process again and again, until the application has ended its work. A line for
/// each process whose memory was opened: ours, or a process of its own that it may look into. The
/// fetcher's command line is read only after its memory was open.
const RACES: &str = "\
sleep 1000 &
while [ ! -e /told/done ]; do
    for process in /proc/[0-9]*; do
        if true 3< $process/mem; then
            line=
            read -r line < $process/cmdline
            case $line in
                *secrets-injector*) echo ours >> /told/opened ;;
                sleep*) echo own >> /told/opened ;;
            esac
        fi
    done
done 2> /dev/null
exec sleep 1000
";

/// A Pod in which such a container starts before ours and is there while ours starts, twice and
/// for each of its probes.
fn raced(name: &str, racer: &Value) -> Value {
    let script = checks_files() + "touch /told/done\nsort /told/opened | uniq -c | sed 's/ */ /'\n";
    let mount = json!([{ "name": "told", "mountPath": "/told" }]);
    let pod = annotated(app(name, &script), &[("mode", "refresh"), ("containers", "app")]);
    let pod = with(pod, "/spec/containers/0/securityContext", json!({ "runAsUser": 1000 }));
    let pod = with(pod, "/spec/containers/0/volumeMounts", mount.clone());
    let proxy = with(shell("istio-proxy", RACES), "/restartPolicy", json!("Always"));
    let proxy = with(proxy, "/securityContext", racer.clone());
    let proxy = with(proxy, "/volumeMounts", mount);
    let pod = with(pod, "/spec/initContainers", json!([proxy]));
    let pod = with(pod, "/spec/shareProcessNamespace", json!(true));
    with(pod, "/spec/volumes", json!([{ "name": "told", "emptyDir": {} }]))
}

#[test]
fn nobody_opens_it_while_it_starts() {
    let place = Namespace::opted_in("raced");
    // Known, and a user that only the image knows: root, without the power to trace.
    let racers = [json!({ "runAsUser": 1000 }), json!({ "runAsUser": 1001 }), json!({})];
    let names = ["same-as-app", "another", "of-the-image"];
    for (name, racer) in names.iter().zip(&racers) {
        let told = place.create(&raced(name, racer));
        assert!(told.contains("shareProcessNamespace is set: the fetcher has uid"), "{told}");
    }
    for (name, ours) in names.iter().zip([65_532, 65_532, 61_000]) {
        place.succeeded(name);
        let pod = place.get(&format!("pod/{name}"));
        for fetcher in ["kms-secrets-init", "kms-secrets"] {
            let user = &container(&pod, fetcher)["securityContext"]["runAsUser"];
            assert_eq!(user, &json!(ours), "{name} {fetcher}");
        }
        // What it may open it did: it was there in time.
        let log = place.logs(name, "app");
        assert!(log.contains(" own\n") && !log.contains("ours"), "{name}: {log}");
    }
}

/// As the one who gets the signal has, so that the memory is not closed by having another user.
#[test]
fn nobody_of_its_own_user_opens_it_either() {
    let place = Namespace::opted_in("raced-as-itself");
    let user = json!({ "runAsUser": 1000, "runAsGroup": 1000 });
    let pod = annotated(raced("web", &user), &[("on-change", "signal=SIGHUP:app")]);
    place.create(&with(pod, "/spec/containers/0/securityContext", user));
    place.succeeded("web");
    let pod = place.get("pod/web");
    for fetcher in ["kms-secrets-init", "kms-secrets"] {
        let user = &container(&pod, fetcher)["securityContext"]["runAsUser"];
        assert_eq!(user, 1000, "{fetcher}");
    }
    let log = place.logs("web", "app");
    assert!(log.contains(" own\n") && !log.contains("ours"), "{log}");
}

#[test]
fn the_fetchers_user_is_a_containers_only_where_a_signal_asks_for_it() {
    let place = Namespace::opted_in("same-user");
    let known = json!({ "runAsUser": 1000, "runAsGroup": 1000 });
    let pod = raced("web", &json!({ "runAsUser": 1001 }));
    let pod = with(pod, "/spec/containers/0/securityContext", known);
    let (apart, _) = place.admitted(&pod);
    let user = |pod: &Value| container(pod, "kms-secrets")["securityContext"]["runAsUser"].clone();
    assert_eq!(user(&apart), 65_532);
    let refused = place.refused(&annotated(pod.clone(), &[("run-as-user", "1000")]));
    assert!(refused.contains("container \"app\" has uid 1000 too"), "{refused}");
    let asks = annotated(pod, &[("on-change", "signal=SIGHUP:app")]);
    let (same, _) = place.admitted(&asks);
    assert_eq!(user(&same), 1000);
}
