//! Where a value comes from: `SCHEME://…`, each scheme in a file of its own and a row of the table
//! below. A [`Reference`] adds `#JMESPATH`.

mod kms;
mod oos;
mod oos_parameter;
mod written;

use std::fmt;

use printable::shorten;
use serde::{Deserialize, Serialize};

pub use self::kms::{InvalidKmsSecret, KmsSecret, KmsVersion};
pub use self::oos::{InvalidOosName, InvalidOosSecretParameter, OosSecretParameter};
pub use self::oos_parameter::{InvalidOosParameter, OosParameter};
use self::written::Written;
use crate::selector::{InvalidSelector, Selector};

/// One remote value, without a part of it selected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    Kms(KmsSecret),
    Oos(OosSecretParameter),
    OosParameter(OosParameter),
}

/// A source as people write it, with the part of its value that they want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub source: Source,
    pub selector: Option<Selector>,
}

struct Scheme {
    name: &'static str,
    /// A source without all that may be left out.
    form: &'static str,
    parse: fn(&Written<'_>) -> Result<Source, InvalidSource>,
}

/// The scheme of a bare name.
const BARE: Scheme = Scheme {
    name: kms::SCHEME,
    form: kms::FORM,
    parse: |written| Ok(Source::Kms(KmsSecret::parse(written)?)),
};

const SCHEMES: [Scheme; 3] = [
    BARE,
    Scheme {
        name: oos::SCHEME,
        form: oos::FORM,
        parse: |written| Ok(Source::Oos(OosSecretParameter::parse(written)?)),
    },
    Scheme {
        name: oos_parameter::SCHEME,
        form: oos_parameter::FORM,
        parse: |written| Ok(Source::OosParameter(OosParameter::parse(written)?)),
    },
];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    #[error("a source is empty; write {}", forms())]
    Empty,
    #[error(
        "unknown scheme {0:?}; write {forms} (a bare NAME is {bare})",
        forms = forms(),
        bare = BARE.form
    )]
    UnknownScheme(String),
    #[error("the scheme vault:// is reserved and not supported; use kms:// or oos://")]
    Vault,
    #[error(transparent)]
    Kms(#[from] InvalidKmsSecret),
    #[error(transparent)]
    Oos(#[from] InvalidOosSecretParameter),
    #[error(transparent)]
    OosParameter(#[from] InvalidOosParameter),
    #[error(transparent)]
    Selector(#[from] InvalidSelector),
    #[error("a plan keeps JMESPath apart from the source")]
    WithSelector,
}

/// Like `a://NAME, b://NAME or c://NAME`.
fn forms() -> String {
    let forms: Vec<_> = SCHEMES.iter().map(|scheme| scheme.form).collect();
    match forms.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => forms.concat(),
    }
}

impl Source {
    /// The name as the service wants it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Kms(secret) => secret.name(),
            Self::Oos(parameter) => parameter.name(),
            Self::OosParameter(parameter) => parameter.name(),
        }
    }

    /// The region that the name itself says.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Kms(secret) => secret.arn_region(),
            Self::Oos(_) | Self::OosParameter(_) => None,
        }
    }

    /// Whether it is another version than the current one.
    #[must_use]
    pub fn has_version(&self) -> bool {
        match self {
            Self::Kms(secret) => secret.version().is_some(),
            Self::Oos(parameter) => parameter.version().is_some(),
            Self::OosParameter(_) => false,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms(secret) => secret.fmt(f),
            Self::Oos(parameter) => parameter.fmt(f),
            Self::OosParameter(parameter) => parameter.fmt(f),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = InvalidSource;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let reference = Reference::parse(&text)?;
        match reference.selector {
            None => Ok(reference.source),
            Some(_) => Err(InvalidSource::WithSelector),
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
        let (scheme, rest) = split_scheme(text)?;
        let written = Written::split(rest);
        let source = (scheme.parse)(&written)?;
        let selector = written.selector.map(Selector::parse).transpose()?;
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

fn split_scheme(text: &str) -> Result<(&'static Scheme, &str), InvalidSource> {
    let Some((name, rest)) = text.split_once("://") else { return Ok((&BARE, text)) };
    match SCHEMES.iter().find(|scheme| scheme.name == name) {
        Some(scheme) => Ok((scheme, rest)),
        None if name == "vault" => Err(InvalidSource::Vault),
        None => Err(InvalidSource::UnknownScheme(shorten(&format!("{name}://")))),
    }
}

#[cfg(test)]
mod tests;
