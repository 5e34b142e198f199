//! Where a value comes from: `kms://NAME[?version=ID|stage=LABEL]`, `oos://NAME[?version=N]`,
//! `oos-parameter://NAME`; a [`Reference`] adds `#JMESPATH`.

use std::fmt;

use printable::shorten;
use serde::{Deserialize, Serialize};

use crate::selector::{InvalidSelector, Selector};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider {
    /// A KMS secret.
    Kms,
    /// An encrypted OOS parameter.
    Oos,
    /// A plain OOS parameter.
    OosParameter,
}

/// Which version of a value; absent means the current one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// A KMS version id.
    Id(String),
    /// A KMS stage label, for instance `ACSPrevious`.
    Stage(String),
    /// An OOS parameter version.
    Number(u8),
}

/// One remote value, without a part of it selected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Source {
    provider: Provider,
    name: String,
    version: Option<Version>,
}

/// A source as people write it, with the part of its value that they want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub source: Source,
    pub selector: Option<Selector>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    #[error("a source is empty; write kms://NAME, oos://NAME or oos-parameter://NAME")]
    Empty,
    #[error(
        "unknown scheme {0:?}; write kms://NAME, oos://NAME or oos-parameter://NAME (a bare NAME is kms://NAME)"
    )]
    UnknownScheme(String),
    #[error("the scheme vault:// is reserved and not supported; use kms:// or oos://")]
    Vault,
    #[error("{provider} name {name:?} is not valid: {reason}")]
    Name { provider: &'static str, name: String, reason: &'static str },
    #[error("{0:?} is not a KMS secret ARN; write acs:kms:REGION:ACCOUNT:secret/NAME")]
    Arn(String),
    #[error("unknown option {0:?}; {1}")]
    Option(String, &'static str),
    #[error("{0:?} is not a valid version id or stage; use up to 64 letters, digits and _/+=.@-")]
    Version(String),
    #[error("OOS parameter version {0:?} is not valid; use a number from 1 to 100")]
    Number(String),
    #[error("the version is given twice; keep one ?version= or ?stage=")]
    VersionTwice,
    #[error("oos-parameter:// takes no version and no JMESPath; write oos-parameter://NAME")]
    PlainParameter,
    #[error(transparent)]
    Selector(#[from] InvalidSelector),
}

impl Provider {
    fn scheme(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Oos => "oos",
            Self::OosParameter => "oos-parameter",
        }
    }
}

impl Source {
    pub fn new(
        provider: Provider,
        name: &str,
        version: Option<Version>,
    ) -> Result<Self, InvalidSource> {
        check_name(provider, name)?;
        match (&version, provider) {
            (None, _) => {}
            (Some(Version::Id(text) | Version::Stage(text)), Provider::Kms) => {
                if !(1..=64).contains(&text.len()) || !text.bytes().all(is_kms_name_byte) {
                    return Err(InvalidSource::Version(shorten(text)));
                }
            }
            (Some(Version::Number(number)), Provider::Oos) => {
                if !(1..=100).contains(number) {
                    return Err(InvalidSource::Number(number.to_string()));
                }
            }
            (Some(_), Provider::OosParameter) => return Err(InvalidSource::PlainParameter),
            (Some(Version::Number(_)), Provider::Kms) => {
                return Err(InvalidSource::Option("version".to_owned(), KMS_OPTIONS));
            }
            (Some(Version::Id(_) | Version::Stage(_)), Provider::Oos) => {
                return Err(InvalidSource::Option("stage".to_owned(), OOS_OPTIONS));
            }
        }
        Ok(Self { provider, name: name.to_owned(), version })
    }

    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The name as the service wants it: a name, or a KMS ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The region that the name itself says, when it is an ARN.
    #[must_use]
    pub fn arn_region(&self) -> Option<&str> {
        self.name.strip_prefix("acs:kms:").and_then(|rest| rest.split(':').next())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.provider.scheme(), self.name)?;
        match &self.version {
            None => Ok(()),
            Some(Version::Id(id)) => write!(f, "?version={id}"),
            Some(Version::Stage(stage)) => write!(f, "?stage={stage}"),
            Some(Version::Number(number)) => write!(f, "?version={number}"),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = InvalidSource;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let reference = Reference::parse(&text)?;
        match reference.selector {
            None => Ok(reference.source),
            Some(_) => Err(InvalidSource::Option("#".to_owned(), "a plan keeps JMESPath apart")),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl Reference {
    pub fn parse(text: &str) -> Result<Self, InvalidSource> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidSource::Empty);
        }
        let (provider, rest) = scheme(text)?;
        let (rest, selector) = match rest.split_once('#') {
            Some((rest, expression)) => (rest, Some(expression)),
            None => (rest, None),
        };
        let (name, options) = match rest.split_once('?') {
            Some((name, options)) => (name, Some(options)),
            None => (rest, None),
        };
        if provider == Provider::OosParameter && (selector.is_some() || options.is_some()) {
            return Err(InvalidSource::PlainParameter);
        }
        let version = match options {
            Some(options) => version(provider, options)?,
            None => None,
        };
        let source = Source::new(provider, name, version)?;
        let selector = selector.map(Selector::parse).transpose()?;
        Ok(Self { source, selector })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selector {
            Some(selector) => write!(f, "{}#{selector}", self.source),
            None => write!(f, "{}", self.source),
        }
    }
}

