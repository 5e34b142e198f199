//! A space before `#` makes a comment of a JMESPath, and a file of the whole secret.

use std::collections::HashSet;

use plan::{Reference, Selector};

use super::budget::Budget;
use super::reader::Reader;
use super::secret_ref::SecretRef;

/// A comment that may be a JMESPath.
#[derive(Clone, Copy)]
pub(super) struct Comment<'t> {
    line: usize,
    source: &'t str,
    path: &'t str,
}

/// No source is longer.
const LONGEST_SOURCE: usize = 512;

/// Comments of one word without a space before it, behind a source of which all is wanted.
pub(super) fn that_look_like_parts<'t, 's>(
    text: &'t str,
    secrets: impl Iterator<Item = &'s SecretRef>,
    budget: &mut Budget,
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
    let is_wanted = |source: &str| {
        let named = Reference::parse(source);
        named.is_ok_and(|named| whole.contains(&named.source.to_string()))
    };
    let mut found = Vec::new();
    for comment in text.lines().enumerate().filter_map(one) {
        if !budget.comment() {
            break;
        }
        if comment.source.len() <= LONGEST_SOURCE
            && is_wanted(comment.source)
            && budget.comment_selector(comment.path)
            && Selector::parse(comment.path).is_ok()
        {
            found.push(comment);
        }
    }
    found
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
