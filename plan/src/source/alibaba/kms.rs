//! `kms://NAME[?version=ID|?stage=LABEL][#JMESPATH]`: a secret of KMS, by its name or its ARN.

use std::fmt;

use printable::{Quoted, shorten};

use crate::source::written::Written;

pub(in crate::source) const SCHEME: &str = "kms";
pub(in crate::source) const FORM: &str = "kms://NAME";

/// A secret of KMS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KmsSecret {
    name: String,
    version: Option<KmsVersion>,
}

/// Which version of a secret; absent means the current one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KmsVersion {
    Id(String),
    /// A label, for instance `ACSPrevious`.
    Stage(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKmsSecret {
    #[error(
        "KMS secret name {shown} is not valid: use 1 to 192 letters, digits and _/+=.@-",
        shown = Quoted(.0)
    )]
    Name(String),
    #[error(
        "{shown} is not a KMS secret ARN; write acs:kms:REGION:ACCOUNT:secret/NAME",
        shown = Quoted(.0)
    )]
    Arn(String),
    #[error("unknown option {shown}; kms:// takes ?version=ID or ?stage=LABEL", shown = Quoted(.0))]
    Option(String),
    #[error("the version is given twice; keep one ?version= or ?stage=")]
    VersionTwice,
    #[error(
        "{shown} is not a valid version id or stage; use up to 64 letters, digits and _/+=.@-",
        shown = Quoted(.0)
    )]
    Version(String),
}

impl KmsSecret {
    pub fn new(name: &str, version: Option<KmsVersion>) -> Result<Self, InvalidKmsSecret> {
        let short = if name.starts_with("acs:") { name_of_arn(name)? } else { name };
        if !(1..=192).contains(&short.len()) || !short.bytes().all(is_of_name) {
            return Err(InvalidKmsSecret::Name(shorten(name)));
        }
        if let Some(KmsVersion::Id(text) | KmsVersion::Stage(text)) = &version
            && (!(1..=64).contains(&text.len()) || !text.bytes().all(is_of_name))
        {
            return Err(InvalidKmsSecret::Version(shorten(text)));
        }
        Ok(Self { name: name.to_owned(), version })
    }

    pub(in crate::source) fn parse(written: &Written<'_>) -> Result<Self, InvalidKmsSecret> {
        let mut version = None;
        for (key, value) in written.options() {
            let found = match key {
                "version" => KmsVersion::Id(value.to_owned()),
                "stage" => KmsVersion::Stage(value.to_owned()),
                _ => return Err(InvalidKmsSecret::Option(shorten(key))),
            };
            if version.replace(found).is_some() {
                return Err(InvalidKmsSecret::VersionTwice);
            }
        }
        Self::new(written.name, version)
    }

    /// A name, or an ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn version(&self) -> Option<&KmsVersion> {
        self.version.as_ref()
    }

    /// The region that an ARN says.
    #[must_use]
    pub fn arn_region(&self) -> Option<&str> {
        self.name.strip_prefix("acs:kms:").and_then(|rest| rest.split(':').next())
    }
}

impl fmt::Display for KmsSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}", self.name)?;
        match &self.version {
            None => Ok(()),
            Some(KmsVersion::Id(id)) => write!(f, "?version={id}"),
            Some(KmsVersion::Stage(stage)) => write!(f, "?stage={stage}"),
        }
    }
}

/// `NAME` of `acs:kms:REGION:ACCOUNT:secret/NAME`.
fn name_of_arn(arn: &str) -> Result<&str, InvalidKmsSecret> {
    let bad = || InvalidKmsSecret::Arn(shorten(arn));
    let mut parts = arn.splitn(5, ':');
    let (Some("acs"), Some("kms"), Some(region), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad());
    };
    let region_ok = !region.is_empty()
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let account_ok =
        (1..=32).contains(&account.len()) && account.bytes().all(|b| b.is_ascii_digit());
    match resource.strip_prefix("secret/") {
        Some(name) if region_ok && account_ok => Ok(name),
        _ => Err(bad()),
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'+' | b'=' | b'.' | b'@' | b'-')
}
