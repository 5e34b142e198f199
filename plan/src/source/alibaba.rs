//! What Alibaba Cloud has: secrets of KMS and parameters of OOS, each in a file of its own.

pub(super) mod kms;
pub(super) mod oos;
pub(super) mod oos_parameter;

use std::fmt;

use self::kms::KmsSecret;
use self::oos::OosSecretParameter;
use self::oos_parameter::OosParameter;

/// One value of Alibaba Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlibabaSource {
    Kms(KmsSecret),
    Oos(OosSecretParameter),
    OosParameter(OosParameter),
}

impl AlibabaSource {
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

impl fmt::Display for AlibabaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms(secret) => secret.fmt(f),
            Self::Oos(parameter) => parameter.fmt(f),
            Self::OosParameter(parameter) => parameter.fmt(f),
        }
    }
}
