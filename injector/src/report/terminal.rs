//! Text for people on stdout and stderr. A closed pipe is no reason to fail.

use std::io::Write;

pub(crate) fn stdout(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to read an error.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

pub(crate) fn stderr(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Foreign text on one line: what is seen, and not more than `limit` characters.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let mut line = printable::line(text, limit);
    if text.chars().nth(limit).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn foreign_text_stays_on_one_bounded_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m", 100), "a b [31m");
        assert_eq!(one_line("a\u{2028}b\u{202e}c", 100), "a b c");
        assert_eq!(one_line("abc", 3), "abc");
        assert_eq!(one_line("abcd", 3), "abc…");
    }
}
