//! Values within brackets, as YAML and JSON have them.

use std::fmt::Write as _;

use serde_json::Value;

use crate::layout::{Flow, Layout};

/// A value within brackets; `base` is the indentation of the line that it begins on.
pub(crate) fn value(value: &Value, layout: &Layout, base: &str) -> String {
    let mut out = String::new();
    write(value, layout, base, &mut out);
    out
}

/// `"key": value` within brackets.
pub(crate) fn entry(key: &str, value: &Value, layout: &Layout, base: &str) -> String {
    let mut out = String::new();
    write_entry(key, value, layout, base, &mut out);
    out
}

fn write_entry(key: &str, value: &Value, layout: &Layout, base: &str, out: &mut String) {
    // Writing to a String does not fail.
    let _ = write!(out, "{}", Value::from(key));
    out.push_str(if layout.flow == Flow::Dense { ":" } else { ": " });
    write(value, layout, base, out);
}

fn write(value: &Value, layout: &Layout, base: &str, out: &mut String) {
    let parts: Vec<(Option<&str>, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (Some(key.as_str()), value)).collect(),
        Value::Array(items) => items.iter().map(|value| (None, value)).collect(),
        _ => Vec::new(),
    };
    let (open, close) = match value {
        Value::Object(_) => ('{', '}'),
        Value::Array(_) => ('[', ']'),
        _ => {
            let _ = write!(out, "{value}");
            return;
        }
    };
    let inner = match &layout.flow {
        Flow::Lines(unit) if !parts.is_empty() => Some(format!("{base}{unit}")),
        _ => None,
    };
    out.push(open);
    for (index, (key, value)) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(if layout.flow == Flow::Spaced { ", " } else { "," });
        }
        if let Some(inner) = &inner {
            out.push_str(layout.newline);
            out.push_str(inner);
        }
        let base = inner.as_deref().unwrap_or(base);
        match key {
            Some(key) => write_entry(key, value, layout, base, out),
            None => write(value, layout, base, out),
        }
    }
    if inner.is_some() {
        out.push_str(layout.newline);
        out.push_str(base);
    }
    out.push(close);
}
