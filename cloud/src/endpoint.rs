//! Which host serves which product in which region.

/// How a request reaches the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Vpc,
    Public,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Kms,
    Oos,
    Sts,
}

/// The default host of a service: `PRODUCT[-vpc].REGION.aliyuncs.com`, with the exceptions of STS.
#[must_use]
pub fn host(service: Service, region: &str, network: Network) -> String {
    let (product, region) = match service {
        Service::Kms => ("kms", region),
        Service::Oos => ("oos", region),
        Service::Sts => {
            let without = match network {
                Network::Vpc => WITHOUT_STS_VPC,
                Network::Public => WITHOUT_STS_PUBLIC,
            };
            if without.contains(&region) {
                return String::from(STS_GLOBAL);
            }
            // This finance region is served by its neighbour.
            ("sts", if region == "cn-hangzhou-finance" { "cn-hangzhou" } else { region })
        }
    };
    match network {
        Network::Vpc => format!("{product}-vpc.{region}.aliyuncs.com"),
        Network::Public => format!("{product}.{region}.aliyuncs.com"),
    }
}

/// The gateway of a dedicated KMS instance, whose certificate a private CA signs.
pub(crate) fn is_dedicated_kms(host: &str) -> bool {
    host.strip_suffix(".cryptoservice.kms.aliyuncs.com").is_some_and(|id| !id.is_empty())
}

const STS_GLOBAL: &str = "sts.aliyuncs.com";

/// Regions for which no STS endpoint is published inside a VPC.
const WITHOUT_STS_VPC: &[&str] = &[
    "ap-south-1",
    "ap-southeast-2",
    "ap-southeast-6",
    "ap-southeast-8",
    "cn-heyuan-acdr-1",
    "cn-zhengzhou-jva",
    "us-southeast-1",
];

/// Regions that the official SDK sends to the global endpoint.
const WITHOUT_STS_PUBLIC: &[&str] = &[
    "ap-northeast-2-pop",
    "ap-south-1",
    "ap-southeast-2",
    "cn-beijing-finance-pop",
    "cn-beijing-gov-1",
    "cn-edge-1",
    "cn-fujian",
    "cn-hongkong-finance-pop",
    "cn-shanghai-inner",
    "cn-wuhan",
    "cn-zhangbei",
    "eu-west-1-oxs",
    "rus-west-1-pop",
];

#[cfg(test)]
mod tests {
    use super::{Network, Service, host, is_dedicated_kms};

    #[test]
    fn every_product_follows_the_rule_of_its_region() {
        for (service, network, expected) in [
            (Service::Kms, Network::Vpc, "kms-vpc.eu-central-1.aliyuncs.com"),
            (Service::Kms, Network::Public, "kms.eu-central-1.aliyuncs.com"),
            (Service::Oos, Network::Vpc, "oos-vpc.eu-central-1.aliyuncs.com"),
            (Service::Oos, Network::Public, "oos.eu-central-1.aliyuncs.com"),
            (Service::Sts, Network::Vpc, "sts-vpc.eu-central-1.aliyuncs.com"),
            (Service::Sts, Network::Public, "sts.eu-central-1.aliyuncs.com"),
        ] {
            assert_eq!(host(service, "eu-central-1", network), expected);
        }
    }

    #[test]
    fn regions_without_an_sts_endpoint_use_another() {
        for (region, network, expected) in [
            ("cn-hangzhou-finance", Network::Vpc, "sts-vpc.cn-hangzhou.aliyuncs.com"),
            ("cn-hangzhou-finance", Network::Public, "sts.cn-hangzhou.aliyuncs.com"),
            ("ap-southeast-6", Network::Vpc, "sts.aliyuncs.com"),
            ("ap-southeast-6", Network::Public, "sts.ap-southeast-6.aliyuncs.com"),
            ("ap-south-1", Network::Vpc, "sts.aliyuncs.com"),
            ("ap-south-1", Network::Public, "sts.aliyuncs.com"),
        ] {
            assert_eq!(host(Service::Sts, region, network), expected, "{region} {network:?}");
        }
    }

    #[test]
    fn a_lookalike_is_not_a_dedicated_gateway() {
        assert!(is_dedicated_kms("kst-1.cryptoservice.kms.aliyuncs.com"));
        assert!(!is_dedicated_kms("cryptoservice.kms.aliyuncs.com"));
        assert!(!is_dedicated_kms(".cryptoservice.kms.aliyuncs.com"));
        assert!(!is_dedicated_kms("kst-1.cryptoservice.kms.aliyuncs.com.evil.example"));
        assert!(!is_dedicated_kms("evilcryptoservice.kms.aliyuncs.com"));
    }
}
