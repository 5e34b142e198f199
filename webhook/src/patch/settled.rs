//! A container of ours that is there becomes the one that we would add. Others may have made it
//! stricter or larger, and the API server writes defaults: those stay. Everything else goes, so that a
//! field that a later Kubernetes adds goes too.

use serde_json::{Map, Value};

use super::amounts;
use crate::patch::fetcher_container::FetcherContainer;
use crate::patch::volume::Volume;
use crate::settings::image::is_mirrored;

pub(super) fn container(known: &Value, wanted: &FetcherContainer<'_>) -> serde_json::Result<Value> {
    let mut settled = serde_json::to_value(wanted)?;
    if let (Value::Object(settled), Value::Object(known)) = (&mut settled, known) {
        for (field, known) in known {
            if let Some(kept) = kept(field, known, settled.get(field), wanted) {
                settled.insert(field.clone(), kept);
            }
        }
    }
    Ok(settled)
}

/// What a field of ours becomes where others have set it, if that is not simply ours.
fn kept(
    field: &str,
    known: &Value,
    ours: Option<&Value>,
    wanted: &FetcherContainer<'_>,
) -> Option<Value> {
    let unchanged = |holds: bool| holds.then(|| known.clone());
    match field {
        "image" => unchanged(is_mirrored(known.as_str()?, wanted.image, wanted.mirrors)),
        "imagePullPolicy" => {
            // An admission plugin wants it of every container. Without a policy of the operator's
            // the API server chooses one of the two by the image's tag.
            unchanged(known == "Always" || (ours.is_none() && known == "IfNotPresent"))
        }
        "resources" => Some(amounts::settled(known, wanted.resources)),
        "securityContext" => Some(security(known, ours?, wanted.platform_assigns_user)),
        "startupProbe" => Some(with_default(known, ours?, "successThreshold", &Value::from(1))),
        "terminationMessagePath" => unchanged(known == "/dev/termination-log"),
        // Resizing adds this policy by itself; any other would restart the fetcher.
        "resizePolicy" => unchanged(known.as_array()?.iter().all(|policy| {
            policy.get("restartPolicy").and_then(Value::as_str) == Some("NotRequired")
        })),
        _ => None,
    }
}

/// Where the platform assigns users, it also assigns the category that keeps containers apart.
fn security(known: &Value, ours: &Value, platform_assigns_user: bool) -> Value {
    let mut settled = with_default(known, ours, "procMount", &Value::from("Default"));
    if let (true, Value::Object(settled)) = (platform_assigns_user, &mut settled) {
        let user = known.get("runAsUser").filter(|user| user.as_u64().is_some_and(|uid| uid > 0));
        if let Some(user) = user {
            settled.entry("runAsUser").or_insert_with(|| user.clone());
        }
        let level = known.pointer("/seLinuxOptions/level").filter(|level| level.is_string());
        if let Some(level) = level {
            let options = Map::from_iter([("level".to_owned(), level.clone())]);
            settled.insert("seLinuxOptions".to_owned(), Value::Object(options));
        }
    }
    settled
}

/// A volume of ours, with the modes that the API server writes.
pub(super) fn volume(known: &Value, wanted: &Volume<'_>) -> serde_json::Result<Value> {
    let mut settled = serde_json::to_value(wanted)?;
    if let Some(field) = wanted.field_of_modes()
        && let (Some(known), Some(ours)) = (known.get(field), settled.get_mut(field))
    {
        *ours = with_default(known, ours, "defaultMode", &Value::from(0o644));
    }
    Ok(settled)
}

/// `ours`, and the API server's default of a field if that is there.
fn with_default(known: &Value, ours: &Value, field: &str, default: &Value) -> Value {
    let mut settled = ours.clone();
    if let (true, Value::Object(settled)) = (known.get(field) == Some(default), &mut settled) {
        settled.insert(field.to_owned(), default.clone());
    }
    settled
}
