//! Which hosts a Pod may name, and what region a host belongs to.

use plan::{Host, Region};

use crate::ask::secrets::{LONGEST_ENDPOINT, too_long};
use crate::problem::Problems;
use crate::settings::Settings;
use crate::settings::regions::{self, REGIONS};
use crate::settings::service::Service;

/// What is wrong, and the remedy.
pub(crate) type Bad = (String, String);

pub(crate) fn check_region(
    region: &Region,
    settings: &Settings,
    problems: &mut Problems,
) -> Result<(), Bad> {
    let name = region.as_str();
    if regions::is_known(name) || settings.regions().contains(region) {
        return Ok(());
    }
    let remedy = match problems.did_you_mean(name, REGIONS) {
        Some(known) => format!("did you mean {known}?"),
        None => "use a region id like cn-hangzhou, or ask the operator to add it to the settings (regions)".to_owned(),
    };
    Err((format!("there is no region {name}"), remedy))
}

/// The region of a shared endpoint, which its name says. The text may be one that is no host, and
/// is asked about for every source: how long it is must not count each time.
pub(crate) fn region_of(host: &str) -> Option<Region> {
    if host.len() > LONGEST_ENDPOINT {
        return None;
    }
    let (_, rest) = host.split_once('.')?;
    Region::parse(rest.strip_suffix(".aliyuncs.com")?).ok()
}

/// A host that a Pod names, with `{region}` filled in; anything outside the patterns is refused.
pub(crate) fn allowed(
    text: &str,
    service: Service,
    region: Option<&Region>,
    settings: &Settings,
    problems: &mut Problems,
) -> Result<Host, Bad> {
    let host = filled(text, region)?;
    let name = host.as_str();
    if settings.allowed_endpoints(service).contains(&host) {
        return Ok(host);
    }
    if host.is_dedicated_gateway() {
        let id = name.strip_suffix(".cryptoservice.kms.aliyuncs.com").unwrap_or_default();
        if service == Service::Kms && !id.contains('.') {
            return Ok(host);
        }
    }
    if name == "sts.aliyuncs.com" && service == Service::Sts {
        return Ok(host);
    }
    match shared_region(name, service) {
        Some(region) => check_region(&region, settings, problems).map(|()| host),
        None => Err((
            format!("the endpoint {name:?} is not allowed here"),
            format!(
                "{}, or ask the operator to add it to the settings (allowedEndpoints.{})",
                service.patterns(),
                service.as_str()
            ),
        )),
    }
}

/// The region of a host that all users of the service share there.
pub(crate) fn shared_region(host: &str, service: Service) -> Option<Region> {
    let (kind, _) = host.split_once('.')?;
    let belongs = match service {
        Service::Kms => matches!(kind, "kms" | "kms-vpc"),
        Service::Oos => matches!(kind, "oos" | "oos-vpc"),
        Service::Sts => matches!(kind, "sts" | "sts-vpc"),
    };
    region_of(host).filter(|_| belongs)
}

