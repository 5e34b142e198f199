//! A running application hears of a secret that was rotated, by a signal or by a request; whoever
//! watches the fetcher sees how it does; and a Pod that waits says what for.

use std::collections::HashSet;

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::cloud;
use crate::pods::{annotated, app, plain, shell, sum, with};
use crate::stage::{Namespace, PATIENCE};

const FIRST: &str = "lab-canary-Rk2vNc5p";
const SECOND: &str = "lab-canary-Gy7wLd4s";

/// A Pod of one secret that is kept current, with a directory that all of its containers may write
/// to.
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
                 true 2> /dev/null < /proc/$pid/mem && echo mem; \
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
    for way in ["environ", "maps", "auxv", "mem", "root/", "cwd/", "fd/"] {
        assert!(others.contains(way), "{way} is closed to everybody: {others}");
    }
}

/// It takes no call before its last value is there. A line a call: its answer, the generation that
/// it is about, and the one that is shown.
const TAKES_ONE: &str = "#!/bin/sh
shown=$(readlink /mnt/secrets-store/..data)
answer=503
if [ \"$HTTP_X_SECRETS_GENERATION\" = \"$shown\" ] &&
    sha256sum /mnt/secrets-store/$shown/password | grep -q \"^$(cat /told/last) \"; then
    answer=204
fi
echo \"$answer $REQUEST_METHOD $HTTP_X_SECRETS_GENERATION $shown\" >> /told/calls
printf 'Status: %s x\\r\\n\\r\\n' $answer
";

#[test]
fn many_changes_that_nobody_takes_are_one_call_about_the_last() {
    let place = Namespace::opted_in("called");
    let secret = cloud::secret("called", FIRST);
    let script = format!(
        "mkdir -p /told/cgi-bin && cat > /told/cgi-bin/hook <<'END' && echo {} > /told/last && \
         chmod +x /told/cgi-bin/hook && exec httpd -f -p 127.0.0.1:8080 -h /told\n{TAKES_ONE}END\n",
        sum(SECOND)
    );
    let mut server = shell("app", &script);
    server["ports"] = json!([{ "containerPort": 8080 }]);
    let hook = [("on-change", "http=http://127.0.0.1:8080/cgi-bin/hook"), ("metrics-port", "9300")];
    place.create(&kept("web", &secret, json!([server]), &hook));
    place.create(&plain("watch", "sleep 1000"));
    place.ready("web");
    place.ready("watch");
    // Each round is a storm of its own, of which the last is waited for.
    let mut shown = vec![said(&place, "web", "readlink /mnt/secrets-store/..data")];
    for round in 0..4 {
        for number in 0..10 {
            cloud::rotate(&secret, &format!("{FIRST}-{round}-{number}"));
        }
        let last = if round == 3 { SECOND.to_owned() } else { format!("{FIRST}-{round}") };
        cloud::rotate(&secret, &last);
        let file = "sha256sum /mnt/secrets-store/password";
        says(&place, "web", file, |said| said.starts_with(&sum(&last)));
        shown.push(said(&place, "web", "readlink /mnt/secrets-store/..data"));
        // It is not waited for with an application that takes none.
        says(&place, "web", "cat /told/calls", |said| said.lines().count() > round);
    }
    let last = shown.last().unwrap().trim();
    let calls = says(&place, "web", "cat /told/calls", |said| said.contains("204"));
    let calls: Vec<Vec<&str>> = calls.lines().map(|line| line.split(' ').collect()).collect();
    let taken: Vec<_> = calls.iter().filter(|call| call[0] == "204").collect();
    assert_eq!(taken, [&vec!["204", "POST", last, last]], "of {shown:?}: {calls:?}");
    // Once there is something newer, nothing older is told; only the call may that is under way.
    for (before, call) in calls.iter().zip(calls.iter().skip(1)) {
        assert!(call[2] == call[3] || before[3] != call[3], "{call:?} in {calls:?}");
    }
    assert_eq!(shown.iter().collect::<HashSet<_>>().len(), shown.len(), "{shown:?}");
    assert_eq!(said(&place, "web", "cat /mnt/secrets-store/.kms-generation").trim(), last);

    let pod = place.get("pod/web");
    let sidecar = &pod["spec"]["initContainers"][0];
    assert_eq!(sidecar["ports"][0]["name"], "kms-metrics", "{sidecar}");
    let address = pod["status"]["podIP"].as_str().unwrap();
    let ask =
        |page: &str| said(&place, "watch", &format!("wget -qO - http://{address}:9300{page}"));
    assert_eq!(ask("/readyz"), "ok\n");
    let metrics =
        says(&place, "watch", &format!("wget -qO - http://{address}:9300/metrics"), |said| {
            said.contains("secrets_injector_hook_calls_total{outcome=\"told\"} 1\n")
        });
    let refused = calls.len() - taken.len();
    for line in [
        format!("secrets_injector_hook_calls_total{{outcome=\"failed\"}} {refused}\n"),
        "secrets_injector_failing_sources{class=\"denied\"} 0\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
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
