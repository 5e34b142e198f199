//! How a document is laid out, so that what is added looks like the rest.

use super::node::{Content, Node};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) newline: &'static str,
    /// Columns from a mapping's keys to the keys of a mapping below it.
    pub(super) indent: usize,
    /// Columns from a mapping's keys to the dashes of a list below it.
    pub(super) dash: usize,
    pub(super) flow: Flow,
}

/// What is within brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// `{"a":1,"b":2}`
    Dense,
    /// `{"a": 1, "b": 2}`
    Spaced,
    /// Each value on a line of its own; the indentation of one level.
    Lines(String),
}

impl Style {
    pub(super) fn of(text: &str, root: &Node<'_>) -> Self {
        let newline = match text.find('\n') {
            Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
            _ => "\n",
        };
        let flow = match &root.content {
            Content::Mapping { entries, flow: true } => {
                entries.first().map_or(Flow::Spaced, |entry| {
                    let end = entry.value.span.start;
                    inner(text, entry.key.span.start, entry.key.span.end, end)
                })
            }
            _ => Flow::Spaced,
        };
        let mut style = Self { newline, indent: 2, dash: 2, flow };
        let (mut indent, mut dash) = (None, None);
        survey(text, root, &mut indent, &mut dash);
        style.indent = indent.unwrap_or(style.indent);
        style.dash = dash.unwrap_or(style.dash);
        style
    }
}

/// The layout that the first entry of a JSON object shows.
fn inner(text: &str, key_start: usize, key_end: usize, value_start: usize) -> Flow {
    let before = leading(text, key_start);
    match before {
        Some(space) if line_start(text, key_start) > 0 && !space.is_empty() => {
            Flow::Lines(space.to_owned())
        }
        _ if text.get(key_end..value_start) == Some(":") => Flow::Dense,
        _ => Flow::Spaced,
    }
}

/// Looks for the first nested mapping and the first list below a mapping.
fn survey(text: &str, node: &Node<'_>, indent: &mut Option<usize>, dash: &mut Option<usize>) {
    if indent.is_some() && dash.is_some() {
        return;
    }
    match &node.content {
        Content::Mapping { entries, flow: false } => {
            for entry in entries {
                match &entry.value.content {
                    Content::Mapping { flow: false, .. } if indent.is_none() => {
                        *indent = entry.value.column.checked_sub(node.column).filter(|by| *by > 0);
                    }
                    Content::Sequence { items, flow: false } if dash.is_none() => {
                        let first = items.first().and_then(|item| dash_column(text, item));
                        *dash = first.and_then(|column| column.checked_sub(node.column));
                    }
                    _ => {}
                }
                survey(text, &entry.value, indent, dash);
            }
        }
        Content::Sequence { items, flow: false } => {
            for item in items {
                survey(text, item, indent, dash);
            }
        }
        _ => {}
    }
}

/// Columns before an item's dash, where the dash is the first thing on the item's line.
pub(super) fn dash_column(text: &str, item: &Node<'_>) -> Option<usize> {
    dash_line(text, item).map(|(_, column)| column)
}

/// Where the line of an item's dash begins, and the columns before the dash.
pub(super) fn dash_line(text: &str, item: &Node<'_>) -> Option<(usize, usize)> {
    let mut start = line_start(text, item.span.start);
    let mut before = text.get(start..item.span.start)?;
    // The item may stand on a line below its dash.
    while before.trim().is_empty() || before.trim_start().starts_with('#') {
        let end = start.checked_sub(1)?;
        start = line_start(text, end);
        before = text.get(start..end)?;
    }
    let bare = before.trim_start_matches(' ');
    let behind = bare.strip_prefix('-')?.trim();
    // Anchors, tags and comments may stand behind the dash; another dash is another list.
    let properties = behind.is_empty() || behind.starts_with(['&', '!', '#']);
    properties.then(|| (start, before.len() - bare.len()))
}

/// Where the line of this byte begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// What stands before this byte on its line, if it is nothing but space.
pub(super) fn leading(text: &str, at: usize) -> Option<&str> {
    let before = text.get(line_start(text, at)..at)?;
    before.chars().all(|c| c == ' ' || c == '\t').then_some(before)
}

/// The space at the beginning of this byte's line.
pub(super) fn indentation(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    let content = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - content.len()).unwrap_or_default()
}
