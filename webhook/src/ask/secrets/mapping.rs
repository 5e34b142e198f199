//! The mapping form: `FILE: source`, or `FILE: {source, fileMode, …}`.

use plan::{FileName, Reference, RequestedFileOptions};

use super::all_keys::ALL;
use super::fields::{FILE, Fields, Manner};
use super::place::Place;
use super::reader::{Described, Reader};
use super::secret_ref::{Location, SecretRef};
use super::wanted::{WantedFile, WantedTemplate};
use crate::ask::yaml::{Node, YamlValue};
use crate::text::display_name;

/// What stands behind a name that has a template.
pub(super) struct TemplateBody {
    pub(super) text: String,
    pub(super) secrets: Vec<(String, SecretRef)>,
    pub(super) options: RequestedFileOptions,
}

impl Reader<'_> {
    pub(super) fn mapping(&mut self, entries: &[(Node<'_>, Node<'_>)]) {
        if entries.is_empty() {
            let place = self.place(1, "");
            self.problem(&place, "it names no secret", "write FILE: kms://NAME, one on each line");
        }
        if self.is_pasted_whole(entries) {
            return;
        }
        for (index, (key, value)) in entries.iter().enumerate() {
            if self.is_full(entries.len() - index) {
                break;
            }
            let Some(file) = key.scalar() else {
                let place = self.place(key.line, "a key");
                self.problem(
                    &place,
                    format!("a file name cannot be {}", key.kind()),
                    "write FILE: source",
                );
                continue;
            };
            let place = self.place(key.line, format!("file {:?}", display_name(file)));
            if file == ALL {
                let place = self.place(key.line, "all keys (\"*\")");
                self.files_of_keys(value, &place);
                continue;
            }
            if file.contains("://") {
                self.problem(
                    &place,
                    "a source stands where the file name belongs",
                    "write FILE: kms://NAME",
                );
                continue;
            }
            if let Some(field) = super::fields::object_field(file) {
                self.problem(
                    &place,
                    format!("{field} is a field of a list item and no file name"),
                    "begin the object with a dash: `- objectName: …`, or write FILE: source",
                );
                continue;
            }
            let name = self.chosen_name(file, &place);
            let wanted = match &value.value {
                YamlValue::Scalar { text, quoted } => self.plain(text, *quoted, &place),
                YamlValue::Mapping(fields) if is_template(fields) => {
                    self.templated(fields, name, &place);
                    continue;
                }
                YamlValue::Mapping(fields) => self.detailed(fields, value, &place),
                YamlValue::Sequence(_) => {
                    self.problem(&place, "a file cannot be a list", "write FILE: source");
                    None
                }
            };
            if let (Some(name), Some(Described { reference, at, options })) = (name, wanted) {
                let Reference { source, selector } = reference;
                let secret = SecretRef { place, source, selector, at };
                self.files.values.push(WantedFile { name, options, secret });
            }
        }
    }

    pub(super) fn plain(&mut self, text: &str, quoted: bool, place: &Place) -> Option<Described> {
        if !quoted && self.refuse_typed(text, place) {
            return None;
        }
        let reference = self.reference(text, place)?;
        let (at, options) = (Location::default(), RequestedFileOptions::default());
        Some(Described { reference, at, options })
    }

    fn templated(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        name: Option<FileName>,
        place: &Place,
    ) {
        let mut fields = Fields::read(self, entries, place, &FILE, Manner::Ours);
        let made = self.template_body(&mut fields, place);
        if let (Some(name), Some(TemplateBody { text, secrets, options })) = (name, made) {
            let place = place.clone();
            let wanted = WantedTemplate { name, options, place, text, secrets };
            self.files.templates.push(wanted);
        }
    }

    /// What the fields say that have a template among them: its text, all that it names, and the
    /// options.
    pub(super) fn template_body(
        &mut self,
        fields: &mut Fields<'_, '_>,
        place: &Place,
    ) -> Option<TemplateBody> {
        let at = fields.location(self, "endpoint");
        let options = fields.options(self);
        for field in ["source", "jmesPath"] {
            if let Some(node) = fields.take(field) {
                self.problem(
                    &place.within(node, field),
                    "there is either a source or a template",
                    "write the source into the template: {{ secret(\"kms://NAME#JMESPATH\") }}",
                );
            }
        }
        let node = fields.take("template")?;
        let here = place.within(node, "template");
        let Some(text) = node.scalar() else {
            self.problem(&here, format!("it is {}", node.kind()), QUOTE);
            return None;
        };
        let line =
            |line: usize| Place { what: format!("{} line {line}", here.what), ..here.clone() };
        let secrets = self.template_secrets(text, &at, line)?;
        Some(TemplateBody { text: text.to_owned(), secrets, options })
    }

    fn detailed(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        node: &Node<'_>,
        place: &Place,
    ) -> Option<Described> {
        let mut fields = Fields::read(self, entries, place, &FILE, Manner::Ours);
        self.body(&mut fields, node, place)
    }

    /// What the fields say.
    pub(super) fn body(
        &mut self,
        fields: &mut Fields<'_, '_>,
        node: &Node<'_>,
        place: &Place,
    ) -> Option<Described> {
        if fields.lacks("source") {
            let place = place.within(node, "source");
            self.problem(&place, "the source is missing", "add source: kms://NAME");
        }
        let source = fields.text(self, "source");
        let reference = source.and_then(|(text, place)| self.reference(&text, &place));
        let selector = fields.text(self, "jmesPath");
        let selector = selector.and_then(|(text, place)| self.selector(&text, &place, ""));
        let at = fields.location(self, "endpoint");
        let options = fields.options(self);
        let mut reference = reference?;
        if selector.is_some() && reference.selector.is_some() {
            self.problem(
                place,
                "the JMESPath is given twice, as #… and as jmesPath",
                "keep one of them",
            );
            return None;
        }
        reference.selector = reference.selector.or(selector);
        Some(Described { reference, at, options })
    }
}

pub(super) fn is_template(fields: &[(Node<'_>, Node<'_>)]) -> bool {
    fields.iter().any(|(key, _)| key.scalar() == Some("template"))
}

/// To YAML `{{` begins a mapping.
const QUOTE: &str = "put it in quotes, or write `template: |` and the text below it, indented";
