//! Reads a text of YAML or JSON documents. What a document would be with its aliases written out
//! is bounded, so that a small file cannot grow.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::builder::{Builder, MAX_NODES};
use crate::stream::Stream;

/// All documents of a text, with what is wrong with those that cannot be read.
#[must_use]
pub fn read(text: &str) -> Stream<'_> {
    let mut stream = Stream { text, ..Stream::default() };
    let (mut nodes, mut lines) = (0, 0);
    for piece in pieces(text) {
        let content = text.get(piece.clone()).unwrap_or_default();
        nodes = Builder::new(content, piece.start, lines, nodes).run(&mut stream);
        lines += content.matches('\n').count();
        if nodes > MAX_NODES {
            break;
        }
    }
    if let Some(last) = stream.documents.last_mut() {
        last.region.end = text.len();
    }
    stream
}

/// JSON objects may follow each other without a separator, as kubectl allows; YAML has its own.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let whole = || vec![Range { start: 0, end: text.len() }];
    if !text.trim_start().starts_with('{') {
        return whole();
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    while let Some(object) = objects.next() {
        if object.is_err() {
            return whole();
        }
        pieces.push(start..objects.byte_offset());
        start = objects.byte_offset();
    }
    pieces
}
