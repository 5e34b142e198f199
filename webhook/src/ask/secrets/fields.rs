//! The fields of one object: known or not, once or twice, and each one's value.

use std::fmt::Display;

use plan::{Encoding, ExternalId, FileMode, OnMissing, Region, RequestedFileOptions, RoleArn};

use super::place::Place;
use super::reader::Reader;
use super::secret_ref::{Location, too_long};
use crate::ask::yaml::{Node, YamlValue};
use crate::text::display_name;

/// Fields not yet taken, each with its value.
pub(super) struct Fields<'n, 'a> {
    entries: Vec<(&'n str, &'n Node<'a>)>,
    /// Whether some have no name that is known; one of them may be any that is missing.
    has_unknown: bool,
    manner: Manner,
    place: Place,
}

/// The fields of a file in a mapping.
pub(super) const FILE: [&str; 10] = [
    "source",
    "template",
    "fileMode",
    "onMissing",
    "encoding",
    "region",
    "endpoint",
    "jmesPath",
    "crossAccountRoleArn",
    "externalId",
];

/// The fields of the CSI provider's objects, and ours.
pub(super) const OBJECT: [&str; 13] = [
    "objectName",
    "objectType",
    "objectAlias",
    "objectVersion",
    "objectVersionLabel",
    "objectEncoding",
    "jmesPath",
    "kmsEndpoint",
    "crossAccountRoleArn",
    "region",
    "externalId",
    "fileMode",
    "onMissing",
];

/// The field of the CSI provider's objects that is meant: the provider reads its fields in any case.
pub(super) fn object_field(name: &str) -> Option<&'static str> {
    in_any_case(name, &OBJECT)
}

fn in_any_case(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known.iter().find(|known| known.eq_ignore_ascii_case(name)).copied()
}

/// How the names and values of an object are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As we have them: a name in one way, and a value for each.
    Ours,
    /// As lists of the CSI provider have them: names in any case, and no value where one may be left
    /// out.
    Providers,
}

/// An object or an extract must have these of the provider's fields.
const MANDATORY: [&str; 2] = ["objectName", "path"];

/// Fields of objects that the Vault provider reads, now or formerly.
const OF_VAULT: [&str; 4] = ["objectPath", "secretPath", "secretKey", "secretArgs"];

impl<'n, 'a> Fields<'n, 'a> {
    /// Sorts out unknown fields and fields that are given twice, each with a problem.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        entries: &'n [(Node<'a>, Node<'a>)],
        place: &Place,
        known: &[&'static str],
        manner: Manner,
    ) -> Self {
        let mut found: Vec<(&str, &Node<'a>)> = Vec::with_capacity(entries.len());
        let mut has_unknown = false;
        for (key, value) in entries {
            if reader.problems.is_full() {
                break;
            }
            let Some(name) = key.scalar() else {
                has_unknown = true;
                let place = place.within(key, "a field name");
                reader.problem(&place, format!("it cannot be {}", key.kind()), "write NAME: value");
                continue;
            };
            let field = || place.within(key, &display_name(name).to_string());
            let name = match manner {
                Manner::Ours => name,
                Manner::Providers => in_any_case(name, known).unwrap_or(name),
            };
            has_unknown |= !known.contains(&name);
            if name == "oosEndpoint" {
                reader.problem(
                    &field(),
                    "an object has no OOS endpoint of its own",
                    "set the annotation kms.alibabacloud/oos-endpoint",
                );
            } else if name == "template" && !known.contains(&name) {
                reader.problem(
                    &field(),
                    "a template belongs to a file of a mapping",
                    "write FILE: {template: \"…\"}, or the annotation kms.alibabacloud/template.FILE",
                );
            } else if manner == Manner::Providers && OF_VAULT.contains(&name) {
                reader.problem(
                    &field(),
                    format!("{name} is a field of the Vault provider's objects"),
                    "a secret of KMS or OOS is named by objectName alone; its parts by jmesPath",
                );
            } else if !known.contains(&name) {
                let remedy = match reader.problems.did_you_mean(name, known.iter().copied()) {
                    Some(known) => format!("did you mean {known}?"),
                    None => format!("the fields are {}", known.join(", ")),
                };
                reader.problem(&field(), "there is no such field", remedy);
            } else if found.iter().any(|(other, _)| *other == name) {
                reader.problem(&field(), "the field is given twice", "keep one of them");
            } else {
                found.push((name, value));
            }
        }
        Self { entries: found, has_unknown, manner, place: place.clone() }
    }

    /// Whether a field was left out, and is not one of those that are misspelt.
    pub(super) fn lacks(&self, name: &str) -> bool {
        !self.has_unknown && !self.entries.iter().any(|(known, _)| *known == name)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<&'n Node<'a>> {
        let index = self.entries.iter().position(|(known, _)| *known == name)?;
        Some(self.entries.swap_remove(index).1)
    }

    /// A field's single value; anything else is a problem, and so is nothing after the colon, but
    /// where the provider takes that for a field that was left out.
    pub(super) fn text(&mut self, reader: &mut Reader<'_>, name: &str) -> Option<(String, Place)> {
        let node = self.take(name)?;
        let place = self.place.within(node, name);
        let is_optional = self.manner == Manner::Providers && !MANDATORY.contains(&name);
        match node.scalar() {
            Some(text) if !text.trim().is_empty() => {
                let text = text.trim();
                // Our own forms nobody else reads.
                let is_ambiguous =
                    self.manner == Manner::Providers && reader.is_ambiguous(node, text, &place);
                (!is_ambiguous).then(|| (text.to_owned(), place))
            }
            Some(_) if is_optional => None,
            Some(_) => {
                reader.problem(&place, "the value is empty", "write one, or leave the field out");
                None
            }
            None => {
                reader.problem(
                    &place,
                    format!("it is {}", node.kind()),
                    "write a single value after the colon",
                );
                None
            }
        }
    }

    pub(super) fn parsed<T, E: Display>(
        &mut self,
        reader: &mut Reader<'_>,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (text, place) = self.text(reader, name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                reader.problem(&place, error.to_string(), "");
                None
            }
        }
    }

