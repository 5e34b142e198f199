//! How a document is laid out, so that what is added looks like the rest.

use crate::lines::{dash_line, leading, line_start};
use crate::node::{Node, NodeContent};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) newline: &'static str,
    /// Columns from a mapping's keys to the keys of a mapping below it.
    pub(crate) indent: usize,
    /// Columns from a mapping's keys to the dashes of a list below it.
    pub(crate) dash: usize,
    pub(crate) flow: Flow,
}

/// What is within brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// `{"a":1,"b":2}`
    Dense,
    /// `{"a": 1, "b": 2}`
    Spaced,
    /// Each value on a line of its own; the indentation of one level.
    Lines(String),
}

impl Layout {
    pub(crate) fn of(text: &str, root: &Node<'_>) -> Self {
        let newline = match text.find('\n') {
            Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
            _ => "\n",
        };
        let flow = match &root.content {
            NodeContent::Mapping { entries, flow: true } => {
                entries.first().map_or(Flow::Spaced, |entry| {
                    let end = entry.value.span.start;
                    inner(text, entry.key.span.start, entry.key.span.end, end)
                })
            }
            _ => Flow::Spaced,
        };
        let (mut indent, mut dash) = (None, None);
        survey(text, root, &mut indent, &mut dash);
        Self { newline, indent: indent.unwrap_or(2), dash: dash.unwrap_or(2), flow }
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
        NodeContent::Mapping { entries, flow: false } => {
            for entry in entries {
                match &entry.value.content {
                    NodeContent::Mapping { flow: false, .. } if indent.is_none() => {
                        *indent = entry.value.column.checked_sub(node.column).filter(|by| *by > 0);
                    }
                    NodeContent::Sequence { items, flow: false } if dash.is_none() => {
                        let first = items.first().and_then(|item| dash_line(text, item.span.start));
                        *dash = first.and_then(|(_, column)| column.checked_sub(node.column));
                    }
                    _ => {}
                }
                survey(text, &entry.value, indent, dash);
            }
        }
        NodeContent::Sequence { items, flow: false } => {
            for item in items {
                survey(text, item, indent, dash);
            }
        }
        _ => {}
    }
}
