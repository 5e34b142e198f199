//! What in a Pod stands in the way of a local agent.

use plan::Agent;

use crate::annotations::{self, PREFIX};
use crate::consumers::{Consumers, shown};
use crate::container;
use crate::pod::{Pod, Port};
use crate::problem::{Problem, Problems};

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
    let others = pod.all_containers().map(|(_, _, container)| container);
    for container in others.filter(|container| !container::is_ours(&container.name)) {
        let takes = |of: &Port<'_>| {
            let tcp = of.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
            let port = Some(i64::from(port));
            // A port of the host leads to one of the container, which counts.
            tcp && of.container_port == port
        };
        if container.ports().iter().any(takes) {
            problems.push(annotations::problem(
                "agent-port",
                format!("container {:?} has port {port} already", shown(&container.name)),
                "set it to another port, from 1024 to 65535",
            ));
        }
    }
}

/// The token's directory is ours alone: nothing lies in it, and it lies in nothing.
fn mounts(pod: &Pod<'_>, agent: &Agent, consumers: &Consumers, problems: &mut Problems) {
    let directory = agent.token.directory().as_str();
    for (_, _, container) in consumers.containers(pod) {
        let taken = container.mounts().iter().filter(|mount| {
            let ours = container::VOLUMES.contains(&mount.name.as_ref());
            !ours && meet(&mount.mount_path, directory)
        });
        for mount in taken {
            problems.push(annotations::problem(
                "agent-token-path",
                format!(
                    "container {:?} has the volume {:?} mounted at {:.100}, and the token needs {directory:.100} for itself",
                    shown(&container.name),
                    shown(&mount.name),
                    mount.mount_path.trim_end_matches('/'),
                ),
                "remove the mount, as of a sidecar that was made by hand, or set it to another path",
            ));
        }
    }
}

/// Whether one of two directories is, or lies in, the other.
pub(crate) fn meet(one: &str, other: &str) -> bool {
    let parts = |path: &'_ str| -> Vec<String> {
        // The usual link.
        let path = path.strip_prefix("/var").filter(|rest| in_run(rest)).unwrap_or(path);
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (one, other) = (parts(one), parts(other));
    one.iter().zip(&other).all(|(one, other)| one == other)
}

fn in_run(path: &str) -> bool {
    path.strip_prefix("/run").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::meet;

    #[test]
    fn directories_meet_where_one_holds_the_other() {
        for (one, other) in [
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/a", "/a/b"),
            ("/a/b", "/a"),
            ("/", "/a"),
            ("/a//b", "/a/b"),
            ("/run/kmstoken", "/var/run/kmstoken"),
            ("/var/run", "/run/kmstoken"),
        ] {
            assert!(meet(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("/a", "/b"),
            ("/a", "/ab"),
            ("/var/running", "/run/a"),
            ("/a/b", "/a/c"),
            ("/a/b", "/b"),
        ] {
            assert!(!meet(one, other), "{one} {other}");
        }
    }
}
