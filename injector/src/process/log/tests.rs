//! What the code writes and what `docs/observability.md` says of it are the same.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use plan::FetcherOptions;

use crate::refresh::{Retention, TemplateNews};

const DOCS: &str = include_str!("../../../../docs/observability.md");
const MACROS: [&str; 4] = ["debug!(", "info!(", "warn!(", "error!("];

/// What is written.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_line_of_the_log_is_one_line_in_the_order_in_which_it_is_written() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = super::subscriber(&FetcherOptions::default(), move || writer.clone());
    let hostile = "a\nb\u{2028}c\u{202e}d\u{e0041}密";
    tracing::subscriber::with_default(subscriber, || tracing::info!(id = hostile, "{hostile}"));
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    assert!(text.trim_end().chars().all(printable::is_printable), "{text}");
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["id"], &line["message"]), (&hostile.into(), &hostile.into()));
}

/// One place that writes a line.
#[derive(Debug, Default)]
struct Written {
    fields: Vec<String>,
    /// Up to the first part that is not always the same; may be empty.
    message: String,
}

/// The places of our crates that write lines.
fn written() -> Vec<Written> {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    let mut rest: Vec<_> = super::OURS.iter().map(|name| house.join(name).join("src")).collect();
    while let Some(path) = rest.pop() {
        if path.is_dir() {
            rest.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("log/tests.rs")
        {
            let text = fs::read_to_string(&path).unwrap();
            let calls = MACROS.iter().flat_map(|name| text.split(name).skip(1));
            all.extend(calls.map(parse));
        }
    }
    all
}

/// The arguments of a macro, of which the first text is the message.
fn parse(text: &str) -> Written {
    let mut written = Written::default();
    for argument in arguments(text) {
        if let Some(message) = argument.strip_prefix('"') {
            let fixed = message.split(['{', '"']).next().unwrap_or_default();
            written.message = fixed.trim_end_matches([':', ' ']).to_owned();
            break;
        }
        let name = argument.split(['=', ' ']).next().unwrap_or_default();
        written.fields.push(name.trim_start_matches(['?', '%']).to_owned());
    }
    written
}

/// Split at commas that are in no text and in no parentheses.
fn arguments(text: &str) -> Vec<String> {
    let (mut all, mut current) = (Vec::new(), String::new());
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    for c in text.chars() {
        if in_text {
            in_text = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
        } else {
            match c {
                '"' => in_text = true,
                '(' | '[' | '{' => depth += 1,
                ')' if depth == 0 => break,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    all.push(std::mem::take(&mut current).trim().to_owned());
                    continue;
                }
                _ => {}
            }
        }
        current.push(c);
    }
    all.push(current.trim().to_owned());
    all.retain(|argument| !argument.is_empty());
    all
}

/// What stands in backticks in the first column of the table with this head.
fn documented(head: &str) -> BTreeSet<&'static str> {
    let lines = DOCS.lines().skip_while(|line| !line.starts_with(&format!("| {head} |")));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.map(|text| text.trim_end_matches(['…', ':', ' '])).collect()
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_written() {
    let written: BTreeSet<String> = written().into_iter().flat_map(|line| line.fields).collect();
    let mut written: BTreeSet<&str> = written.iter().map(String::as_str).collect();
    assert!(written.contains("request_id"), "{written:?}");
    written.extend(["timestamp", "level", "message"]);
    assert_eq!(written, documented("field"));
}

#[test]
fn every_message_is_documented_and_every_documented_message_is_written() {
    let mut messages: BTreeSet<String> =
        written().into_iter().map(|line| line.message).filter(|text| !text.is_empty()).collect();
    use Retention::{Ended, Keep, Revoked, Stale};
    let headlines = [Keep, Revoked, Ended, Stale].map(Retention::headline);
    messages.extend(headlines.map(str::to_owned));
    messages
        .extend([TemplateNews::Stays, TemplateNews::Goes].map(|news| news.headline().to_owned()));
    let messages: BTreeSet<&str> = messages.iter().map(String::as_str).collect();
    assert_eq!(messages, documented("message"));
}

#[test]
fn a_message_has_one_meaning() {
    let mut messages: Vec<_> =
        written().into_iter().map(|line| line.message).filter(|text| !text.is_empty()).collect();
    messages.sort_unstable();
    let all = messages.len();
    messages.dedup();
    assert_eq!(messages.len(), all, "{messages:?}");
}

/// A line of a crate that is not among them would be written for nobody.
#[test]
fn every_crate_of_ours_that_writes_lines_is_heard() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = |name: &str| fs::read_to_string(house.join(name).join("Cargo.toml"));
    let own = manifest("injector").unwrap();
    let dependencies = own.lines().filter_map(|line| line.split_once('.')?.0.into());
    let writes = |name: &str| manifest(name).is_ok_and(|text| text.contains("\ntracing"));
    let writing: BTreeSet<_> =
        dependencies.chain(["injector"]).filter(|name| writes(name)).collect();
    assert_eq!(writing, BTreeSet::from(super::OURS));
}
