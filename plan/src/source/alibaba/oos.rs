//! `oos://NAME[?version=1..100][#JMESPATH]`: a secret parameter of OOS.

use std::fmt;

use printable::{Quoted, shorten};

use crate::source::written::Written;

pub(in crate::source) const SCHEME: &str = "oos";
pub(in crate::source) const FORM: &str = "oos://NAME";

/// A secret parameter of OOS, which KMS encrypts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OosSecretParameter {
    name: String,
    version: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOosSecretParameter {
    #[error(transparent)]
    Name(#[from] InvalidOosName),
    #[error("unknown option {shown}; oos:// takes ?version=1..100", shown = Quoted(.0))]
    Option(String),
    #[error("the version is given twice; keep one ?version= or ?stage=")]
    VersionTwice,
    #[error(
        "OOS parameter version {shown} is not valid; use a number from 1 to 100",
        shown = Quoted(.0)
    )]
    Version(String),
}

/// A name that no parameter of OOS can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("OOS parameter name {shown} is not valid: {reason}", shown = Quoted(.name))]
pub struct InvalidOosName {
    name: String,
    reason: &'static str,
}

impl OosSecretParameter {
    /// `version` is the current one where it is absent.
    pub fn new(name: &str, version: Option<u8>) -> Result<Self, InvalidOosSecretParameter> {
        check_name(name, 180)?;
        match version {
            Some(number) if !(1..=100).contains(&number) => {
                Err(InvalidOosSecretParameter::Version(number.to_string()))
            }
            _ => Ok(Self { name: name.to_owned(), version }),
        }
    }

    pub(in crate::source) fn parse(
        written: &Written<'_>,
    ) -> Result<Self, InvalidOosSecretParameter> {
        let mut version = None;
        for (key, value) in written.options() {
            let found = match key {
                "version" => {
                    value.parse().map_err(|_| InvalidOosSecretParameter::Version(shorten(value)))?
                }
                _ => return Err(InvalidOosSecretParameter::Option(shorten(key))),
            };
            if version.replace(found).is_some() {
                return Err(InvalidOosSecretParameter::VersionTwice);
            }
        }
        Self::new(written.name, version)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn version(&self) -> Option<u8> {
        self.version
    }
}

impl fmt::Display for OosSecretParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}", self.name)?;
        self.version.map_or(Ok(()), |number| write!(f, "?version={number}"))
    }
}

/// The rule for names of all parameters; only how long they are differs.
pub(super) fn check_name(name: &str, longest: usize) -> Result<(), InvalidOosName> {
    let fail = |reason| Err(InvalidOosName { name: shorten(name), reason });
    let is_of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/');
    if !(1..=longest).contains(&name.len()) || !name.bytes().all(is_of_name) {
        return fail("use 1 to 180 letters, digits and -_/");
    }
    let upper = name.to_ascii_uppercase();
    if RESERVED.iter().any(|prefix| upper.starts_with(prefix)) {
        return fail("it must not start with ALIYUN, ACS, ALIBABA, ALICLOUD or OOS");
    }
    Ok(())
}

const RESERVED: [&str; 5] = ["ALIYUN", "ACS", "ALIBABA", "ALICLOUD", "OOS"];
