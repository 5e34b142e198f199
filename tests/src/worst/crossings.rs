//! Two lists of which each entry of the one may meet each of the other, and texts that many things have
//! at once.

use serde_json::{Value, json};
use webhook::settings::Settings;

use super::axis::Axis;
use super::operator::{ordinary, set};
use super::pod::{Pod, container};

pub(super) fn axes() -> Vec<Axis> {
    let axis = |name, most, fill| Axis { name, most, fill, settings: ordinary };
    vec![
        axis("secrets of which all keys are wanted, and containers", 16, |pod, n| {
            pod.containers = (0..16).map(|n| container(&format!("c{n}"))).collect();
            let line = |n| format!("\"*\": {{source: kms://s/{n}, prefix: P{n}_}}\n");
            pod.annotate("env", (0..n).map(line).collect::<String>());
        }),
        axis(
            "secrets of which all keys are wanted, and names that are none, far too many",
            256,
            |pod, n| {
                all_keys(pod, n, |n| format!("{}{n:03}", "\u{202e}".repeat(83)));
            },
        ),
        axis(
            "secrets of which all keys are wanted, and long names, far too many",
            256,
            |pod, n| {
                all_keys(pod, n, |n| format!("{}{n:03}", "y".repeat(60)));
            },
        ),
        Axis {
            settings: kubelet,
            ..axis(
                "secrets of which all keys are wanted, and the kubelet, far too many",
                256,
                |pod, n| {
                    all_keys(pod, n, |n| format!("c{n}"));
                    pod.annotate("env-method", "file-key-ref");
                },
            )
        },
        axis("single files behind early init containers", 1270, |pod, n| {
            let long = "x".repeat(250);
            let early = (0..250).map(|n| sidecar(&format!("{long}{n:03}")));
            let mount = |n| {
                json!({"name": "kms-secrets", "mountPath": format!("/a/{n}"), "subPath": "f",
                    "readOnly": true})
            };
            let mounts: Vec<Value> = (0..n).map(mount).collect();
            let late = json!({"name": "late", "image": "x", "volumeMounts": mounts});
            pod.init = early.chain([sidecar("istio-proxy"), late]).collect();
            pod.annotate("secrets", "f: kms://s");
        }),
        axis("what images start, and containers", 126, |pod, n| {
            let name = |n| format!("{}{n:03}", "y".repeat(52));
            let bare = |n| json!({"name": name(n), "image": "x"});
            pod.containers =
                (0..n).map(bare).chain((n..256).map(|n| container(&name(n)))).collect();
            for n in 0..n {
                pod.annotate(&format!("command.{}", name(n)), "[\"/app\"]");
            }
            pod.annotate("env", "A: kms://s");
        }),
        axis("letters of an endpoint beside values of a template", 500, templated),
        axis("letters of an endpoint beside values of a template, far too many", 50_000, templated),
        axis("letters of an endpoint beside extracts", 500, extracted),
        axis("letters of an endpoint beside extracts, far too many", 50_000, extracted),
        axis("bytes of comments with expressions", 60_000, |pod, n| {
            commented(pod, n, &format!("[{}a]", "`a`,".repeat(120)));
        }),
        axis("bytes of comments with expressions that are none", 60_000, |pod, n| {
            commented(pod, n, &format!("[{}a:b]", "`a`,".repeat(120)));
        }),
        axis("annotations with comments that look like parts", 120, |pod, n| {
            pod.containers = (0..120).map(|n| container(&format!("c{n}"))).collect();
            for n in 0..n {
                pod.annotate(&format!("env.c{n}"), format!("A: x\n{}", "# x #a\n".repeat(32)));
            }
        }),
    ]
}

fn kubelet(_: usize) -> Settings {
    set("oldestKubelet", "1.35")
}

fn sidecar(name: &str) -> Value {
    json!({"name": name, "image": "x", "restartPolicy": "Always"})
}

/// As many entries as containers.
fn all_keys(pod: &mut Pod, count: usize, name: impl Fn(usize) -> String) {
    pod.containers = (0..count.max(1)).map(|n| json!({"name": name(n), "image": "x"})).collect();
    pod.annotate("env", "'*': x\n".repeat(count));
}

fn templated(pod: &mut Pod, letters: usize) {
    let calls = (0..510).map(|n| format!("{{{{secret('a{n}')}}}}")).collect::<String>();
    let endpoint = "x".repeat(letters);
    pod.annotate("secrets", format!("f: {{template: \"{calls}\", endpoint: {endpoint}}}"));
}

fn extracted(pod: &mut Pod, letters: usize) {
    let extract = |n| format!("    - {{path: a, objectAlias: f{n}}}\n");
    let extracts = (0..250).map(extract).collect::<String>();
    let endpoint = "x".repeat(letters);
    let object = format!("- objectName: a\n  kmsEndpoint: {endpoint}\n  jmesPath:\n{extracts}");
    pod.annotate("secrets", object);
}

/// They stand behind a source that is wanted, in as many annotations as that many comments need.
fn commented(pod: &mut Pod, bytes: usize, expression: &str) {
    let line = format!("# x #{expression}\n");
    let lines = bytes / line.len();
    for (at, start) in (0..lines).step_by(32).enumerate() {
        let comments = line.repeat((lines - start).min(32));
        pod.annotate(&format!("env.c{at}"), format!("A: x\n{comments}"));
        pod.containers.push(container(&format!("c{at}")));
    }
}
