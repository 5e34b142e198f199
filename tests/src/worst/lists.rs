//! The lists of a Pod.

use serde_json::{Value, json};
use webhook::settings::Settings;

use super::axis::Axis;
use super::operator::{ordinary, set};
use super::pod::{Pod, container};

pub(super) fn axes() -> Vec<Axis> {
    let axis = |name, most, fill| Axis { name, most, fill, settings: ordinary };
    vec![
        axis("containers", 256, |pod, n| pod.containers = containers("c", n)),
        axis("init containers", 255, |pod, n| pod.init = containers("i", n)),
        axis("containers with a variable", 256, |pod, n| {
            pod.containers = containers("c", n);
            pod.annotate("env", "A: kms://shop/a");
        }),
        axis("containers of one name", 256, |pod, n| {
            pod.containers = (0..n).map(|_| container("app")).collect();
        }),
        axis("letters of names of containers with a variable", 194, |pod, n| {
            pod.containers = containers(&"x".repeat(n.saturating_sub(3)), 256);
            pod.annotate("env", "A: kms://shop/a");
        }),
        axis("letters of the name of a container with all variables", 253, |pod, n| {
            pod.containers = vec![container(&"x".repeat(n))];
            pod.annotate("env", variables(256));
        }),
        axis("letters of the key of an annotation for variables", 249, |pod, n| {
            pod.annotate(&format!("env.{}", "x".repeat(n)), variables(256));
        }),
        axis("env, all set from secrets", 256, |pod, n| {
            pod.extend("env", (0..n).map(|n| json!({"name": format!("A{n}"), "value": "$(B)"})));
            pod.annotate("env", variables(n));
        }),
        axis("env beside variables", 2048, |pod, n| {
            pod.extend("env", (0..n).map(|n| json!({"name": format!("B{n}"), "value": "$(A1)"})));
            pod.annotate("env", variables(255));
        }),
        axis("env from files of ours", 256, |pod, n| {
            let from = |n| {
                json!({"name": format!("A{n}"), "valueFrom": {"fileKeyRef": {
                "volumeName": "kms-env", "path": format!("app.A{n}"), "key": format!("A{n}")}}})
            };
            pod.extend("env", (0..n).map(from));
            pod.annotate("env", variables(n));
        }),
        axis("variables set by the kubelet", 256, |pod, n| {
            pod.first().remove("command");
            pod.annotate("env", variables(n));
            pod.annotate("env-method", "file-key-ref");
        }),
        axis("mounts", 2048, |pod, n| pod.extend("volumeMounts", (0..n).map(mount))),
        axis("mounts below ours, and volumes", 1020, |pod, n| {
            pod.extend(
                "volumeMounts",
                (0..n)
                    .map(|n| json!({"name": format!("v{n}"), "mountPath": "/mnt/secrets-store/x"})),
            );
            pod.volumes = (0..n).map(csi).collect();
        }),
        axis("mounts of the agent's", 2048, |pod, n| {
            pod.extend("volumeMounts", (0..n).map(|n| {
                json!({"name": format!("v{n}"), "mountPath": format!("/var/run/kmstoken/{n}")})
            }));
            pod.annotate("mode", "agent");
        }),
        axis("mounts of ours", 1270, |pod, n| {
            pod.extend(
                "volumeMounts",
                (0..n).map(|_| json!({"name": "kms-secrets", "mountPath": "/mnt/secrets-store"})),
            );
        }),
        axis("steps of mount paths", 64_000, |pod, n| steps(pod, n, "/a")),
        axis("empty steps of mount paths", 64_000, |pod, n| steps(pod, n, "/.")),
        axis("bytes of one command", 131_000, |pod, n| {
            pod.first().insert("command".to_owned(), json!(["x".repeat(n)]));
            pod.annotate("env", variables(255));
        }),
        axis("volumes", 2048, |pod, n| pod.volumes = (0..n).map(csi).collect()),
        axis("ports", 2048, |pod, n| {
            pod.extend("ports", (0..n).map(|n| json!({"containerPort": n % 60_000})));
            pod.annotate("mode", "refresh");
            pod.annotate("on-change", "http=http://127.0.0.1:65000/x");
        }),
        axis("args", 2047, |pod, n| {
            pod.extend("args", (0..n).map(|_| json!("$(A1)")));
            pod.annotate("env", variables(255));
        }),
        axis("references in one arg", 2048, |pod, n| {
            pod.extend("args", std::iter::once(json!("$(A1)".repeat(n))));
            pod.annotate("env", variables(255));
        }),
        axis("references in values of variables", 2048, |pod, n| {
            let value = "$(A1)".repeat(n / 10);
            pod.extend("env", (0..10).map(|n| json!({"name": format!("B{n}"), "value": value})));
            pod.annotate("env", variables(255));
        }),
        axis("references in paths of mounts", 2048, |pod, n| {
            let path = "$()".repeat(n / 10);
            pod.extend(
                "volumeMounts",
                (0..10).map(
                    |n| json!({"name": "x", "mountPath": format!("/x{n}"), "subPathExpr": path}),
                ),
            );
            pod.annotate("env", variables(255));
        }),
        axis("dollar signs in values of variables", 130_000, |pod, n| {
            let value = "$$".repeat(n / 20);
            pod.extend("env", (0..10).map(|n| json!({"name": format!("B{n}"), "value": value})));
            pod.annotate("env", variables(255));
        }),
        axis("references without an end", 130_000, |pod, n| {
            pod.extend("args", std::iter::once(json!("$(".repeat(n / 2))));
            pod.annotate("env", variables(255));
        }),
        axis("capabilities", 512, |pod, n| {
            let names = vec!["SYS_TIME"; n];
            let security = json!({"capabilities": {"add": names}});
            pod.first().insert("securityContext".to_owned(), security);
            pod.spec.insert("shareProcessNamespace".to_owned(), json!(true));
        }),
        Axis {
            settings: kubelet,
            ..axis("terms of affinity", 120, |pod, n| {
                let term = json!({"matchFields": [1]});
                let terms = json!({"nodeSelectorTerms": vec![term; n]});
                let required = "requiredDuringSchedulingIgnoredDuringExecution";
                let affinity = json!({"nodeAffinity": {required: terms}});
                pod.spec.insert("affinity".to_owned(), affinity);
                pod.first().remove("command");
                pod.annotate("env", variables(256));
                pod.annotate("env-method", "file-key-ref");
            })
        },
        axis("labels of a node selector", 4096, |pod, n| {
            let labels = (0..n).map(|n| (format!("label-{n}"), json!("x"))).collect();
            pod.spec.insert("nodeSelector".to_owned(), Value::Object(labels));
        }),
        axis("volumes of ours in an injected Pod", 128, |pod, n| {
            injected(pod, "[\"app\"]");
            pod.volumes = (0..n).map(|_| json!({"name": "kms-env", "emptyDir": {}})).collect();
        }),
        axis("consumers of a recorded plan", 256, |pod, n| {
            let names = (0..n).map(|n| n.to_string()).collect::<Vec<_>>();
            injected(pod, &json!(names).to_string());
            pod.containers = containers("c", 128);
        }),
        axis("entries of a container of ours", 250, |pod, n| {
            injected(pod, "[\"app\"]");
            let ours = pod.init.first_mut().and_then(|ours| ours.get_mut("env"));
            if let Some(Value::Array(env)) = ours {
                env.extend((0..n).map(|n| json!({"name": format!("X{n}")})));
            }
        }),
    ]
}

