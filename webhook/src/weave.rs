//! How the wish becomes a patch of this very Pod: what is missing is added, what is there and ours
//! is set, what others added stays. Found by name, never by a remembered place.

mod affinity;
mod containers;
mod environment;
mod mounts;
mod target;

use serde_json::{Map, Value};

pub(crate) use self::containers::early;
use crate::container::{AGENT_VOLUME, ENVIRONMENT_VOLUME};
use crate::inject::Wish;
use crate::patch::Patch;
use crate::pod::Pod;
use crate::present::Present;

pub(crate) fn patch(
    pod: &Pod<'_>,
    present: &Present,
    wish: &Wish<'_>,
) -> serde_json::Result<Patch> {
    let mut patch = Patch::default();
    // Our containers come last: adding them moves the others in their list.
    mounts::weave(pod, wish, &mut patch)?;
    environment::weave(pod, wish, &mut patch)?;
    affinity::weave(pod, wish, &mut patch)?;
    volumes(pod, present, wish, &mut patch)?;
    containers::weave(pod, present, wish, &mut patch)?;
    let status = pod.metadata.annotations.ours.iter().find(|(key, _)| key == "status");
    if status.is_none_or(|(_, value)| *value != wish.status) {
        patch.add("/metadata/annotations/kms.alibabacloud~1status".to_owned(), &wish.status)?;
    }
    Ok(patch)
}

fn volumes(
    pod: &Pod<'_>,
    present: &Present,
    wish: &Wish<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    if pod.spec.volumes.is_none() {
        return patch.add("/spec/volumes".to_owned(), &wish.volumes);
    }
    for volume in &wish.volumes {
        let known = present
            .volumes
            .iter()
            .find(|(_, known)| known.get("name").and_then(Value::as_str) == Some(volume.name));
        match known {
            Some((index, known)) => {
                let wanted = serde_json::to_value(volume)?;
                // A volume has one kind: what others may add stands inside it, not beside it.
                let same_kind = wanted.as_object().is_some_and(|wanted| {
                    known.as_object().is_some_and(|known| {
                        known.len() == wanted.len()
                            && wanted.keys().all(|key| known.contains_key(key))
                    })
                });
                let new = if same_kind { overlay(known, wanted) } else { wanted };
                patch.difference(&format!("/spec/volumes/{index}"), known, &new)?;
            }
            None => patch.add("/spec/volumes/-".to_owned(), volume)?,
        }
    }
    // Of an earlier call that wanted more; from behind, and what was added stands behind all of them.
    for (index, known) in present.volumes.iter().rev() {
        let name = known.get("name").and_then(Value::as_str).unwrap_or_default();
        let kept = wish.volumes.iter().any(|volume| volume.name == name);
        if [ENVIRONMENT_VOLUME, AGENT_VOLUME].contains(&name) && !kept {
            patch.remove(format!("/spec/volumes/{index}"));
        }
    }
    Ok(())
}

/// `known` with every field of `wanted` set; fields that only `known` has stay.
fn overlay(known: &Value, wanted: Value) -> Value {
    match (known, wanted) {
        (Value::Object(known), Value::Object(wanted)) => {
            let mut merged = known.clone();
            for (key, value) in wanted {
                let value = match (known.get(&key), key.as_str()) {
                    (Some(Value::Array(known)), "env" | "volumeMounts") => named(known, value),
                    // Lists of capabilities are not ours to share.
                    (_, "capabilities") | (None, _) => value,
                    (Some(known), _) => overlay(known, value),
                };
                merged.insert(key, value);
            }
            Value::Object(merged)
        }
        (_, wanted) => wanted,
    }
}

/// Entries of `wanted` in the place of entries with their name, others as they are. A second entry
/// of one of these names, or one at the same path, would win over ours and goes.
fn named(known: &[Value], wanted: Value) -> Value {
    let Value::Array(wanted) = wanted else { return wanted };
    let mut rest = wanted;
    let mut merged = Vec::with_capacity(known.len() + rest.len());
    let paths: Vec<String> =
        rest.iter().filter_map(|entry| text(entry, "mountPath").map(str::to_owned)).collect();
    let names: Vec<String> =
        rest.iter().filter_map(|entry| text(entry, "name").map(str::to_owned)).collect();
    for entry in known {
        let name = text(entry, "name").unwrap_or_default();
        if let Some(at) = rest.iter().position(|wanted| text(wanted, "name") == Some(name)) {
            let wanted = rest.remove(at);
            merged.push(replaced(entry, wanted));
            continue;
        }
        let path = text(entry, "mountPath").unwrap_or_default();
        if !names.iter().any(|taken| taken == name) && !paths.iter().any(|taken| taken == path) {
            merged.push(entry.clone());
        }
    }
    merged.extend(rest);
    Value::Array(merged)
}

/// `wanted`, without the ways in which `entry` could say something else.
fn replaced(entry: &Value, wanted: Value) -> Value {
    let mut merged = entry.as_object().cloned().unwrap_or_else(Map::new);
    if let Value::Object(wanted) = wanted {
        for key in ["valueFrom", "readOnly", "subPath", "subPathExpr"] {
            if !wanted.contains_key(key) {
                merged.remove(key);
            }
        }
        merged.extend(wanted);
    }
    Value::Object(merged)
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}
