//! The annotations `env` and `env.CONTAINER`: `NAME: source`, or `NAME: {source, containers, …}`.

use plan::{Encoding, OnMissing, Reference, RequestedFileOptions, VariableName};

use super::all_keys::{ALL, KeysBody, whole};
use super::budget::Budget;
use super::comments;
use super::fields::{Fields, Manner};
use super::mapping::{TemplateBody, is_template};
use super::place::Place;
use super::reader::{Described, Reader};
use super::secret_ref::SecretRef;
use super::wanted::WantedContent;
use crate::ask::annotations::EnvRequest;
use crate::ask::yaml::{self, Node, YamlValue};
use crate::path_translation::PathTranslation;
use crate::problem::{Problem, Problems};
use crate::text::Quoted;

/// One variable, as an annotation has it.
#[derive(Debug)]
pub(crate) struct VariableEntry {
    pub(crate) name: VariableName,
    /// Where it names them; every consumer gets it otherwise.
    pub(crate) containers: Option<Vec<String>>,
    pub(crate) on_missing: Option<OnMissing>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) place: Place,
    pub(crate) content: WantedContent<SecretRef>,
}

/// All keys of a value as variables, as an annotation has it.
#[derive(Debug)]
pub(crate) struct KeysEntry {
    pub(crate) prefix: String,
    pub(crate) containers: Option<Vec<String>>,
    pub(crate) options: RequestedFileOptions,
    pub(crate) secret: SecretRef,
}

/// What an annotation asks for.
#[derive(Debug, Default)]
pub(crate) struct VariableEntries {
    pub(crate) named: Vec<VariableEntry>,
    pub(crate) all_keys: Vec<KeysEntry>,
    pub(crate) warnings: Vec<Problem>,
}

const KEYS_FIELDS: [&str; 10] = [
    "source",
    "prefix",
    "containers",
    "onMissing",
    "encoding",
    "region",
    "endpoint",
    "jmesPath",
    "crossAccountRoleArn",
    "externalId",
];

const FIELDS: [&str; 10] = [
    "source",
    "template",
    "containers",
    "onMissing",
    "encoding",
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
) -> VariableEntries {
    let key = request.key.to_owned();
    let mut reader = Reader::new(key, PathTranslation::default(), budget, problems);
    let place = reader.place(1, "");
    match yaml::parse(request.text, &mut reader.budget.yaml) {
        Err(error) => {
            let place = reader.place(error.line, "");
            let remedy =
                "write NAME: kms://SECRET on each line, and quotes around a source with a JMESPath";
            reader.problem(&place, error.what, if error.syntax { remedy } else { error.remedy });
        }
        Ok(Some(Node { value: YamlValue::Mapping(entries), .. })) if !entries.is_empty() => {
            let mut wanted = reader.variables(&entries, request.container);
            let secrets = wanted.named.iter().flat_map(|variable| variable.content.secrets());
            let secrets = secrets.chain(wanted.all_keys.iter().map(|keys| &keys.secret));
            let lines = comments::that_look_like_parts(request.text, secrets, reader.budget);
            lines.into_iter().for_each(|line| reader.comment(line));
            wanted.warnings = reader.files.warnings;
            return wanted;
        }
        Ok(_) => reader.problem(
            &place,
            "it names no variable",
            "write NAME: kms://SECRET on each line, or remove the annotation",
        ),
    }
    VariableEntries::default()
}

/// What stands behind the name of a variable.
struct VariableBody {
    content: WantedContent<SecretRef>,
    options: RequestedFileOptions,
}

fn of_value(described: Described, place: &Place) -> VariableBody {
    let Described { reference: Reference { source, selector }, at, options } = described;
    let place = place.clone();
    let content = WantedContent::Value(SecretRef { place, source, selector, at });
    VariableBody { content, options }
}

impl Reader<'_> {
    fn variables(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        container: Option<&str>,
    ) -> VariableEntries {
        let mut wanted = VariableEntries::default();
        for (key, value) in entries {
            let shown: String = key.scalar().unwrap_or_default().chars().take(64).collect();
            let place = self.place(key.line, format!("variable {}", Quoted(&shown)));
            let room = self.budget.variables.take(1);
            if !self.fits(&place, room) || self.problems.is_full() {
                break;
            }
            if key.scalar() == Some(ALL) {
                wanted.all_keys.extend(self.keys_of(value, container, &place));
                continue;
            }
            let Some(name) = self.variable_name(key, &place) else { continue };
            let (body, containers) = match &value.value {
                YamlValue::Scalar { text, quoted } => {
                    (self.plain(text, *quoted, &place).map(|body| of_value(body, &place)), None)
                }
                YamlValue::Mapping(fields) => self.detailed_variable(fields, value, &place),
                YamlValue::Sequence(_) => {
                    self.problem(&place, "a variable cannot be a list", "write NAME: source");
                    continue;
                }
            };
            let containers = self.only(containers, container, &place);
            if let Some(VariableBody { content, options }) = body {
                // The mode of a file is no field of a variable.
                let RequestedFileOptions { mode: _, on_missing, encoding } = options;
                wanted.named.push(VariableEntry {
                    name,
                    containers,
                    on_missing,
                    encoding,
                    place,
                    content,
                });
            }
        }
        wanted
    }

    /// The containers that an entry is for: those of the annotation's name go before all others.
    fn only(
        &mut self,
        containers: Option<Vec<String>>,
        container: Option<&str>,
        place: &Place,
    ) -> Option<Vec<String>> {
        if containers.is_some() && container.is_some() {
            self.problem(
                place,
                "the annotation names the container already",
                "remove the field containers, or use kms.alibabacloud/env",
            );
        }
        container.map(|name| vec![name.to_owned()]).or(containers)
    }

    /// All keys as variables.
    fn keys_of(
        &mut self,
        value: &Node<'_>,
        container: Option<&str>,
        place: &Place,
    ) -> Option<KeysEntry> {
        let (body, containers) = match &value.value {
            YamlValue::Scalar { text, quoted } => {
                (self.plain(text, *quoted, place).map(|it| whole(it, String::new(), place)), None)
            }
            YamlValue::Mapping(entries) => {
                let mut fields = Fields::read(self, entries, place, &KEYS_FIELDS, Manner::Ours);
                let containers = fields.take("containers").map(|node| self.containers(node, place));
                (self.keys_body(&mut fields, value, place), containers)
            }
            YamlValue::Sequence(_) => {
                self.problem(place, "all keys are those of one secret", "write \"*\": kms://NAME");
                return None;
            }
        };
        let containers = self.only(containers, container, place);
        let KeysBody { prefix, options, secret } = body?;
        let is_good = prefix.is_empty() || self.is_variable_prefix(&prefix, place);
        is_good.then_some(KeysEntry { prefix, containers, options, secret })
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
    ) -> (Option<VariableBody>, Option<Vec<String>>) {
        let mut fields = Fields::read(self, entries, place, &FIELDS, Manner::Ours);
        let containers = fields.take("containers").map(|node| self.containers(node, place));
        let body = if is_template(entries) {
            let made = self.template_body(&mut fields, place);
            made.map(|TemplateBody { text, secrets, options }| VariableBody {
                content: WantedContent::Template(text, secrets),
                options,
            })
        } else {
            self.body(&mut fields, node, place).map(|body| of_value(body, place))
        };
        (body, containers)
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
