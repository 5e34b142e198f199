//! The network namespace. No interface leads out of it: nothing in a cluster reaches anything but
//! the cluster.

use anyhow::{Context, Result};

use super::layout::{CLOUD, GATEWAY, Layout, METADATA, NODE_ADDRESS};
use super::tools::Tool;

pub(crate) struct ClusterNetwork;

impl ClusterNetwork {
    pub(crate) fn create(layout: &Layout) -> Result<()> {
        let label = layout.label();
        let ip = |arguments: &str| {
            Tool::new("ip").args(arguments.split(' ')).run().context("making the cluster's network")
        };
        ip(&format!("netns add {label}"))?;
        ip(&format!("-n {label} link set lo up"))?;
        // Both ends of the pair stay inside: there is no other kind of interface everywhere.
        ip(&format!("-n {label} link add lab0 type veth peer name lab1"))?;
        for address in [NODE_ADDRESS, CLOUD] {
            ip(&format!("-n {label} addr add {address}/24 dev lab0"))?;
        }
        ip(&format!("-n {label} addr add {METADATA}/32 dev lab0"))?;
        ip(&format!("-n {label} link set lab0 up"))?;
        ip(&format!("-n {label} link set lab1 up"))?;
        // Kubernetes looks for the interface of the default route. Nobody answers there.
        ip(&format!("-n {label} route add default via {GATEWAY} dev lab0"))?;
        let namespace = format!("--net={}", layout.network_namespace().display());
        for setting in ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.route_localnet=1"] {
            Tool::new("nsenter").args([&namespace, "--", "sysctl", "-qw", setting]).run()?;
        }
        Ok(())
    }

    pub(crate) fn remove(layout: &Layout) -> Result<()> {
        if layout.network_namespace().exists() {
            Tool::new("ip").args(["netns", "delete", layout.label()]).run()?;
        }
        Ok(())
    }
}
