//! What of foreign text may be shown to people: nothing that breaks a line, moves what stands
//! beside it, or is there without being seen.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

mod table;

/// Whether a character shows itself and nothing else. Controls, format characters (writing
/// direction, zero width, tags), line and paragraph separators, unusual spaces, and what has no
/// meaning yet or a private one are not printable.
#[must_use]
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let before = table::EDGES.partition_point(|edge| *edge <= u32::from(c));
    before % 2 == 1
}

/// Without what is not printable.
#[must_use]
pub fn only(text: &str) -> String {
    text.chars().filter(|c| is_printable(*c)).collect()
}

/// At most so many printable characters. A text of which nothing shows is not read to its end.
pub fn first(text: &str, most: usize) -> impl Iterator<Item = char> {
    text.chars().take(4 * most).filter(|c| is_printable(*c)).take(most)
}

/// What a message may repeat of a text that someone else wrote: its first 64 printable characters, and
/// a sign where something is missing.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut short: String = first(text, 64).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The first 64 characters of a value, in quotes, with escapes for what does not show.
#[must_use]
pub fn quoted(value: &str) -> String {
    let mut short: String = value.chars().take(64).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    Quoted(&short).to_string()
}

/// A text in quotes, with escapes for what does not show. `{:?}` looks each character up in lists, which
/// takes thousands of instructions.
#[derive(Clone, Copy)]
pub struct Quoted<'t>(pub &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quote(self.0.chars(), f)
    }
}

/// Writes characters as `Quoted` shows them.
pub fn quote(characters: impl Iterator<Item = char>, f: &mut impl fmt::Write) -> fmt::Result {
    f.write_char('"')?;
    for c in characters {
        match c {
            '"' | '\\' | '\0' | '\t' | '\n' | '\r' => write!(f, "{}", c.escape_debug())?,
            c if is_printable(c) => f.write_char(c)?,
            c => write!(f, "{}", c.escape_unicode())?,
        }
    }
    f.write_char('"')
}

/// At most `limit` characters, with a space for each that is not printable.
#[must_use]
pub fn line(text: &str, limit: usize) -> String {
    text.chars().take(limit).map(|c| if is_printable(c) { c } else { ' ' }).collect()
}