/// A host of the settings, which may be any, with `{region}` filled in.
pub(crate) fn filled(text: &str, region: Option<&Region>) -> Result<Host, Bad> {
    if let Some(bad) = too_long(text) {
        return Err(bad);
    }
    let text = match (text.contains("{region}"), region) {
        (true, Some(region)) => text.replace("{region}", region.as_str()),
        (true, None) => {
            return Err((
                "{region} in the endpoint cannot be filled in: no region is known".to_owned(),
                "set kms.alibabacloud/region".to_owned(),
            ));
        }
        (false, _) => text.to_owned(),
    };
    if text.contains('{') {
        return Err((
            format!("the endpoint {text:.100} still has a placeholder in it"),
            "replace {…} by the real value; only {region} is filled in".to_owned(),
        ));
    }
    Host::parse(&text).map_err(|error| (error.to_string(), String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, service: Service) -> Result<String, String> {
        let region = Region::parse("cn-hangzhou").unwrap();
        let settings = crate::settings::tests::of_flags(&[
            "allowedEndpoints.kms=kms.example.internal",
            "regions=cn-moon-1",
        ]);
        allowed(text, service, Some(&region), &settings, &mut Problems::default())
            .map(|host| host.to_string())
            .map_err(|(what, remedy)| format!("{what}; {remedy}"))
    }

    #[test]
    fn the_clouds_own_hosts_are_allowed_for_their_service() {
        for (text, service) in [
            ("kms-vpc.{region}.aliyuncs.com", Service::Kms),
            ("kms.eu-central-1.aliyuncs.com", Service::Kms),
            ("kst-hzz65f1.cryptoservice.kms.aliyuncs.com", Service::Kms),
            ("kms.cn-moon-1.aliyuncs.com", Service::Kms),
            ("kms.example.internal", Service::Kms),
            ("oos-vpc.cn-beijing.aliyuncs.com", Service::Oos),
            ("oos.cn-beijing.aliyuncs.com", Service::Oos),
            ("sts.aliyuncs.com", Service::Sts),
            ("sts.cn-beijing.aliyuncs.com", Service::Sts),
            ("sts-vpc.cn-beijing.aliyuncs.com", Service::Sts),
        ] {
            let host = check(text, service).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(!host.contains('{'));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, service, words) in [
            ("https://kms.cn-hangzhou.aliyuncs.com", Service::Kms, "host only"),
            ("kms.cn-hangzhou.aliyuncs.com:443", Service::Kms, "host only"),
            ("100.100.100.200", Service::Kms, "host only"),
            ("169.254.169.254", Service::Kms, "host only"),
            ("kms.cn-hangzhou.aliyuncs.com.evil.com", Service::Kms, "not allowed"),
            ("evil.com", Service::Kms, "not allowed"),
            ("kms.cn-hangzhou.aliyuncs.co", Service::Kms, "not allowed"),
            ("xkms.cn-hangzhou.aliyuncs.com", Service::Kms, "not allowed"),
            ("a.b.cryptoservice.kms.aliyuncs.com", Service::Kms, "not allowed"),
            ("cryptoservice.kms.aliyuncs.com", Service::Kms, "not allowed"),
            ("oos.cn-hangzhou.aliyuncs.com", Service::Kms, "not allowed"),
            ("kst-1.cryptoservice.kms.aliyuncs.com", Service::Oos, "not allowed"),
            ("kms.cn-hangzhou.aliyuncs.com", Service::Oos, "not allowed"),
            ("kms.cn-hangzhou.aliyuncs.com", Service::Sts, "not allowed"),
            ("sts.aliyuncs.com", Service::Kms, "not allowed"),
            ("kms.cn-hangzhuo.aliyuncs.com", Service::Kms, "did you mean cn-hangzhou"),
            ("kms.aliyuncs.com", Service::Kms, "not allowed"),
            ("kms.example.internal", Service::Oos, "allowedEndpoints.oos"),
            ("kms.example.internal", Service::Sts, "allowedEndpoints.sts"),
            ("{kms-instance-id}.cryptoservice.kms.aliyuncs.com", Service::Kms, "placeholder"),
        ] {
            let error = check(text, service).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_shared_host_says_its_region() {
        let region = |host| region_of(host).map(|region| region.to_string());
        assert_eq!(region("kms.cn-beijing.aliyuncs.com").as_deref(), Some("cn-beijing"));
        assert_eq!(region("kst-1.cryptoservice.kms.aliyuncs.com"), None);
        assert_eq!(region("sts.aliyuncs.com"), None);
    }

    #[test]
    fn a_text_too_long_for_a_host_has_no_region() {
        let ending = ".cn-hangzhou.aliyuncs.com";
        assert!(region_of(&format!("kms{ending}")).is_some());
        assert!(region_of(&format!("{}{ending}", "k".repeat(LONGEST_ENDPOINT))).is_none());
    }
}
