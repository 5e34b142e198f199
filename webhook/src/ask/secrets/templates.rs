//! Templates: in the mapping form, and each in an annotation of its own.

use plan::{Reference, RequestedFileOptions};
use template::{Fault, Template};

use super::budget::Budget;
use super::place::Place;
use super::reader::Reader;
use super::secret_ref::{Location, SecretRef};
use super::wanted::{Files, WantedTemplate};
use crate::ask::annotations::TemplateRequest;
use crate::path_translation::PathTranslation;
use crate::problem::{PREFIX, Problems};
use crate::text::Quoted;

/// Adds the file of an annotation `template.FILE`.
pub(crate) fn add(
    request: &TemplateRequest<'_>,
    files: &mut Files,
    budget: &mut Budget,
    problems: &mut Problems,
) {
    let mut reader = Reader::new(request.key.to_owned(), PathTranslation::Off, budget, problems);
    let place = reader.place(1, "");
    let name = reader.chosen_name(request.file, &place);
    let at = Location::default();
    let line = |line: usize| Place { line, ..place.clone() };
    let secrets = reader.template_secrets(request.text, &at, line);
    let (Some(name), Some(secrets)) = (name, secrets) else { return };
    let taken = files.named().find(|(other, ..)| other.as_str() == name.as_str());
    if let Some((_, other, _)) = taken {
        problems.push(place.problem(
            format!(
                "the file name {} is taken already by {PREFIX}{}, line {}",
                Quoted(name.as_str()),
                other.key,
                other.line
            ),
            "keep one of them, or give one of them another name",
        ));
    }
    let text = request.text.to_owned();
    let options = RequestedFileOptions::default();
    let wanted = WantedTemplate { name, options, place, text, secrets };
    files.templates.push(wanted);
}

impl Reader<'_> {
    /// What a template names, or its problems. `place` says where one of its lines stands.
    pub(super) fn template_secrets(
        &mut self,
        text: &str,
        at: &Location,
        place: impl Fn(usize) -> Place,
    ) -> Option<Vec<(String, SecretRef)>> {
        let room = self.budget.template(text);
        if !self.fits(&place(1), room) {
            return None;
        }
        let template = match Template::parse_one_of(text, &mut self.budget.check) {
            Ok(template) => template,
            Err(invalid) => {
                for invalid in invalid {
                    if self.problems.is_full() {
                        break;
                    }
                    let what = invalid.fault.to_string();
                    let remedy = remedy(&invalid.fault, self.problems);
                    self.problem(&place(invalid.line), what, remedy);
                }
                return None;
            }
        };
        let room = self.budget.in_templates(template.secrets().len());
        if !self.fits(&place(1), room) {
            return None;
        }
        let mut secrets = Vec::with_capacity(template.secrets().len());
        for named in template.secrets() {
            let place = place(named.line);
            // Every one that is bad is a problem.
            let reference = self.reference(&named.source, &place);
            if let Some(Reference { source, selector }) = reference {
                let at = at.clone();
                let secret = SecretRef { place, source, selector, at };
                secrets.push((named.source.clone(), secret));
            }
        }
        (secrets.len() == template.secrets().len()).then_some(secrets)
    }
}

fn remedy(fault: &Fault, problems: &mut Problems) -> String {
    if let Some((name, known)) = fault.unknown() {
        if let Some(known) = problems.did_you_mean(name, known.iter().copied()) {
            return format!("did you mean {known}?");
        }
        if matches!(fault, Fault::Filter(_)) {
            return format!("the filters are {}", known.join(", "));
        }
    }
    fault.remedy().to_owned()
}