fn kubelet(_: usize) -> Settings {
    set("oldestKubelet", "1.35")
}

fn containers(prefix: &str, count: usize) -> Vec<Value> {
    (0..count.max(1)).map(|n| container(&format!("{prefix}{n:03}-{}", "x".repeat(58)))).collect()
}

pub(super) fn variables(count: usize) -> String {
    (0..count).map(|n| format!("A{n}: kms://shop/db\n")).collect()
}

/// Mounts in all with as many steps, in paths that are as long as one may be.
fn steps(pod: &mut Pod, count: usize, step: &str) {
    const ONE: usize = 2000;
    let path = step.repeat(ONE);
    let mounts = (0..count / ONE).map(|_| json!({"name": "x", "mountPath": path}));
    pod.extend("volumeMounts", mounts);
    pod.annotate("env", "A: kms://shop/a");
    pod.annotate("mode", "agent");
}

fn mount(number: usize) -> Value {
    json!({"name": format!("v{number}"), "mountPath": format!("/data/{number}"),
        "subPathExpr": "$(A1)/$(B)"})
}

fn csi(number: usize) -> Value {
    json!({"name": format!("v{number}"), "csi": {"driver": "secrets-store.csi.k8s.io"}})
}

/// As an earlier call would have left the Pod, or somebody who wants us to think so.
fn injected(pod: &mut Pod, consumers: &str) {
    let plan = format!("{{\"version\":{},\"consumers\":{consumers}}}", plan::VERSION);
    pod.init.push(json!({"name": "kms-secrets-init", "image": "x",
        "env": [{"name": "SECRETS_INJECTOR_PLAN", "value": plan}]}));
}
