//! The Namespaces among the manifests: only in those with our label does the webhook see Pods.

use std::collections::HashMap;

use manifest::Node;

use super::workload::WorkloadObject;

#[derive(Debug, Default)]
pub(super) struct Namespaces(HashMap<String, bool>);

impl Namespaces {
    /// Notes the object, if it is a Namespace.
    pub(super) fn note(&mut self, object: &WorkloadObject<'_>) {
        if object.kind != "Namespace" {
            return;
        }
        let labels = object.node.at(&["metadata", "labels"]);
        let label = labels.and_then(|labels| labels.field(LABEL)).and_then(Node::scalar);
        self.0.insert(object.name.to_owned(), label == Some(ENABLED));
    }

    /// Whether Pods of the namespace are injected; `None` for one that is not in the manifests.
    pub(super) fn opted_in(&self, namespace: &str) -> Option<bool> {
        self.0.get(namespace).copied()
    }
}

pub(super) const LABEL: &str = "kms.alibabacloud/injection";
pub(super) const ENABLED: &str = "enabled";
