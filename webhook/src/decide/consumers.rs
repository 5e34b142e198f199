//! Which containers get the mount, and whether anything of the Pod stands in its way.

use std::collections::{HashMap, HashSet};

use plan::MountPath;

use crate::ask::annotations::{InitFirst, SecretsRequest};
use crate::container_path::ContainerPath;
use crate::pod::existing::Existing;
use crate::pod::reserved;
use crate::pod::{Container, List, Pod};
use crate::problem::{PREFIX, Problem, Problems};
use crate::settings::Settings;
use crate::text::display_name;
use plan::contract::SECRETS_VOLUME;

/// The containers that get the files, and what the Pod's author should know of the choice.
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
    request: &SecretsRequest<'_>,
    existing: &Existing,
    settings: &Settings,
    problems: &mut Problems,
) -> Consumers {
    let mut chosen = Consumers { at: Vec::new(), warnings: Vec::new() };
    let is_proxy = |container: &Container<'_>| {
        settings.mesh_proxies().iter().any(|proxy| proxy.as_str() == container.name)
    };
    let candidates = || pod.foreign_containers();
    if let Some(names) = &request.containers {
        let mut known = HashMap::new();
        for (list, index, container) in candidates() {
            known.entry(container.name.as_ref()).or_insert((list, index));
        }
        let (mut missing, mut seen) = (Vec::new(), HashSet::new());
        for name in names.iter().filter(|name| seen.insert(**name)) {
            match known.get(name) {
                Some(at) => chosen.at.push(*at),
                None => missing.push(*name),
            }
        }
        for name in missing {
            let likely = likely(name, pod, problems);
            if chosen.at.is_empty() || reserved::is_container(name) || likely.is_some() {
                problems.push(no_such(name, likely));
            } else {
                chosen.warnings.push(format!(
                    "the Pod has no container {:.64} so far; it gets the secrets if another webhook adds it, else the Pod is refused",
                    display_name(name)
                ));
            }
        }
        return chosen;
    }
    let recorded: Option<HashSet<&str>> =
        existing.consumers().map(|names| names.iter().map(String::as_str).collect());
    for (list, index, container) in candidates() {
        if is_proxy(container) {
            continue;
        }
        let recorded =
            recorded.as_ref().is_none_or(|known| known.contains(container.name.as_ref()));
        if recorded {
            chosen.at.push((list, index));
            if list == List::Init && request.init_first == InitFirst::Last {
                chosen.warnings.push(format!(
                    "init container {:.64} runs before the secrets are fetched, because {}init-first is false",
                    container.name, PREFIX
                ));
            }
        } else if !container.mounts().iter().any(|mount| mount.name == SECRETS_VOLUME) {
            chosen.warnings.push(format!(
                "container {:.64} was added later and gets no secrets; name it in {}containers if it needs them",
                container.name, PREFIX
            ));
        }
    }
    // A container under a name of ours is already a problem.
    if chosen.at.is_empty() && !existing.has_lookalike {
        problems.push(Problem::pod(
            "the Pod",
            "no container would get the secrets",
            "name one in kms.alibabacloud/containers",
        ));
    }
    chosen
}

impl Consumers {
    pub(crate) fn has(&self, list: List, index: usize) -> bool {
        self.at.contains(&(list, index))
    }

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

    /// Refuses mounts that already stand at, or below, the mount path, those that may stand anywhere,
    /// and those above it in which no directory can be made for ours.
    pub(crate) fn check_mounts(&self, pod: &Pod<'_>, mount: &MountPath, problems: &mut Problems) {
        let csi: HashSet<&str> = pod
            .spec
            .volumes
            .iter()
            .flatten()
            .filter(|known| {
                let driver = known.csi.as_ref().and_then(|csi| csi.driver.as_deref());
                driver == Some("secrets-store.csi.k8s.io")
            })
            .map(|known| known.name.as_ref())
            .collect();
        let read_only: HashSet<&str> = pod
            .spec
            .volumes
            .iter()
            .flatten()
            .filter(|known| known.is_read_only())
            .map(|known| known.name.as_ref())
            .collect();
        let mount = ContainerPath::new(mount.as_str());
        for (_, _, container) in self.containers(pod) {
            for taken in container.mounts() {
                if problems.is_full() {
                    return;
                }
                let (path, at) = (&taken.mount_path, taken.place());
                let is_fixed = taken.read_only || read_only.contains(taken.name.as_ref());
                let is_above = is_fixed && mount.is_within(at);
                if !(at.is_within(&mount) || is_above) || taken.name == SECRETS_VOLUME {
                    continue;
                }
                let place = format!("container {:?}", display_name(&container.name));
                if at.steps_back() {
                    problems.push(Problem::pod(
                        place,
                        format!(
                            "the volume {:?} is mounted at {path:.100}, which may lead anywhere",
                            display_name(&taken.name)
                        ),
                        "write its mountPath without `..`",
                    ));
                } else if csi.contains(taken.name.as_ref()) {
                    problems.push(Problem::pod(
                        place,
                        format!("the CSI volume {:?} is already mounted at {path:.100}", display_name(&taken.name)),
                        "remove the CSI volume and its mounts, or set kms.alibabacloud/mount-path while you migrate",
                    ));
                } else if !at.is_within(&mount) {
                    problems.push(Problem::pod(
                        place,
                        format!(
                            "the volume {:?} is mounted read-only at {path:.100}, and the container would not start: no directory for the secrets can be made in it",
                            display_name(&taken.name)
                        ),
                        "set kms.alibabacloud/mount-path to a directory outside of it",
                    ));
                } else {
                    problems.push(Problem::pod(
                        place,
                        format!(
                            "the volume {:?} is already mounted at {path:.100}",
                            display_name(&taken.name)
                        ),
                        "set kms.alibabacloud/mount-path to another directory",
                    ));
                }
            }
        }
    }
}

/// The container that a misspelt name means.
fn likely<'p>(name: &str, pod: &'p Pod<'_>, problems: &mut Problems) -> Option<&'p str> {
    let known = pod.foreign_containers().map(|(_, _, container)| container.name.as_ref());
    problems.did_you_mean(name, known)
}

fn no_such(name: &str, likely: Option<&str>) -> Problem {
    let remedy = match likely {
        Some(known) => format!("did you mean {known:.64}?"),
        None => "use names of the Pod's containers or init containers".to_owned(),
    };
    let what = if reserved::is_container(name) {
        format!("{name} is ours and cannot be a consumer")
    } else {
        format!("the Pod has no container {:?}", display_name(name))
    };
    Problem::annotation("containers", what, remedy)
}
