//! Names of what credentials come from.

use printable::shorten;
use serde::{Deserialize, Serialize};

use super::error::InvalidCredentials;
use crate::text_type::text_type;

/// A RAM role by its name alone: 1 to 64 of `[A-Za-z0-9._-]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RamRoleName(String);

/// A Secret of the Pod's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(String);

impl RamRoleName {
    pub fn parse(text: &str) -> Result<Self, InvalidCredentials> {
        let byte_ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        // It is a part of a path: one of dots alone would lead elsewhere.
        let ok = (1..=64).contains(&text.len())
            && text.bytes().all(byte_ok)
            && text.bytes().any(|b| b != b'.');
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidCredentials::Role(shorten(text))) }
    }
}

impl SecretName {
    pub fn parse(text: &str) -> Result<Self, InvalidCredentials> {
        match is_subdomain(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidCredentials::Secret(shorten(text))),
        }
    }
}

/// Whether it is a DNS subdomain, as Kubernetes names most of its objects.
#[must_use]
pub fn is_subdomain(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

text_type!(InvalidCredentials: RamRoleName, SecretName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_called_as_kubernetes_allows() {
        let (longest, too_long) = ("x".repeat(253), "x".repeat(254));
        for name in ["a", "alibaba-credentials", "kms.v1", "0", &longest] {
            assert_eq!(SecretName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "A", "a_b", "a/b", "-a", "a-", ".a", "a.", "a..b", "a.-b", &too_long] {
            assert!(SecretName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_role_name_is_no_path() {
        for name in ["KubernetesWorkerRole-1a2b", "a", "a.b_c"] {
            assert_eq!(RamRoleName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "a/b", "..", ".", "a b", "a?b", "a%2f", &"x".repeat(65)] {
            assert!(RamRoleName::parse(name).is_err(), "{name:?}");
        }
    }
}
