//! `secrets-webhook inject`: prints the manifests as the webhook would change them.

use std::io::{Read, Write};

use manifest::{Document, Rewritten, Stream, append};
use serde_json::Value;

use super::classes::Classes;
use super::examine::{self, Examination, Examiner};
use super::finding::Finding;
use super::input::Manifest;
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
    let classes = examiner.classes(&streams);
    let mut output = String::new();
    for (manifest, stream) in &streams {
        let text = injected(&examiner, manifest, stream, &classes, &mut examination);
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
    classes: &Classes<'_>,
    examination: &mut Examination,
) -> String {
    let mut rewritten = Vec::with_capacity(stream.documents.len());
    for document in &stream.documents {
        let after = examiner.examine(manifest, document, classes, examination);
        // Nothing will be written, and where the documents around an unreadable one end is not known.
        let after = after.filter(|_| stream.unreadable.is_empty());
        rewritten.push(after.and_then(|after| changed(manifest, document, after, examination)));
    }
    stream.text_with(&rewritten).unwrap_or_else(|why| {
        examination.findings.push(Finding::unwritable(&manifest.name, 1, why));
        String::new()
    })
}

fn changed(
    manifest: &Manifest,
    document: &Document<'_>,
    after: Value,
    examination: &mut Examination,
) -> Option<Rewritten> {
    let line = document.root().line();
    let rewritten = document.rewrite(after);
    match &rewritten {
        Err(why) => examination.findings.push(Finding::unwritable(&manifest.name, line, *why)),
        Ok(Rewritten { anew: true, .. }) => {
            examination.findings.push(Finding::anew(&manifest.name, line));
        }
        Ok(_) => {}
    }
    rewritten.ok()
}
