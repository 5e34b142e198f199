//! A document's tree as the JSON value that the API server would get.

use serde_json::{Map, Value};

use crate::node::{Node, NodeContent};

impl Node<'_> {
    /// Aliases and merge keys written out. Bounded, because the tree's height and size are.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.content {
            NodeContent::Scalar { text, value, .. } => value.json(text),
            NodeContent::Alias(target) => target.value(),
            NodeContent::Sequence { items, .. } => items.iter().map(|item| item.value()).collect(),
            NodeContent::Mapping { entries, .. } => {
                let mut map = Map::new();
                for entry in entries.iter().filter(|entry| !entry.merges()) {
                    map.insert(entry.name().into_owned(), entry.value.value());
                }
                // The first of a name wins.
                let merging = entries.iter().filter(|entry| entry.merges());
                for mapping in merging.flat_map(|entry| entry.merged()) {
                    if let Value::Object(fields) = mapping.value() {
                        for (name, field) in fields {
                            map.entry(name).or_insert(field);
                        }
                    }
                }
                Value::Object(map)
            }
        }
    }
}
