//! Shapes of a Pod that cannot be injected, or must not be.

use std::collections::HashSet;

use crate::ask::annotations::{ModeName, NativeSidecar, SecretsRequest};
use crate::decide::consumers::Consumers;
use crate::decide::env::Environment;
use crate::pod::existing::Existing;
use crate::pod::reserved;
use crate::pod::{Container, Pod};
use crate::problem::{Problem, Problems};
use crate::text::display_name;
use plan::CREDENTIALS_PLACES;
use plan::contract::{AGENT_VOLUME, ENVIRONMENT_VOLUME, SECRETS_VOLUME};

pub(crate) fn shapes(
    pod: &Pod<'_>,
    request: &SecretsRequest<'_>,
    existing: &Existing,
    problems: &mut Problems,
) {
    windows(pod, problems);
    ended_by_image(pod, request, problems);
    twins(pod, problems);
    tracing(pod, problems);
    if !existing.has_lookalike && !existing.is_torn {
        file_references(pod, existing, problems);
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

/// Tekton ends what runs beside its steps by giving it another image. The guard lets nobody give our
/// container one, so that the Pod would never end.
fn ended_by_image(pod: &Pod<'_>, request: &SecretsRequest<'_>, problems: &mut Problems) {
    let is_step = |container: &Container<'_>| {
        container.own_command().first().is_some_and(|word| word.starts_with(TEKTON))
    };
    let stays =
        request.mode != ModeName::Init && request.native_sidecar == Some(NativeSidecar::False);
    if stays && pod.foreign_containers().any(|(_, _, container)| is_step(container)) {
        problems.push(Problem::annotation(
            "native-sidecar",
            "it is a Pod of Tekton, which ends containers beside its steps by giving them another image; ours keeps its own, and the Pod would never end",
            "leave it out: a native sidecar ends with the Pod; or use mode init",
        ));
    }
}

const TEKTON: &str = "/tekton/";

/// Refuses two containers of one name, since no one knows which a name means. Kubernetes does so too,
/// but only after it has called us.
fn twins(pod: &Pod<'_>, problems: &mut Problems) {
    let mut seen = HashSet::new();
    let mut reported = HashSet::new();
    for (_, _, container) in pod.foreign_containers() {
        let name = container.name.as_ref();
        if !seen.insert(name) && reported.insert(name) {
            problems.push(Problem::pod(
                format!("container {:?}", display_name(name)),
                "the Pod has two containers of this name",
                "give one of them another name",
            ));
        }
    }
}

/// Capabilities with which a container reads memory or environment of another one whose processes
/// it sees, or makes itself one that does. The chart's guard has the same list.
const TRACING: [&str; 8] = [
    "ALL",
    "SYS_PTRACE",
    "SYS_ADMIN",
    "PERFMON",
    "BPF",
    "SYS_MODULE",
    "SYS_RAWIO",
    "CHECKPOINT_RESTORE",
];

/// Where processes are shared, a container that may trace could read the fetcher's memory.
fn tracing(pod: &Pod<'_>, problems: &mut Problems) {
    if !pod.spec.host_pid && !pod.spec.share_process_namespace {
        return;
    }
    let field = if pod.spec.host_pid { "hostPID" } else { "shareProcessNamespace" };
    for (_, _, container) in pod.foreign_containers() {
        let Some(privilege) = privilege(container) else { continue };
        problems.push(Problem::pod(
            format!("container {:?}", display_name(&container.name)),
            format!("it {privilege} while {field} is set, and could read the fetcher's memory"),
            format!("remove {field}, or the privilege"),
        ));
    }
}

/// A variable that the kubelet reads from a file lies on the node's disk afterwards. Whether that
/// may be is the operator's to say, so only we write one that is read from a volume of ours.
fn file_references(pod: &Pod<'_>, existing: &Existing, problems: &mut Problems) {
    for (_, _, container) in pod.all_containers() {
        let is_rewritten = |volume: &str| {
            // Those of a later call are set to what they must be.
            volume == ENVIRONMENT_VOLUME
                && existing.is_injected()
                && !reserved::is_container(&container.name)
        };
        let mut variables = container.env().iter();
        let found = variables.find_map(|variable| {
            let volume = variable.volume()?;
            let ours = reserved::is_volume(volume) && !is_rewritten(volume);
            ours.then_some((&variable.name, volume))
        });
        let Some((name, volume)) = found else { continue };
        problems.push(Problem::pod(
            format!("container {:?}", display_name(&container.name)),
            format!(
                "its variable {:?} would be read from the volume {volume:?} (fileKeyRef), and its value would lie on the node's disk",
                display_name(name)
            ),
            "remove it, and ask for the variable with kms.alibabacloud/env (env-method: file-key-ref, where the operator allows it)",
        ));
    }
}

fn privilege(container: &Container<'_>) -> Option<String> {
    let security = &container.security_context;
    if security.privileged {
        return Some("is privileged".to_owned());
    }
    if security.windows_options.host_process {
        return Some("is a process of the host".to_owned());
    }
    let named = |name: &str| {
        if !is_plain(name) {
            return Some(format!(
                "has the capability {:?}, whose name is not made of ASCII letters and _,",
                display_name(name)
            ));
        }
        // Container runtimes ignore case.
        let bare = match name.split_at_checked(4) {
            Some((prefix, bare)) if prefix.eq_ignore_ascii_case("CAP_") => bare,
            _ => name,
        };
        let tracing = TRACING.into_iter().find(|tracing| bare.eq_ignore_ascii_case(tracing))?;
        Some(format!("has the capability {tracing}"))
    };
    security.capabilities.add.iter().find_map(|name| named(name))
}

/// No capability of Linux is called otherwise. Container runtimes make the name upper-case as Unicode
/// does, and so read `ſYS_PTRACE` as one that may trace.
fn is_plain(capability: &str) -> bool {
    !capability.is_empty()
        && capability.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// Refuses mounts of our volumes in containers of others, which somebody added since the first call.
pub(crate) fn foreign_mounts(
    pod: &Pod<'_>,
    existing: &Existing,
    consumers: &Consumers,
    environment: &Environment,
    directory: &str,
    problems: &mut Problems,
) {
    if !existing.is_injected() {
        return;
    }
    for (list, index, container) in pod.foreign_containers() {
        let (starts, consumes) = (environment.starts(list, index), consumers.has(list, index));
        let ours_to_set = |volume: &str| match volume {
            ENVIRONMENT_VOLUME => starts,
            _ => consumes,
        };
        let mut seen = Vec::new();
        for mount in container.mounts() {
            if problems.is_full() {
                return;
            }
            let name = mount.name.as_ref();
            let credentials = CREDENTIALS_PLACES.iter().find(|place| place.volume == name);
            let what = match name {
                _ if let Some(place) = credentials => format!("it mounts {}", place.holds),
                // A consumer's first mount of all of them is set to what it must be.
                _ if SHARED.contains(&name)
                    && ours_to_set(name)
                    && !mount.is_of_one_file(directory)
                    && !seen.contains(&name) =>
                {
                    seen.push(name);
                    continue;
                }
                _ if SHARED.contains(&name) && !mount.read_only => {
                    "it mounts the secrets writable".to_owned()
                }
                _ => continue,
            };
            problems.push(Problem::pod(
                format!("container {:?}", display_name(&container.name)),
                what,
                "remove the mount; consumers get theirs by injection, read-only",
            ));
        }
    }
}

/// Volumes that consumers may see, and only we write.
const SHARED: [&str; 3] = [SECRETS_VOLUME, ENVIRONMENT_VOLUME, AGENT_VOLUME];

#[cfg(test)]
mod tests {
    use super::TRACING;

    #[test]
    fn the_guard_has_the_same_capabilities() {
        let chart = include_str!(
            "../../../../charts/alibabacloud-secrets-injector/templates/_conditions.tpl"
        );
        let list = format!("\n{}\n", TRACING.join(" "));
        assert!(chart.contains(&list), "no line {list:?} in _conditions.tpl");
    }
}
