//! A running application hears of a secret that was rotated, by a signal or by a request; whoever
//! watches the fetcher sees how it does; and a Pod that waits says what for.

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::cloud;
use crate::pods::{annotated, app, plain, shell, sum, with};
use crate::stage::{Namespace, PATIENCE};

const FIRST: &str = "lab-canary-Rk2vNc5p";
const SECOND: &str = "lab-canary-Gy7wLd4s";

/// Of one secret that is kept current, with a directory that all of its containers may write to.
fn kept(name: &str, secret: &str, containers: Value, more: &[(&str, &str)]) -> Value {
    let secrets = format!("password: kms://{secret}\n");
    let usual = [("secrets", secrets.as_str()), ("mode", "refresh"), ("refresh-interval", "10s")];
    let mut pod = annotated(annotated(app(name, ""), &usual), more);
    pod["spec"]["restartPolicy"] = json!("Always");
    pod["spec"]["containers"] = containers;
    for container in pod["spec"]["containers"].as_array_mut().unwrap() {
        container["volumeMounts"] = json!([{ "name": "told", "mountPath": "/told" }]);
    }
    with(pod, "/spec/volumes", json!([{ "name": "told", "emptyDir": {} }]))
}

/// Writes into /told when it gets SIGHUP, and its process id before.
fn listens(name: &str) -> Value {
    let script = format!(
        "trap 'echo told >> /told/{name}' HUP; echo $$$$ > /told/{name}-pid; while :; do sleep 0.2; done"
    );
    shell(name, &script)
}

/// What a script prints that runs in the container `app`.
fn said(place: &Namespace, pod: &str, script: &str) -> String {
    place.exec(pod, "app", &["sh", "-c", script]).stdout
}

/// Waits until that is so.
fn says(place: &Namespace, pod: &str, script: &str, wanted: impl Fn(&str) -> bool) -> String {
    until(&format!("{pod} to say what is wanted of: {script}"), PATIENCE, || {
        let now = said(place, pod, script);
        Ok(if wanted(&now) { Look::Found(now) } else { Look::Missing(now) })
    })
    .unwrap()
}

fn shared(pod: Value) -> Value {
    let pod = with(pod, "/spec/shareProcessNamespace", json!(true));
    with(pod, "/spec/securityContext", json!({ "runAsUser": 1000, "runAsGroup": 1000 }))
}

#[test]
fn a_signal_reaches_one_container_of_a_shared_process_namespace() {
    let place = Namespace::opted_in("signalled");
    let secret = cloud::secret("signalled", FIRST);
    let hook = [("on-change", "signal=SIGHUP:app")];
    place.create(&shared(kept("plain", &secret, json!([listens("other"), listens("app")]), &hook)));
    // As nginx, which shows its state where its environment was.
    let mut wipes = listens("app");
    let script = wipes["command"][2].clone();
    wipes["command"] = json!(["/bin/env", "-i", "PATH=/bin", "/bin/sh", "-c", script]);
    place.create(&shared(kept("wiped", &secret, json!([listens("other"), wipes]), &hook)));
    for pod in ["plain", "wiped"] {
        place.ready(pod);
        says(&place, pod, "cat /told/app-pid /told/other-pid | wc -l", |said| said.trim() == "2");
        assert_eq!(said(&place, pod, "ls /told").trim(), "app-pid\nother-pid", "told too early");
    }
    cloud::rotate(&secret, SECOND);
    for pod in ["plain", "wiped"] {
        says(&place, pod, "cat /told/app", |said| said.starts_with("told"));
        let file = said(&place, pod, "sha256sum /mnt/secrets-store/password");
        assert!(file.starts_with(&sum(SECOND)), "{file}");
        assert!(!said(&place, pod, "ls /told").contains("other\n"), "the other was told");
    }
}

