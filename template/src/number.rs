//! Numbers of JSON as they are written. What a machine's number would change keeps its own text.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};

/// A number that would be written otherwise if it were calculated with: very long, or `1e5`.
#[derive(Debug)]
pub(crate) struct Exact(String);

/// Stands before one while JSON is read. Whoever writes it into a secret has a number there.
const MARK: &str = "\u{10fffd}number ";

impl Object for Exact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Exact {
    /// The number that a marked text stands for.
    pub(crate) fn unmark(text: &str) -> Option<Self> {
        let number = text.strip_prefix(MARK)?;
        is_number(number).then(|| Self(number.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// For comparisons.
    pub(crate) fn approximately(&self) -> Value {
        Value::from(self.0.parse().unwrap_or(f64::NAN))
    }
}

/// Valid JSON with a marked text for each number that would not stay as it is.
pub(crate) fn mark(json: &str) -> Cow<'_, str> {
    let mut marked = String::new();
    let (mut copied, mut at) = (0, 0);
    let bytes = json.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = behind_text(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let is_part =
                    |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let length = bytes.iter().skip(at).take_while(is_part).count();
                let end = at + length;
                if let Some(number) = json.get(at..end).filter(|number| !stays(number)) {
                    marked.push_str(json.get(copied..at).unwrap_or_default());
                    marked.extend(["\"", MARK, number, "\""]);
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    marked.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(marked)
}

/// `at` is behind the quote that opens it.
fn behind_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn stays(number: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(number).is_ok_and(|read| read.to_string() == number)
}

fn is_number(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b".eE+-".contains(&byte);
    text.bytes().all(is_part) && serde_json::from_str::<serde_json::Number>(text).is_ok()
}
