//! The scalar form: sources split at line breaks and at commas outside brackets and quotes.

use super::reader::Reader;
use crate::ask::yaml::{self, Node, YamlValue};

impl Reader<'_> {
    pub(super) fn scalar(&mut self, text: &str) {
        let mut count: usize = 0;
        for (index, line) in text.lines().enumerate() {
            for source in split(uncommented(line)) {
                count += 1;
                if self.is_full(1) {
                    continue;
                }
                let place = self.place(index + 1, format!("source {count}"));
                self.bare(source, &place);
            }
        }
        if count == 0 {
            let place = self.place(1, "");
            self.problem(&place, "it names no secret", "write kms://NAME, one on each line");
        }
    }

    /// Whether the text is a plain scalar but for its comments. Empty lines say nothing about that.
    pub(super) fn is_list_with_comments(&mut self, text: &str) -> bool {
        let lines = text.lines().map(uncommented).filter(|line| !line.trim().is_empty());
        let plain: String = lines.flat_map(|line| [line, "\n"]).collect();
        let node = yaml::parse(&plain, &mut self.budget.yaml);
        matches!(node, Ok(Some(Node { value: YamlValue::Scalar { quoted: false, .. }, .. })))
    }
}

/// A `#` begins a comment as in YAML: at the start, or behind a space.
fn uncommented(line: &str) -> &str {
    let line = line.split_once(" #").map_or(line, |(before, _)| before);
    if line.trim_start().starts_with('#') { "" } else { line }
}

/// The parts of `line` between commas that stand outside brackets and quotes, without empty ones.
fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let mut quote = None;
    line.split(move |c: char| {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') => return depth == 0,
            (None, _) => {}
        }
        false
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}
