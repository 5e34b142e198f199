//! Mounts of our volumes that the Pod's author wrote before injection: a consumer may mount single files
//! of the secrets into directories that have others.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use plan::OnMissing;

use crate::ask::annotations::{ModeName, SecretsRequest};
use crate::ask::secrets::Files;
use crate::container_path::ContainerPath;
use crate::decide::consumers::Consumers;
use crate::pod::existing::Existing;
use crate::pod::{Container, Pod, VolumeMount};
use crate::pod::{List, reserved};
use crate::problem::{PREFIX, Problem, Problems};
use crate::text::display_name;

/// What is known of the Pod.
#[derive(Clone, Copy)]
pub(crate) struct Known<'r, 'p> {
    pub(crate) pod: &'r Pod<'p>,
    pub(crate) request: &'r SecretsRequest<'p>,
    pub(crate) existing: &'r Existing,
    pub(crate) consumers: &'r Consumers,
    pub(crate) files: &'r Files,
    /// Init containers that run before the fetcher.
    pub(crate) early: &'r [&'r str],
}

/// A word for each container whose file will not change.
pub(crate) fn check(known: Known<'_, '_>, problems: &mut Problems) -> Vec<String> {
    let Known { pod, request, existing, consumers, files, .. } = known;
    let mut warnings = Vec::new();
    if existing.has_lookalike || existing.is_torn {
        return warnings;
    }
    // Few Pods have such mounts.
    let named: LazyCell<HashMap<&str, OnMissing>, _> = LazyCell::new(|| {
        let names = files.names();
        names.map(|(name, says)| (name, says.unwrap_or(request.on_missing))).collect()
    });
    let early: HashSet<&str> = known.early.iter().copied().collect();
    let directory = request.mount_path.clone().unwrap_or_default();
    let path = directory.as_str();
    let directory = ContainerPath::new(path);
    for (list, index, container) in pod.foreign_containers() {
        let mut stays = false;
        let is_consumer = consumers.has(list, index);
        let is_early = list == List::Init && early.contains(&*container.name);
        for mount in container.mounts() {
            if problems.is_full() {
                return warnings;
            }
            if !reserved::is_volume(&mount.name) {
                continue;
            }
            if mount.is_of_one_file(path) && is_consumer {
                let file = mount.sub_path.as_deref().unwrap_or_default();
                match wrong(mount, named.get(file).copied(), is_early, &directory) {
                    Some((what, remedy)) => {
                        let place = place(container);
                        let what = format!(
                            "it mounts the file {:?} of the secrets, {what}",
                            display_name(file)
                        );
                        problems.push(Problem::pod(place, what, remedy));
                    }
                    None => stays = request.mode != ModeName::Init,
                }
            } else if !existing.is_injected() {
                problems.push(Problem::pod(
                    place(container),
                    format!(
                        "it mounts the volume {:?}, which is added only here",
                        display_name(&mount.name)
                    ),
                    "remove the mount; consumers get theirs by injection, and may beside it mount single files of kms-secrets (subPath: FILE, readOnly: true)",
                ));
            }
        }
        if stays {
            warnings.push(format!(
                "container {:.64} mounts single files of the secrets (subPath): they stay as they were when it started; those in the directory change ({PREFIX}mode)",
                display_name(&container.name)
            ));
        }
    }
    warnings
}

fn wrong(
    mount: &VolumeMount<'_>,
    on_missing: Option<OnMissing>,
    is_early: bool,
    directory: &ContainerPath<'_>,
) -> Option<(&'static str, &'static str)> {
    if !mount.read_only {
        return Some(("and could write it", "set readOnly: true in the mount"));
    }
    if is_early {
        return Some((
            "and runs before there is any",
            "set the annotation kms.alibabacloud/init-first: \"true\", or remove the mount",
        ));
    }
    if mount.place().is_within(directory) {
        return Some((
            "where all of them are anyway",
            "remove the mount, or mount the file somewhere else",
        ));
    }
    match on_missing {
        None => Some((
            "and the annotations name none of this name",
            "write the name of the file in subPath; those of all keys must be named by themselves",
        )),
        Some(OnMissing::Skip) => Some((
            "which may be missing (onMissing: skip); the kubelet would make a directory of it",
            "write onMissing: fail for this file",
        )),
        Some(OnMissing::Fail) => None,
    }
}

fn place(container: &Container<'_>) -> String {
    format!("container {:?}", display_name(&container.name))
}
