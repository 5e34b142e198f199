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
    // What containerd and the network plugins keep outside of our directory, by container.
    let strays = strays(layout);
    boundary.end()?;
    for stray in strays {
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

/// Shims listen at a place of their own, plugins remember every Pod's addresses in one of theirs.
fn strays(layout: &Layout) -> Vec<PathBuf> {
    let bundles = layout.containerd_state().join("io.containerd.runtime.v2.task/k8s.io");
    let mut strays = Vec::new();
    for bundle in fs::read_dir(bundles).into_iter().flatten().flatten() {
        let id = bundle.file_name().to_string_lossy().into_owned();
        for result in [format!("lab-{id}-eth0"), format!("cni-loopback-{id}-lo")] {
            strays.push(Path::new("/var/lib/cni/results").join(result));
        }
        let bootstrap = fs::read(bundle.path().join("bootstrap.json")).unwrap_or_default();
        let bootstrap: Value = serde_json::from_slice(&bootstrap).unwrap_or_default();
        let address = bootstrap.get("address").and_then(Value::as_str).unwrap_or_default();
        if let Some(socket) = address.strip_prefix("unix:///run/containerd/s/") {
            strays.push(Path::new("/run/containerd/s").join(socket));
        }
    }
    strays
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
