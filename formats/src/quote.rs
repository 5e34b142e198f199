//! One text as a literal of another language. Each way is exact: what reads it gets the same text.

use std::borrow::Cow;

use crate::error::Error;
use crate::text::{Builder, Text};
use crate::value::Value;

/// `'…'` for a POSIX shell, with each `'` as `'\''`.
pub fn shell(text: &str, out: &mut Builder) -> Result<(), Error> {
    if text.contains('\0') {
        return Err(Error::words("a NUL character cannot be written for a shell"));
    }
    out.push_str("'")?;
    out.push_escaped(text, |c| (c == '\'').then_some("'\\''".into()))?;
    out.push_str("'")
}

/// One line, or one text in quotes, that every reader of `.env` files and a POSIX shell take for the
/// same value. They agree on nothing else: each has escapes and references of its own.
pub fn dotenv(text: &str, out: &mut Builder) -> Result<(), Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@%+,=".contains(&b);
    let why = if text.bytes().all(plain) {
        return out.push_str(text);
    } else if text.contains('\0') {
        return Err(Error::words("a NUL character cannot be written; json and yaml can have it"));
    } else if text.contains('\r') {
        "readers make a newline of a carriage return, or drop it"
    } else if text.contains('\'') && text.contains(['"', '\\', '$', '`']) {
        "readers differ on ' beside \", \\, $ or `"
    } else if text.contains("${") {
        "some readers fill in ${…}"
    } else if text.contains("\\\\") || text.ends_with('\\') {
        "readers differ on two \\ in a row, and on one at the end"
    } else {
        let quote = if text.contains('\'') { "\"" } else { "'" };
        return [quote, text, quote].iter().try_for_each(|part| out.push_str(part));
    };
    let words = format!("{why}; shell, json and yaml can write it, each for its own readers");
    Err(Error::words(words))
}

/// docker reads no line of more bytes in such a file.
const LONGEST_LINE_OF_DOCKER: usize = 64 * 1024 - 1;

/// `docker run --env-file` takes this as the rest of a line.
pub fn docker_env(text: &str, out: &mut Builder) -> Result<(), Error> {
    docker_line("", text, out)
}

/// The text is a line or its rest: docker knows neither quotes nor escapes, so that a text stays as it is or
/// cannot be written.
pub(crate) fn docker_line(begin: &str, text: &str, out: &mut Builder) -> Result<(), Error> {
    let why = if text.contains('\0') {
        "no variable can hold a NUL character"
    } else if text.contains('\n') {
        "docker ends a value at a newline and takes the next line for another variable"
    } else if text.contains('\r') {
        "docker drops a carriage return at the end of a line"
    } else if begin.len() + text.len() > LONGEST_LINE_OF_DOCKER {
        let words = format!("docker reads no line of more than {LONGEST_LINE_OF_DOCKER} bytes");
        return Err(Error::words(words));
    } else {
        return [begin, text].iter().try_for_each(|part| out.push_str(part));
    };
    let words = format!("{why}; json and yaml can write it, each for its own readers");
    Err(Error::words(words))
}

/// `"…"` as in JSON.
pub fn json(text: &str, out: &mut Builder) -> Result<(), Error> {
    crate::json::compact(&Value::Text(Text::Borrowed(text)), out)
}

/// `"…"` in YAML 1.1 and 1.2: as in JSON, and what YAML does not allow or folds is escaped.
pub fn yaml(text: &str, out: &mut Builder) -> Result<(), Error> {
    out.push_str("\"")?;
    out.push_escaped(text, |c| match c {
        '"' => Some("\\\"".into()),
        '\\' => Some("\\\\".into()),
        '\n' => Some("\\n".into()),
        '\r' => Some("\\r".into()),
        '\t' => Some("\\t".into()),
        '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => {
            Some(format!("\\u{:04X}", u32::from(c)).into())
        }
        c if c.is_control() => Some(format!("\\x{:02X}", u32::from(c)).into()),
        _ => None,
    })?;
    out.push_str("\"")
}

/// A value in a Java properties file.
pub fn properties_value(text: &str, out: &mut Builder) -> Result<(), Error> {
    let rest = text.strip_prefix(' ').unwrap_or(text);
    out.push_str(if rest.len() < text.len() { "\\ " } else { "" })?;
    out.push_escaped(rest, |c| if c == ' ' { None } else { properties(c) })
}

/// A key in a Java properties file.
pub(crate) fn properties_key(text: &str, out: &mut Builder) -> Result<(), Error> {
    out.push_escaped(text, properties)
}

/// As `java.util.Properties.store` writes it: ASCII alone, so that no reader's charset matters.
fn properties(c: char) -> Option<Cow<'static, str>> {
    match c {
        '\n' => Some("\\n".into()),
        '\r' => Some("\\r".into()),
        '\t' => Some("\\t".into()),
        '\u{c}' => Some("\\f".into()),
        ' ' => Some("\\ ".into()),
        '\\' => Some("\\\\".into()),
        '=' => Some("\\=".into()),
        ':' => Some("\\:".into()),
        '#' => Some("\\#".into()),
        '!' => Some("\\!".into()),
        '!'..='~' => None,
        c => {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}"));
            Some(units.collect::<String>().into())
        }
    }
}

/// A part of a URL: all but letters, digits and `-_.~` as `%XX`.
pub fn url(text: &str, out: &mut Builder) -> Result<(), Error> {
    out.push_escaped(text, |c| match c {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' | '.' | '~' => None,
        c => {
            let mut bytes = [0; 4];
            let bytes = c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}"));
            Some(bytes.collect::<String>().into())
        }
    })
}
