//! A space before `#` makes a comment of a JMESPath, and a file of the whole secret.

use std::collections::HashSet;

use plan::{Reference, Selector};

use super::reader::Reader;
use super::secret_ref::SecretRef;

/// A comment that may be a JMESPath.
#[derive(Clone, Copy)]
pub(super) struct Comment<'t> {
    line: usize,
    source: &'t str,
    path: &'t str,
}

/// More are not looked at: each costs what an expression costs to read.
const MOST: usize = 32;

/// Comments of one word without a space before it, behind a source of which all is wanted.
pub(super) fn that_look_like_parts<'t, 's>(
    text: &'t str,
    secrets: impl Iterator<Item = &'s SecretRef>,
) -> Vec<Comment<'t>> {
    if !text.contains(" #") {
        return Vec::new();
    }
    let whole = secrets.filter(|secret| secret.selector.is_none());
    let whole: HashSet<String> = whole.map(|secret| secret.source.to_string()).collect();
    let one = |(at, line): (usize, &'t str)| {
        let (before, path) = line.split_once(" #")?;
        let path = path.trim_end();
        let begins = |c: char| c.is_alphanumeric() || matches!(c, '"' | '_' | '[' | '@');
        let is_word = path.starts_with(begins) && !path.contains(char::is_whitespace);
        let source = before.split_whitespace().next_back()?;
        let is_plain = is_word && !source.contains(['"', '\'', '#']);
        is_plain.then_some(Comment { line: at + 1, source, path })
    };
    let candidates = text.lines().enumerate().filter_map(one).take(MOST);
    let is_meant = |comment: &Comment<'_>| {
        let named = Reference::parse(comment.source);
        named.is_ok_and(|named| whole.contains(&named.source.to_string()))
            && Selector::parse(comment.path).is_ok()
    };
    candidates.filter(is_meant).collect()
}

impl Reader<'_> {
    pub(super) fn comment(&mut self, comment: Comment<'_>) {
        let Comment { line, source, path } = comment;
        let place = self.place(line, "");
        self.warning(
            &place,
            format!(
                "with a space before it #{path:.64} is a comment, and all of {source:.100} is wanted; write {source:.100}#{path:.64} for that part, or a space behind the # of a comment"
            ),
        );
    }
}
