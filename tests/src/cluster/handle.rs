//! A cluster as others hold it: where its files and programs are, and how to run something inside.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::layout::Layout;
use super::tools::Tool;

/// A cluster that runs, or ran.
#[derive(Clone, Debug)]
pub struct Cluster {
    layout: Layout,
    /// Where its programs are.
    components: PathBuf,
}

impl Cluster {
    pub(super) fn new(layout: Layout, components: PathBuf) -> Self {
        Self { layout, components }
    }

    pub(super) fn components(&self) -> &Path {
        &self.components
    }

    /// Whether a process with this `/proc/PID/cgroup` is one of the cluster's.
    pub fn has_cgroup(&self, text: &str) -> bool {
        text.contains(&format!("/{}/", self.layout.label()))
    }

    /// The minor version of its Kubernetes.
    pub fn version(&self) -> Result<u32> {
        let text = Tool::new(self.components.join("kubelet")).arg("--version").run()?;
        let minor = text.trim().split('.').nth(1).and_then(|minor| minor.parse().ok());
        minor.with_context(|| format!("reading the version {text:?}"))
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A program of the cluster's own, inside its network.
    pub fn tool(&self, program: &str) -> Tool {
        self.inside(&self.program(program))
    }

    /// Where a program of the cluster's own is; any other is looked for by its name.
    pub fn program(&self, name: &str) -> PathBuf {
        let own = self.components.join(name);
        if own.exists() { own } else { PathBuf::from(name) }
    }

    pub fn kubectl(&self) -> Tool {
        self.tool("kubectl").arg("--kubeconfig").arg(self.layout.kubeconfig())
    }

    /// Any program, inside the cluster's network, with its programs and credentials at hand.
    pub fn inside(&self, program: &Path) -> Tool {
        // Not `ip netns exec`, which mounts /sys anew and hides the cgroups.
        let namespace = format!("--net={}", self.layout.network_namespace().display());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut paths = vec![self.components.clone()];
        paths.extend(std::env::split_paths(&path));
        Tool::new("nsenter")
            .arg(namespace)
            .arg("--")
            .arg(program)
            .env("PATH", std::env::join_paths(paths).unwrap_or(path))
            .env("KUBECONFIG", self.layout.kubeconfig())
            .env("HELM_CACHE_HOME", self.layout.root().join("helm/cache"))
            .env("HELM_CONFIG_HOME", self.layout.root().join("helm/config"))
            .env("HELM_DATA_HOME", self.layout.root().join("helm/data"))
    }
}
