//! The Pods of stories, and how a story changes them.
//!
//! No value may stand in a Pod's specification, in a log or in an event: `afterwards` looks there.
//! So applications print sums of what they see, and stories compare sums.

use std::fmt::Write as _;

use lab::cluster::BUSYBOX;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The value of `kms.alibabacloud/secrets` of [`app`].
pub(crate) const SECRETS: &str = "\
db.json: kms://app/db
password: kms://app/db#password
binary: kms://app/binary
token: oos://app-token
";

/// How every value begins that the emulated cloud gives out, so that it can be found.
pub(crate) const CANARY: &str = "lab-canary-";
pub(crate) const PASSWORD: &str = "lab-canary-Hb3kTq9w";
/// The files that [`SECRETS`] ask for, as the seed has them.
const FILES: [(&str, &[u8]); 4] = [
    ("db.json", br#"{"username":"app","password":"lab-canary-Hb3kTq9w","port":5432}"#),
    ("password", PASSWORD.as_bytes()),
    ("binary", b"\x00\x01\x02\x03lab-canary-Vf8rLp1x\xff\xfb\xf7\xf0"),
    ("token", b"lab-canary-Dk9sGo3z"),
];

/// A script that fails unless the files of [`SECRETS`] are there now, byte for byte.
pub(crate) fn checks_files() -> String {
    let mut script = "set -e\ncd /mnt/secrets-store\nsha256sum -c <<END\n".to_owned();
    for (name, content) in FILES {
        let _ = writeln!(script, "{}  {name}", sum(content));
    }
    script + "END\n"
}

/// What `sha256sum` prints of [`PASSWORD`] at its standard input. The value itself would lie in the container's log.
pub(crate) fn password_sum() -> String {
    format!(
        "{}  -
",
        sum(PASSWORD)
    )
}

/// SHA-256, in hex.
pub(crate) fn sum(content: impl AsRef<[u8]>) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The Pod of a workload that stays, with [`SECRETS`]: a replica is ready only when its files were
/// there at its first instruction.
pub(crate) fn server() -> Value {
    let script = checks_files() + "touch /checked\nexec sleep 1000";
    let probe = json!({ "exec": { "command": ["test", "-e", "/checked"] }, "periodSeconds": 1 });
    with(app("", &script), "/spec/containers/0/readinessProbe", probe)
}

/// A Pod of the ServiceAccount `app` that runs a script once, with [`SECRETS`].
pub(crate) fn app(name: &str, script: &str) -> Value {
    annotated(plain(name, script), &[("secrets", SECRETS)])
}

/// A Pod that runs a script once and asks for nothing.
pub(crate) fn plain(name: &str, script: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name },
        "spec": {
            "serviceAccountName": "app",
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [shell("app", script)],
        },
    })
}

pub(crate) fn shell(name: &str, script: &str) -> Value {
    json!({
        "name": name,
        "image": BUSYBOX,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", script],
    })
}

/// Annotations of ours, given without their prefix. An empty value takes one away.
pub(crate) fn annotated(object: Value, annotations: &[(&str, &str)]) -> Value {
    let mut known = match object.pointer("/metadata/annotations") {
        Some(Value::Object(known)) => known.clone(),
        _ => Map::new(),
    };
    for (key, value) in annotations {
        let key = format!("kms.alibabacloud/{key}");
        match value.is_empty() {
            true => known.remove(&key),
            false => known.insert(key, json!(value)),
        };
    }
    with(object, "/metadata/annotations", Value::Object(known))
}

/// Sets one field by its JSON pointer; what leads to it is made where it is missing.
pub(crate) fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let mut place = &mut object;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        place = match place {
            Value::Array(list) => match step.parse::<usize>() {
                Ok(index) => &mut list[index],
                Err(_) => {
                    list.push(Value::Null);
                    list.last_mut().unwrap()
                }
            },
            Value::Object(fields) => fields.entry(step).or_insert(Value::Null),
            other => {
                *other = json!({});
                other.as_object_mut().unwrap().entry(step).or_insert(Value::Null)
            }
        };
    }
    *place = value;
    object
}

/// A workload of the group `apps/v1` around a Pod.
pub(crate) fn workload(kind: &str, name: &str, pod: &Value, more: Value) -> Value {
    let mut template = pod.clone();
    let metadata = template["metadata"].as_object_mut().unwrap();
    metadata.remove("name");
    metadata.insert("labels".to_owned(), json!({ "app": name }));
    for field in ["apiVersion", "kind"] {
        template.as_object_mut().unwrap().remove(field);
    }
    let mut spec = json!({
        "selector": { "matchLabels": { "app": name } },
        "template": template,
    });
    spec["template"]["spec"]["restartPolicy"] = json!("Always");
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name }, "spec": spec })
}

/// The container that we add.
pub(crate) const OURS: &str = "kms-secrets-init";

/// A container or init container by its name.
#[track_caller]
pub(crate) fn container<'p>(pod: &'p Value, name: &str) -> &'p Value {
    let lists = ["initContainers", "containers"].map(|list| &pod["spec"][list]);
    let mut all = lists.into_iter().filter_map(Value::as_array).flatten();
    all.find(|container| container["name"] == name).unwrap_or_else(|| panic!("no {name} in {pod}"))
}

/// The same, to change it.
#[track_caller]
pub(crate) fn container_mut<'p>(pod: &'p mut Value, name: &str) -> &'p mut Value {
    let spec = pod["spec"].as_object_mut().unwrap();
    let lists = spec.iter_mut().filter(|(key, _)| *key == "initContainers" || *key == "containers");
    let mut all = lists.filter_map(|(_, list)| list.as_array_mut()).flatten();
    all.find(|container| container["name"] == name).unwrap()
}

/// Adds to a list, which is made where it is missing.
pub(crate) fn push(list: &mut Value, item: Value) {
    if list.is_null() {
        *list = json!([]);
    }
    list.as_array_mut().unwrap().push(item);
}

/// The item of a list with this name.
pub(crate) fn named<'l>(list: &'l Value, name: &str) -> Option<&'l Value> {
    list.as_array()?.iter().find(|item| item["name"] == name)
}
