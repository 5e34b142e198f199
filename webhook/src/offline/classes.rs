//! The SecretProviderClasses among the manifests, each with its place.

use std::collections::HashMap;

use manifest::{Document, Node, Stream};

use super::input::Manifest;
use super::workload::{WorkloadObject, objects};
use crate::class::Class;

#[derive(Debug, Default)]
pub(super) struct Classes<'s>(HashMap<(String, String), FoundClass<'s>>);

#[derive(Debug)]
pub(super) struct FoundClass<'s> {
    pub(super) class: Class,
    file: &'s str,
    document: &'s Document<'s>,
    node: &'s Node<'s>,
}

impl<'s> Classes<'s> {
    /// All that there are; those that name no namespace are in this one.
    pub(super) fn of(streams: &'s [(&'s Manifest, Stream<'s>)], namespace: &str) -> Self {
        let mut classes = Self::default();
        for (manifest, stream) in streams {
            for document in &stream.documents {
                let found = objects(document.root()).into_iter().filter(is_class);
                classes.0.extend(found.map(|object| {
                    let key =
                        (object.namespace.unwrap_or(namespace).to_owned(), object.name.to_owned());
                    let class = Class::read(&object.node.value().to_string());
                    let file = manifest.name.as_str();
                    (key, FoundClass { class, file, document, node: object.node })
                }));
            }
        }
        classes
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<&FoundClass<'s>> {
        self.0.get(&(namespace.to_owned(), name.to_owned()))
    }
}

impl FoundClass<'_> {
    /// The file and the line of a field, which is named by the way from `spec`, or of a line of its text.
    pub(super) fn position(&self, field: &str, line: Option<usize>) -> (&str, usize) {
        let (first, rest) = match field.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (field, None),
        };
        let spec = self.node.field("spec");
        let parent = match rest {
            Some(_) => spec.and_then(|spec| spec.field(first)),
            None => spec,
        };
        let name = rest.unwrap_or(first);
        let mut pairs = parent.into_iter().flat_map(Node::pairs);
        let line = match (pairs.find(|(key, _)| key.scalar() == Some(name)), line) {
            (Some((_, value)), Some(line)) => self.document.line_within(value, line),
            (Some((key, _)), None) => key.line(),
            (None, _) => parent.or(spec).unwrap_or(self.node).target().line(),
        };
        (self.file, line)
    }
}

fn is_class(object: &WorkloadObject<'_>) -> bool {
    let version = object.node.field("apiVersion").and_then(Node::scalar);
    let version = version.and_then(|text| text.strip_prefix("secrets-store.csi.x-k8s.io/"));
    object.kind == "SecretProviderClass" && matches!(version, Some("v1" | "v1alpha1"))
}
