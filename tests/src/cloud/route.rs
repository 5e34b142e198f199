//! Which service, region and gateway a call is for: by the name of the host, else by API version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CalledService {
    Sts,
    Kms,
    Oos,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) service: CalledService,
    pub(crate) region: String,
    /// The gateway of a KMS instance and not the one that all share.
    pub(crate) dedicated: bool,
}

/// Where the emulator's hosts lie.
pub(crate) struct Regions {
    pub(crate) default: String,
    pub(crate) gateways: BTreeMap<String, String>,
}

const DOMAIN: &str = ".aliyuncs.com";
const DEDICATED: &str = ".cryptoservice.kms.aliyuncs.com";

impl CalledService {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Kms => "kms",
            Self::Oos => "oos",
        }
    }

    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Sts => "2015-04-01",
            Self::Kms => "2016-01-20",
            Self::Oos => "2019-06-01",
        }
    }

    fn from_version(version: &str) -> Option<Self> {
        [Self::Sts, Self::Kms, Self::Oos].into_iter().find(|service| service.version() == version)
    }

    fn from_label(label: &str) -> Option<Self> {
        let name = label.strip_suffix("-vpc").unwrap_or(label);
        [Self::Sts, Self::Kms, Self::Oos].into_iter().find(|service| service.name() == name)
    }
}

impl Regions {
    /// `None`: no service has this host name, or it has no such version.
    pub(crate) fn route(&self, host: &str, version: &str) -> Option<Route> {
        if let Some(id) = host.strip_suffix(DEDICATED) {
            let region = self.gateways.get(id).unwrap_or(&self.default).clone();
            return (version == CalledService::Kms.version()).then_some(Route {
                service: CalledService::Kms,
                region,
                dedicated: true,
            });
        }
        let Some(labels) = host.strip_suffix(DOMAIN) else {
            let service = CalledService::from_version(version)?;
            return Some(Route { service, region: self.default.clone(), dedicated: false });
        };
        let (label, region) = labels.split_once('.').unwrap_or((labels, &self.default));
        let service = CalledService::from_label(label)?;
        (service.version() == version).then(|| Route {
            service,
            region: region.to_owned(),
            dedicated: false,
        })
    }
}

/// A dedicated gateway has a certificate from a private CA.
pub(crate) fn is_dedicated(host: &str) -> bool {
    host.ends_with(DEDICATED)
}

pub(crate) fn is_cloud_host(host: &str) -> bool {
    host.ends_with(DOMAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_versions_name_the_service() {
        let regions = Regions {
            default: "cn-hangzhou".to_owned(),
            gateways: BTreeMap::from([("kst-1".to_owned(), "cn-beijing".to_owned())]),
        };
        for (host, version, expected) in [
            (
                "kms.cn-shanghai.aliyuncs.com",
                "2016-01-20",
                Some((CalledService::Kms, "cn-shanghai", false)),
            ),
            (
                "kms-vpc.cn-shanghai.aliyuncs.com",
                "2016-01-20",
                Some((CalledService::Kms, "cn-shanghai", false)),
            ),
            (
                "oos-vpc.cn-beijing.aliyuncs.com",
                "2019-06-01",
                Some((CalledService::Oos, "cn-beijing", false)),
            ),
            ("sts.aliyuncs.com", "2015-04-01", Some((CalledService::Sts, "cn-hangzhou", false))),
            (
                "kst-1.cryptoservice.kms.aliyuncs.com",
                "2016-01-20",
                Some((CalledService::Kms, "cn-beijing", true)),
            ),
            (
                "kst-2.cryptoservice.kms.aliyuncs.com",
                "2016-01-20",
                Some((CalledService::Kms, "cn-hangzhou", true)),
            ),
            ("127.0.0.1", "2019-06-01", Some((CalledService::Oos, "cn-hangzhou", false))),
            ("127.0.0.1", "2014-05-26", None),
            ("ecs.cn-hangzhou.aliyuncs.com", "2014-05-26", None),
            ("sts.aliyuncs.com", "2016-01-20", None),
            ("kst-1.cryptoservice.kms.aliyuncs.com", "2015-04-01", None),
        ] {
            let route = regions.route(host, version);
            let route = route.as_ref().map(|r| (r.service, r.region.as_str(), r.dedicated));
            assert_eq!(route, expected, "{host} {version}");
        }
    }
}
