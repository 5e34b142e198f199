//! Shapes of a Pod that cannot be injected, or must not be.

use std::collections::HashSet;

use crate::consumers::{Consumers, shown};
use crate::container::{self, AGENT_VOLUME, ENVIRONMENT_VOLUME, SECRETS_VOLUME, TOKEN_VOLUME};
use crate::env::{self, Environment};
use crate::pod::{Container, Pod};
use crate::present::Present;
use crate::problem::{Problem, Problems};

pub(crate) fn shapes(pod: &Pod<'_>, present: &Present, problems: &mut Problems) {
    windows(pod, problems);
    twins(pod, problems);
    tracing(pod, problems);
    if !present.is_injected() && !present.impostor {
        early_references(pod, problems);
    }
}

fn windows(pod: &Pod<'_>, problems: &mut Problems) {
    let named = pod.spec.os.as_ref().and_then(|os| os.name.as_deref());
    let selected = pod.spec.node_selector.as_ref().and_then(|selector| selector.os.as_deref());
    if named == Some("windows") || selected == Some("windows") {
        problems.push(Problem::pod(
            "the Pod",
            "it runs on Windows, where secrets cannot be injected",
            "remove the annotations under kms.alibabacloud/",
        ));
    }
}

/// Kubernetes refuses them too, but only after it has asked us: who is meant by a name is not known.
fn twins(pod: &Pod<'_>, problems: &mut Problems) {
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    for (_, _, container) in others(pod) {
        let name = container.name.as_ref();
        if !seen.insert(name) && told.insert(name) {
            problems.push(Problem::pod(
                format!("container {:?}", shown(name)),
                "the Pod has two containers of this name",
                "give one of them another name",
            ));
        }
    }
}

/// With a shared process namespace, a container that may trace could read the fetcher's memory.
fn tracing(pod: &Pod<'_>, problems: &mut Problems) {
    if !pod.spec.host_pid && !pod.spec.share_process_namespace {
        return;
    }
    let field = if pod.spec.host_pid { "hostPID" } else { "shareProcessNamespace" };
    let traces = |container: &Container<'_>| {
        let security = &container.security_context;
        security.privileged
            || security.capabilities.add.iter().any(|name| {
                // Container runtimes ignore case.
                let name = name.to_ascii_uppercase();
                matches!(name.as_str(), "ALL" | "CAP_ALL" | "SYS_PTRACE" | "CAP_SYS_PTRACE")
            })
    };
    for (_, _, container) in others(pod).filter(|(_, _, container)| traces(container)) {
        problems.push(Problem::pod(
            format!("container {:?}", shown(&container.name)),
            format!("it is privileged or has SYS_PTRACE while {field} is set, and could read the fetcher's memory"),
            format!("remove {field}, or the privilege"),
        ));
    }
}

fn early_references(pod: &Pod<'_>, problems: &mut Problems) {
    for (_, _, container) in others(pod) {
        if container.env().iter().any(env::is_ours) {
            problems.push(Problem::pod(
                format!("container {:?}", shown(&container.name)),
                format!("a variable refers to the volume {ENVIRONMENT_VOLUME:?}, which is added only here"),
                "ask for it with kms.alibabacloud/env",
            ));
        }
        for mount in container.mounts() {
            if container::VOLUMES.contains(&mount.name.as_ref()) {
                problems.push(Problem::pod(
                    format!("container {:?}", shown(&container.name)),
                    format!(
                        "it mounts the volume {:?}, which is added only here",
                        shown(&mount.name)
                    ),
                    "remove the mount; consumers get theirs by injection",
                ));
            }
        }
    }
}

/// What nobody but us may mount, whoever added it since the first call.
pub(crate) fn taken_back(
    pod: &Pod<'_>,
    present: &Present,
    consumers: &Consumers,
    environment: &Environment,
    problems: &mut Problems,
) {
    if !present.is_injected() {
        return;
    }
    for (list, index, container) in others(pod) {
        let ours_to_set = |volume: &str| match volume {
            ENVIRONMENT_VOLUME => environment.starts(list, index),
            _ => consumers.at.contains(&(list, index)),
        };
        let mut seen = Vec::new();
        for mount in container.mounts() {
            let name = mount.name.as_ref();
            let what = match name {
                TOKEN_VOLUME => "it mounts the token with which secrets are fetched",
                // A consumer's first mount of them is set to what it must be.
                _ if SHARED.contains(&name) && ours_to_set(name) && !seen.contains(&name) => {
                    seen.push(name);
                    continue;
                }
                _ if SHARED.contains(&name) && !mount.read_only => "it mounts the secrets writable",
                _ => continue,
            };
            problems.push(Problem::pod(
                format!("container {:?}", shown(&container.name)),
                what,
                "remove the mount; consumers get theirs by injection, read-only",
            ));
        }
    }
}

/// What consumers may see, and nobody but us write.
const SHARED: [&str; 3] = [SECRETS_VOLUME, ENVIRONMENT_VOLUME, AGENT_VOLUME];

fn others<'p, 'a>(
    pod: &'p Pod<'a>,
) -> impl Iterator<Item = (crate::pod::List, usize, &'p Container<'a>)> {
    pod.all_containers().filter(|(_, _, container)| !container::is_ours(&container.name))
}
