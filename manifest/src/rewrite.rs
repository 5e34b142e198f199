//! The text of a document whose value has changed: edited in place where that gives the value
//! that is meant, written anew where it does not. Proved by reading the result.

use serde_json::Value;

use crate::block;
use crate::builder::MAX_NODES;
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
    /// What is read of the text.
    value: Value,
    /// Written anew: aliases are written out, and comments within the document are lost.
    pub anew: bool,
}

/// Why no text has the other value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    #[error(
        "with what is added it would have more than a million values, the most that is read again; put its objects into several files"
    )]
    TooMany,
    #[error(
        "the document cannot be written again with the same meaning; write its aliases out and try again"
    )]
    Meaning,
}

impl Unwritable {
    fn of<'v>(values: impl Iterator<Item = &'v Value>) -> Self {
        if count(values.collect()) > MAX_NODES { Self::TooMany } else { Self::Meaning }
    }
}

/// As many as are read of these: keys are values too.
fn count(mut rest: Vec<&Value>) -> usize {
    let mut count: usize = 0;
    while let Some(value) = rest.pop() {
        count += 1;
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(members) => {
                count += members.len();
                rest.extend(members.values());
            }
            _ => {}
        }
    }
    count
}

impl Document<'_> {
    /// The document with another value, where a text is found that reads as that value.
    pub fn rewrite(&self, value: Value) -> Result<Rewritten, Unwritable> {
        let layout = Layout::of(self.text, &self.root);
        let (region, before) = (self.region.clone(), self.root.value());
        let spliced = splice(self.text, region, &self.root, &layout, &before, &value);
        if let Some(text) = spliced.filter(|text| reads_as(text, &value)) {
            return Ok(Rewritten { text, value, anew: false });
        }
        match self.anew(&layout, &value).filter(|text| reads_as(text, &value)) {
            Some(text) => Ok(Rewritten { text, value, anew: true }),
            None => Err(Unwritable::of([&value].into_iter())),
        }
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
        // Nothing of the last line remains but what divides documents.
        let rest = if root.is_block() && !text.get(..root.span.end)?.ends_with('\n') {
            rest.split_once('\n').map_or("", |(_, rest)| rest)
        } else {
            rest
        };
        Some([text.get(region.start..start)?, &content, rest].concat())
    }
}

impl Stream<'_> {
    /// The text with documents rewritten, one place in `rewritten` for each of them in order, where
    /// the documents that are meant are read from it.
    pub fn text_with(&self, rewritten: &[Option<Rewritten>]) -> Result<String, Unwritable> {
        self.spliced(rewritten).ok_or_else(|| {
            let before: Vec<Value> = self.documents.iter().map(|it| it.root.value()).collect();
            let after = rewritten.iter().map(|it| it.as_ref().map(|it| &it.value));
            let after = after.chain(std::iter::repeat(None));
            Unwritable::of(before.iter().zip(after).map(|(before, after)| after.unwrap_or(before)))
        })
    }

    fn spliced(&self, rewritten: &[Option<Rewritten>]) -> Option<String> {
        let mut output = String::with_capacity(self.text.len());
        let mut at = 0;
        for (document, rewritten) in self.documents.iter().zip(rewritten) {
            let Some(rewritten) = rewritten else { continue };
            output.push_str(self.text.get(at..document.region.start)?);
            output.push_str(&rewritten.text);
            at = document.region.end;
        }
        output.push_str(self.text.get(at..)?);
        let unchanged = rewritten.iter().all(Option::is_none);
        (unchanged || self.becomes(&output, rewritten)).then_some(output)
    }

    /// Each document could be read by itself, and yet not between its neighbours.
    fn becomes(&self, output: &str, rewritten: &[Option<Rewritten>]) -> bool {
        let again = read(output);
        let mut all = self.documents.iter().zip(rewritten).zip(&again.documents);
        again.unreadable.is_empty()
            && again.documents.len() == self.documents.len()
            && all.all(|((before, rewritten), after)| match rewritten {
                Some(rewritten) => rewritten.value == after.root.value(),
                None => before.root.value() == after.root.value(),
            })
    }
}

fn reads_as(text: &str, wanted: &Value) -> bool {
    let stream = read(text);
    match stream.documents.as_slice() {
        [document] => stream.unreadable.is_empty() && document.root.value() == *wanted,
        _ => false,
    }
}
