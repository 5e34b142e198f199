//! `secrets-webhook check`: says what the webhook would refuse or warn about, with file and line.

use std::io::{self, Read, Write};

use super::examine::{self, Examination};
use crate::Failure;
use crate::args::ManifestArgs;

pub fn run(
    args: &ManifestArgs,
    environment: impl IntoIterator<Item = (String, String)>,
    mut stdin: impl Read,
    mut stdout: impl Write,
) -> Result<(), Failure> {
    let (mut examiner, manifests) = examine::open(args, environment, &mut stdin)?;
    let mut examination = Examination::default();
    let streams = examiner.parse(&manifests, &mut examination);
    let classes = examiner.classes(&streams);
    for (manifest, stream) in &streams {
        for document in &stream.documents {
            examiner.examine(manifest, document, &classes, &mut examination);
        }
    }
    let failed = |error: io::Error| Failure::Internal(format!("writing the findings: {error}"));
    report(&examination, &mut stdout).map_err(failed)?;
    match examination.findings.iter().filter(|finding| finding.is_problem()).count() {
        0 => Ok(()),
        1 => Err(Failure::Problems("1 problem".to_owned())),
        n => Err(Failure::Problems(format!("{n} problems"))),
    }
}

fn report(examination: &Examination, stdout: &mut impl Write) -> io::Result<()> {
    for finding in &examination.findings {
        writeln!(stdout, "{finding}")?;
    }
    let Examination { templates, annotated, .. } = examination;
    let plural = if *templates == 1 { "" } else { "s" };
    writeln!(stdout, "{templates} Pod template{plural} checked, {annotated} annotated")?;
    stdout.flush()
}
