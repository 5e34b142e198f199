//! Manifests as an API server receives them: YAML files read into JSON.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// All documents of a file.
pub fn read(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    parse(&text).with_context(|| format!("in {}", path.display()))
}

/// All documents of a text.
pub fn parse(text: &str) -> Result<Vec<Value>> {
    serde_saphyr::from_multiple(text).context("reading a manifest")
}

/// A file of `examples/`.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

pub fn of_kind<'v>(documents: &'v [Value], kind: &str) -> Option<&'v Value> {
    documents.iter().find(|document| document.get("kind").is_some_and(|found| found == kind))
}

/// The Pod itself, or the one that a workload's controller would create.
pub fn pod_of(document: &Value) -> Option<Value> {
    if document.get("kind")? == "Pod" {
        return Some(document.clone());
    }
    let template = document.pointer("/spec/template")?;
    let mut metadata =
        template.get("metadata").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    let name = document.pointer("/metadata/name")?.as_str()?;
    metadata.insert("generateName".to_owned(), json!(format!("{name}-")));
    if let Some(namespace) = namespace_of(document) {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    Some(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": template.get("spec")?,
    }))
}

pub fn namespace_of(document: &Value) -> Option<&str> {
    document.pointer("/metadata/namespace")?.as_str()
}

/// A container of a Pod, wherever it is.
pub fn container<'v>(pod: &'v Value, name: &str) -> Option<&'v Value> {
    ["/spec/initContainers", "/spec/containers"]
        .into_iter()
        .filter_map(|list| pod.pointer(list)?.as_array())
        .flatten()
        .find(|container| container.get("name").is_some_and(|found| found == name))
}
