//! Values as lines of YAML. Strings that could be read as something else are quoted; strings of
//! several lines become literal blocks.

use serde_json::Value;

use crate::layout::Layout;
use crate::scalar::Scalar;

/// `key: value` as the lines of a block mapping, not indented.
pub(crate) fn entry(key: &str, value: &Value, layout: &Layout) -> Vec<String> {
    let key = text(key);
    match body(value, layout) {
        ValueText::Inline(value) => vec![format!("{key}: {value}")],
        ValueText::Block { header, indent, lines } => {
            let mut all = vec![format!("{key}:{header}")];
            all.extend(indented(lines, &" ".repeat(indent)));
            all
        }
    }
}

/// `- value` as the lines of a block list, not indented.
pub(crate) fn item(value: &Value, layout: &Layout) -> Vec<String> {
    let lines = node(value, layout);
    let mut first = "- ";
    let lines = lines.into_iter().map(|line| {
        let prefix = std::mem::replace(&mut first, "  ");
        if line.is_empty() { line } else { format!("{prefix}{line}") }
    });
    lines.collect()
}

/// A value as lines that begin at the column of the value.
pub(crate) fn node(value: &Value, layout: &Layout) -> Vec<String> {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().flat_map(|(key, value)| entry(key, value, layout)).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().flat_map(|value| item(value, layout)).collect()
        }
        _ => match body(value, layout) {
            ValueText::Inline(text) => vec![text],
            ValueText::Block { header, indent, lines } => {
                let mut all = vec![header.trim_start().to_owned()];
                all.extend(indented(lines, &" ".repeat(indent)));
                all
            }
        },
    }
}

/// How a value stands behind its key.
pub(crate) enum ValueText {
    /// On the key's line.
    Inline(String),
    /// On lines below it, indented from the key; the header stands behind the colon.
    Block { header: &'static str, indent: usize, lines: Vec<String> },
}

pub(crate) fn body(value: &Value, layout: &Layout) -> ValueText {
    match value {
        Value::Object(map) if !map.is_empty() => {
            ValueText::Block { header: "", indent: layout.indent, lines: node(value, layout) }
        }
        Value::Array(items) if !items.is_empty() => {
            ValueText::Block { header: "", indent: layout.dash, lines: node(value, layout) }
        }
        Value::String(content) => match literal(content) {
            Some((header, lines)) => ValueText::Block { header, indent: layout.indent, lines },
            None => ValueText::Inline(text(content)),
        },
        _ => ValueText::Inline(value.to_string()),
    }
}

pub(crate) fn indented(lines: Vec<String>, by: &str) -> impl Iterator<Item = String> {
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
