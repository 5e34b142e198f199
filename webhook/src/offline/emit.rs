//! Writes JSON values as YAML or JSON text. Strings that could be read as something else are
//! quoted; strings of several lines become literal blocks.

use std::fmt::Write as _;

use serde_json::Value;

use super::scalar::Scalar;
use super::style::{Flow, Style};

/// `key: value` as the lines of a block mapping, not indented.
pub(super) fn entry(key: &str, value: &Value, style: &Style) -> Vec<String> {
    let key = text(key);
    match body(value, style) {
        Body::Inline(value) => vec![format!("{key}: {value}")],
        Body::Block { header, indent, lines } => {
            let mut all = vec![format!("{key}:{header}")];
            all.extend(indented(lines, &" ".repeat(indent)));
            all
        }
    }
}

/// `- value` as the lines of a block list, not indented.
pub(super) fn item(value: &Value, style: &Style) -> Vec<String> {
    let lines = node(value, style);
    let mut first = "- ";
    let lines = lines.into_iter().map(|line| {
        let prefix = std::mem::replace(&mut first, "  ");
        if line.is_empty() { line } else { format!("{prefix}{line}") }
    });
    lines.collect()
}

/// A value as lines that begin at the column of the value.
pub(super) fn node(value: &Value, style: &Style) -> Vec<String> {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().flat_map(|(key, value)| entry(key, value, style)).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().flat_map(|value| item(value, style)).collect()
        }
        _ => match body(value, style) {
            Body::Inline(text) => vec![text],
            Body::Block { header, indent, lines } => {
                let mut all = vec![header.trim_start().to_owned()];
                all.extend(indented(lines, &" ".repeat(indent)));
                all
            }
        },
    }
}

/// How a value stands behind its key.
pub(super) enum Body {
    /// On the key's line.
    Inline(String),
    /// On lines below it, indented from the key; the header stands behind the colon.
    Block { header: &'static str, indent: usize, lines: Vec<String> },
}

pub(super) fn body(value: &Value, style: &Style) -> Body {
    match value {
        Value::Object(map) if !map.is_empty() => {
            Body::Block { header: "", indent: style.indent, lines: node(value, style) }
        }
        Value::Array(items) if !items.is_empty() => {
            Body::Block { header: "", indent: style.dash, lines: node(value, style) }
        }
        Value::String(content) => match literal(content) {
            Some((header, lines)) => Body::Block { header, indent: style.indent, lines },
            None => Body::Inline(text(content)),
        },
        _ => Body::Inline(value.to_string()),
    }
}

pub(super) fn indented(lines: Vec<String>, by: &str) -> impl Iterator<Item = String> {
    lines.into_iter().map(move |line| if line.is_empty() { line } else { format!("{by}{line}") })
}

/// A string of several lines as a literal block, where nothing in it needs an escape.
fn literal(content: &str) -> Option<(&'static str, Vec<String>)> {
    if !content.contains('\n') || content.starts_with(['\n', ' ', '\t']) {
        return None;
    }
    let awkward = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    if content.contains(awkward) {
        return None;
    }
    let (header, lines) = match content.strip_suffix('\n') {
        None => (" |-", content),
        Some(rest) if rest.ends_with('\n') => (" |+", rest),
        Some(rest) => (" |", rest),
    };
    let lines: Vec<_> = lines.split('\n').map(ToOwned::to_owned).collect();
    // A line of spaces alone could be taken for indentation.
    let blank = |line: &String| !line.is_empty() && line.trim().is_empty();
    (!lines.iter().any(blank)).then_some((header, lines))
}

/// A string on one line: as it is where nothing can take it for anything else.
fn text(content: &str) -> String {
    let simple = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '@');
    let colons = !content.ends_with(':') && content.chars().all(|c| simple(c) || c == ':');
    let first = content.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.'));
    // Digits with colons or dashes were times and dates in YAML 1.1.
    let date = content.starts_with(|c: char| c.is_ascii_digit()) && content.contains([':', '-']);
    if first && colons && !date && Scalar::plain(content) == Scalar::Text {
        return content.to_owned();
    }
    let double = Value::from(content).to_string();
    let escaped = double.contains('\\') && !content.contains(|c: char| c.is_control() || c == '\'');
    if escaped { format!("'{content}'") } else { double }
}

/// A value within brackets; `base` is the indentation of the line that it begins on.
pub(super) fn flow(value: &Value, style: &Style, base: &str) -> String {
    let mut out = String::new();
    write(value, style, base, &mut out);
    out
}

/// `"key": value` within brackets.
pub(super) fn flow_entry(key: &str, value: &Value, style: &Style, base: &str) -> String {
    let colon = if style.flow == Flow::Dense { ":" } else { ": " };
    format!("{}{colon}{}", Value::from(key), flow(value, style, base))
}

fn write(value: &Value, style: &Style, base: &str, out: &mut String) {
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
    let inner = match &style.flow {
        Flow::Lines(unit) if !parts.is_empty() => Some(format!("{base}{unit}")),
        _ => None,
    };
    out.push(open);
    for (index, (key, value)) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(if style.flow == Flow::Spaced { ", " } else { "," });
        }
        if let Some(inner) = &inner {
            out.push_str(style.newline);
            out.push_str(inner);
        }
        let base = inner.as_deref().unwrap_or(base);
        match key {
            Some(key) => out.push_str(&flow_entry(key, value, style, base)),
            None => write(value, style, base, out),
        }
    }
    if inner.is_some() {
        out.push_str(style.newline);
        out.push_str(base);
    }
    out.push(close);
}
