//! Names, places and addresses of a cluster. All that it keeps lies under one directory.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

/// The one node. All addresses are inside the cluster's own network: two clusters share them.
pub const NODE: &str = "node";
pub const NODE_ADDRESS: &str = "10.10.0.2";
pub(crate) const GATEWAY: &str = "10.10.0.1";
/// The emulated cloud, under its real host names.
pub const CLOUD: &str = "10.10.0.3";
/// The metadata service of the node, where every node of Alibaba Cloud has it.
pub(crate) const METADATA: &str = "100.100.100.200";
/// The emulated cloud's admin API, for processes inside the network; Pods do not reach it.
pub const ADMIN: &str = "127.0.0.1:9400";
pub(crate) const DNS_READY: &str = "127.0.0.1:8181";
pub(crate) const SERVICES: &str = "10.96.0.0/16";
pub(crate) const FIRST_SERVICE: &str = "10.96.0.1";
pub(crate) const PODS: &str = "10.244.0.0/16";
pub(crate) const ETCD: &str = "http://127.0.0.1:2379";
pub(crate) const ETCD_PEER: &str = "http://127.0.0.1:2380";
/// The issuer of ServiceAccount tokens, as in ACK with RRSA; the seed's OIDC provider names it.
pub const ISSUER: &str = "https://oidc-ack-cn-hangzhou.oss-cn-hangzhou.aliyuncs.com/clab";

#[derive(Clone, Debug)]
pub struct Layout {
    label: String,
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure!(
            (1..=20).contains(&name.len()) && name.chars().all(plain),
            "a cluster's name is 1 to 20 of a-z, 0-9 and -, not {name:?}"
        );
        // A short path: containerd's and the kubelet's sockets lie below it, and a socket's path
        // has at most 107 bytes.
        let root = Path::new("/var/lib/secrets-lab").join(name);
        Ok(Self { label: format!("secrets-lab-{name}"), root })
    }

    /// What this cluster's network namespace and cgroups are called.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Everything that the cluster writes.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn components(&self) -> PathBuf {
        self.root.join("components")
    }

    pub fn network_namespace(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.label)
    }

    pub(crate) fn certificate(&self, name: &str) -> PathBuf {
        self.root.join("pki").join(format!("{name}.crt"))
    }

    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.root.join("pki").join(format!("{name}.key"))
    }

    /// The kubeconfig of the cluster's administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_of("admin")
    }

    pub(crate) fn kubeconfig_of(&self, user: &str) -> PathBuf {
        self.root.join("kubeconfig").join(user)
    }

    pub(crate) fn configuration(&self, name: &str) -> PathBuf {
        self.root.join("etc").join(name)
    }

    pub fn logs(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(crate) fn processes(&self) -> PathBuf {
        self.root.join("processes")
    }

    pub fn etcd(&self) -> PathBuf {
        self.root.join("etcd")
    }

    pub fn containerd(&self) -> PathBuf {
        self.root.join("containerd")
    }

    pub(crate) fn containerd_state(&self) -> PathBuf {
        self.root.join("run")
    }

    pub(crate) fn containerd_socket(&self) -> PathBuf {
        self.root.join("run/containerd.sock")
    }

    pub fn kubelet(&self) -> PathBuf {
        self.root.join("kubelet")
    }

    pub fn pod_logs(&self) -> PathBuf {
        self.root.join("pods")
    }

    /// A Pod in a file here is run by the kubelet itself.
    pub fn static_pods(&self) -> PathBuf {
        self.root.join("static")
    }

    pub(crate) fn cloud(&self) -> PathBuf {
        self.root.join("cloud")
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.root.join("images")
    }
}