/// The application sees our process, and is of its user. It sees what others of its user have, and
/// nothing of ours.
#[test]
fn who_shares_processes_and_user_reads_nothing_of_the_fetcher() {
    let place = Namespace::opted_in("looked-at");
    let secret = cloud::secret("looked-at", FIRST);
    let hook = [("on-change", "signal=SIGHUP:app")];
    place.create(&shared(kept("web", &secret, json!([listens("other"), listens("app")]), &hook)));
    place.ready("web");
    says(&place, "web", "cat /told/other-pid", |said| !said.is_empty());
    let looks = "for file in environ maps auxv stack syscall; do \
                 cat /proc/$pid/$file > /dev/null 2>&1 && echo $file; done; \
                 dd if=/proc/$pid/mem of=/dev/null bs=1 count=1 skip=4198400 2>/dev/null && echo mem; \
                 for way in root/ cwd/ fd/ map_files/; do ls /proc/$pid/$way > /dev/null 2>&1 && echo $way; done; \
                 cat /proc/$pid/root/var/run/secrets/kubernetes.io/serviceaccount/token \
                 > /dev/null 2>&1 && echo token; echo looked";
    let ours =
        "pid=$(grep -l 'secrets-[i]njector' /proc/[0-9]*/cmdline | head -n 1 | cut -d / -f 3)";
    let user = said(&place, "web", &format!("{ours}; grep ^Uid: /proc/$pid/status; id -u"));
    assert_eq!(
        user.split_whitespace().collect::<Vec<_>>(),
        ["Uid:", "1000", "1000", "1000", "1000", "1000"]
    );
    assert_eq!(said(&place, "web", &format!("{ours}; {looks}")), "looked\n");
    let others = said(&place, "web", &format!("pid=$(cat /told/other-pid); {looks}"));
    for way in ["environ", "maps", "root/", "fd/"] {
        assert!(others.contains(way), "{way} is closed to everybody: {others}");
    }
}

#[test]
fn a_storm_of_rotations_is_a_few_requests_and_metrics_tell_of_them() {
    let place = Namespace::opted_in("called");
    let secret = cloud::secret("called", FIRST);
    let script = "mkdir -p /told/cgi-bin && cat > /told/cgi-bin/hook <<'END'\n\
                  #!/bin/sh\n\
                  echo \"$REQUEST_METHOD $HTTP_X_SECRETS_GENERATION\" >> /told/calls\n\
                  printf 'Status: 204 No Content\\r\\n\\r\\n'\n\
                  END\n\
                  chmod +x /told/cgi-bin/hook && exec httpd -f -p 127.0.0.1:8080 -h /told";
    let mut server = shell("app", script);
    server["ports"] = json!([{ "containerPort": 8080 }]);
    let hook = [("on-change", "http=http://127.0.0.1:8080/cgi-bin/hook"), ("metrics-port", "9300")];
    place.create(&kept("web", &secret, json!([server]), &hook));
    place.create(&plain("watch", "sleep 1000"));
    place.ready("web");
    place.ready("watch");
    for round in 0..30 {
        cloud::rotate(&secret, &format!("{FIRST}-{round}"));
    }
    cloud::rotate(&secret, SECOND);
    let file = "sha256sum /mnt/secrets-store/password";
    says(&place, "web", file, |said| said.starts_with(&sum(SECOND)));
    // The last call is about what is shown now.
    let shown = said(&place, "web", "readlink /mnt/secrets-store/..data");
    let last = says(&place, "web", "tail -n 1 /told/calls", |said| said.ends_with(&shown));
    assert_eq!(last, format!("POST {shown}"));
    assert_eq!(said(&place, "web", "cat /mnt/secrets-store/.kms-generation"), shown);
    let calls: u64 = said(&place, "web", "wc -l < /told/calls").trim().parse().unwrap();
    assert!((1..=3).contains(&calls), "{calls} calls");

    let pod = place.get("pod/web");
    let sidecar = &pod["spec"]["initContainers"][0];
    assert_eq!(sidecar["ports"][0]["name"], "kms-metrics", "{sidecar}");
    let address = pod["status"]["podIP"].as_str().unwrap();
    let ask =
        |page: &str| said(&place, "watch", &format!("wget -qO - http://{address}:9300{page}"));
    assert_eq!(ask("/readyz"), "ok\n");
    let told = "secrets_injector_hook_calls_total{outcome=\"told\"}";
    let metrics =
        says(&place, "watch", &format!("wget -qO - http://{address}:9300/metrics"), |said| {
            said.contains(&format!("{told} {calls}\n"))
        });
    assert!(
        metrics.contains("secrets_injector_failing_sources{class=\"denied\"} 0\n"),
        "{metrics}"
    );
    assert!(!metrics.contains(&secret) && !metrics.contains("lab-canary"), "{metrics}");
}

#[test]
fn a_pod_that_waits_says_for_which_source_and_why() {
    let place = Namespace::opted_in("waits");
    let secret = cloud::secret("waits", FIRST);
    cloud::fault(&secret, json!({ "kind": "unavailable" }));
    place.create(&kept("web", &secret, json!([shell("app", "sleep 1000")]), &[]));
    let reason = format!("not fetched: kms://{secret}: unreachable (15)");
    until("an event that says why the Pod waits", PATIENCE, || {
        let described = place.describe("pod/web");
        Ok(if described.contains(&reason) { Look::Found(()) } else { Look::Missing(described) })
    })
    .unwrap();
}
