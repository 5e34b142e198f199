//! The same Pod three times: without us, with a container that does nothing, and with us.

use serde_json::{Value, json};

use crate::cluster::{BUSYBOX, FETCHER};

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Plain,
    /// An init container that does nothing, with the volumes that we would add.
    NoOp,
    Injected,
}

/// Its application says by the machine's clock when it began. A field that is null is not there.
pub(super) fn pod(name: &str, kind: Kind) -> Value {
    let files = json!({ "name": "files", "mountPath": "/mnt/secrets-store" });
    let (volumes, init, mounts) = match kind {
        Kind::Plain | Kind::Injected => (Value::Null, Value::Null, Value::Null),
        Kind::NoOp => (volumes(), json!([nothing(&files)]), json!([files])),
    };
    let annotations = match kind {
        Kind::Plain | Kind::NoOp => Value::Null,
        Kind::Injected => json!({
            "kms.alibabacloud/secrets":
                "db: kms://app/db\nplain: kms://app/plain\ntoken: oos://app-token\n",
        }),
    };
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "annotations": annotations },
        "spec": {
            "serviceAccountName": "app",
            "restartPolicy": "Never",
            "volumes": volumes,
            "initContainers": init,
            "containers": [{
                "name": "app",
                "image": BUSYBOX,
                "imagePullPolicy": "IfNotPresent",
                "command": ["cat", "/proc/uptime"],
                "volumeMounts": mounts,
            }],
        },
    })
}

fn volumes() -> Value {
    json!([
        { "name": "files", "emptyDir": { "medium": "Memory", "sizeLimit": "1Mi" } },
        { "name": "token", "projected": { "sources": [{ "serviceAccountToken": {
            "audience": "sts.aliyuncs.com", "expirationSeconds": 3600, "path": "token",
        }}]}},
    ])
}

/// The fetcher, asked for its version.
fn nothing(files: &Value) -> Value {
    json!({
        "name": "nothing",
        "image": FETCHER,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--version"],
        "volumeMounts": [files, {
            "name": "token",
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        }],
    })
}
