//! The annotations `env` and `env.CONTAINER`: `NAME: source`, or `NAME: {source, containers, …}`.

use plan::{OnMissing, Reference, VariableName};

use super::budget::Budget;
use super::fields::Fields;
use super::place::Place;
use super::reader::{Described, Reader};
use super::secret_ref::SecretRef;
use crate::ask::annotations::EnvRequest;
use crate::ask::yaml::{self, Node, YamlValue};
use crate::path_translation::PathTranslation;
use crate::problem::Problems;

/// One variable, as an annotation has it.
#[derive(Debug)]
pub(crate) struct VariableEntry {
    pub(crate) name: VariableName,
    /// Where it names them; every consumer gets it otherwise.
    pub(crate) containers: Option<Vec<String>>,
    pub(crate) on_missing: Option<OnMissing>,
    pub(crate) secret: SecretRef,
}

const FIELDS: [&str; 8] = [
    "source",
    "containers",
    "onMissing",
    "region",
    "endpoint",
    "jmesPath",
    "crossAccountRoleArn",
    "externalId",
];

/// All variables, or as many as could be read beside the problems.
pub(crate) fn variables(
    request: &EnvRequest<'_>,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Vec<VariableEntry> {
    let key = request.key.to_owned();
    let mut reader = Reader::new(key, PathTranslation::default(), budget, problems);
    let place = reader.place(1, "");
    match yaml::parse(request.text, &mut reader.budget.yaml) {
        Err(error) => {
            let place = reader.place(error.line, "");
            let remedy =
                "write NAME: kms://SECRET on each line, and quotes around a source with a JMESPath";
            reader.problem(&place, error.what, if error.syntax { remedy } else { "" });
        }
        Ok(Some(Node { value: YamlValue::Mapping(entries), .. })) if !entries.is_empty() => {
            return reader.variables(&entries, request.container);
        }
        Ok(_) => reader.problem(
            &place,
            "it names no variable",
            "write NAME: kms://SECRET on each line, or remove the annotation",
        ),
    }
    Vec::new()
}

impl Reader<'_> {
    fn variables(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        container: Option<&str>,
    ) -> Vec<VariableEntry> {
        let mut wanted: Vec<VariableEntry> = Vec::new();
        for (key, value) in entries {
            let shown: String = key.scalar().unwrap_or_default().chars().take(64).collect();
            let place = self.place(key.line, format!("variable {shown:?}"));
            let room = self.budget.variables.take(1);
            if !self.fits(&place, room) || self.problems.is_full() {
                break;
            }
            let Some(name) = self.variable_name(key, &place) else { continue };
            let (body, containers) = match &value.value {
                YamlValue::Scalar { text, quoted } => (self.plain(text, *quoted, &place), None),
                YamlValue::Mapping(fields) => self.detailed_variable(fields, value, &place),
                YamlValue::Sequence(_) => {
                    self.problem(&place, "a variable cannot be a list", "write NAME: source");
                    continue;
                }
            };
            if containers.is_some() && container.is_some() {
                self.problem(
                    &place,
                    "the annotation names the container already",
                    "remove the field containers, or use kms.alibabacloud/env",
                );
            }
            let containers = container.map(|name| vec![name.to_owned()]).or(containers);
            if let Some(Described { reference, at, options }) = body {
                let Reference { source, selector } = reference;
                let secret = SecretRef { place, source, selector, at };
                // No other field of a file is one of a variable.
                let on_missing = options.on_missing;
                wanted.push(VariableEntry { name, containers, on_missing, secret });
            }
        }
        wanted
    }

    fn variable_name(&mut self, key: &Node<'_>, place: &Place) -> Option<VariableName> {
        let Some(text) = key.scalar() else {
            self.problem(place, format!("a name cannot be {}", key.kind()), "write NAME: source");
            return None;
        };
        match VariableName::parse(text) {
            Ok(name) => Some(name),
            Err(error) => {
                self.problem(place, error.to_string(), "");
                None
            }
        }
    }

    fn detailed_variable(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        node: &Node<'_>,
        place: &Place,
    ) -> (Option<Described>, Option<Vec<String>>) {
        let mut fields = Fields::read(self, entries, place, &FIELDS);
        let containers = fields.take("containers").map(|node| self.containers(node, place));
        (self.body(&mut fields, node, place), containers)
    }

    fn containers(&mut self, node: &Node<'_>, place: &Place) -> Vec<String> {
        let names: Vec<&str> = match &node.value {
            // What is no name is none of the Pod's containers either, and refused as such.
            YamlValue::Sequence(items) => {
                items.iter().map(|item| item.scalar().unwrap_or(item.kind())).collect()
            }
            YamlValue::Scalar { text, .. } => text.split(',').map(str::trim).collect(),
            YamlValue::Mapping(_) => Vec::new(),
        };
        let named = names.into_iter().filter(|name| !name.is_empty());
        let count = named.clone().count();
        let here = place.within(node, "containers");
        if count == 0 {
            self.problem(&here, "it names no container", "write containers: [NAME, …]");
        }
        let room = self.budget.names.take(count);
        if !self.fits(&here, room) {
            return Vec::new();
        }
        named.map(str::to_owned).collect()
    }
}
