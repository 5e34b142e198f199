//! Secrets and parameters with their versions.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use super::hidden::Hidden;
use super::seed::{ParameterKind, ParameterSeed, SecretKind, SecretSeed, SecretState, VersionSeed};

pub(crate) const CURRENT: &str = "ACSCurrent";
pub(crate) const PREVIOUS: &str = "ACSPrevious";

/// KMS keeps this many versions of a generic secret and deletes the oldest.
const MOST_VERSIONS: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("secret {0:?} has no version")]
    NoVersion(String),
    #[error("secret {0:?}: each version holds either text or binary")]
    TextOrBinary(String),
    #[error("secret {0:?}: a binary version is not base64")]
    NotBase64(String),
    #[error("secret {0:?} already has a version {1:?}")]
    VersionExists(String, String),
    #[error("parameter {0:?} has no value")]
    NoValue(String),
    #[error("there is no account {0:?}")]
    NoAccount(String),
    #[error("there is no {what} {name:?} in region {region:?} of account {account:?}")]
    NotThere { what: &'static str, account: String, region: String, name: String },
}

#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) kind: SecretKind,
    pub(crate) state: SecretState,
    pub(crate) extended_config: Option<String>,
    pub(crate) created: OffsetDateTime,
    /// Oldest first, never empty.
    versions: Vec<Version>,
}

#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) stages: BTreeSet<String>,
    pub(crate) binary: bool,
    /// As KMS answers it: binary in base64.
    pub(crate) data: Hidden,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: ParameterKind,
    pub(crate) created: OffsetDateTime,
    /// Versions 1, 2, …; never empty.
    values: Vec<Hidden>,
}

impl Secret {
    pub(crate) fn new(seed: SecretSeed, now: OffsetDateTime) -> Result<Self, StoreError> {
        let mut secret = Self {
            name: seed.name,
            kind: seed.kind,
            state: seed.state,
            extended_config: seed.extended_config.map(|config| config.to_string()),
            created: now,
            versions: Vec::new(),
        };
        if seed.versions.is_empty() {
            return Err(StoreError::NoVersion(secret.name));
        }
        for version in seed.versions {
            secret.rotate(version)?;
        }
        Ok(secret)
    }

    /// The new version becomes `ACSCurrent`, the one that was current `ACSPrevious`.
    pub(crate) fn rotate(&mut self, seed: VersionSeed) -> Result<&Version, StoreError> {
        let (binary, data) = match (seed.text, seed.binary) {
            (Some(text), None) => (false, text),
            (None, Some(data)) if STANDARD.decode(data.expose()).is_ok() => (true, data),
            (None, Some(_)) => return Err(StoreError::NotBase64(self.name.clone())),
            _ => return Err(StoreError::TextOrBinary(self.name.clone())),
        };
        let id = seed.id.unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
        if self.versions.iter().any(|version| version.id == id) {
            return Err(StoreError::VersionExists(self.name.clone(), id));
        }
        for version in &mut self.versions {
            version.stages.remove(PREVIOUS);
            if version.stages.remove(CURRENT) {
                version.stages.insert(PREVIOUS.to_owned());
            }
            version.stages.retain(|stage| !seed.stages.contains(stage));
        }
        let mut stages: BTreeSet<String> = seed.stages.into_iter().collect();
        stages.insert(CURRENT.to_owned());
        if self.versions.len() >= MOST_VERSIONS {
            self.versions.remove(0);
        }
        self.versions.push(Version { id, stages, binary, data });
        self.versions.last().ok_or_else(|| StoreError::NoVersion(self.name.clone()))
    }

    pub(crate) fn by_stage(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.stages.contains(stage))
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }
}

impl Parameter {
    pub(crate) fn new(seed: ParameterSeed, now: OffsetDateTime) -> Result<Self, StoreError> {
        if seed.values.is_empty() {
            return Err(StoreError::NoValue(seed.name));
        }
        Ok(Self { name: seed.name, kind: seed.kind, created: now, values: seed.values })
    }

    pub(crate) fn update(&mut self, value: Hidden) {
        self.values.push(value);
    }

    /// The version's number with its value; the newest without a number.
    pub(crate) fn version(&self, number: Option<usize>) -> Option<(usize, &Hidden)> {
        let number = number.unwrap_or(self.values.len());
        let value = self.values.get(number.checked_sub(1)?)?;
        Some((number, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new(SecretSeed::text("db", "one"), OffsetDateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_rotation_moves_the_stages_along() {
        let mut secret = secret();
        secret
            .rotate(VersionSeed { stages: vec!["blue".to_owned()], ..VersionSeed::text("two") })
            .unwrap();
        assert_eq!(secret.by_stage(CURRENT).unwrap().data.expose(), "two");
        assert_eq!(secret.by_stage(PREVIOUS).unwrap().data.expose(), "one");
        secret.rotate(VersionSeed::text("three")).unwrap();
        assert_eq!(secret.by_stage(PREVIOUS).unwrap().data.expose(), "two");
        assert_eq!(secret.by_stage("blue").unwrap().data.expose(), "two");
        assert!(secret.by_stage("green").is_none());
    }

    #[test]
    fn an_eleventh_version_drops_the_oldest() {
        let mut secret = Secret::new(
            SecretSeed {
                name: "db".to_owned(),
                versions: vec![VersionSeed {
                    id: Some("first".to_owned()),
                    ..VersionSeed::text("0")
                }],
                ..SecretSeed::default()
            },
            OffsetDateTime::UNIX_EPOCH,
        )
        .unwrap();
        for _ in 0..9 {
            secret.rotate(VersionSeed::text("n")).unwrap();
        }
        assert!(secret.by_id("first").is_some());
        secret.rotate(VersionSeed::text("n")).unwrap();
        assert!(secret.by_id("first").is_none());
    }

    #[test]
    fn a_version_is_either_text_or_base64() {
        assert!(secret().rotate(VersionSeed::default()).is_err());
        assert!(
            secret()
                .rotate(VersionSeed { binary: Some("???".into()), ..VersionSeed::default() })
                .is_err()
        );
        assert!(secret().rotate(VersionSeed::binary(&[0, 255])).is_ok());
    }

    #[test]
    fn parameters_count_their_versions_from_one() {
        let mut parameter = Parameter::new(
            ParameterSeed::new(ParameterKind::Secret, "p", "a"),
            OffsetDateTime::UNIX_EPOCH,
        )
        .unwrap();
        parameter.update("b".into());
        assert_eq!(parameter.version(None).unwrap().0, 2);
        assert_eq!(parameter.version(Some(1)).unwrap().1.expose(), "a");
        assert!(parameter.version(Some(0)).is_none());
        assert!(parameter.version(Some(3)).is_none());
    }
}
