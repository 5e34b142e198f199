//! The end of a cluster: processes, mounts, network, cgroups and files, in this order. Each step
//! does nothing where there is nothing, so that half a cluster can be removed too.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::mount::{UnmountFlags, unmount};
use serde_json::Value;

use super::boundary::Boundary;
use super::layout::Layout;
use super::network::ClusterNetwork;

pub(crate) fn run(layout: &Layout) -> Result<()> {
    let boundary = Boundary::of(layout);
    let sockets = sockets(layout);
    boundary.end()?;
    // Only now: until the end a Pod could still be given an address.
    let results = results_of(layout.root(), Path::new("/var/lib/cni/results"));
    for stray in sockets.into_iter().chain(results) {
        remove_if_there(&stray)?;
    }
    for place in mounts_below(layout.root())? {
        unmount(&place, UnmountFlags::DETACH)
            .with_context(|| format!("unmounting {}", place.display()))?;
    }
    ClusterNetwork::remove(layout)?;
    if layout.root().exists() {
        fs::remove_dir_all(layout.root())
            .with_context(|| format!("removing {}", layout.root().display()))?;
    }
    Ok(())
}

/// Shims listen at a place of their own, outside of our directory.
fn sockets(layout: &Layout) -> Vec<PathBuf> {
    let bundles = layout.containerd_state().join("io.containerd.runtime.v2.task/k8s.io");
    let mut sockets = Vec::new();
    for bundle in fs::read_dir(bundles).into_iter().flatten().flatten() {
        let bootstrap = fs::read(bundle.path().join("bootstrap.json")).unwrap_or_default();
        let bootstrap: Value = serde_json::from_slice(&bootstrap).unwrap_or_default();
        let address = bootstrap.get("address").and_then(Value::as_str).unwrap_or_default();
        if let Some(socket) = address.strip_prefix("unix:///run/containerd/s/") {
            sockets.push(Path::new("/run/containerd/s").join(socket));
        }
    }
    sockets
}

/// Network plugins remember what they gave to every Pod in one place for all clusters. A Pod has
/// its network before it has a container, so the network's own path says whose it is.
fn results_of(root: &Path, remembered: &Path) -> Vec<PathBuf> {
    let mut results = Vec::new();
    for entry in fs::read_dir(remembered).into_iter().flatten().flatten() {
        let result: Value =
            serde_json::from_slice(&fs::read(entry.path()).unwrap_or_default()).unwrap_or_default();
        let network = result.get("netns").and_then(Value::as_str).unwrap_or_default();
        if Path::new(network).starts_with(root) {
            results.push(entry.path());
        }
    }
    results
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The innermost first.
fn mounts_below(root: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string("/proc/self/mountinfo").context("reading the mounts")?;
    let places = text.lines().filter_map(|line| line.split(' ').nth(4)).map(unescaped);
    let mut places: Vec<_> = places.filter(|place| place.starts_with(root)).collect();
    places.reverse();
    Ok(places)
}

/// The kernel writes blanks in paths as octal numbers.
fn unescaped(path: &str) -> PathBuf {
    path.replace("\\040", " ").replace("\\011", "\t").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two clusters have names alike, and somebody else may write there too.
    #[test]
    fn a_network_is_removed_with_the_cluster_that_it_lay_in_even_before_a_container_was_there() {
        let remembered = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = remembered.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let ours = write("lab-1-eth0", r#"{"netns":"/lab/e2e/run/netns/cni-1"}"#);
        write("lab-2-eth0", r#"{"netns":"/lab/e2e-beside/run/netns/cni-2"}"#);
        write("lab-3-eth0", "half a");

        assert_eq!(results_of(Path::new("/lab/e2e"), remembered.path()), [ours]);
        assert!(results_of(Path::new("/lab/e2e"), Path::new("/nowhere")).is_empty());
    }
}
