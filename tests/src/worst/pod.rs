//! A Pod in the making, and the review of its creation.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What a filled Pod is made of.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// Without our prefix.
    pub annotations: BTreeMap<String, String>,
    /// Annotations of others.
    pub foreign: BTreeMap<String, String>,
    pub init: Vec<Value>,
    pub containers: Vec<Value>,
    pub volumes: Vec<Value>,
    /// Other fields of the spec.
    pub spec: Map<String, Value>,
}

/// A container that the author wrote, with a command, so that variables can be set.
pub(super) fn container(name: &str) -> Value {
    json!({"name": name, "image": "app:1", "command": ["/app"]})
}

impl Pod {
    pub fn annotate(&mut self, key: &str, value: impl Into<String>) {
        self.annotations.insert(key.to_owned(), value.into());
    }

    /// The first container, which is there by then.
    pub fn first(&mut self) -> &mut Map<String, Value> {
        if self.containers.is_empty() {
            self.containers.push(container("app"));
        }
        match self.containers.first_mut() {
            Some(Value::Object(first)) => first,
            _ => &mut self.spec,
        }
    }

    /// Adds to a list of the first container.
    pub fn extend(&mut self, list: &str, entries: impl Iterator<Item = Value>) {
        let known = self.first().entry(list.to_owned()).or_insert_with(|| json!([]));
        if let Value::Array(known) = known {
            known.extend(entries);
        }
    }

    /// The bytes that an API server would send.
    #[must_use]
    pub fn review(mut self) -> Vec<u8> {
        self.first();
        self.annotations
            .entry("role-arn".to_owned())
            .or_insert_with(|| "acs:ram::1234567890123456:role/app".to_owned());
        if !self.annotations.keys().any(|key| asks(key)) {
            self.annotate("secrets", "db: kms://shop/db");
        }
        let mut annotations = Map::new();
        for (key, value) in &self.annotations {
            annotations.insert(format!("kms.alibabacloud/{key}"), json!(value));
        }
        for (key, value) in &self.foreign {
            annotations.insert(key.clone(), json!(value));
        }
        let mut spec = self.spec;
        spec.insert("containers".to_owned(), self.containers.into());
        if !self.init.is_empty() {
            spec.insert("initContainers".to_owned(), self.init.into());
        }
        if !self.volumes.is_empty() {
            spec.insert("volumes".to_owned(), self.volumes.into());
        }
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "operation": "CREATE",
                "namespace": "shop",
                "object": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": "worst", "namespace": "shop", "annotations": annotations},
                    "spec": spec,
                },
            },
        });
        review.to_string().into_bytes()
    }
}

fn asks(key: &str) -> bool {
    ["secrets", "env", "template", "agent-secrets"].iter().any(|asks| key.starts_with(asks))
}
