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

/// One line, or one text in quotes, that every reader of `.env` files and a POSIX shell take for the
/// same value. They agree on nothing else: each has escapes and references of its own.
pub(crate) fn dotenv(text: &str) -> Result<String, Told> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@%+,=".contains(&b);
    if text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    if text.contains('\0') {
        return Err(Told(
            "a NUL character cannot be written; json and yaml can have it".to_owned(),
        ));
    }
    let why = if text.contains('\r') {
        "readers make a newline of a carriage return, or drop it"
    } else if text.contains('\'') {
        if !text.contains(['"', '\\', '$', '`']) {
            return Ok(format!("\"{text}\""));
        }
        "readers differ on ' beside \", \\, $ or `"
    } else if text.contains("${") {
        "some readers fill in ${…}"
    } else if text.contains("\\\\") || text.ends_with('\\') {
        "readers differ on two \\ in a row, and on one at the end"
    } else {
        return Ok(format!("'{text}'"));
    };
    Err(Told(format!("{why}; shell, json and yaml can write it, each for its own readers")))
}

/// Bytes of the longest line that docker reads of such a file.
const LONGEST_LINE_OF_DOCKER: usize = 64 * 1024 - 1;

/// The rest of a line, or the whole line, as `docker run --env-file` takes it: docker knows neither
/// quotes nor escapes, so that a text stays as it is or cannot be written.
pub(crate) fn docker_env(text: &str) -> Result<String, Told> {
    let why = if text.contains('\0') {
        "no variable can hold a NUL character"
    } else if text.contains('\n') {
        "docker ends a value at a newline and takes the next line for another variable"
    } else if text.contains('\r') {
        "docker drops a carriage return at the end of a line"
    } else if text.len() > LONGEST_LINE_OF_DOCKER {
        let words = format!("docker reads no line of more than {LONGEST_LINE_OF_DOCKER} bytes");
        return Err(Told(words));
    } else {
        return Ok(text.to_owned());
    };
    Err(Told(format!("{why}; json and yaml can write it, each for its own readers")))
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
