//! Our containers in the Pod's two lists: those that are there are set, those that are there for
//! another mode go, missing ones are placed.

use serde_json::Value;

use super::{overlay, text};
use crate::annotations::InitFirst;
use crate::container;
use crate::inject::Wish;
use crate::patch::Patch;
use crate::pod::{Container, List, Pod};
use crate::present::{Ours, Present};
use crate::role::{INIT_CONTAINER, Role, SIDECAR};

pub(super) fn weave(
    pod: &Pod<'_>,
    present: &Present,
    wish: &Wish<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    let fits = |ours: &Ours, wanted: &container::Container<'_>| {
        ours.name == wanted.role.name() && ours.list == wanted.role.list()
    };
    let mut missing = Vec::new();
    for wanted in &wish.containers {
        match present.containers.iter().find(|ours| fits(ours, wanted)) {
            Some(ours) => update(ours, wanted, patch)?,
            None => missing.push(wanted),
        }
    }
    let surplus: Vec<&Ours> = present
        .containers
        .iter()
        .filter(|ours| !wish.containers.iter().any(|wanted| fits(ours, wanted)))
        .collect();
    // From behind, so that the places of the others in their list hold until then.
    for ours in surplus.iter().rev() {
        patch.remove(format!("{}/{}", ours.list.pointer(), ours.index));
    }
    let is_surplus =
        |index: usize| surplus.iter().any(|ours| ours.list == List::Init && ours.index == index);
    let init = pod.spec.init_containers.as_deref().unwrap_or_default().iter().enumerate();
    let rest: Vec<&Container<'_>> =
        init.filter(|(index, _)| !is_surplus(*index)).map(|(_, container)| container).collect();
    place(&missing, &rest, pod.spec.init_containers.is_some(), wish, patch)
}

/// `init` is the list of init containers as it is by then.
fn place(
    missing: &[&container::Container<'_>],
    init: &[&Container<'_>],
    has_list: bool,
    wish: &Wish<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    let (init_missing, main_missing): (Vec<_>, Vec<_>) =
        missing.iter().copied().partition(|wanted| wanted.role.list() == List::Init);
    if !has_list && !init_missing.is_empty() {
        patch.add(List::Init.pointer().to_owned(), &init_missing)?;
    } else {
        let first = first(init, wish.init_first, wish.mesh_proxies);
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
    roles: &[Role],
    init_first: InitFirst,
    proxies: &[String],
) -> Vec<&'p str> {
    // One of ours that is there for another mode goes, and says nothing about the place.
    let stays = |container: &&Container<'_>| {
        !container::is_ours(&container.name)
            || roles.iter().any(|role| role.name() == container.name && role.list() == List::Init)
    };
    let init: Vec<&Container<'_>> =
        pod.spec.init_containers.iter().flatten().filter(stays).collect();
    let first = first(&init, init_first, proxies);
    init.iter().take(first).map(|container| container.name.as_ref()).collect()
}

/// Where among the init containers one of ours that is missing is placed. What fetches first comes
/// first, and beside the one of ours that is there.
fn first(init: &[&Container<'_>], init_first: InitFirst, proxies: &[String]) -> usize {
    let at = |name: &str| init.iter().position(|container| container.name == *name);
    match (at(INIT_CONTAINER), at(SIDECAR)) {
        (Some(index), _) => index + 1,
        (None, Some(index)) => index,
        (None, None) => match init_first {
            InitFirst::First => 0,
            InitFirst::Last => init.len(),
            InitFirst::Auto => behind_proxy(init, proxies),
        },
    }
}

/// Directly behind the last native mesh proxy: before it there may be no network.
fn behind_proxy(init: &[&Container<'_>], proxies: &[String]) -> usize {
    let is_proxy = |container: &&Container<'_>| {
        container.is_native_sidecar() && proxies.iter().any(|name| *name == container.name)
    };
    init.iter().rposition(is_proxy).map_or(0, |index| index + 1)
}

fn update(
    ours: &Ours,
    wanted: &container::Container<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    let mut new = overlay(&ours.value, serde_json::to_value(wanted)?);
    if let Some(container) = new.as_object_mut() {
        if !wanted.role.is_native_sidecar() {
            // As a sidecar an init container would hold nothing back, and a Pod would start without
            // its secrets.
            container.remove("restartPolicy");
        }
        // Of a probe nothing else is kept: a second handler would be refused, a delay hold a Pod back.
        let probe = wanted.startup_probe().map(serde_json::to_value).transpose()?;
        match (container.remove("startupProbe"), probe) {
            (Some(Value::Object(known)), Some(Value::Object(mut probe))) => {
                // By the API server, which adds it again.
                let usual = known.get("successThreshold").filter(|count| **count == 1);
                probe.extend(usual.map(|count| ("successThreshold".to_owned(), count.clone())));
                container.insert("startupProbe".to_owned(), Value::Object(probe));
            }
            (_, Some(probe)) => drop(container.insert("startupProbe".to_owned(), probe)),
            (_, None) => {}
        }
        if !wanted.has_ports() {
            // Of another mode, or of metrics that are wanted no more.
            container.remove("ports");
        }
        // Others would run what they like beside the token, or end us for ever.
        for field in ["lifecycle", "livenessProbe", "readinessProbe"] {
            container.remove(field);
        }
        if let Some(Value::Object(security)) = container.get_mut("securityContext") {
            security.remove("privileged");
        }
        if let Some(Value::Array(mounts)) = container.get_mut("volumeMounts") {
            // Left by an earlier call that wanted more of us.
            mounts.retain(|mount| {
                let name = text(mount, "name").unwrap_or_default();
                !container::VOLUMES.contains(&name) || wanted.mounts(name)
            });
            // What others mount must cover neither our program nor what it reads and writes.
            mounts.retain(|mount| {
                let (name, path) = (text(mount, "name"), text(mount, "mountPath"));
                wanted.mounts(name.unwrap_or_default())
                    || !wanted.is_reached_by(path.unwrap_or_default())
            });
        }
    }
    patch.difference(&format!("{}/{}", ours.list.pointer(), ours.index), &ours.value, &new)
}
