//! What containers need to get their variables: our program before their command, or entries that
//! the kubelet fills in; and the marker of the one that gets a signal. What an earlier call left
//! and this one does not want goes.

use std::collections::{HashMap, HashSet};

use plan::{ExecLine, VariableName};
use serde::Serialize;

use crate::patch::desired_pod::DesiredPod;
use crate::patch::desired_pod::{ContainerVariables, Method};
use crate::patch::json_patch::Patch;
use crate::patch::signal_marker::SignalMarker;
use crate::pod::{Container, Pod};
use plan::contract::ENVIRONMENT_VOLUME;

pub(super) fn apply(
    pod: &Pod<'_>,
    desired: &DesiredPod<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    for (list, index, container) in pod.foreign_containers() {
        let mut targets = desired.variables.iter();
        let target = targets.find(|target| (target.list, target.index) == (list, index));
        let path = format!("{}/{index}", list.pointer());
        command(container, target, &path, patch)?;
        let mark = SignalMarker::of(desired.signal_target, (list, index), container);
        variables(container, target, mark.as_ref(), &path, patch)?;
    }
    Ok(())
}

fn command(
    container: &Container<'_>,
    target: Option<&ContainerVariables>,
    path: &str,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    let known = container.command.as_deref().unwrap_or_default();
    let command = ExecLine::parse(known).map_or(known, |line| line.command);
    let wanted = match target {
        Some(target) if target.method == Method::Exec => {
            let (container, required) = (target.name.as_str(), target.required.join(","));
            let required = required.as_str();
            match &target.entrypoint {
                Some(command) => ExecLine { container, required, command }.to_args(),
                None => ExecLine { container, required, command }.to_args(),
            }
        }
        _ => command.iter().map(|word| word.as_ref().to_owned()).collect(),
    };
    if known.iter().map(AsRef::as_ref).ne(wanted.iter().map(String::as_str)) {
        let path = format!("{path}/command");
        match &container.command {
            Some(_) => patch.replace(path, &wanted)?,
            None => patch.add(path, &wanted)?,
        }
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvEntry<'a> {
    name: &'a str,
    value_from: ValueFrom<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueFrom<'a> {
    file_key_ref: FileKeyRef<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileKeyRef<'a> {
    volume_name: &'static str,
    path: String,
    key: &'a str,
}

fn variables(
    container: &Container<'_>,
    target: Option<&ContainerVariables>,
    mark: Option<&SignalMarker<'_>>,
    path: &str,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    let wanted: Vec<EnvEntry<'_>> = match target {
        Some(target) if target.method == Method::FileKeyRef => {
            target.variables.iter().map(|name| EnvEntry::new(target, name)).collect()
        }
        _ => Vec::new(),
    };
    let by_name: HashMap<&str, &EnvEntry<'_>> =
        wanted.iter().map(|entry| (entry.name, entry)).collect();
    let taken: HashSet<&str> = match target {
        Some(target) if target.method == Method::Exec => {
            target.required.iter().map(String::as_str).collect()
        }
        _ => HashSet::new(),
    };
    let known = container.env();
    let mut stale = Vec::new();
    let mut set: HashSet<&str> = HashSet::new();
    let mut marked = false;
    for (index, variable) in known.iter().enumerate() {
        match by_name.get(variable.name.as_ref()) {
            // The kubelet takes the last of two with one name.
            Some(entry) if !set.insert(entry.name) => stale.push(index),
            Some(entry) if entry.is(variable) => {}
            Some(entry) => patch.replace(format!("{path}/env/{index}"), entry)?,
            None if variable.is_signal_marker() => match mark.filter(|_| !marked) {
                Some(mark) => {
                    marked = true;
                    if !mark.is(variable) {
                        patch.replace(format!("{path}/env/{index}"), mark)?;
                    }
                }
                None => stale.push(index),
            },
            None if variable.is_secret() => stale.push(index),
            // The secret wins all the same: what the entry names must not keep the container from
            // starting, or lie on the node's disk.
            None if variable.is_of_an_object() && taken.contains(&*variable.name) => {
                stale.push(index);
            }
            None => {}
        }
    }
    for index in stale.iter().rev() {
        patch.remove(format!("{path}/env/{index}"));
    }
    let missing: Vec<&EnvEntry<'_>> =
        wanted.iter().filter(|entry| !set.contains(entry.name)).collect();
    let mark = mark.filter(|_| !marked);
    if container.env.is_none() && !(missing.is_empty() && mark.is_none()) {
        let values = missing.iter().map(serde_json::to_value);
        let values = values.chain(mark.map(serde_json::to_value));
        return patch.add(format!("{path}/env"), &values.collect::<Result<Vec<_>, _>>()?);
    }
    // In front, so that what refers to them stands behind them.
    for entry in missing.iter().rev() {
        patch.add(format!("{path}/env/0"), entry)?;
    }
    // Last, so that it stands before no variable that refers to another.
    mark.map_or(Ok(()), |mark| patch.add(format!("{path}/env/-"), mark))
}

impl<'a> EnvEntry<'a> {
    fn new(target: &ContainerVariables, name: &'a VariableName) -> Self {
        let path = plan::variable_file(&target.name, name);
        let volume_name = ENVIRONMENT_VOLUME;
        let file_key_ref = FileKeyRef { volume_name, path, key: name.as_str() };
        Self { name: name.as_str(), value_from: ValueFrom { file_key_ref } }
    }

    fn is(&self, variable: &crate::pod::Variable<'_>) -> bool {
        let from = variable.value_from.as_ref().and_then(|from| from.file_key_ref.as_ref());
        let wanted = &self.value_from.file_key_ref;
        variable.value.is_none()
            && from.is_some_and(|from| {
                from.volume_name == wanted.volume_name
                    && from.path == wanted.path
                    && from.key == wanted.key
                    && !from.optional
            })
    }
}
