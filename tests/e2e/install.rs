//! The quick start of the documents, as it stands there, on a bare cluster.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lab::cluster::{BUSYBOX, CLOUD_CA, FETCHER, Tool};
use serde_json::json;

use crate::stage::{RELEASE, RELEASE_NAMESPACE, cluster, kubectl};

const INSTALLING: &str = include_str!("../../docs/install.md");
/// Turned on for the stories about it; a release before it does not know it.
const CLASSES: &str = "secretProviderClasses";
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn the_quick_start_ends_with_the_sizes_of_three_files() {
    let (_, rest) = INSTALLING.split_once("<!-- quick start -->\n```sh\n").unwrap();
    let (block, _) = rest.split_once("```\n").unwrap();
    // What the reader is told to put in: the first two lines.
    let (yours, commands) = block.split_once("\n\n").unwrap();
    assert!(yours.lines().all(|line| line.starts_with("export ")), "{yours}");
    let script = format!(
        "set -euo pipefail\ncd {ROOT}\n\
         export REGISTRY=registry.example REGION=cn-hangzhou CLUSTER=clab \
         ACCOUNT=1234567890123456 IMAGE={BUSYBOX}\n{commands}"
    );
    let said = with_helm_of_the_lab(cluster().tool("bash").arg("-c").arg(&script)).run().unwrap();
    assert!(said.contains("NAMESPACE kms.alibabacloud/injection=enabled"), "no next step: {said}");
    let sizes: Vec<_> = said.lines().rev().take(4).map(str::trim).collect();
    assert_eq!(sizes[3], "64 db.json", "{said}");
    assert_eq!(sizes[2], "19 db-password", "{said}");
    assert_eq!(sizes[1], "19 api-token", "{said}");
    kubectl(&["delete", "namespace", "shop", "--wait=false"]).run().unwrap();
}

/// `helm VERB` of the chart with the values of the quick start and more.
pub(crate) fn helm(verb: &str, more: &[&str]) -> Tool {
    helm_of(ROOT, FETCHER, verb, more)
}

/// The same with the chart of another tree and its fetcher.
pub(crate) fn helm_of(tree: &str, fetcher: &str, verb: &str, more: &[&str]) -> Tool {
    let chart = format!("{tree}/charts/{RELEASE}");
    let place = ["--namespace", RELEASE_NAMESPACE];
    let mut quick_start = json!({
        "image": { "registry": "registry.example" },
        "settings": { "region": "cn-hangzhou", "clusterId": "clab", "accountId": "1234567890123456" },
    });
    if tree == ROOT {
        quick_start["settings"][CLASSES] = json!("read");
    }
    let values = lab_values(&quick_start, fetcher);
    cluster()
        .tool("helm")
        .args([verb, RELEASE, &chart])
        .args(place)
        .args(["-f", &values])
        .args(more)
}

/// Puts a `helm` first that installs with the values that only a lab needs: its fetcher's image
/// has the CA of the emulated cloud in it.
fn with_helm_of_the_lab(tool: Tool) -> Tool {
    let directory = cluster().layout().root().join("bin");
    fs::create_dir_all(&directory).unwrap();
    let real = cluster().program("helm");
    let values = lab_values(&json!({ "settings": { CLASSES: "read" } }), FETCHER);
    let script = format!(
        "#!/bin/sh\ncase $1 in install | upgrade) set -- \"$@\" --values {values} ;; esac\n\
         exec {} \"$@\"\n",
        real.display()
    );
    let shim = directory.join("helm");
    fs::write(&shim, script).unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let components = real.parent().map(Path::to_path_buf).unwrap_or_default();
    tool.env("PATH", format!("{}:{}:{path}", directory.display(), components.display()))
}

/// A file with values of the lab beside others.
fn lab_values(more: &serde_json::Value, fetcher: &str) -> String {
    let (image, tag) = fetcher.rsplit_once(':').unwrap();
    let (registry, repository) = image.split_once('/').unwrap();
    let mut values = more.clone();
    values["injector"] =
        json!({ "image": { "registry": registry, "repository": repository, "tag": tag } });
    values["settings"]["injector"] = json!({ "extraArgs": [format!("--ca={CLOUD_CA}")] });
    let kubelet = "jsonpath={.items[0].status.nodeInfo.kubeletVersion}";
    let kubelet = kubectl(&["get", "nodes", "-o", kubelet]).run().unwrap();
    values["settings"]["oldestKubelet"] = json!(kubelet);
    let name = format!("values-{:08x}.json", fastrand::u32(..));
    let file = cluster().layout().root().join(name);
    fs::write(&file, values.to_string()).unwrap();
    file.display().to_string()
}
