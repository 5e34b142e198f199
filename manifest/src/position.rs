//! On which line of a text a line of a scalar's value stands.

use crate::document::Document;
use crate::node::{Node, NodeContent, Style};

impl Document<'_> {
    /// The line of the text where the value of a scalar of this document has the line `line`,
    /// which is counted from 1.
    #[must_use]
    pub fn line_within(&self, node: &Node<'_>, line: usize) -> usize {
        let node = node.target();
        let NodeContent::Scalar { text: value, style, .. } = &node.content else {
            return node.line;
        };
        if *style == Style::Literal {
            // The node begins at its first line that is not blank.
            let blank = value.len() - value.trim_start_matches('\n').len();
            return (node.line + line).saturating_sub(1 + blank).max(1);
        }
        let skipped = value.split_inclusive('\n').take(line.saturating_sub(1));
        let wanted: usize = skipped.map(str::len).sum();
        // Line breaks fold here: look for each source line in the value until it reaches far enough.
        let source = self.text.get(node.span.clone()).unwrap_or_default();
        let mut at = 0;
        let mut found = node.line;
        for (number, piece) in source.lines().enumerate() {
            let piece = piece.trim().trim_matches(['"', '\'']);
            let rest = value.get(at..).unwrap_or_default();
            let Some(offset) = rest.find(piece).filter(|_| !piece.is_empty()) else { continue };
            if at + offset > wanted {
                break;
            }
            found = node.line + number;
            at += offset + piece.len();
        }
        found
    }
}
