//! The text of a document whose value has changed: edited in place where that gives the value
//! that is meant, written anew where it does not. Proved by reading the result.

use serde_json::Value;

use super::document::{Document, read};
use super::emit;
use super::splice::splice;
use super::style::{Style, line_start};
use super::value::value;

/// A document's new part of the text.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) text: String,
    /// Written anew: aliases are written out, and comments within the document are lost.
    pub(super) anew: bool,
}

/// The document with the value `after`, or `None` if no text was found that reads as that value.
pub(super) fn rewrite(text: &str, document: &Document<'_>, after: &Value) -> Option<Rewritten> {
    let root = &document.root;
    let style = Style::of(text, root);
    let spliced = splice(text, document.region.clone(), root, &style, &value(root), after);
    if let Some(text) = spliced.filter(|text| reads_as(text, after)) {
        return Some(Rewritten { text, anew: false });
    }
    let text = anew(text, document, &style, after).filter(|text| reads_as(text, after))?;
    Some(Rewritten { text, anew: true })
}

fn reads_as(text: &str, wanted: &Value) -> bool {
    let stream = read(text);
    match stream.documents.as_slice() {
        [document] => stream.unreadable.is_empty() && value(&document.root) == *wanted,
        _ => false,
    }
}

fn anew(text: &str, document: &Document<'_>, style: &Style, after: &Value) -> Option<String> {
    let root = &document.root;
    let (start, content) = if root.is_block() {
        let mut content = emit::node(after, style).join(style.newline);
        content.push_str(style.newline);
        (line_start(text, root.span.start), content)
    } else {
        (root.span.start, emit::flow(after, style, ""))
    };
    let rest = text.get(root.span.end..document.region.end)?;
    // Of the last line nothing remains but what divides documents.
    let rest = if root.is_block() && !text.get(..root.span.end)?.ends_with('\n') {
        rest.split_once('\n').map_or("", |(_, rest)| rest)
    } else {
        rest
    };
    Some([text.get(document.region.start..start)?, &content, rest].concat())
}

#[cfg(test)]
mod tests;
