//! The mapping form: `FILE: source`, or `FILE: {source, fileMode, …}`.

use plan::{Reference, Selector};

use super::fields::Fields;
use super::{Asked, Body, Location, Place, Reader, Wanted};
use crate::yaml::{Node, Value};

const FIELDS: [&str; 8] = [
    "source",
    "fileMode",
    "onMissing",
    "region",
    "endpoint",
    "jmesPath",
    "crossAccountRoleArn",
    "externalId",
];

impl Reader<'_> {
    pub(super) fn mapping(&mut self, entries: &[(Node<'_>, Node<'_>)]) {
        if entries.is_empty() {
            let place = self.place(1, "");
            self.problem(&place, "it names no secret", "write FILE: kms://NAME, one on each line");
        }
        for (key, value) in entries {
            let Some(file) = key.scalar() else {
                let place = self.place(key.line, "a key");
                self.problem(
                    &place,
                    format!("a file name cannot be {}", key.kind()),
                    "write FILE: source",
                );
                continue;
            };
            let shown: String = file.chars().filter(|c| !c.is_control()).take(64).collect();
            let place = self.place(key.line, format!("file {shown:?}"));
            if file.contains("://") {
                self.problem(
                    &place,
                    "a source stands where the file name belongs",
                    "write FILE: kms://NAME",
                );
                continue;
            }
            if super::fields::is_object_field(file) {
                self.problem(
                    &place,
                    format!("{file} is a field of a list item and no file name"),
                    "begin the object with a dash: `- objectName: …`, or write FILE: source",
                );
                continue;
            }
            let pasted = value.scalar().is_some_and(|text| text.contains("objectName:"));
            if file == "objects" && pasted {
                self.problem(
                    &place,
                    "the list of a SecretProviderClass stands below its key",
                    "leave out the line `objects: |` and paste only the list",
                );
                continue;
            }
            let name = self.chosen_name(file, &place);
            let wanted = match &value.value {
                Value::Scalar { text, quoted } => self.plain(text, *quoted, &place),
                Value::Mapping(fields) => self.detailed(fields, value, &place),
                Value::Sequence(_) => {
                    self.problem(&place, "a file cannot be a list", "write FILE: source");
                    None
                }
            };
            if let (Some(name), Some(Body { reference, at, mode, on_missing })) = (name, wanted) {
                let Reference { source, selector } = reference;
                let asked = Asked { place, source, selector, at, on_missing };
                self.wanted.push(Wanted { name, mode, asked });
            }
        }
    }

    pub(super) fn plain(&mut self, text: &str, quoted: bool, place: &Place) -> Option<Body> {
        if !quoted && self.refuse_typed(text, place) {
            return None;
        }
        let reference = self.reference(text, place)?;
        Some(Body { reference, at: Location::default(), mode: None, on_missing: None })
    }

    fn detailed(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        node: &Node<'_>,
        place: &Place,
    ) -> Option<Body> {
        let before = self.problems.as_slice().len();
        let mut fields = Fields::read(self, entries, place, &FIELDS);
        self.body(&mut fields, node, place, before)
    }

    /// What the fields say; `before` is how many problems there were without them.
    pub(super) fn body(
        &mut self,
        fields: &mut Fields<'_, '_>,
        node: &Node<'_>,
        place: &Place,
        before: usize,
    ) -> Option<Body> {
        let reference = match fields.text(self, "source") {
            Some((text, place)) => self.reference(&text, &place),
            // A field that is wrong or misspelt has been told about.
            None if self.problems.as_slice().len() > before => None,
            None => {
                let place = place.within(node, "source");
                self.problem(&place, "the source is missing", "add source: kms://NAME");
                None
            }
        };
        let selector = fields.parsed(self, "jmesPath", Selector::parse);
        let at = fields.location(self, "endpoint");
        let mode = fields.mode(self);
        let on_missing = fields.on_missing(self);
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
        Some(Body { reference, at, mode, on_missing })
    }
}
