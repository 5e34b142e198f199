//! How a desired Pod becomes a patch of this very Pod: what is missing is added, what is there and ours
//! is set, what others added beside it stays. Everything is found by name, never by a remembered place.

mod affinity;
mod amounts;
mod containers;
pub(crate) mod desired_pod;
mod environment;
pub(crate) mod fetcher_container;
pub(crate) mod fetcher_resources;
pub(crate) mod fetcher_role;
pub mod json_patch;
mod mounts;
mod settled;
mod signal_marker;
pub(crate) mod volume;

use serde_json::Value;

pub(crate) use self::containers::early;
use crate::patch::desired_pod::DesiredPod;
use crate::patch::json_patch::Patch;
use crate::pod::Pod;
use crate::pod::existing::Existing;

pub(crate) fn make(
    pod: &Pod<'_>,
    existing: &Existing,
    desired: &DesiredPod<'_>,
) -> serde_json::Result<Patch> {
    let mut patch = Patch::default();
    // Our containers come last: adding them moves the others in their list.
    mounts::apply(pod, desired, &mut patch)?;
    environment::apply(pod, desired, &mut patch)?;
    affinity::apply(pod, desired, &mut patch)?;
    volumes(pod, existing, desired, &mut patch)?;
    containers::apply(pod, existing, desired, &mut patch)?;
    let status = pod.metadata.annotations.ours.iter().find(|(key, _)| key == "status");
    if status.is_none_or(|(_, value)| *value != desired.status) {
        patch.add("/metadata/annotations/kms.alibabacloud~1status".to_owned(), &desired.status)?;
    }
    Ok(patch)
}

fn volumes(
    pod: &Pod<'_>,
    existing: &Existing,
    desired: &DesiredPod<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    if pod.spec.volumes.is_none() {
        return patch.add("/spec/volumes".to_owned(), &desired.volumes);
    }
    for volume in &desired.volumes {
        let known = existing
            .volumes
            .iter()
            .find(|(_, known)| known.get("name").and_then(Value::as_str) == Some(volume.name));
        match known {
            Some((index, known)) => {
                let new = settled::volume(known, volume)?;
                patch.difference(&format!("/spec/volumes/{index}"), known, &new)?;
            }
            None => patch.add("/spec/volumes/-".to_owned(), volume)?,
        }
    }
    // Leftovers of an earlier call, and what somebody added since, go: the last first, so that the
    // places of the others hold. What this patch adds stands behind all of them.
    for (index, known) in existing.volumes.iter().rev() {
        let name = known.get("name").and_then(Value::as_str).unwrap_or_default();
        let kept = desired.volumes.iter().any(|volume| volume.name == name);
        if !kept {
            patch.remove(format!("/spec/volumes/{index}"));
        }
    }
    Ok(())
}