/// The same JSON with escapes for what is not printable, so that it is one line to every reader and
/// looks like what it is. Such characters stand in texts alone, where an escape means the same.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let hidden = |c: &char| !c.is_ascii() && !is_printable(*c);
    if !text.chars().any(|c| hidden(&c)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(&c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Takes whole lines of JSON, as a log does, and writes them so.
pub struct Lines<W>(pub W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match str::from_utf8(bytes) {
            Ok(text) => self.0.write_all(json(text).as_bytes()),
            // Half a character: whoever writes so is not a log.
            Err(_) => self.0.write_all(json(&String::from_utf8_lossy(bytes)).as_bytes()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One or more of each kind.
    const HIDDEN: &[char] = &[
        // Controls.
        '\0',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{80}',
        '\u{85}',
        '\u{9f}',
        // Format: direction, width, joining, invisible operators, byte order, annotations.
        '\u{ad}',
        '\u{61c}',
        '\u{600}',
        '\u{6dd}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{202a}',
        '\u{202b}',
        '\u{202c}',
        '\u{202d}',
        '\u{202e}',
        '\u{2060}',
        '\u{2061}',
        '\u{2064}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{206a}',
        '\u{206f}',
        '\u{feff}',
        '\u{fff9}',
        '\u{fffb}',
        '\u{110bd}',
        '\u{1bca0}',
        '\u{1d173}',
        // Lines, paragraphs, unusual spaces.
        '\u{2028}',
        '\u{2029}',
        '\u{a0}',
        '\u{1680}',
        '\u{2000}',
        '\u{200a}',
        '\u{202f}',
        '\u{205f}',
        '\u{3000}',
        // Tags.
        '\u{e0001}',
        '\u{e0020}',
        '\u{e0041}',
        '\u{e007f}',
        // Private, without a meaning, no characters.
        '\u{e000}',
        '\u{f8ff}',
        '\u{f0000}',
        '\u{10fffd}',
        '\u{378}',
        '\u{2065}',
        '\u{fff0}',
        '\u{fffe}',
        '\u{ffff}',
        '\u{fdd0}',
        '\u{e0fff}',
        '\u{10ffff}',
        // Letters and marks that show nothing.
        '\u{34f}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{180b}',
        '\u{180e}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe0e}',
        '\u{fe0f}',
        '\u{ffa0}',
        '\u{e0100}',
        '\u{e01ef}',
    ];

    #[test]
    fn what_is_not_seen_or_moves_others_is_not_printable() {
        for c in HIDDEN {
            assert!(!is_printable(*c), "{:x}", u32::from(*c));
        }
        // Whole blocks: tags, surrogate-like private planes, the directions.
        let blocks =
            ['\u{e0000}'..='\u{e0fff}', '\u{f0000}'..='\u{10ffff}', '\u{202a}'..='\u{202e}'];
        for c in blocks.into_iter().flatten() {
            assert!(!is_printable(c), "{:x}", u32::from(c));
        }
    }

    /// Letters and marks that show nothing.
    fn is_blank(c: char) -> bool {
        matches!(c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
    }

    /// The standard library has the table, and shows it in this way alone: what it would not print itself
    /// is escaped. A mark is no mark at the beginning, hence the space.
    #[test]
    fn the_table_says_what_the_standard_library_says_but_for_what_is_blank() {
        let mut text = String::from(" ");
        let (mut edges, mut was) = (Vec::new(), false);
        for c in '\u{80}'..=char::MAX {
            text.truncate(1);
            text.push(c);
            let is = text.escape_debug().nth(1) == Some(c) && !is_blank(c);
            if is != was {
                edges.push(u32::from(c));
            }
            was = is;
        }
        assert!(edges == table::EDGES, "write into table.rs: {edges:?}");
    }

    #[test]
    fn a_quoted_text_is_what_the_standard_library_makes_of_it_but_for_marks_and_blanks() {
        let text: String = HIDDEN.iter().copied().filter(|c| !is_blank(*c)).collect();
        for text in [text.as_str(), "a\"b'c\\d", "密码 é", ""] {
            assert_eq!(Quoted(text).to_string(), format!("{text:?}"));
        }
        assert_eq!(Quoted("a\u{301}\u{fe0f}").to_string(), "\"a\u{301}\\u{fe0f}\"");
    }

    #[test]
    fn a_text_of_which_nothing_shows_is_not_read_to_its_end() {
        let behind = |hidden: usize| format!("{}a", "\u{202e}".repeat(hidden));
        assert_eq!(first(&behind(255), 64).collect::<String>(), "a");
        assert_eq!(first(&behind(256), 64).count(), 0);
        assert_eq!(first(&"a".repeat(65), 64).count(), 64);
    }

    #[test]
    fn what_people_write_is_printable() {
        let text = "aZ09 ~!@#$%^&*()_+-={}[]|:;<>?,./\\'\"`äßéœ密码パスワード비밀пароль עברית عربي \
                    हिन्दी ไทย a\u{301}\u{308} €😀𝔘“”…—";
        for c in text.chars() {
            assert!(is_printable(c), "{c} {:x}", u32::from(c));
        }
    }

    #[test]
    fn foreign_text_becomes_a_bounded_line_or_only_what_is_seen() {
        assert_eq!(line("a\n\u{2028}\u{202e}b", 100), "a   b");
        assert_eq!(line("密码密码", 3), "密码密");
        assert_eq!(only("a\n\u{2028}\u{202e}\u{e0041}b"), "ab");
    }

    #[test]
    fn a_shortened_text_says_that_something_is_missing() {
        assert_eq!(shorten(&"密".repeat(64)), "密".repeat(64));
        assert_eq!(shorten(&"密".repeat(65)), format!("{}…", "密".repeat(64)));
        assert_eq!(shorten("a\u{1b}b"), "ab…");
    }

    #[test]
    fn json_means_the_same_and_is_ascii_where_it_would_not_be_seen() {
        let hidden: String = HIDDEN.iter().filter(|c| !c.is_ascii()).collect();
        let text = format!("{{\"a\":\"{hidden}\",\"密\":\"ok\"}}\n");
        let escaped = json(&text);
        assert!(escaped.chars().all(|c| c == '\n' || is_printable(c)), "{escaped}");
        assert!(escaped.contains(r"\u2028") && escaped.contains(r"\udb40\udc41"), "{escaped}");
        assert!(escaped.contains("\"密\":\"ok\""), "{escaped}");
        assert!(matches!(json("{\"a\":\"密\\n\"}\n"), Cow::Borrowed(_)));

        let mut written = Vec::new();
        Lines(&mut written).write_all(text.as_bytes()).unwrap();
        assert_eq!(written, escaped.as_bytes());
    }
}