    pub(super) fn location(&mut self, reader: &mut Reader<'_>, endpoint: &str) -> Location {
        let is_given = |node: &Node<'_>| node.scalar().is_none_or(|text| !text.trim().is_empty());
        let external_id = self.entries.iter().find(|(name, _)| *name == "externalId");
        let external_id =
            external_id.filter(|(_, node)| self.manner == Manner::Ours || is_given(node));
        let external_place = external_id.map(|(_, node)| self.place.within(node, "externalId"));
        let location = Location {
            region: self.parsed(reader, "region", Region::parse),
            endpoint: self.endpoint(reader, endpoint),
            cross_account_role: self.parsed(reader, "crossAccountRoleArn", RoleArn::parse),
            external_id: self.parsed(reader, "externalId", ExternalId::parse),
        };
        if let (Some(place), None) = (external_place, &location.cross_account_role) {
            reader.problem(
                &place,
                "an external id belongs to a role of another account",
                "add crossAccountRoleArn, or remove it",
            );
        }
        location
    }

    /// Every secret of an object or a template has it for itself, so that its length is looked at first.
    fn endpoint(&mut self, reader: &mut Reader<'_>, name: &str) -> Option<String> {
        let (text, place) = self.text(reader, name)?;
        match too_long(&text) {
            None => Some(text),
            Some((what, remedy)) => {
                reader.problem(&place, what, remedy);
                None
            }
        }
    }

    /// A mode must be quoted: YAML readers do not agree on what a bare 0400 is.
    fn mode(&mut self, reader: &mut Reader<'_>) -> Option<FileMode> {
        let bare = self.entries.iter().find_map(|(name, node)| match &node.value {
            YamlValue::Scalar { text, quoted: false } if *name == "fileMode" => Some((text, *node)),
            _ => None,
        });
        if let Some((text, node)) = bare
            && text.bytes().all(|b| b.is_ascii_digit())
            && !text.is_empty()
        {
            let place = self.place.within(node, "fileMode");
            // Kubernetes writes modes as decimal numbers, people as octal ones.
            let decimal = text.parse::<u16>().ok().filter(|_| !text.starts_with('0'));
            let octal = decimal
                .map(|bits| format!("{bits:04o}"))
                .filter(|mode| FileMode::parse(mode).is_ok());
            let remedy = match (octal, FileMode::parse(text)) {
                (Some(octal), Ok(_)) => format!(
                    "write quoted octal: fileMode: \"{octal}\" if {text:.16} is decimal, \"{text:.16}\" if it is octal"
                ),
                (Some(octal), Err(_)) => {
                    format!("write quoted octal: fileMode: \"{octal}\" is {text:.16} in decimal")
                }
                (None, Ok(_)) => format!("write it quoted: fileMode: \"{text:.16}\""),
                (None, Err(_)) => "write quoted octal, from \"0400\" to \"0777\"".to_owned(),
            };
            reader.problem(
                &place,
                format!("{text:.16} is a bare number, which YAML readers understand differently"),
                remedy,
            );
            self.take("fileMode");
            return None;
        }
        self.parsed(reader, "fileMode", FileMode::parse)
    }

    /// What is said of the file beside what is in it.
    pub(super) fn options(&mut self, reader: &mut Reader<'_>) -> RequestedFileOptions {
        let encoding = match self.manner {
            Manner::Ours => "encoding",
            Manner::Providers => "objectEncoding",
        };
        RequestedFileOptions {
            mode: self.mode(reader),
            on_missing: self.parsed(reader, "onMissing", OnMissing::parse),
            encoding: self.parsed(reader, encoding, Encoding::parse),
        }
    }
}
