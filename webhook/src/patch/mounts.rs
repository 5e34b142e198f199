//! The volumes that containers of the Pod see: what is fetched for them, read-only.

use plan::contract::ENVIRONMENT_DIRECTORY;

use crate::container_path::ContainerPath;
use crate::patch::desired_pod::DesiredPod;
use crate::patch::fetcher_container::Mount;
use crate::patch::json_patch::Patch;
use crate::pod::{Container, List, Pod, VolumeMount};
use plan::contract::{AGENT_VOLUME, ENVIRONMENT_VOLUME, SECRETS_VOLUME};

pub(super) fn apply(
    pod: &Pod<'_>,
    desired: &DesiredPod<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    for (list, index, container) in pod.foreign_containers() {
        let wanted = wanted(desired, list, index);
        let path = format!("{}/{index}/volumeMounts", list.pointer());
        set(container, &wanted, desired.plan.mode().agent().is_some(), &path, patch)?;
    }
    Ok(())
}

fn wanted<'w>(desired: &'w DesiredPod<'_>, list: List, index: usize) -> Vec<Mount<'w>> {
    let mut wanted = Vec::new();
    let mut mount = |name, mount_path| wanted.push(Mount { name, mount_path, read_only: true });
    if desired.is_consumer(list, index) {
        // An agent without files has an empty directory to show.
        if !desired.plan.files().is_empty() || desired.plan.mode().agent().is_none() {
            mount(SECRETS_VOLUME, desired.plan.mount().as_str());
        }
        if let Some(agent) = desired.plan.mode().agent() {
            mount(AGENT_VOLUME, agent.token.directory().as_str());
        }
    }
    if desired.starts(list, index) {
        mount(ENVIRONMENT_VOLUME, ENVIRONMENT_DIRECTORY);
    }
    wanted
}

/// The agent's token is put in the place of a directory in which another one left its own.
fn left_at(container: &Container<'_>, wanted: &Mount<'_>) -> Option<usize> {
    let place = ContainerPath::new(wanted.mount_path);
    let is_left = |mount: &VolumeMount<'_>| *mount.place() == place;
    let mut known = container.mounts().iter();
    known.position(is_left).filter(|_| wanted.name == AGENT_VOLUME)
}

fn set(
    container: &Container<'_>,
    wanted: &[Mount<'_>],
    served: bool,
    path: &str,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    // Left by an earlier call that wanted variables for it, or an agent.
    let stale = container.mounts().iter().enumerate().filter(|(_, known)| {
        let left = known.name == ENVIRONMENT_VOLUME || (known.name == AGENT_VOLUME && !served);
        left && !wanted.iter().any(|mount| mount.name == known.name)
    });
    let stale: Vec<usize> = stale.map(|(at, _)| at).collect();
    let mut missing = Vec::new();
    for mount in wanted {
        let mut known = container.mounts().iter().enumerate();
        match known
            .find(|(_, known)| known.name == mount.name && !known.is_of_one_file(mount.mount_path))
        {
            Some((at, known)) => {
                let whole = known.sub_path.is_none() && known.sub_path_expr.is_none();
                if known.mount_path != mount.mount_path || !known.read_only || !whole {
                    patch.replace(format!("{path}/{at}"), mount)?;
                }
            }
            None => match left_at(container, mount) {
                Some(at) => patch.replace(format!("{path}/{at}"), mount)?,
                None => missing.push(mount),
            },
        }
    }
    for at in stale.iter().rev() {
        patch.remove(format!("{path}/{at}"));
    }
    if container.volume_mounts.is_none() && !missing.is_empty() {
        return patch.add(path.to_owned(), &missing);
    }
    for mount in missing {
        patch.add(format!("{path}/-"), mount)?;
    }
    Ok(())
}
