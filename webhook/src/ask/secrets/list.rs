//! The list form: sources, and the CSI provider's objects.

use std::collections::HashSet;

use plan::{
    AlibabaSource, InvalidSource, KmsSecret, KmsVersion, OosSecretParameter, Selector, Source,
};

use super::fields::{Fields, Manner, OBJECT, object_field};
use super::place::Place;
use super::reader::Reader;
use super::secret_ref::SecretRef;
use super::wanted::WantedFile;
use crate::ask::yaml::{Node, YamlValue};

/// What the CSI provider knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ObjectType {
    Kms,
    Oos,
}

/// An object but for its name.
enum ListedObject {
    Kms(Option<KmsVersion>),
    Oos(Option<u8>),
}

impl ListedObject {
    fn source(self, name: &str) -> Result<Source, InvalidSource> {
        Ok(match self {
            Self::Kms(version) => AlibabaSource::Kms(KmsSecret::new(name, version)?).into(),
            Self::Oos(version) => {
                AlibabaSource::Oos(OosSecretParameter::new(name, version)?).into()
            }
        })
    }
}

const EXTRACT: [&str; 2] = ["path", "objectAlias"];

impl Reader<'_> {
    pub(super) fn list(&mut self, items: &[Node<'_>]) {
        if items.is_empty() {
            let place = self.place(1, "");
            self.problem(&place, "it names no secret", "add items like `- kms://NAME`");
        }
        let mut extracts: HashSet<String> = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if self.is_full(items.len() - index) {
                break;
            }
            if self.is_secret_object(item, index) {
                continue;
            }
            let place = self.place(item.line, format!("item {}", index + 1));
            match &item.value {
                YamlValue::Scalar { text, quoted: false } if self.refuse_typed(text, &place) => {}
                YamlValue::Scalar { text, .. } => {
                    self.bare_item(text, &place, &mut extracts);
                }
                YamlValue::Mapping(fields) => self.object(fields, index, items, &place),
                YamlValue::Sequence(_) => {
                    self.problem(
                        &place,
                        "an item cannot be a list",
                        "write `- kms://NAME` or `- objectName: NAME`",
                    );
                }
            }
        }
    }

    /// Two bare extracts of one secret would want the same file; that deserves its own words.
    fn bare_item(&mut self, text: &str, place: &Place, extracts: &mut HashSet<String>) {
        if let Some((source, _)) = text.split_once('#')
            && !extracts.insert(source.to_owned())
        {
            self.problem(
                place,
                format!("a second extract of {source:.100} without a file name"),
                "name both: write a mapping with FILE: source#JMESPATH for each",
            );
            return;
        }
        self.bare(text, place);
    }

    fn object(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        index: usize,
        items: &[Node<'_>],
        place: &Place,
    ) {
        if !entries.iter().any(|(key, _)| is_name(key)) {
            self.nameless(entries, index, items, place);
            return;
        }
        let mut fields = Fields::read(self, entries, place, &OBJECT, Manner::Providers);
        let object_type = fields.parsed(self, "objectType", |text| match text {
            "kms" => Ok(ObjectType::Kms),
            "oos" => Ok(ObjectType::Oos),
            _ => Err(format!(
                "{text:.32} is neither kms nor oos; write objectType: kms or objectType: oos"
            )),
        });
        let object_type = object_type.unwrap_or(ObjectType::Kms);
        let name = fields.text(self, "objectName");
        let object = self.version(&mut fields, object_type);
        let alias = fields.text(self, "objectAlias");
        let extracts = fields.take("jmesPath").filter(|node| !node.is_nothing());
        let extracts = extracts.map(|node| self.extracts(node, place));
        let mut at = fields.location(self, "kmsEndpoint");
        let options = fields.options(self);
        if object_type == ObjectType::Oos && at.endpoint.take().is_some() {
            self.problem(
                place,
                "kmsEndpoint does not apply to an OOS parameter",
                "remove it; the annotation kms.alibabacloud/oos-endpoint sets the OOS endpoint",
            );
        }
        let Some((name, name_place)) = name else { return };
        if name.contains("://") {
            self.problem(
                &name_place,
                "an object is named without a scheme",
                "write objectName: NAME and, for OOS, objectType: oos; or the whole item as a source",
            );
            return;
        }
        let source = match object.source(&name) {
            Ok(source) => source,
            Err(error) => {
                self.problem(&name_place, error.to_string(), "");
                return;
            }
        };
        let whole = match &alias {
            Some((alias, alias_place)) => self.chosen_name(alias, alias_place),
            None => self.file_name(&name, &name_place),
        };
        let whole = whole.map(|name| (place.clone(), name, None));
        for (place, name, selector) in whole.into_iter().chain(extracts.into_iter().flatten()) {
            let (source, at) = (source.clone(), at.clone());
            let secret = SecretRef { place, source, selector, at };
            self.files.values.push(WantedFile { name, options, secret });
        }
    }

    fn version(&mut self, fields: &mut Fields<'_, '_>, object_type: ObjectType) -> ListedObject {
        let mut id = fields.text(self, "objectVersion");
        let mut label = fields.text(self, "objectVersionLabel");
        if let (Some(_), Some((_, place))) = (&id, &label) {
            self.problem(place, "a version id and a label are both given", "keep one of them");
            (id, label) = (None, None);
        }
        match object_type {
            ObjectType::Kms => {
                let id = id.map(|(id, _)| KmsVersion::Id(id));
                ListedObject::Kms(id.or(label.map(|(label, _)| KmsVersion::Stage(label))))
            }
            ObjectType::Oos => {
                if let Some((_, place)) = label {
                    self.problem(
                        &place,
                        "an OOS parameter has no version labels",
                        "use objectVersion: \"1\"",
                    );
                }
                ListedObject::Oos(id.and_then(|(text, place)| {
                    let number = self.oos_version(&text, &place)?;
                    self.warning(
                        &place,
                        format!("the CSI provider ignores it beside objectType oos, and read the current version of the parameter; here version {number} is read"),
                    );
                    Some(number)
                }))
            }
        }
    }

    fn oos_version(&mut self, text: &str, place: &Place) -> Option<u8> {
        let number = text.parse().ok().filter(|number| (1..=100).contains(number));
        if number.is_none() {
            self.problem(
                place,
                format!("{text:.64} is no version of an OOS parameter"),
                "use a number from 1 to 100, or leave it out for the current one",
            );
        }
        number
    }

    fn extracts(
        &mut self,
        node: &Node<'_>,
        place: &Place,
    ) -> Vec<(Place, plan::FileName, Option<Selector>)> {
        let place = place.within(node, "jmesPath");
        let YamlValue::Sequence(items) = &node.value else {
            self.problem(
                &place,
                format!("it is {}", node.kind()),
                "write a list: `- path: PATH` and `objectAlias: FILE` below it",
            );
            return Vec::new();
        };
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate() {
            // What is found here counts once the object is known to be good.
            if self.files.len() + found.len() > plan::MAX_FILES {
                self.more += items.len() - index;
                break;
            }
            if self.problems.is_full() {
                break;
            }
            let place = place.within(item, &format!("entry {}", index + 1));
            let YamlValue::Mapping(entries) = &item.value else {
                self.problem(
                    &place,
                    format!("it is {}", item.kind()),
                    "write `- path: PATH` and `objectAlias: FILE` below it",
                );
                continue;
            };
            let mut fields = Fields::read(self, entries, &place, &EXTRACT, Manner::Providers);
            let path = fields.take("path");
            let selector = match path {
                Some(node) => {
                    let within = place.within(node, "path");
                    match node.scalar() {
                        Some(text) if self.is_ambiguous(node, text, &within) => None,
                        Some(text) => self.selector(text, &within, "quote it where YAML needs it"),
                        None => {
                            self.problem(
                                &within,
                                format!("it is {}", node.kind()),
                                "quote a path with , : [ ] { } in it",
                            );
                            None
                        }
                    }
                }
                None => {
                    self.problem(&place, "the path is missing", "add path: JMESPATH");
                    None
                }
            };
            let name = match fields.text(self, "objectAlias") {
                Some((alias, within)) => self.chosen_name(&alias, &within),
                None => {
                    self.problem(&place, "the objectAlias is missing", "add objectAlias: FILE");
                    None
                }
            };
            if let (Some(selector), Some(name)) = (selector, name) {
                found.push((place, name, Some(selector)));
            }
        }
        found
    }

    /// An object without a name; the usual cause is a dash before every field.
    fn nameless(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        index: usize,
        items: &[Node<'_>],
        place: &Place,
    ) {
        let field = entries.first().and_then(|(key, _)| key.scalar()).unwrap_or("objectType");
        if entries.iter().all(|(key, _)| key.scalar().and_then(object_field).is_some()) {
            let before = index.checked_sub(1).and_then(|index| items.get(index)).and_then(name_of);
            let name = before.unwrap_or("NAME");
            let value = entries.first().and_then(|(_, value)| value.scalar()).unwrap_or("…");
            self.problem(
                place,
                format!("{field} stands in an item of its own, without objectName"),
                format!("remove its dash, so that they are one item: `- objectName: {name:.100}` and, below it, `  {field}: {value:.100}`"),
            );
            return;
        }
        self.problem(
            place,
            format!("the field {field:.64} does not make an object: objectName is missing"),
            "write `- objectName: NAME`, or a mapping FILE: source without dashes",
        );
    }
}

fn is_name(key: &Node<'_>) -> bool {
    key.scalar().and_then(object_field) == Some("objectName")
}

fn name_of<'n>(item: &'n Node<'_>) -> Option<&'n str> {
    let YamlValue::Mapping(entries) = &item.value else { return None };
    entries.iter().find(|(key, _)| is_name(key)).and_then(|(_, value)| value.scalar())
}
