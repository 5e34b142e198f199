//! Keys and labels that look like ours and are not: nothing happens for them, and nobody says so.

use manifest::Node;

use super::namespaces::{ENABLED, LABEL};
use super::workload::annotations;
use crate::problem::PREFIX;

/// What the label of a Pod says that is to be left alone.
const DISABLED: &str = "disabled";

/// Words about the metadata of a Pod, of its template, or of what is around it, each with its line.
pub(super) fn in_metadata(metadata: &Node<'_>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (key, _) in annotations(metadata) {
        let Some(name) = key.scalar() else { continue };
        if let Some(meant) = meant(name) {
            let what = format!(
                "annotation {name}: it means nothing here, and nothing is injected for it; did you mean {meant}?"
            );
            found.push((key.line(), what));
        }
    }
    for (key, value) in labels(metadata) {
        let Some(name) = key.scalar() else { continue };
        let text = value.scalar().unwrap_or_default();
        let what = if name == LABEL {
            match text {
                ENABLED | DISABLED => continue,
                _ => format!(
                    "label {LABEL}: {text:.64} opts nothing out; write {DISABLED} on a Pod that is to be left alone"
                ),
            }
        } else if name.starts_with(PREFIX) {
            format!("label {name}: labels mean nothing here; write it as an annotation")
        } else if let Some(meant) = meant(name) {
            format!("label {name}: it means nothing here; did you mean {meant}?")
        } else {
            continue;
        };
        found.push((key.line(), what));
    }
    found
}

/// Words about the label of a Namespace.
pub(super) fn in_namespace(metadata: &Node<'_>) -> Option<(usize, String)> {
    let (key, value) = labels(metadata).find(|(key, _)| {
        key.scalar().is_some_and(|name| name == LABEL || meant(name).as_deref() == Some(LABEL))
    })?;
    let (name, text) = (key.scalar().unwrap_or_default(), value.scalar().unwrap_or_default());
    let is_known = name == LABEL && [ENABLED, DISABLED].contains(&text);
    (!is_known).then(|| {
        let what = format!(
            "label {name}: {text:.64} opts nothing in; write {LABEL}: {ENABLED} for Pods to be injected"
        );
        (key.line(), what)
    })
}

/// The key of ours that somebody meant who wrote another domain.
fn meant(key: &str) -> Option<String> {
    let (domain, name) = key.split_once('/')?;
    let lower = domain.to_ascii_lowercase();
    let is_ours = format!("{domain}/") == PREFIX;
    let is_near = lower.contains("kms")
        && ["alibaba", "aliyun", "alicloud"].iter().any(|cloud| lower.contains(cloud));
    (!is_ours && is_near).then(|| format!("{PREFIX}{name}"))
}

fn labels<'d>(metadata: &'d Node<'d>) -> impl Iterator<Item = (&'d Node<'d>, &'d Node<'d>)> {
    metadata.field("labels").into_iter().flat_map(Node::pairs)
}
