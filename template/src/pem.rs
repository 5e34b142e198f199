//! `pem_bundle`: certificate, chain and key in one file, each a block of the right kind. What the
//! blocks hold is not read.

use minijinja::Error;
use minijinja::value::Value;

use crate::engine::Told;
use crate::formats::of_key;
use crate::json;

/// In the order of the file, and whether each may be left out.
const PARTS: [(&str, bool); 3] = [("certificate", false), ("chain", true), ("key", true)];

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

pub(crate) fn bundle(value: &Value) -> Result<String, Error> {
    let members = json::members(value)?;
    if let Some((key, _)) = members.iter().find(|(key, _)| !PARTS.iter().any(|(p, _)| p == key)) {
        let words = "a bundle has certificate, chain and key, and nothing else".to_owned();
        return Err(of_key(key, Told(words).into()));
    }
    let mut out = String::new();
    for (part, may_miss) in PARTS {
        let is_empty = |value: &Value| value.is_none() || value.as_str().is_some_and(str::is_empty);
        // Who has no chain often has an empty one.
        let found = members.iter().find(|(key, _)| key == part);
        let found = found.filter(|(_, value)| !(may_miss && is_empty(value)));
        let Some((_, value)) = found else {
            if may_miss {
                continue;
            }
            return Err(of_key(part, Told("it is missing".to_owned()).into()));
        };
        let text = json::text(value).map_err(|error| of_key(part, error))?;
        let text = normal(&text);
        check(part, &text).map_err(|told| of_key(part, told.into()))?;
        out.push_str(&text);
    }
    Ok(out)
}

/// Lines end in one newline, the last one too; no empty line stands around the blocks.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut outside = true;
    for line in text.lines().map(str::trim_end) {
        if outside && line.is_empty() {
            continue;
        }
        outside = line.starts_with(END);
        out.push_str(line.trim_start());
        out.push('\n');
    }
    out
}

fn check(part: &str, text: &str) -> Result<(), Told> {
    let bad = |what: &str| Err(Told(what.to_owned()));
    let mut keys = 0_usize;
    let mut blocks = 0_usize;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES))
        else {
            return bad("it is not PEM: something stands outside of -----BEGIN … and -----END …");
        };
        match (part, label) {
            ("key", "EC PARAMETERS") | ("certificate" | "chain", "CERTIFICATE") => {}
            ("key", label) if label == "PRIVATE KEY" || label.ends_with(" PRIVATE KEY") => {
                keys += 1;
            }
            ("key", _) => return bad("a PEM block of it is no private key"),
            _ => return bad("a PEM block of it is no certificate"),
        }
        let mut content = 0_usize;
        let closed = loop {
            let Some(line) = lines.next() else { break false };
            if let Some(rest) = line.strip_prefix(END) {
                break rest.strip_suffix(DASHES) == Some(label);
            }
            // Headers of an encrypted key, and the empty line behind them.
            let is_header = part == "key" && (line.contains(": ") || line.is_empty());
            if is_header {
                continue;
            }
            let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
            if line.is_empty() || !line.bytes().all(base64) {
                return bad("a PEM block of it holds something else than base64");
            }
            content += 1;
        };
        if !closed || content == 0 {
            return bad("a PEM block of it is empty or is not closed by its own -----END …");
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
