//! `secrets-webhook inject`: prints the manifests as the webhook would change them.

use std::io::{Read, Write};

use super::document::Stream;
use super::examine::{self, Examination, Examiner};
use super::finding::Finding;
use super::input::Manifest;
use super::rewrite::rewrite;
use crate::Failure;
use crate::args::ManifestArgs;

/// Manifests go to `stdout`, all of them or none; problems and warnings to `stderr`.
pub fn run(
    args: &ManifestArgs,
    environment: impl IntoIterator<Item = (String, String)>,
    mut stdin: impl Read,
    mut stdout: impl Write,
    mut stderr: impl Write,
) -> Result<(), Failure> {
    let (mut examiner, manifests) = examine::open(args, environment, &mut stdin)?;
    let mut examination = Examination::default();
    let streams = examiner.parse(&manifests, &mut examination);
    let mut output = String::new();
    for (manifest, stream) in &streams {
        let text = injected(&examiner, manifest, stream, &mut examination);
        append(&mut output, &text);
    }
    for finding in &examination.findings {
        writeln!(stderr, "{finding}").map_err(Failure::internal)?;
    }
    match examination.findings.iter().filter(|finding| finding.is_problem()).count() {
        0 => {}
        1 => return Err(Failure::Problems("1 problem, nothing was written".to_owned())),
        n => return Err(Failure::Problems(format!("{n} problems, nothing was written"))),
    }
    let written = stdout.write_all(output.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::Internal(format!("writing the manifests: {error}")))
}

/// The text with its changed documents replaced.
fn injected(
    examiner: &Examiner,
    manifest: &Manifest,
    stream: &Stream<'_>,
    examination: &mut Examination,
) -> String {
    let mut output = String::with_capacity(manifest.text.len());
    let mut at = 0;
    for document in &stream.documents {
        let Some(after) = examiner.examine(manifest, document, examination) else { continue };
        // Nothing will be written, and where the documents around an unreadable one end is not known.
        if !stream.unreadable.is_empty() {
            continue;
        }
        let line = document.root.line;
        let Some(rewritten) = rewrite(&manifest.text, document, &after) else {
            examination.findings.push(Finding::unwritable(&manifest.name, line));
            continue;
        };
        if rewritten.anew {
            examination.findings.push(Finding::anew(&manifest.name, line));
        }
        output.push_str(manifest.text.get(at..document.region.start).unwrap_or_default());
        output.push_str(&rewritten.text);
        at = document.region.end;
    }
    output.push_str(manifest.text.get(at..).unwrap_or_default());
    output
}

/// Puts one stream behind another.
fn append(output: &mut String, text: &str) {
    if !output.is_empty() {
        if !output.ends_with('\n') {
            output.push('\n');
        }
        // JSON objects need nothing between them, and JSON readers understand nothing there.
        let json = |text: &str| text.trim_start().starts_with('{');
        let divided = text.starts_with("---") || (json(output) && json(text));
        if !divided {
            output.push_str("---\n");
        }
    }
    output.push_str(text);
}
