//! What in a Pod stands in the way of a local agent.

use std::collections::HashSet;

use plan::Agent;

use crate::container_path::ContainerPath;
use crate::decide::consumers::Consumers;
use crate::pod::reserved;
use crate::pod::{KMS_AGENT, Pod};
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
    rivals(pod, agent.port.get(), problems);
    mounts(pod, agent, consumers, problems);
}

/// The KMS Agent answers at the same port, so that one of the two would not start.
fn rivals(pod: &Pod<'_>, port: u16, problems: &mut Problems) {
    if port != KMS_AGENT_PORT {
        return;
    }
    let remedy = format!("remove it: {PREFIX}mode: agent answers as it does, at the same port");
    if pod.metadata.annotations.asks_for_kms_agent {
        let what = format!("with {KMS_AGENT} another webhook adds a KMS Agent");
        problems.push(Problem::pod("the Pod", what, remedy.clone()));
    }
    for (_, _, container) in pod.foreign_containers() {
        let words = container.own_command().iter().chain(container.args.iter().flatten());
        let runs_it = words.into_iter().any(|word| word.contains(KMS_AGENT_PROGRAM));
        if runs_it || matches!(container.name.as_ref(), "kms-agent" | "kmsagent") {
            problems.push(Problem::pod(
                format!("container {:?}", display_name(&container.name)),
                "it runs the KMS Agent",
                remedy.clone(),
            ));
        }
    }
}

const KMS_AGENT_PORT: u16 = 2025;
const KMS_AGENT_PROGRAM: &str = "alibabacloud-kms-agent";

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
    let left = left_over(pod, &tokens, consumers);
    for (_, _, container) in consumers.containers(pod) {
        for mount in container.mounts() {
            if problems.is_full() {
                return;
            }
            let at = mount.place();
            // Paths that contain `..` are reported by `check_mounts`.
            let meets = at.meets(&tokens) && !at.steps_back();
            if !meets || reserved::is_volume(&mount.name) || left.contains(mount.name.as_ref()) {
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

/// Directories in which a sidecar that was made by hand left its token: ours is put in their place, so that
/// applications stay as they are. Nobody else mounts them, and nowhere else.
fn left_over<'p>(
    pod: &'p Pod<'_>,
    tokens: &ContainerPath<'_>,
    consumers: &Consumers,
) -> HashSet<&'p str> {
    let empty = pod.spec.volumes.iter().flatten().filter(|volume| volume.empty_dir.is_some());
    let mut left: HashSet<&str> = empty.map(|volume| volume.name.as_ref()).collect();
    for (list, index, container) in pod.foreign_containers() {
        let is_consumer = consumers.has(list, index);
        for mount in container.mounts() {
            let is_whole = mount.sub_path.is_none() && mount.sub_path_expr.is_none();
            if !(is_consumer && mount.place() == tokens && is_whole) {
                left.remove(mount.name.as_ref());
            }
        }
    }
    left
}
