//! Environment variables: which, for which containers, and on which way they get there.

use std::fmt;

use printable::shorten;
use serde::{Deserialize, Serialize};

use crate::file::{FileMode, OnMissing};
use crate::selector::Selector;

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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variable {
    pub name: VariableName,
    /// Index into the plan's lookups.
    pub from: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Selector>,
    #[serde(default, skip_serializing_if = "OnMissing::is_fail")]
    pub on_missing: OnMissing,
    /// Containers whose command is started by us, with the variable set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exec: Vec<ContainerName>,
    /// Containers for which the kubelet reads a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_key_ref: Vec<ContainerName>,
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
        "{0:?} is not the name of an environment variable; use letters, digits and underscores, not beginning with a digit"
    )]
    Name(String),
    #[error("the variable name {0:?} has {1} bytes; at most {MAX_NAME} are allowed")]
    TooLong(String, usize),
    #[error("{0:?} is not the name of a container; use lower case letters, digits and dashes")]
    Container(String),
}

/// Variables in one Pod, counted once for each of their containers.
pub const MAX_VARIABLES: usize = 256;

/// The kubelet takes no longer key from a file.
const MAX_NAME: usize = 128;

impl Variable {
    pub fn containers(&self) -> impl Iterator<Item = &ContainerName> {
        self.exec.iter().chain(&self.file_key_ref)
    }
}

/// The file that holds a variable of a container. Neither name has a dot.
#[must_use]
pub fn variable_file(container: &ContainerName, name: &VariableName) -> String {
    format!("{container}.{name}")
}

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
