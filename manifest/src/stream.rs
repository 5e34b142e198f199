//! The documents of one text, and texts put one behind the other.

use crate::document::Document;
use crate::unreadable::Unreadable;

#[derive(Debug, Default)]
pub struct Stream<'a> {
    pub(crate) text: &'a str,
    /// Those that can be read.
    pub documents: Vec<Document<'a>>,
    /// Why others cannot. The documents around them may end elsewhere than it seems.
    pub unreadable: Vec<Unreadable>,
}

/// Puts the documents of a text behind those of another.
pub fn append(output: &mut String, text: &str) {
    if !output.is_empty() {
        if !output.ends_with('\n') {
            output.push('\n');
        }
        // JSON objects need nothing between them, and JSON readers understand nothing there.
        let json = |text: &str| text.trim_start().starts_with('{');
        let divided = text.starts_with("---") || (json(output) && json(text));
        if !divided {
            output.push_str("---\n");
        }
    }
    output.push_str(text);
}
