//! More or less than a list was pasted: each slip that is made with objects of the CSI driver has its
//! own words.

use super::fields::object_field;
use super::reader::Reader;
use crate::ask::yaml::{Node, YamlValue};

const ONLY_THE_LIST: &str = "paste only the list that stands below `objects: |`, beginning with its first dash; region and pathTranslation are annotations";

impl Reader<'_> {
    /// Whether a mapping is a class, or a part of one, and no mapping of files.
    pub(super) fn is_pasted_whole(&mut self, entries: &[(Node<'_>, Node<'_>)]) -> bool {
        let has = |node: &Node<'_>, wanted: &[&str]| match &node.value {
            YamlValue::Mapping(inner) => {
                inner.iter().any(|(key, _)| key.scalar().is_some_and(|key| wanted.contains(&key)))
            }
            _ => false,
        };
        let found = entries.iter().find_map(|(key, value)| {
            let name = key.scalar()?;
            let is_list = matches!(value.value, YamlValue::Sequence(_));
            let text = value.scalar().unwrap_or_default();
            let is_one = match name {
                "secretObjects" => is_list,
                "objects" => is_list || text.to_ascii_lowercase().contains("objectname:"),
                "spec" => has(value, &["provider", "parameters", "secretObjects"]),
                "parameters" => has(value, &["objects"]),
                "kind" => text == "SecretProviderClass",
                _ => false,
            };
            is_one.then_some((name, key))
        });
        let Some((name, key)) = found else { return false };
        let place = self.place(key.line, format!("key {name}"));
        let has_more = entries.len() > 1;
        match name {
            "secretObjects" => self.problem(&place, SECRET_OBJECTS, INSTEAD_OF_SECRETS),
            "objects" if !has_more => self.problem(
                &place,
                "the list of a SecretProviderClass stands below its key",
                "leave out the line `objects: |` and paste only the list",
            ),
            _ => self.problem(
                &place,
                "a whole SecretProviderClass stands here, and not the list of its objects",
                ONLY_THE_LIST,
            ),
        }
        true
    }

    /// Whether an item of a list is one of `secretObjects`.
    pub(super) fn is_secret_object(&mut self, item: &Node<'_>, index: usize) -> bool {
        let YamlValue::Mapping(entries) = &item.value else { return false };
        let has = |name: &str| entries.iter().any(|(key, _)| key.scalar() == Some(name));
        let is_one = has("secretName") && !has("objectName");
        if is_one {
            let place = self.place(item.line, format!("item {}", index + 1));
            self.problem(&place, SECRET_OBJECTS, INSTEAD_OF_SECRETS);
        }
        is_one
    }

    /// A dash that has lost its space makes text or a key of what was meant as an item.
    pub(super) fn dash_without_space(&mut self, text: &str) -> bool {
        let field = |line: &str| {
            let (name, _) = line.trim_start().strip_prefix('-')?.split_once(':')?;
            object_field(name.trim_end())
        };
        let found = text.lines().enumerate().find_map(|(at, line)| Some((at, field(line)?)));
        let Some((at, field)) = found else { return false };
        let place = self.place(at + 1, "");
        self.problem(
            &place,
            format!("the dash before {field} has no space behind it, and so begins no item"),
            format!(
                "write `- {field}: …`, and the other fields of the item below its first letter"
            ),
        );
        true
    }
}

const SECRET_OBJECTS: &str =
    "secretObjects makes Kubernetes Secrets of files, and no Secret is made here";
const INSTEAD_OF_SECRETS: &str = "leave it out; variables are named in kms.alibabacloud/env, and files here by the list below `objects: |`";
