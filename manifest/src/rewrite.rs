//! The text of a document whose value has changed: edited in place where that gives the value
//! that is meant, written anew where it does not. Proved by reading the result.

use serde_json::Value;

use crate::block;
use crate::document::Document;
use crate::flow;
use crate::layout::Layout;
use crate::lines::line_start;
use crate::reader::read;
use crate::splice::splice;
use crate::stream::Stream;

/// A document's new part of the text.
#[derive(Debug)]
pub struct Rewritten {
    text: String,
    /// Written anew: aliases are written out, and comments within the document are lost.
    pub anew: bool,
}

impl Document<'_> {
    /// The document with the value `after`, or `None` if no text was found that reads as that value.
    #[must_use]
    pub fn rewrite(&self, after: &Value) -> Option<Rewritten> {
        let layout = Layout::of(self.text, &self.root);
        let (region, before) = (self.region.clone(), self.root.value());
        let spliced = splice(self.text, region, &self.root, &layout, &before, after);
        if let Some(text) = spliced.filter(|text| reads_as(text, after)) {
            return Some(Rewritten { text, anew: false });
        }
        let text = self.anew(&layout, after).filter(|text| reads_as(text, after))?;
        Some(Rewritten { text, anew: true })
    }

    fn anew(&self, layout: &Layout, after: &Value) -> Option<String> {
        let Self { text, region, root } = self;
        let (start, content) = if root.is_block() {
            let mut content = block::node(after, layout).join(layout.newline);
            content.push_str(layout.newline);
            (line_start(text, root.span.start), content)
        } else {
            (root.span.start, flow::value(after, layout, ""))
        };
        let rest = text.get(root.span.end..region.end)?;
        // Of the last line nothing remains but what divides documents.
        let rest = if root.is_block() && !text.get(..root.span.end)?.ends_with('\n') {
            rest.split_once('\n').map_or("", |(_, rest)| rest)
        } else {
            rest
        };
        Some([text.get(region.start..start)?, &content, rest].concat())
    }
}

impl Stream<'_> {
    /// The text with documents rewritten: one place in `rewritten` for each of them, in order.
    #[must_use]
    pub fn text_with(&self, rewritten: &[Option<Rewritten>]) -> String {
        let mut output = String::with_capacity(self.text.len());
        let mut at = 0;
        for (document, rewritten) in self.documents.iter().zip(rewritten) {
            let Some(rewritten) = rewritten else { continue };
            output.push_str(self.text.get(at..document.region.start).unwrap_or_default());
            output.push_str(&rewritten.text);
            at = document.region.end;
        }
        output.push_str(self.text.get(at..).unwrap_or_default());
        output
    }
}

fn reads_as(text: &str, wanted: &Value) -> bool {
    let stream = read(text);
    match stream.documents.as_slice() {
        [document] => stream.unreadable.is_empty() && document.root.value() == *wanted,
        _ => false,
    }
}
