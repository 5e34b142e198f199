//! A Pod may have fields that were added to Kubernetes after our libraries. Whatever the API server
//! keeps of a Pod without us it keeps of one with us, and it works.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::pods::{app, container_mut, password_sum, push, shell, with};
use crate::stage::{Namespace, cluster};

/// Since when the API server keeps all of them unasked.
const SINCE: u32 = 35;

/// Ends with 42 the first time, and shows its name, a variable and a secret the second time.
const TWICE: &str = "\
test -e /scratch/again || { touch /scratch/again; exit 42; }
hostname
echo \"$COLOUR\"
sha256sum < /mnt/secrets-store/password
";

/// With three such fields: a name of its own, a variable from a file, a rule for restarts.
fn modern(name: &str) -> Value {
    let pod = app(name, TWICE);
    let pod = with(pod, "/spec/hostnameOverride", json!("renamed.example"));
    let mut pod = with(pod, "/spec/volumes", json!([{ "name": "scratch", "emptyDir": {} }]));
    let scratch = json!({ "name": "scratch", "mountPath": "/scratch" });
    let mut paint = shell("paint", "echo \"COLOUR='blue'\" > /scratch/colour");
    push(&mut paint["volumeMounts"], scratch.clone());
    push(&mut pod["spec"]["initContainers"], paint);
    let app = container_mut(&mut pod, "app");
    push(&mut app["volumeMounts"], scratch);
    let colour = json!({ "volumeName": "scratch", "path": "colour", "key": "COLOUR" });
    push(&mut app["env"], json!({ "name": "COLOUR", "valueFrom": { "fileKeyRef": colour } }));
    app["restartPolicy"] = json!("Never");
    app["restartPolicyRules"] =
        json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } }]);
    pod
}

const FIELDS: [&str; 3] = [
    "/spec/hostnameOverride",
    "/spec/containers/0/env/0/valueFrom/fileKeyRef",
    "/spec/containers/0/restartPolicyRules",
];

fn known() -> bool {
    cluster().version().unwrap() >= SINCE
}

#[test]
fn and_work() {
    if !known() {
        println!("skipped: this Kubernetes is older than these fields (1.{SINCE})");
        return;
    }
    let place = Namespace::opted_in("newer-fields");
    let (injected, said) = place.admitted(&modern("web"));
    assert!(!said.contains("unknown field"), "{said}");
    // Through the types of our libraries they would be lost: that is what this is about.
    let typed: Pod = serde_json::from_value(injected.clone()).unwrap();
    let typed = serde_json::to_value(typed).unwrap();
    for field in FIELDS {
        assert!(injected.pointer(field).is_some(), "no {field} in {injected}");
        assert!(typed.pointer(field).is_none(), "our libraries have come to know {field}");
    }
    place.create(&modern("web"));
    place.succeeded("web");
    assert_eq!(place.logs("web", "app"), format!("renamed.example\nblue\n{}", password_sum()));
}

/// Without what is ours, an injected Pod is the Pod that it would have been.
#[test]
fn as_all_others_do() {
    let place = Namespace::opted_in("same-fields");
    let mut plain = modern("web");
    if !known() {
        plain = app("web", "true");
        push(&mut plain["spec"]["initContainers"], shell("paint", "true"));
    }
    let (injected, _) = place.admitted(&plain);
    plain["metadata"].as_object_mut().unwrap().remove("annotations");
    let (plain, _) = place.admitted(&plain);
    assert_eq!(without_ours(injected["spec"].clone()), without_ours(plain["spec"].clone()));
}

fn without_ours(mut value: Value) -> Value {
    match &mut value {
        Value::Array(list) => {
            list.retain(|item| {
                let name = item["name"].as_str().unwrap_or_default();
                // The other one is Kubernetes' own, with a name by chance.
                !name.starts_with("kms-") && !name.starts_with("kube-api-access-")
            });
            list.iter_mut().for_each(|item| *item = without_ours(item.take()));
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| *field = without_ours(field.take()));
        }
        _ => {}
    }
    value
}
