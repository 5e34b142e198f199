//! Numbers of JSON as they are written. What a machine's number would change keeps its own text.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use zeroize::Zeroizing;

/// A number that would be written otherwise if it were calculated with: very long, or `1e5`.
#[derive(Debug)]
pub(crate) struct Exact(String);

/// Stands before each text while JSON is read, so that none is taken for a number.
const TEXT: char = 't';

/// Stands before each number, which is read as a text.
const NUMBER: char = 'n';

/// What a text of marked JSON was before.
pub(crate) enum Unmarked<'m> {
    Text(&'m str),
    Number(&'m str),
}

impl Object for Exact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    /// As another number.
    fn is_true(self: &Arc<Self>) -> bool {
        self.approximately().is_true()
    }
}

impl Exact {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// For comparisons.
    pub(crate) fn approximately(&self) -> Value {
        Value::from(self.0.parse().unwrap_or(f64::NAN))
    }
}

/// A number of JSON, as a machine's number if that is written the same way.
pub(crate) fn value(number: &str) -> Value {
    let read: Option<serde_json::Number> = serde_json::from_str(number).ok();
    match read.filter(|read| read.to_string() == number) {
        None => Value::from_object(Exact(number.to_owned())),
        Some(read) => match (read.as_u64(), read.as_i64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(read.as_f64().unwrap_or(f64::NAN)),
        },
    }
}

/// Valid JSON with every number as a text, and a mark before that and every other text.
pub(crate) fn mark(json: &str) -> Zeroizing<String> {
    // Nothing grows by more than a mark and two quotes for a number of one digit and its comma.
    let mut marked = Zeroizing::new(String::with_capacity(json.len() * 3 + 1));
    let mut rest = json;
    while let Some(start) = rest.find(|c: char| matches!(c, '"' | '-' | '0'..='9')) {
        let (before, from) = rest.split_at(start);
        marked.push_str(before);
        let (token, behind) = match from.strip_prefix('"') {
            Some(text) => text.split_at(text_length(text)),
            None => from.split_at(number_length(from)),
        };
        marked.extend(['"', if from.starts_with('"') { TEXT } else { NUMBER }]);
        marked.push_str(token);
        marked.push('"');
        rest = if from.starts_with('"') { behind.get(1..).unwrap_or_default() } else { behind };
    }
    marked.push_str(rest);
    marked
}

pub(crate) fn unmark(marked: &str) -> Unmarked<'_> {
    match marked.strip_prefix(NUMBER) {
        Some(number) => Unmarked::Number(number),
        None => Unmarked::Text(marked.strip_prefix(TEXT).unwrap_or(marked)),
    }
}

/// Up to the quote that ends it.
fn text_length(text: &str) -> usize {
    let mut is_escaped = false;
    let ends = |c: char| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    };
    text.find(ends).unwrap_or(text.len())
}

fn number_length(text: &str) -> usize {
    let is_part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}
