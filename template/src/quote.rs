//! One text as a literal of another language. Each way is exact: what reads it gets the same text.

use std::fmt::Write as _;

use crate::engine::Told;

/// `'…'` for a POSIX shell, with each `'` as `'\''`.
pub(crate) fn shell(text: &str) -> Result<String, Told> {
    if text.contains('\0') {
        return Err(Told("a NUL character cannot be written for a shell".to_owned()));
    }
    Ok(format!("'{}'", text.replace('\'', "'\\''")))
}

/// Bare where every reader takes it so, else as for a shell.
pub(crate) fn dotenv(text: &str) -> Result<String, Told> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@%+,".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    // Readers of such files make a newline of it, or nothing.
    if text.contains(['\0', '\r']) {
        let words = "a NUL character or a carriage return cannot be written";
        return Err(Told(words.to_owned()));
    }
    shell(text)
}

/// `"…"` as in JSON.
pub(crate) fn json(text: &str) -> Result<String, Told> {
    serde_json::to_string(text).map_err(|_| Told("a text cannot be written as JSON".to_owned()))
}

/// `"…"` in YAML 1.1 and 1.2: as in JSON, and what YAML does not allow or folds is escaped.
pub(crate) fn yaml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value in a Java properties file.
pub(crate) fn properties_value(text: &str) -> String {
    properties(text, false)
}

/// A key in a Java properties file.
pub(crate) fn properties_key(text: &str) -> String {
    properties(text, true)
}

/// As `java.util.Properties.store` writes it: ASCII alone, so that no reader's charset matters.
fn properties(text: &str, key: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, c) in text.chars().enumerate() {
        match c {
            ' ' if key || index == 0 => out.push_str("\\ "),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '=' | ':' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
    }
    out
}

/// A part of a URL: all but letters, digits and `-_.~` as `%XX`.
pub(crate) fn url(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