fn scheme(text: &str) -> Result<(Provider, &str), InvalidSource> {
    match text.split_once("://") {
        None => Ok((Provider::Kms, text)),
        Some(("kms", rest)) => Ok((Provider::Kms, rest)),
        Some(("oos", rest)) => Ok((Provider::Oos, rest)),
        Some(("oos-parameter", rest)) => Ok((Provider::OosParameter, rest)),
        Some(("vault", _)) => Err(InvalidSource::Vault),
        Some((other, _)) => Err(InvalidSource::UnknownScheme(shorten(&format!("{other}://")))),
    }
}

fn version(provider: Provider, options: &str) -> Result<Option<Version>, InvalidSource> {
    let mut found = None;
    for option in options.split('&') {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let version = match (provider, key) {
            (Provider::Kms, "version") => Version::Id(value.to_owned()),
            (Provider::Kms, "stage") => Version::Stage(value.to_owned()),
            (Provider::Oos, "version") => {
                Version::Number(value.parse().map_err(|_| InvalidSource::Number(shorten(value)))?)
            }
            (Provider::Kms, _) => return Err(InvalidSource::Option(shorten(key), KMS_OPTIONS)),
            (_, _) => return Err(InvalidSource::Option(shorten(key), OOS_OPTIONS)),
        };
        if found.replace(version).is_some() {
            return Err(InvalidSource::VersionTwice);
        }
    }
    Ok(found)
}

fn check_name(provider: Provider, name: &str) -> Result<(), InvalidSource> {
    let fail =
        |provider, reason| Err(InvalidSource::Name { provider, name: shorten(name), reason });
    match provider {
        Provider::Kms => {
            let short = if name.starts_with("acs:") { arn_secret_name(name)? } else { name };
            if !(1..=192).contains(&short.len()) || !short.bytes().all(is_kms_name_byte) {
                return fail("KMS secret", "use 1 to 192 letters, digits and _/+=.@-");
            }
        }
        Provider::Oos | Provider::OosParameter => {
            let limit = if provider == Provider::Oos { 180 } else { 200 };
            let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/');
            if !(1..=limit).contains(&name.len()) || !name.bytes().all(valid) {
                return fail("OOS parameter", "use 1 to 180 letters, digits and -_/");
            }
            let upper = name.to_ascii_uppercase();
            if ["ALIYUN", "ACS", "ALIBABA", "ALICLOUD", "OOS"].iter().any(|p| upper.starts_with(p))
            {
                return fail(
                    "OOS parameter",
                    "it must not start with ALIYUN, ACS, ALIBABA, ALICLOUD or OOS",
                );
            }
        }
    }
    Ok(())
}

/// `NAME` of `acs:kms:REGION:ACCOUNT:secret/NAME`.
fn arn_secret_name(arn: &str) -> Result<&str, InvalidSource> {
    let bad = || InvalidSource::Arn(shorten(arn));
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

fn is_kms_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'+' | b'=' | b'.' | b'@' | b'-')
}

const KMS_OPTIONS: &str = "kms:// takes ?version=ID or ?stage=LABEL";
const OOS_OPTIONS: &str = "oos:// takes ?version=1..100";

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
