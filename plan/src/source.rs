//! Where a value comes from: `SCHEME://…`, each backend with its schemes in a folder of its own, and
//! each scheme a row of the table below. A [`Reference`] adds `#JMESPATH`.

mod alibaba;
mod written;

use std::fmt;

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

pub use self::alibaba::AlibabaSource;
pub use self::alibaba::kms::{InvalidKmsSecret, KmsSecret, KmsVersion};
pub use self::alibaba::oos::{InvalidOosName, InvalidOosSecretParameter, OosSecretParameter};
pub use self::alibaba::oos_parameter::{InvalidOosParameter, OosParameter};
use self::alibaba::{kms, oos, oos_parameter};
use self::written::Written;
use crate::selector::{InvalidSelector, Selector};

/// One remote value, without a part of it selected. Each backend has a variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    Alibaba(AlibabaSource),
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
    parse: |written| Ok(AlibabaSource::Kms(KmsSecret::parse(written)?).into()),
};

const SCHEMES: [Scheme; 3] = [
    BARE,
    Scheme {
        name: oos::SCHEME,
        form: oos::FORM,
        parse: |written| Ok(AlibabaSource::Oos(OosSecretParameter::parse(written)?).into()),
    },
    Scheme {
        name: oos_parameter::SCHEME,
        form: oos_parameter::FORM,
        parse: |written| Ok(AlibabaSource::OosParameter(OosParameter::parse(written)?).into()),
    },
];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    #[error("a source is empty; write {}", forms())]
    Empty,
    #[error(
        "unknown scheme {shown}; write {forms} (a bare NAME is {bare})",
        forms = forms(),
        bare = BARE.form,
        shown = Quoted(.0)
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
    /// The name as the backend wants it, which a file has that is given no other.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Alibaba(source) => source.name(),
        }
    }

    /// For who knows that it is one of Alibaba Cloud.
    #[must_use]
    pub fn into_alibaba(self) -> Option<AlibabaSource> {
        match self {
            Self::Alibaba(source) => Some(source),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alibaba(source) => source.fmt(f),
        }
    }
}

impl From<AlibabaSource> for Source {
    fn from(source: AlibabaSource) -> Self {
        Self::Alibaba(source)
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
