//! One value to fetch: what, where and as whom. Each backend has its own way, in a file below, so that
//! a source of one with the route of another cannot exist.

mod alibaba;

use serde::{Deserialize, Serialize};

pub use self::alibaba::AlibabaLookup;
use crate::cloud::{Assume, Host, Region};
use crate::credentials::CredentialsVolume;
use crate::source::Source;

/// Files refer to it by index, so that the same value is fetched once however many files it makes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub enum Lookup {
    Alibaba(AlibabaLookup),
}

/// A lookup as the plan has it: which backend's it is, the source says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    source: Source,
    region: Region,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<Host>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assume: Option<Assume>,
}

impl Lookup {
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::Alibaba(lookup) => lookup.source.clone().into(),
        }
    }

    /// For who knows that Alibaba Cloud is asked.
    #[must_use]
    pub fn as_alibaba(&self) -> Option<&AlibabaLookup> {
        match self {
            Self::Alibaba(lookup) => Some(lookup),
        }
    }

    /// Whether it is asked with the plan's credentials.
    #[must_use]
    pub fn needs_credentials(&self) -> bool {
        match self {
            Self::Alibaba(_) => true,
        }
    }

    /// What it needs of the Pod beside the plan's credentials.
    #[must_use]
    pub fn volume(&self) -> Option<CredentialsVolume<'_>> {
        match self {
            Self::Alibaba(_) => None,
        }
    }
}

impl From<AlibabaLookup> for Lookup {
    fn from(lookup: AlibabaLookup) -> Self {
        Self::Alibaba(lookup)
    }
}

impl From<Fields> for Lookup {
    fn from(fields: Fields) -> Self {
        let Fields { source, region, endpoint, assume } = fields;
        match source {
            Source::Alibaba(source) => {
                Self::Alibaba(AlibabaLookup { source, region, endpoint, assume })
            }
        }
    }
}

impl From<Lookup> for Fields {
    fn from(lookup: Lookup) -> Self {
        match lookup {
            Lookup::Alibaba(AlibabaLookup { source, region, endpoint, assume }) => {
                Self { source: source.into(), region, endpoint, assume }
            }
        }
    }
}
