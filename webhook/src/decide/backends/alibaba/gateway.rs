//! By which CA a dedicated gateway of KMS is trusted.

use plan::{GatewayCa, Host};

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

/// The one that counts, and no other: what the Pod names, else what the operator does, else what
/// Alibaba Cloud publishes. A Pod that asks no gateway needs none.
pub(super) fn decide(
    secrets: &[&AlibabaSecret<'_>],
    request: &SecretsRequest<'_>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<GatewayCa> {
    if request.ca_config_map.is_some() {
        return Some(GatewayCa::Mounted);
    }
    let is_gateway = |asked: &&&AlibabaSecret<'_>| {
        let host = asked.lookup.ok().and_then(|lookup| lookup.endpoint.as_ref());
        host.is_some_and(Host::is_dedicated_gateway)
    };
    let asked = secrets.iter().find(is_gateway)?;
    if settings.ca_config_map().is_some() {
        return Some(GatewayCa::Mounted);
    }
    if let Some(given) = settings.gateway_ca() {
        return Some(GatewayCa::Given(given.clone()));
    }
    if settings.trusts_published_ca() {
        return Some(GatewayCa::Published);
    }
    problems.push(asked.secret.place.problem(
        "a dedicated KMS gateway needs the CA of its instance, and none is known",
        "set kms.alibabacloud/ca-config-map to a ConfigMap with the key ca.crt, or ask the operator for gatewayCa, caConfigMap or publishedCa in the settings",
    ));
    None
}
