//! The files that the cluster's programs read, apart from keys: as text, from a layout.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use super::layout::{CLOUD, DNS_READY, Layout, NODE_ADDRESS, PODS};
use super::tools::CNI;

pub(crate) fn write(layout: &Layout, minor: u32, prompt: bool) -> Result<()> {
    for directory in ["etc", "etc/cni", "kubeconfig", "log", "pods", "processes", "run", "static"] {
        let directory = layout.root().join(directory);
        fs::create_dir_all(&directory)
            .with_context(|| format!("making {}", directory.display()))?;
    }
    for user in ["admin", "controller-manager", "scheduler", "proxy", "node"] {
        write_file(&layout.kubeconfig_of(user), &kubeconfig(layout, user))?;
    }
    write_file(&layout.configuration("containerd.toml"), &containerd(layout))?;
    write_file(&layout.configuration("cni/10-lab.conflist"), &cni(layout))?;
    write_file(&layout.configuration("kubelet.json"), &kubelet(layout, minor, prompt))?;
    write_file(&layout.configuration("kube-proxy.json"), &kube_proxy(layout))?;
    write_file(&layout.configuration("Corefile"), &corefile(layout))
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// JSON is YAML: every program here reads either.
fn kubeconfig(layout: &Layout, user: &str) -> String {
    let server = format!("https://{NODE_ADDRESS}:6443");
    let cluster = json!({ "server": server, "certificate-authority": layout.certificate("ca") });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "lab", "cluster": cluster }],
        "users": [{ "name": user, "user": {
            "client-certificate": layout.certificate(user),
            "client-key": layout.key(user),
        }}],
        "contexts": [{ "name": "lab", "context": { "cluster": "lab", "user": user } }],
        "current-context": "lab",
    })
    .to_string()
}

fn containerd(layout: &Layout) -> String {
    let (root, state) = (layout.containerd(), layout.containerd_state());
    let (socket, cni) = (layout.containerd_socket(), layout.configuration("cni"));
    format!(
        r#"version = 3
root = "{root}"
state = "{state}"

[grpc]
address = "{socket}"

[plugins.'io.containerd.cri.v1.images']
snapshotter = "overlayfs"

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{pause}"

[plugins.'io.containerd.cri.v1.runtime']
# Not every host may lower a process's score.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["{CNI}"]
conf_dir = "{cni}"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
Root = "{runc}"
"#,
        runc = state.join("runc").display(),
        root = root.display(),
        state = state.display(),
        socket = socket.display(),
        cni = cni.display(),
        pause = super::images::PAUSE,
    )
}

fn cni(layout: &Layout) -> String {
    json!({
        "cniVersion": "0.4.0",
        "name": "lab",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods0",
                "isGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": layout.root().join("ipam"),
                    "ranges": [[{ "subnet": PODS }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
            { "type": "loopback" },
        ],
    })
    .to_string()
}

fn kubelet(layout: &Layout, minor: u32, prompt: bool) -> String {
    let mut configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": layout.certificate("ca") },
        },
        "authorization": { "mode": "Webhook" },
        "tlsCertFile": layout.certificate("node"),
        "tlsPrivateKeyFile": layout.key("node"),
        "address": NODE_ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        "containerRuntimeEndpoint": format!("unix://{}", layout.containerd_socket().display()),
        "podLogsDir": layout.pod_logs(),
        "staticPodPath": layout.static_pods(),
        "cgroupDriver": "cgroupfs",
        // Two kubelets with one root would clean up each other's Pods.
        "cgroupRoot": format!("/{}", layout.label()),
        "enforceNodeAllocatable": [],
        "failSwapOn": false,
        // The disk and the images of this machine are not the cluster's to tidy.
        "evictionHard": { "memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%", "nodefs.inodesFree": "0%" },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "serializeImagePulls": false,
        // How soon a changed ConfigMap is seen; with a minute, the default, stories would wait long.
        "syncFrequency": "10s",
        "registerNode": true,
        "maxPods": 200,
        "podPidsLimit": 4096,
        "featureGates": { "EventedPLEG": prompt },
    });
    // The field is from 1.31, and an unknown one is an error.
    if let (31.., Some(fields)) = (minor, configuration.as_object_mut()) {
        fields.insert("failCgroupV1".to_owned(), false.into());
    }
    configuration.to_string()
}

fn kube_proxy(layout: &Layout) -> String {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": { "kubeconfig": layout.kubeconfig_of("proxy") },
        "clusterCIDR": PODS,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        // A Pod that calls a Service of a Pod on the same bridge gets its answer from the node.
        "iptables": { "masqueradeAll": true, "minSyncPeriod": "0s", "syncPeriod": "30s" },
        // The limits of connection tracking are this machine's.
        "conntrack": { "maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s" },
    })
    .to_string()
}

/// Names of the cloud lead to the emulator, names of the cluster to its Services, others nowhere.
fn corefile(layout: &Layout) -> String {
    format!(
        r#"cluster.local:53 in-addr.arpa:53 {{
    bind {NODE_ADDRESS}
    errors
    ready {DNS_READY}
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
    }}
}}
aliyuncs.com:53 {{
    bind {NODE_ADDRESS}
    errors
    template IN A {{
        answer "{{{{ .Name }}}} 5 IN A {CLOUD}"
    }}
    template ANY ANY {{
        rcode NOERROR
    }}
}}
.:53 {{
    bind {NODE_ADDRESS}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"#,
        kubeconfig = layout.kubeconfig().display(),
    )
}
