//! All keys of a JSON secret: each becomes a file, or a variable of some containers. Which there are,
//! only the value says.

use serde::{Deserialize, Serialize};

use crate::content::Selection;
use crate::contract::MAX_VALUE_BYTES;
use crate::env::{ContainerName, VariableName};
use crate::file::{Encoding, FileMode, OnMissing};
use crate::glob::Glob;
use crate::selector::Selector;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AllKeysJson", into = "AllKeysJson")]
pub struct AllKeys {
    /// The object that has the keys.
    pub value: Selection,
    /// It stands before each key.
    pub prefix: String,
    pub on_missing: OnMissing,
    pub encoding: Encoding,
    pub become_what: KeysTarget,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysTarget {
    /// `slash` stands in the place of each `/` of a key.
    Files { mode: FileMode, slash: Option<char> },
    /// Variables of containers whose command is started by us.
    Variables { exec: Vec<ContainerName> },
}

/// What the operator says of names that only a value shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariableRules {
    /// Names that may be set although whoever writes the secret runs code with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<VariableName>,
    /// Names that alone may be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<Glob>>,
}

/// Why a name is no variable's that a secret sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedName {
    Reserved,
    NotListed,
    RunsCode,
}

/// Variables of ours begin so.
pub const RESERVED_VARIABLES: &str = "SECRETS_INJECTOR_";

/// Groups of keys in one Pod.
pub const MAX_ALL_KEYS: usize = 16;

/// Files or variables of one of them.
pub const MAX_KEYS: usize = 256;

/// Bytes that all keys of a secret take at most in a memory volume, behind a prefix of this length: three
/// generations with a page that each key begins, with the value, the names and a sentinel; a link for each
/// key of before and of now, whose target takes a page where it is long; and what is written beside them.
#[must_use]
pub const fn room_of_all_keys(prefix: usize) -> usize {
    let prefixes = (MAX_KEYS * prefix).div_ceil(PAGE);
    let generation = MAX_KEYS + 2 * MAX_VALUE_BYTES.div_ceil(PAGE) + prefixes + 1;
    PAGE * (3 * generation + 2 * MAX_KEYS + BESIDE)
}

const PAGE: usize = 4096;
/// Pages of the status, and of the names of removed keys.
const BESIDE: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all keys become either files, which have a mode, or variables of containers")]
pub struct InvalidAllKeys;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AllKeysJson {
    from: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    select: Option<Selector>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prefix: String,
    #[serde(default, skip_serializing_if = "OnMissing::is_fail")]
    on_missing: OnMissing,
    #[serde(default, skip_serializing_if = "Encoding::is_as_is")]
    encoding: Encoding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<FileMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slash: Option<char>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exec: Vec<ContainerName>,
}

impl VariableRules {
    /// Why a variable of this name is not set from a secret.
    #[must_use]
    pub fn refuse(&self, name: &VariableName) -> Option<RefusedName> {
        let name = name.as_str();
        if name.to_ascii_uppercase().starts_with(RESERVED_VARIABLES) {
            return Some(RefusedName::Reserved);
        }
        if self.only.as_ref().is_some_and(|only| !only.iter().any(|it| it.matches(name))) {
            return Some(RefusedName::NotListed);
        }
        let is_allowed = || self.allowed.iter().any(|allowed| allowed.as_str() == name);
        (crate::env::runs_code(name) && !is_allowed()).then_some(RefusedName::RunsCode)
    }
}

impl TryFrom<AllKeysJson> for AllKeys {
    type Error = InvalidAllKeys;

    fn try_from(written: AllKeysJson) -> Result<Self, Self::Error> {
        let AllKeysJson { from, select, prefix, on_missing, encoding, mode, slash, exec } = written;
        let become_what = match (mode, slash, exec) {
            (Some(mode), slash, exec) if exec.is_empty() => KeysTarget::Files { mode, slash },
            (None, None, exec) if !exec.is_empty() => KeysTarget::Variables { exec },
            _ => return Err(InvalidAllKeys),
        };
        Ok(Self { value: Selection { from, select }, prefix, on_missing, encoding, become_what })
    }
}

impl From<AllKeys> for AllKeysJson {
    fn from(keys: AllKeys) -> Self {
        let AllKeys {
            value: Selection { from, select },
            prefix,
            on_missing,
            encoding,
            become_what,
        } = keys;
        let (mode, slash, exec) = match become_what {
            KeysTarget::Files { mode, slash } => (Some(mode), slash, Vec::new()),
            KeysTarget::Variables { exec } => (None, None, exec),
        };
        Self { from, select, prefix, on_missing, encoding, mode, slash, exec }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_rules_are_kept_for_names_that_nobody_wrote() {
        let refuse =
            |rules: &VariableRules, name: &str| rules.refuse(&VariableName::parse(name).unwrap());
        let rules = VariableRules::default();
        assert_eq!(refuse(&rules, "DB_PASSWORD"), None);
        assert_eq!(refuse(&rules, "LD_PRELOAD"), Some(RefusedName::RunsCode));
        assert_eq!(refuse(&rules, "secrets_injector_plan"), Some(RefusedName::Reserved));
        let rules = VariableRules {
            allowed: vec![VariableName::parse("NODE_OPTIONS").unwrap()],
            only: Some(vec![Glob::parse("NODE_*").unwrap()]),
        };
        assert_eq!(refuse(&rules, "NODE_OPTIONS"), None);
        assert_eq!(refuse(&rules, "NODE_PATH"), Some(RefusedName::RunsCode));
        assert_eq!(refuse(&rules, "TOKEN"), Some(RefusedName::NotListed));
    }

    #[test]
    fn keys_become_one_thing_or_the_other() {
        for json in [
            r#"{"from":0}"#,
            r#"{"from":0,"mode":"0444","exec":["app"]}"#,
            r#"{"from":0,"slash":"_","exec":["app"]}"#,
        ] {
            assert!(serde_json::from_str::<AllKeys>(json).is_err(), "{json}");
        }
    }
}
