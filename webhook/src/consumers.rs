//! Which containers get the mount, and whether anything of the Pod stands in its way.

use plan::{ContainerPath, MountPath};

use crate::annotations::{self, InitFirst, Request};
use crate::container::{self, SECRETS_VOLUME};
use crate::nearest::nearest;
use crate::pod::{Container, List, Pod};
use crate::present::Present;
use crate::problem::{Problem, Problems};
use crate::settings::Settings;

/// Positions in the Pod's two lists, and what else deserves saying.
#[derive(Debug)]
pub(crate) struct Consumers {
    pub(crate) at: Vec<(List, usize)>,
    pub(crate) warnings: Vec<String>,
}

/// Named consumers, else those that an earlier call recorded, else all that there are. One that is
/// named beside others and not there may be added after this call: the guard refuses the Pod if it
/// never is.
pub(crate) fn choose(
    pod: &Pod<'_>,
    request: &Request<'_>,
    present: &Present,
    settings: &Settings,
    problems: &mut Problems,
) -> Consumers {
    let mut chosen = Consumers { at: Vec::new(), warnings: Vec::new() };
    let is_proxy = |container: &Container<'_>| {
        settings.mesh_proxies.iter().any(|proxy| *proxy == container.name)
    };
    let candidates =
        || pod.all_containers().filter(|(_, _, container)| !container::is_ours(&container.name));
    if let Some(names) = &request.containers {
        let mut missing = Vec::new();
        for name in names {
            match candidates().find(|(_, _, container)| container.name == **name) {
                Some((list, index, _)) if chosen.at.contains(&(list, index)) => {}
                Some((list, index, _)) => chosen.at.push((list, index)),
                None => missing.push(*name),
            }
        }
        let slips = |name: &&str| container::is_ours(name) || likely(name, pod).is_some();
        for name in missing {
            if chosen.at.is_empty() || slips(&name) {
                problems.push(no_such(name, pod));
            } else {
                chosen.warnings.push(format!(
                    "the Pod has no container {:.64} so far; it gets the secrets if another webhook adds it, else the Pod is refused",
                    shown(name)
                ));
            }
        }
        return chosen;
    }
    for (list, index, container) in candidates() {
        if is_proxy(container) {
            continue;
        }
        let recorded = present
            .plan()
            .is_none_or(|plan| plan.consumers().iter().any(|name| *name == container.name));
        if recorded {
            chosen.at.push((list, index));
            if list == List::Init && request.init_first == InitFirst::Last {
                chosen.warnings.push(format!(
                    "init container {:.64} runs before the secrets are fetched, because {}init-first is false",
                    container.name, annotations::PREFIX
                ));
            }
        } else if !container.mounts().iter().any(|mount| mount.name == SECRETS_VOLUME) {
            chosen.warnings.push(format!(
                "container {:.64} was added later and gets no secrets; name it in {}containers if it needs them",
                container.name, annotations::PREFIX
            ));
        }
    }
    // A container under a name of ours is told about as such.
    if chosen.at.is_empty() && !present.impostor {
        problems.push(Problem::pod(
            "the Pod",
            "no container would get the secrets",
            "name one in kms.alibabacloud/containers",
        ));
    }
    chosen
}

impl Consumers {
    pub(crate) fn containers<'p, 'a>(
        &self,
        pod: &'p Pod<'a>,
    ) -> impl Iterator<Item = (List, usize, &'p Container<'a>)> {
        self.at.iter().filter_map(|(list, index)| {
            let container = match list {
                List::Init => pod.spec.init_containers.as_ref()?.get(*index),
                List::Main => pod.spec.containers.get(*index),
            };
            container.map(|container| (*list, *index, container))
        })
    }

    /// Refuses mounts that already stand at, or below, the mount path, and those that may stand
    /// anywhere.
    pub(crate) fn check_mounts(&self, pod: &Pod<'_>, mount: &MountPath, problems: &mut Problems) {
        let csi = |volume: &str| {
            pod.spec.volumes.iter().flatten().any(|known| {
                known.name == *volume
                    && known.csi.as_ref().is_some_and(|csi| {
                        csi.driver.as_deref() == Some("secrets-store.csi.k8s.io")
                    })
            })
        };
        let mount = ContainerPath::new(mount.as_str());
        for (_, _, container) in self.containers(pod) {
            for taken in container.mounts() {
                let path = &taken.mount_path;
                let at = ContainerPath::new(path);
                if !at.is_within(&mount) || taken.name == SECRETS_VOLUME {
                    continue;
                }
                let place = format!("container {:?}", shown(&container.name));
                if at.steps_back() {
                    problems.push(Problem::pod(
                        place,
                        format!(
                            "the volume {:?} is mounted at {path:.100}, which may lead anywhere",
                            shown(&taken.name)
                        ),
                        "write its mountPath without `..`",
                    ));
                } else if csi(&taken.name) {
                    problems.push(Problem::pod(
                        place,
                        format!("the CSI volume {:?} is already mounted at {path:.100}", shown(&taken.name)),
                        "remove the CSI volume and its mounts, or set kms.alibabacloud/mount-path while you migrate",
                    ));
                } else {
                    problems.push(Problem::pod(
                        place,
                        format!(
                            "the volume {:?} is already mounted at {path:.100}",
                            shown(&taken.name)
                        ),
                        "set kms.alibabacloud/mount-path to another directory",
                    ));
                }
            }
        }
    }
}

pub(crate) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// The container that a misspelt name means.
fn likely<'p>(name: &str, pod: &'p Pod<'_>) -> Option<&'p str> {
    let known = pod.all_containers().map(|(_, _, container)| container.name.as_ref());
    nearest(name, known.filter(|name| !container::is_ours(name)))
}

fn no_such(name: &str, pod: &Pod<'_>) -> Problem {
    let remedy = match likely(name, pod) {
        Some(known) => format!("did you mean {known}?"),
        None => "use names of the Pod's containers or init containers".to_owned(),
    };
    let what = if container::is_ours(name) {
        format!("{name} is ours and cannot be a consumer")
    } else {
        format!("the Pod has no container {:?}", shown(name))
    };
    annotations::problem("containers", what, remedy)
}
