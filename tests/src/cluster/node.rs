//! containerd, kubelet, proxy and DNS: when they are started, and when Pods can run.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::handle::Cluster;
use super::layout::{DNS_READY, NODE};
use super::program::Program;
use super::tools::Tool;
use super::wait::{Look, until};

/// containerd comes first: a kubelet that finds none ends.
pub(crate) fn start_runtime(cluster: &Cluster) -> Result<()> {
    cluster.component(Program::Containerd).start()?;
    until("containerd", Duration::from_secs(60), || {
        cluster.component(Program::Containerd).check()?;
        Ok(ctr(cluster).arg("version").run().into())
    })
    .map(|_| ())
}

pub(crate) fn start(cluster: &Cluster) -> Result<()> {
    for program in [Program::Kubelet, Program::Proxy, Program::Dns] {
        cluster.component(program).start()?;
    }
    Ok(())
}

pub(crate) fn wait(cluster: &Cluster) -> Result<()> {
    until("the node to be ready", Duration::from_secs(120), || {
        for program in [Program::Kubelet, Program::Proxy, Program::Dns] {
            cluster.component(program).check()?;
        }
        let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}";
        let ready = cluster.kubectl().args(["get", "node", NODE, "-o", path]).run();
        Ok(match ready {
            Ok(ready) if ready == "True" => Look::Found(()),
            Ok(ready) => Look::Missing(format!("its condition Ready is {ready:?}")),
            Err(error) => Look::Missing(format!("{error:#}")),
        })
    })?;
    until("names to be answered", Duration::from_secs(60), || {
        cluster.component(Program::Dns).check()?;
        let curl = cluster.inside(Path::new("curl"));
        let url = format!("http://{DNS_READY}/ready");
        Ok(curl.args(["-sS", "--fail", "--max-time", "5", &url]).run().into())
    })?;
    // A Pod that is created before its namespace's account is refused.
    until("the default ServiceAccount", Duration::from_secs(60), || {
        Ok(cluster.kubectl().args(["get", "serviceaccount", "default"]).run().into())
    })
    .map(|_| ())
}

/// containerd's client, where the kubelet's containers are.
pub(crate) fn ctr(cluster: &Cluster) -> Tool {
    let socket = cluster.layout().containerd_socket();
    cluster.tool("ctr").arg("--address").arg(socket).args(["--namespace", "k8s.io"])
}
