//! `pem_bundle`: certificate, chain and key in one file, each a block of the right kind. What the
//! blocks hold is not read.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::text::Builder;
use crate::value::Value;

/// The parts stand in the order of the file, each with whether it may be left out.
const PARTS: [(&str, bool); 3] = [("certificate", false), ("chain", true), ("key", true)];

/// Readers of PEM take base64 that has bits left over in its last character.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

pub fn bundle(mapping: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    let members = mapping.members();
    if let Some((key, _)) = members.iter().find(|(key, _)| !PARTS.iter().any(|(p, _)| p == key)) {
        let words = "a bundle has certificate, chain and key, and nothing else";
        return Err(Error::words(words).with_key(key));
    }
    for (part, may_miss) in PARTS {
        // A secret without a chain often has an empty one.
        let is_empty = |value: &Value<'_>| match value {
            Value::Text(text) => text.trim().is_empty(),
            value => matches!(value, Value::Null),
        };
        let found = members.iter().find(|(key, _)| key == part);
        match found.filter(|(_, value)| !(may_miss && is_empty(value))) {
            None if may_miss => {}
            None => return Err(Error::words("it is missing").with_key(part)),
            Some((_, value)) => add(part, value, out).map_err(|error| error.with_key(part))?,
        }
    }
    Ok(())
}

fn add(part: &str, value: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    let text = normal(&value.text()?);
    check(part, &text)?;
    out.push_str(&text)
}

/// Lines end in one newline, the last one too; the only empty line is the one behind headers.
fn normal(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 1));
    let mut before = "";
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if !line.is_empty() || is_header(before) {
            out.push_str(line);
            out.push('\n');
        }
        before = line;
    }
    out
}

/// An encrypted key has such lines. One with dashes would begin or end a block for some readers.
fn is_header(line: &str) -> bool {
    line.contains(": ") && !line.contains(DASHES)
}

fn check(part: &str, text: &str) -> Result<(), Error> {
    let bad = |what: &str| Err(Error::words(what));
    let mut keys = 0_usize;
    let mut blocks = 0_usize;
    // For some readers a carriage return or another control character ends a line, or one like U+2028.
    if text.chars().any(|it| it.is_control() && !matches!(it, '\n' | '\t')) {
        return bad("it is not PEM: a control character stands in it");
    }
    if !text.is_ascii() {
        return bad("it is not PEM: a character that is not ASCII stands in it");
    }
    // One for all blocks, as large as any: a part of a key would be left behind by growing.
    let mut content = Zeroizing::new(String::with_capacity(text.len()));
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(rest) = line.strip_prefix(BEGIN) else {
            return bad("it is not PEM: something stands outside of -----BEGIN … and -----END …");
        };
        let Some(label) = rest.strip_suffix(DASHES).filter(|label| !label.contains(DASHES)) else {
            return bad("it is not PEM: its line breaks are missing, or written as \\n");
        };
        match (part, label) {
            ("key", "EC PARAMETERS") | ("certificate" | "chain", "CERTIFICATE") => {}
            ("key", label) if is_key(label) => keys += 1,
            ("key", "CERTIFICATE") => {
                return bad("a PEM block of it is a certificate, and no private key");
            }
            ("key", _) => return bad("a PEM block of it is no private key"),
            (_, label) if is_key(label) => {
                return bad("a PEM block of it is a private key, and no certificate");
            }
            _ => return bad("a PEM block of it is no certificate"),
        }
        content.clear();
        // Headers stand directly behind the beginning, and an empty line ends them.
        let mut in_headers = part == "key";
        let closed = loop {
            let Some(line) = lines.next() else { break false };
            if let Some(rest) = line.strip_prefix(END) {
                break rest.strip_suffix(DASHES) == Some(label);
            }
            if line.starts_with(BEGIN) {
                break false;
            }
            in_headers &= is_header(line) || line.is_empty();
            if !in_headers {
                content.push_str(line);
            }
            in_headers &= !line.is_empty();
        };
        if !closed || content.is_empty() {
            return bad("a PEM block of it is empty or is not closed by its own -----END …");
        }
        if BASE64.decode(content.as_bytes()).map(Zeroizing::new).is_err() {
            return bad("a PEM block of it holds something else than base64, or a part of it");
        }
        blocks += 1;
    }
    match (part, blocks, keys) {
        (_, 0, _) => bad("it is empty"),
        ("key", _, 1) => Ok(()),
        ("key", _, _) => bad("it has not exactly one private key"),
        _ => Ok(()),
    }
}

fn is_key(label: &str) -> bool {
    label == "PRIVATE KEY" || label.ends_with(" PRIVATE KEY")
}
