//! Letters that it takes long to look up: late ones of the tables of Unicode, and those that do not show,
//! which a reader of so many that show does not stop at.

use serde_json::{Value, json};

use super::axis::Axis;
use super::operator::ordinary;
use super::pod::container;

/// The last Chinese one: a file may have it in its name.
const LATE: &str = "\u{9fff}";
/// A format character late in the tables.
const HIDDEN: &str = "\u{fff9}";

pub(super) fn axes() -> Vec<Axis> {
    let axis = |name, most, fill| Axis { name, most, fill, settings: ordinary };
    vec![
        axis("late letters of names of files", 80, |pod, n| {
            pod.annotate(
                "secrets",
                lines(250, |file| format!("\"{}{file:03}\": x", LATE.repeat(n))),
            );
        }),
        axis("late letters of names of files that are taken", 80, |pod, n| {
            let object =
                |file| format!("- {{objectName: a{file}, objectAlias: \"{}\"}}", LATE.repeat(n));
            pod.annotate("secrets", lines(220, object));
        }),
        axis("hidden letters of names of files, far too many", 245, |pod, n| {
            pod.annotate("secrets", lines(86, |file| format!("\"{}{file}\": x", HIDDEN.repeat(n))));
        }),
        axis("late letters of sources", 80, |pod, n| {
            pod.annotate("secrets", lines(250, |file| format!("f{file}: \"{}\"", LATE.repeat(n))));
        }),
        axis("late letters of names of variables", 80, |pod, n| {
            pod.annotate("env", lines(250, |at| format!("\"{}{at}\": x", LATE.repeat(n))));
        }),
        axis("late letters of fields", 80, |pod, n| {
            let fields = (0..240).map(|at| format!("\"{}{at}\": x, ", LATE.repeat(n)));
            pod.annotate("secrets", format!("a: {{{} source: x}}", fields.collect::<String>()));
        }),
        axis("late letters of values of fields", 64, |pod, n| {
            let value = LATE.repeat(n / 4);
            let line = |file| {
                format!(
                    "f{file}: {{source: \"{value}\", region: \"{value}\", fileMode: \"{value}\", onMissing: \"{value}\"}}"
                )
            };
            pod.annotate("secrets", lines(200, line));
        }),
        axis("late letters of expressions", 1_300, |pod, n| {
            let one = format!("\"\\\"{}\\\"..\"", LATE.repeat(150));
            let line = |at| {
                format!("- {{objectName: a, jmesPath: [{{path: {one}, objectAlias: f{at}}}]}}")
            };
            pod.annotate("secrets", lines(n / 150, line));
        }),
        axis("late letters of names behind variables", 30, |pod, n| {
            let name = |at| format!("\"{}{at}\",", LATE.repeat(n));
            let names = (0..150).map(name).collect::<String>();
            pod.annotate(
                "env",
                lines(4, |at| format!("A{at}: {{source: x, containers: [{names}]}}")),
            );
        }),
        axis("late letters of names of containers that are not there", 160, |pod, n| {
            let names = (0..250).map(|at| format!("{}{at},", LATE.repeat(n))).collect::<String>();
            pod.annotate("containers", format!("app,{names}"));
        }),
        axis("hidden letters of patterns of the agent", 600, |pod, n| {
            pod.annotate("mode", "agent");
            pod.annotate("agent-secrets", lines(60, |at| format!("{}{at}", HIDDEN.repeat(n))));
        }),
        axis("late letters of templates", 9_000, |pod, n| {
            let part = format!("{{{{ \"a\" | {} }}}}", LATE.repeat(60));
            for (file, start) in (0..n).step_by(4_500).enumerate() {
                let text = part.repeat((n - start).min(4_500) / 60);
                pod.annotate(
                    &format!("template.f{file}"),
                    format!("{{{{ secret(\"x\") }}}}{text}"),
                );
            }
        }),
        axis("containers of which everything is wrong, with hidden letters", 256, |pod, n| {
            pod.containers =
                (0..n).map(|n| wrong(&format!("{}{n:03}", HIDDEN.repeat(80)))).collect();
            pod.spec.insert("shareProcessNamespace".to_owned(), json!(true));
            pod.annotate("mode", "agent");
            pod.annotate("agent-secrets", "*");
            pod.annotate("env", "A: x");
        }),
        axis("containers of which everything is wrong, with late letters", 256, |pod, n| {
            pod.containers = (0..n).map(|n| wrong(&format!("{}{n:03}", LATE.repeat(80)))).collect();
            pod.spec.insert("shareProcessNamespace".to_owned(), json!(true));
            pod.annotate("mode", "agent");
            pod.annotate("agent-secrets", "*");
            pod.annotate("env", "A: x");
        }),
        axis("hidden letters of paths of single files", 1_300, |pod, n| {
            let mount =
                json!({"name": "kms-secrets", "mountPath": "/x", "subPath": HIDDEN.repeat(n)});
            pod.extend("volumeMounts", (0..30).map(|_| mount.clone()));
        }),
        axis("late letters of names of capabilities", 100, |pod, n| {
            let bare = |at| {
                let names = [LATE.repeat(n)];
                let mut bare = container(&format!("c{at}"));
                if let Some(bare) = bare.as_object_mut() {
                    let capabilities = json!({"capabilities": {"add": names}});
                    bare.insert("securityContext".to_owned(), capabilities);
                }
                bare
            };
            pod.containers = (0..256).map(bare).collect();
            pod.spec.insert("shareProcessNamespace".to_owned(), json!(true));
        }),
    ]
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| line(n) + "\n").collect()
}

/// As much as can be told of one container.
fn wrong(name: &str) -> Value {
    json!({
        "name": name,
        "command": ["alibabacloud-kms-agent"],
        "ports": [{"containerPort": 2025}],
        "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}},
        "env": [
            {"name": "SECRETS_INJECTOR_TARGET", "value": "x"},
            {"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "kms-env", "path": "x", "key": "x"}}},
        ],
        "volumeMounts": [{"name": HIDDEN.repeat(40), "mountPath": "/mnt/secrets-store"}],
    })
}
