//! A document's tree as the JSON value that the API server would get.

use serde_json::{Map, Value};

use super::node::{Content, Node};

/// Aliases and merge keys written out. Bounded, because the tree's height and size are.
pub(super) fn value(node: &Node<'_>) -> Value {
    match &node.content {
        Content::Scalar { text, value, .. } => value.json(text),
        Content::Alias(target) => value(target),
        Content::Sequence { items, .. } => items.iter().map(|item| value(item)).collect(),
        Content::Mapping { entries, .. } => {
            let mut map = Map::new();
            for entry in entries.iter().filter(|entry| !entry.merges()) {
                map.insert(entry.name().into_owned(), value(&entry.value));
            }
            for (name, merged) in merges(node) {
                map.entry(name).or_insert(merged);
            }
            Value::Object(map)
        }
    }
}

/// What merge keys bring into a mapping; the first of a name wins.
fn merges(node: &Node<'_>) -> Map<String, Value> {
    let mut map = Map::new();
    let entries = node.entries().unwrap_or_default();
    for mapping in entries.iter().filter(|entry| entry.merges()).flat_map(|entry| entry.merged()) {
        if let Value::Object(fields) = value(mapping) {
            for (name, field) in fields {
                map.entry(name).or_insert(field);
            }
        }
    }
    map
}
