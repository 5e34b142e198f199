//! What in a Pod stands in the way of a local agent.

use plan::Agent;

use crate::container_path::ContainerPath;
use crate::decide::consumers::Consumers;
use crate::pod::Pod;
use crate::pod::reserved;
use crate::problem::{PREFIX, Problem, Problems};
use crate::text::display_name;

pub(crate) fn check(pod: &Pod<'_>, agent: &Agent, consumers: &Consumers, problems: &mut Problems) {
    if pod.spec.host_network {
        problems.push(Problem::pod(
            "the Pod",
            "with hostNetwork the whole node could ask its agent",
            format!("remove hostNetwork, or use {PREFIX}mode: refresh"),
        ));
    }
    ports(pod, agent.port.get(), problems);
    mounts(pod, agent, consumers, problems);
}

/// All containers of a Pod share one loopback.
fn ports(pod: &Pod<'_>, port: u16, problems: &mut Problems) {
    for (_, _, container) in pod.foreign_containers() {
        // A port of the host leads to one of the container, which counts.
        if container.tcp_ports().any(|taken| taken == port) {
            problems.push(Problem::annotation(
                "agent-port",
                format!("container {:?} has port {port} already", display_name(&container.name)),
                "set it to another port, from 1024 to 65535",
            ));
        }
    }
}

/// The token's directory is ours alone: nothing lies in it, and it lies in nothing.
fn mounts(pod: &Pod<'_>, agent: &Agent, consumers: &Consumers, problems: &mut Problems) {
    let directory = agent.token.directory().as_str();
    let tokens = ContainerPath::new(directory);
    for (_, _, container) in consumers.containers(pod) {
        for mount in container.mounts() {
            if problems.is_full() {
                return;
            }
            let at = mount.place();
            // Paths that contain `..` are reported by `check_mounts`.
            let meets = at.meets(&tokens) && !at.steps_back();
            if !meets || reserved::is_volume(&mount.name) {
                continue;
            }
            problems.push(Problem::annotation(
                "agent-token-path",
                format!(
                    "container {:?} has the volume {:?} mounted at {:.100}, and the token needs {directory:.100} for itself",
                    display_name(&container.name),
                    display_name(&mount.name),
                    mount.mount_path,
                ),
                if at.is_root() {
                    "remove the mount: every path lies in it"
                } else {
                    "remove the mount, as of a sidecar that was made by hand, or set it to another path"
                },
            ));
        }
    }
}
