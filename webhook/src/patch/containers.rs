//! Our containers in the Pod's two lists: those that are there are set, those that are there for
//! another mode go, missing ones are placed.

use plan::ContainerName;

use super::settled;
use crate::patch::desired_pod::{DesiredPod, Order, Placement};
use crate::patch::fetcher_container::FetcherContainer;
use crate::patch::fetcher_role::FetcherRole;
use crate::patch::json_patch::Patch;
use crate::pod::existing::{Existing, Ours};
use crate::pod::reserved;
use crate::pod::{Container, List, Pod};
use plan::contract::{INIT_CONTAINER, SIDECAR};

pub(super) fn apply(
    pod: &Pod<'_>,
    existing: &Existing,
    desired: &DesiredPod<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    let fits = |ours: &Ours, wanted: &FetcherContainer<'_>| {
        ours.name == wanted.role.name() && ours.list == wanted.role.list()
    };
    let mut missing = Vec::new();
    for wanted in &desired.containers {
        match existing.containers.iter().find(|ours| fits(ours, wanted)) {
            Some(ours) => update(ours, wanted, patch)?,
            None => missing.push(wanted),
        }
    }
    let surplus: Vec<&Ours> = existing
        .containers
        .iter()
        .filter(|ours| !desired.containers.iter().any(|wanted| fits(ours, wanted)))
        .collect();
    // The last goes first, so that the places of the others in their list hold until then.
    for ours in surplus.iter().rev() {
        patch.remove(format!("{}/{}", ours.list.pointer(), ours.index));
    }
    let is_surplus =
        |index: usize| surplus.iter().any(|ours| ours.list == List::Init && ours.index == index);
    let init = pod.spec.init_containers.as_deref().unwrap_or_default().iter().enumerate();
    let rest: Vec<&Container<'_>> =
        init.filter(|(index, _)| !is_surplus(*index)).map(|(_, container)| container).collect();
    place(&missing, &rest, pod.spec.init_containers.is_some(), desired, patch)
}

/// `init` is the list of init containers as it is by then.
fn place(
    missing: &[&FetcherContainer<'_>],
    init: &[&Container<'_>],
    has_list: bool,
    desired: &DesiredPod<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    let (init_missing, main_missing): (Vec<_>, Vec<_>) =
        missing.iter().copied().partition(|wanted| wanted.role.list() == List::Init);
    if !has_list && !init_missing.is_empty() {
        patch.add(List::Init.pointer().to_owned(), &init_missing)?;
    } else {
        let first = first(init, desired.placement);
        for (offset, wanted) in init_missing.iter().enumerate() {
            patch.add(format!("{}/{}", List::Init.pointer(), first + offset), wanted)?;
        }
    }
    for wanted in main_missing {
        patch.add(format!("{}/-", List::Main.pointer()), wanted)?;
    }
    Ok(())
}

/// Init containers that run before the fetcher is there, or will be.
pub(crate) fn early<'p>(
    pod: &'p Pod<'_>,
    roles: &[FetcherRole],
    placement: Placement<'_>,
) -> Vec<&'p str> {
    // One of ours that is there for another mode goes, and says nothing about the place.
    let stays = |container: &&Container<'_>| {
        !reserved::is_container(&container.name)
            || roles.iter().any(|role| role.name() == container.name && role.list() == List::Init)
    };
    let init: Vec<&Container<'_>> =
        pod.spec.init_containers.iter().flatten().filter(stays).collect();
    let first = first(&init, placement);
    init.iter().take(first).map(|container| container.name.as_ref()).collect()
}

/// Where among the init containers one of ours that is missing is placed. What fetches first comes
/// first, and beside the one of ours that is there.
fn first(init: &[&Container<'_>], placement: Placement<'_>) -> usize {
    let at = |name: &str| init.iter().position(|container| container.name == *name);
    match (at(INIT_CONTAINER), at(SIDECAR)) {
        (Some(index), _) => index + 1,
        (None, Some(index)) => index,
        (None, None) => match placement.order {
            Order::First => 0,
            Order::Last => init.len(),
            Order::BehindMeshProxies => behind_proxy(init, placement.mesh_proxies),
        },
    }
}

/// Directly behind the last native mesh proxy: before it there may be no network.
fn behind_proxy(init: &[&Container<'_>], proxies: &[ContainerName]) -> usize {
    let is_proxy = |container: &&Container<'_>| {
        container.is_native_sidecar() && proxies.iter().any(|name| name.as_str() == container.name)
    };
    init.iter().rposition(is_proxy).map_or(0, |index| index + 1)
}

fn update(ours: &Ours, wanted: &FetcherContainer<'_>, patch: &mut Patch) -> serde_json::Result<()> {
    let new = settled::container(&ours.value, wanted)?;
    patch.difference(&format!("{}/{}", ours.list.pointer(), ours.index), &ours.value, &new)
}
