//! The services that are asked, each at hosts of its own.

use plan::AlibabaSource;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Kms,
    Oos,
    Sts,
}

impl Service {
    pub(crate) fn of(source: &AlibabaSource) -> Self {
        match source {
            AlibabaSource::Kms(_) => Self::Kms,
            AlibabaSource::Oos(_) | AlibabaSource::OosParameter(_) => Self::Oos,
        }
    }

    /// As settings call it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Oos => "oos",
            Self::Sts => "sts",
        }
    }

    /// The service of this name, if there are secrets or parameters in it.
    pub(crate) fn with_secrets(name: &str) -> Option<Self> {
        [Self::Kms, Self::Oos].into_iter().find(|service| service.as_str() == name)
    }

    /// Hosts that every Pod may name, in words.
    pub(crate) fn patterns(self) -> &'static str {
        match self {
            Self::Kms => {
                "use kms.REGION.aliyuncs.com, kms-vpc.REGION.aliyuncs.com or ID.cryptoservice.kms.aliyuncs.com"
            }
            Self::Oos => "use oos.REGION.aliyuncs.com or oos-vpc.REGION.aliyuncs.com",
            Self::Sts => {
                "use sts.REGION.aliyuncs.com, sts-vpc.REGION.aliyuncs.com or sts.aliyuncs.com"
            }
        }
    }
}
