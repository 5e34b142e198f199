//! The private CA that a dedicated gateway of KMS needs.

use plan::Host;

use super::secret::AlibabaSecret;
use crate::ask::annotations::SecretsRequest;
use crate::problem::Problems;
use crate::settings::{ConfigMapName, Settings};

/// The ConfigMap that holds it, if there is one.
pub(crate) fn ca_config_map<'a>(
    request: &'a SecretsRequest<'_>,
    settings: &'a Settings,
) -> Option<&'a ConfigMapName> {
    request.ca_config_map.as_ref().or(settings.ca_config_map())
}

/// Whether a dedicated gateway is asked, whose certificate only a private CA explains.
pub(super) fn check(
    secrets: &[&AlibabaSecret<'_>],
    request: &SecretsRequest<'_>,
    settings: &Settings,
    problems: &mut Problems,
) -> bool {
    let is_gateway = |asked: &&&AlibabaSecret<'_>| {
        let host = asked.lookup.ok().and_then(|lookup| lookup.endpoint.as_ref());
        host.is_some_and(Host::is_dedicated_gateway)
    };
    let found = secrets.iter().find(is_gateway);
    if let (Some(asked), None) = (found, ca_config_map(request, settings)) {
        problems.push(asked.secret.place.problem(
            "a dedicated KMS gateway needs the CA of its instance, and none is known",
            "set kms.alibabacloud/ca-config-map to a ConfigMap with the key ca.crt, or ask the operator for caConfigMap in the settings",
        ));
    }
    found.is_some()
}
