//! The scalar form: sources split at line breaks and at commas outside brackets and quotes.

use super::{Place, Reader};

impl Reader<'_> {
    pub(super) fn scalar(&mut self, text: &str) {
        let mut count = 0;
        for (index, line) in text.lines().enumerate() {
            let line = if line.trim_start().starts_with('#') { "" } else { line };
            for source in split(line) {
                count += 1;
                let place = Place { line: index + 1, what: format!("source {count}") };
                self.bare(source, &place);
            }
        }
        if count == 0 {
            let place = Place { line: 1, what: String::new() };
            self.problem(&place, "it names no secret", "write kms://NAME, one on each line");
        }
    }
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
