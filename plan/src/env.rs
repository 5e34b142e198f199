//! Environment variables: which, for which containers, and on which way they get there.

mod kinds;

use std::fmt;

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

use crate::content::{Content, Selection, Template};
use crate::file::{Encoding, FileMode, OnMissing};
use crate::selector::Selector;

pub use self::kinds::runs_code;

/// What of a plan becomes environment variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// The mode of the files that containers read themselves.
    pub mode: FileMode,
    pub variables: Vec<Variable>,
}

/// One variable with one value, in one container or in several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "VariableJson", into = "VariableJson")]
pub struct Variable {
    pub name: VariableName,
    pub content: Content,
    pub on_missing: OnMissing,
    pub encoding: Encoding,
    /// Containers whose command is started by us, with the variable set.
    pub exec: Vec<ContainerName>,
    /// Containers for which the kubelet reads a file.
    pub file_key_ref: Vec<ContainerName>,
}

/// A variable in JSON: either a value or a template.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VariableJson {
    name: VariableName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    select: Option<Selector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<Template>,
    #[serde(default, skip_serializing_if = "OnMissing::is_fail")]
    on_missing: OnMissing,
    #[serde(default, skip_serializing_if = "Encoding::is_as_is")]
    encoding: Encoding,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exec: Vec<ContainerName>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    file_key_ref: Vec<ContainerName>,
}

/// A name as POSIX has it for the environment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariableName(String);

/// A DNS label, as Kubernetes names containers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerName(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEnvironment {
    #[error(
        "{shown} is not the name of an environment variable; use letters, digits and underscores, not beginning with a digit",
        shown = Quoted(.0)
    )]
    Name(String),
    #[error(
        "the variable name {shown} has {1} bytes; at most {MAX_NAME} are allowed",
        shown = Quoted(.0)
    )]
    TooLong(String, usize),
    #[error(
        "{shown} is not the name of a container; use lower case letters, digits and dashes",
        shown = Quoted(.0)
    )]
    Container(String),
    #[error("a variable holds either a value or a template of values")]
    Content,
}

/// Variables in one Pod, counted once for each of their containers.
pub const MAX_VARIABLES: usize = 256;

/// The kubelet takes no longer key from a file.
const MAX_NAME: usize = 128;

impl TryFrom<VariableJson> for Variable {
    type Error = InvalidEnvironment;

    fn try_from(written: VariableJson) -> Result<Self, Self::Error> {
        let VariableJson { name, from, select, template, on_missing, encoding, .. } = written;
        let content = Content::of(from, select, template).ok_or(InvalidEnvironment::Content)?;
        let (exec, file_key_ref) = (written.exec, written.file_key_ref);
        Ok(Self { name, content, on_missing, encoding, exec, file_key_ref })
    }
}

impl From<Variable> for VariableJson {
    fn from(variable: Variable) -> Self {
        let Variable { name, content, on_missing, encoding, exec, file_key_ref } = variable;
        let (from, select, template) = content.into_parts();
        Self { name, from, select, template, on_missing, encoding, exec, file_key_ref }
    }
}

impl Variable {
    /// A value or a part of it, for these containers.
    #[must_use]
    pub fn of_value(name: VariableName, value: Selection, exec: Vec<ContainerName>) -> Self {
        let content = Content::Value(value);
        let (on_missing, encoding) = (OnMissing::default(), Encoding::default());
        Self { name, content, on_missing, encoding, exec, file_key_ref: Vec::new() }
    }

    pub fn containers(&self) -> impl Iterator<Item = &ContainerName> {
        self.exec.iter().chain(&self.file_key_ref)
    }
}

/// The file that holds a variable of a container. Neither name has a dot.
#[must_use]
pub fn variable_file(container: &ContainerName, name: &VariableName) -> String {
    format!("{container}.{name}")
}

/// The file that has the names of all variables that a container gets of one secret, as the group of
/// this number. No variable is called so.
#[must_use]
pub fn keys_file(container: &ContainerName, index: usize) -> String {
    format!("{container}.{}", keys_marker(index))
}

/// What such a group is called among the variables without which a container is not to start.
#[must_use]
pub fn keys_marker(index: usize) -> String {
    format!("{KEYS_MARKER}{index}")
}

/// No variable's name begins so.
pub const KEYS_MARKER: char = '*';

impl VariableName {
    pub fn parse(text: &str) -> Result<Self, InvalidEnvironment> {
        let bad = || InvalidEnvironment::Name(shorten(text));
        let first = text.bytes().next().ok_or_else(bad)?;
        if first.is_ascii_digit() || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(bad());
        }
        if text.len() > MAX_NAME {
            return Err(InvalidEnvironment::TooLong(shorten(text), text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ContainerName {
    pub fn parse(text: &str) -> Result<Self, InvalidEnvironment> {
        let byte_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let edge_ok = |b: Option<u8>| b.is_some_and(|b| b != b'-');
        let ok = text.len() <= 63
            && text.bytes().all(byte_ok)
            && edge_ok(text.bytes().next())
            && edge_ok(text.bytes().next_back());
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEnvironment::Container(shorten(text)))
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for VariableName {
    type Error = InvalidEnvironment;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl TryFrom<String> for ContainerName {
    type Error = InvalidEnvironment;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

impl From<ContainerName> for String {
    fn from(name: ContainerName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_as_posix_has_it() {
        for name in ["A", "_", "DB_PASSWORD", "x1", &"X".repeat(128)] {
            assert_eq!(VariableName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "1A", "A-B", "A.B", "A B", "A=B", "Ä", "A\0", "a/b", &"X".repeat(129)] {
            assert!(VariableName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn containers_are_named_as_kubernetes_has_it() {
        for name in ["a", "app-1", "0", &"x".repeat(63)] {
            assert_eq!(ContainerName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "A", "a.b", "-a", "a-", "../x", "a b", &"x".repeat(64)] {
            assert!(ContainerName::parse(name).is_err(), "{name:?}");
        }
    }
}
