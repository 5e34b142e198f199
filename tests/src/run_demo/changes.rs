//! What is new in a Pod, as YAML: the new lines, and enough around them to see where they are.

use serde_json::{Map, Value};

/// A line of a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Around(String),
    New(String),
}

/// What people look for first; the rest follows by name.
const FIRST: [&str; 8] =
    ["metadata", "name", "image", "command", "args", "env", "volumeMounts", "mountPath"];

/// A collection that fits is written in one line.
const SHORT: usize = 84;
/// Longer text is cut; its size is said instead.
const LONG: usize = 56;

pub(crate) fn changes(before: &Value, after: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    compare(before, after, 0, &mut lines);
    lines
}

fn compare(before: &Value, after: &Value, depth: usize, lines: &mut Vec<Line>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in ordered(after) {
                match before.get(key) {
                    Some(old) if old == value => {}
                    Some(old) if is_collection(old) && is_collection(value) => {
                        lines.push(Line::Around(format!("{}{key}:", indent(depth))));
                        compare(old, value, depth + 1, lines);
                    }
                    _ => lines.extend(entry(key, value, depth).into_iter().map(Line::New)),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for value in after.iter().filter(|value| !before.contains(value)) {
                match before.iter().find(|old| same_name(old, value)) {
                    Some(old) => {
                        let name = value.get("name").map(scalar).unwrap_or_default();
                        lines.push(Line::Around(format!("{}- name: {name}", indent(depth))));
                        compare(old, value, depth + 1, lines);
                    }
                    None => lines.extend(item(value, depth).into_iter().map(Line::New)),
                }
            }
        }
        _ => {}
    }
}

fn entry(key: &str, value: &Value, depth: usize) -> Vec<String> {
    let pad = indent(depth);
    if let Some(short) = in_one_line(value) {
        return vec![format!("{pad}{key}: {short}")];
    }
    let mut lines = vec![format!("{pad}{key}:")];
    match value {
        Value::Object(fields) => {
            lines.extend(ordered(fields).flat_map(|(key, value)| entry(key, value, depth + 1)));
        }
        Value::Array(items) => {
            lines.extend(items.iter().flat_map(|value| item(value, depth + 1)));
        }
        _ => {}
    }
    lines
}

fn item(value: &Value, depth: usize) -> Vec<String> {
    let pad = indent(depth);
    let (None, Value::Object(fields)) = (in_one_line(value), value) else {
        return vec![format!("{pad}- {}", in_one_line(value).unwrap_or_default())];
    };
    let lines = ordered(fields).flat_map(|(key, value)| entry(key, value, depth + 1));
    lines
        .enumerate()
        .map(|(index, line)| match line.trim_start() {
            first if index == 0 => format!("{pad}- {first}"),
            _ => line,
        })
        .collect()
}

/// In YAML's flow style; `None` where that would be too long.
fn in_one_line(value: &Value) -> Option<String> {
    let text = match value {
        Value::Object(fields) => {
            let fields: Option<Vec<_>> = ordered(fields)
                .map(|(key, value)| Some(format!("{key}: {}", in_one_line(value)?)))
                .collect();
            format!("{{{}}}", fields?.join(", "))
        }
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(in_one_line).collect();
            format!("[{}]", items?.join(", "))
        }
        other => return Some(scalar(other)),
    };
    (text.len() <= SHORT).then_some(text)
}

fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    if text.chars().count() > LONG {
        let start: String = text.chars().take(LONG).collect();
        return format!("'{start}… ({} bytes)'", text.len());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    let starts_plain = text.starts_with(|c: char| c.is_alphanumeric() || c == '/');
    if starts_plain && text.chars().all(plain) {
        return text.clone();
    }
    Value::from(text.as_str()).to_string()
}

fn ordered(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
    fields.into_iter()
}

fn same_name(one: &Value, other: &Value) -> bool {
    one.get("name").is_some_and(|name| Some(name) == other.get("name"))
}

fn is_collection(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_new_is_shown_with_the_way_to_it() {
        let before =
            json!({ "kind": "Pod", "spec": { "containers": [{ "name": "a" }, { "name": "b" }] } });
        let mut after = before.clone();
        after["spec"]["containers"][1]["volumeMounts"] = json!([{ "name": "v", "readOnly": true }]);
        after["spec"]["volumes"] = json!([{ "name": "v", "text": "x".repeat(100) }]);
        let around = |text: &str| Line::Around(text.to_owned());
        let new = |text: &str| Line::New(text.to_owned());
        assert_eq!(
            changes(&before, &after),
            [
                around("spec:"),
                around("  containers:"),
                around("    - name: b"),
                new("      volumeMounts: [{name: v, readOnly: true}]"),
                new("  volumes:"),
                new("    - name: v"),
                new(&format!("      text: '{}… (100 bytes)'", "x".repeat(56))),
            ]
        );
        assert_eq!(changes(&after, &after), []);
    }
}
